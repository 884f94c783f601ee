"""Where instance metadata listens, and what settings say of it."""

import json
import socket
from urllib.parse import urlsplit

import pytest
from cli.conftest import folder, one_line, process  # noqa: F401 - fixtures
from metadata.conftest import Metadata, health, run_instance
from running import AWS, Credentials, allow, deny
from services.iamd.test_workloads import trust

CREDENTIALS = "/latest/meta-data/iam/security-credentials/web"


def taken():
    """A socket on a port that nobody else can have."""
    held = socket.create_server(("127.0.0.1", 0))
    return held, held.getsockname()[1]


def test_a_port_that_was_asked_for_and_is_taken_is_told(process, tmp_path):  # noqa: F811
    held, port = taken()
    with held:
        ended = process(
            "serve", "--port", "0", "--backend", "none", "--data", tmp_path / "d", "--metadata", f"127.0.0.1:{port}"
        )
        assert f"cannot listen on 127.0.0.1:{port}: Address already in use; give another `--metadata`" in one_line(
            ended, 2
        )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--metadata", "x"], "wrong value for `metadata`: `host:port`, got `x`"),
        (["--metadata", "127.0.0.1:70000"], "wrong value for `metadata`: a port is at most 65535"),
        (["--metadata", "0.0.0.0:0"], "gives credentials to whoever reaches it: give `--allow-plain-http`"),
        (["--metadata-instance", "web"], "wrong value for `metadata_instance`: an instance's id"),
        (["--workload-session-seconds", "1"], "wrong value for `workload_session_seconds`: 2 to 43200, got `1`"),
    ],
)
def test_what_is_no_setting_is_told(process, tmp_path, options, words):  # noqa: F811
    assert words in one_line(process("serve", "--data", tmp_path / "d", *options), 2)


def test_without_a_backend_there_is_no_instance(start):
    server = start("--backend", "none")
    endpoint = health(server)["metadata"]["default"]
    assert Metadata(endpoint).ask("/latest/meta-data/").status == 404
    assert Metadata(endpoint).ask("/latest/meta-data/", Origin="http://evil.example").status == 403


def test_the_default_port_is_left_to_who_has_it(start, tmp_path):
    """With a port of its own the server asks for 4567, and takes another when that one is taken."""
    held, port = taken()
    held.close()
    try:
        first = socket.create_server(("127.0.0.1", 4567))
    except OSError:
        first = None
    server = start("--backend", "none", "--port", str(port))
    assert urlsplit(health(server)["metadata"]["default"]).port != 4567
    if first is not None:
        first.close()


@pytest.fixture
def chosen(start):
    """A server of two workers that answers version 1, with a role and its profile; its clients."""
    server = start("--metadata-v1", "--workers", "2", "--workload-session-seconds", "3600")
    aws = AWS(server)
    iam = aws.client("iam")
    iam.create_role(RoleName="web", AssumeRolePolicyDocument=trust("ec2.amazonaws.com"))
    statements = [allow("iam:ListUsers"), deny("iam:ListUsers", NumericLessThan={"ec2:RoleDelivery": "2.0"})]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_role_policy(RoleName="web", PolicyName="own", PolicyDocument=policy)
    iam.create_instance_profile(InstanceProfileName="web-profile")
    iam.add_role_to_instance_profile(InstanceProfileName="web-profile", RoleName="web")
    return aws


def test_version_1_is_answered_where_it_is_let_and_its_credentials_say_so(chosen):
    """By whichever of several workers is asked."""
    run_instance(chosen)
    metadata = Metadata(health(chosen.server)["metadata"]["default"])

    def listing(of):
        told = json.loads(of.ask(CREDENTIALS).text)
        key = Credentials(told["AccessKeyId"], told["SecretAccessKey"], told["Token"])
        return lambda: chosen.client("iam", key).list_users()["Users"]

    with pytest.raises(chosen.client("iam").exceptions.ClientError, match="explicit deny"):
        listing(metadata)()
    of = metadata.token()
    for _ in range(8):
        assert of.ask(CREDENTIALS).status == 200
    assert listing(of)()
    chosen.client("ec2").modify_instance_metadata_options(
        InstanceId=metadata.ask("/latest/meta-data/instance-id").text, HttpTokens="required"
    )
    assert {metadata.ask(CREDENTIALS).status for _ in range(8)} == {401}


def test_the_instance_of_the_setting_is_the_one(start):
    server = start("--metadata-instance", "i-0123456789abcdef0")
    aws = AWS(server)
    iam = aws.client("iam")
    iam.create_role(RoleName="web", AssumeRolePolicyDocument=trust("ec2.amazonaws.com"))
    iam.create_instance_profile(InstanceProfileName="web-profile")
    iam.add_role_to_instance_profile(InstanceProfileName="web-profile", RoleName="web")
    run_instance(aws)
    assert Metadata(health(server)["metadata"]["default"]).ask("/latest/meta-data/").status == 404
