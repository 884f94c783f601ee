"""No secret that was given out or sent in stands in the data folder, the log, an answer or an event (AUD-04, SEC-02)."""

import base64
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from running import ACCOUNT, AWS, Credentials, Server, allow
from services.iam.key_material import ec_key, private_pem, server_material
from services.iam.world import Devices

OLD, NEW, WRONG = "Canary-Old-1", "Canary-New-2", "Canary-Wrong-3"
KEPT_APART = {"key", "credentials"}
"""The sealing keys, and the administrator's key that the first start writes for the CLI."""


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A data folder after every operation that gives or takes a secret, with those secrets and all that was answered."""
    server = Server(tmp_path_factory.mktemp("secrets") / "data", "--backend", "none")
    aws = AWS(server)
    try:
        secrets, answers = use(aws)
        events = json.dumps(aws.events())
    finally:
        server.stop()
    files = {path: path.read_bytes() for path in (*server.data.rglob("*"), server.log) if path.is_file()}
    return secrets, answers, events, files


def use(aws: AWS) -> tuple[dict[str, str], str]:
    iam, secrets, answers = aws.client("iam"), {}, []

    def refused(call: Any, **parameters: Any) -> None:
        with pytest.raises(ClientError) as caught:
            call(**parameters)
        answers.append(json.dumps(caught.value.response, default=str))

    ann = aws.user("ann", allow("*"))
    secrets["access key"] = ann.secret_access_key
    secrets["another account's key"] = aws.iamd("CreateAccount", Name="other")["SecretAccessKey"]
    iam.create_login_profile(UserName="ann", Password=OLD)
    own = aws.client("iam", ann)
    refused(own.change_password, OldPassword=WRONG, NewPassword=NEW)
    own.change_password(OldPassword=OLD, NewPassword=NEW)
    refused(iam.create_login_profile, UserName="ann", Password=WRONG + "é\u2019")
    refused(iam.update_login_profile, UserName="ann", Password=WRONG * 20)
    secrets |= {"old password": OLD, "new password": NEW, "wrong password": WRONG}
    devices = Devices(iam)
    serial, seed = devices.new("phone")
    secrets |= service_specific_credentials(iam) | server_certificates(iam, refused)
    codes = devices.codes(seed)
    iam.enable_mfa_device(UserName="ann", SerialNumber=serial, **codes)
    refused(iam.resync_mfa_device, UserName="ann", SerialNumber=serial, **codes)
    secrets |= {"seed": seed, "seed as it is sent": base64.b64encode(seed.encode()).decode()}
    secrets["raw seed"] = base64.b32decode(seed).hex()
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    role = iam.create_role(RoleName="app", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    sts = aws.client("sts", ann)
    session = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    refused(sts.assume_role, RoleArn=role, RoleSessionName="test", SerialNumber=serial, TokenCode="975319")
    refused(aws.client("iam", Credentials.of(session)).list_users)
    secrets |= {"session's key": session["SecretAccessKey"], "session token": session["SessionToken"]}
    refused(aws.client("iam", Credentials(ann.access_key_id, secrets["seed"])).list_users)
    return secrets, "".join(answers)


def service_specific_credentials(iam: Any) -> dict[str, str]:
    """A password, one that took its place, and an API key with the password in it."""

    def create(service: str) -> dict[str, str]:
        answer = iam.create_service_specific_credential(UserName="ann", ServiceName=service, CredentialAgeDays=1)
        return dict(answer["ServiceSpecificCredential"])

    first, api_key = create("codecommit.amazonaws.com"), create("bedrock.amazonaws.com")
    named = {"UserName": "ann", "ServiceSpecificCredentialId": first["ServiceSpecificCredentialId"]}
    second = iam.reset_service_specific_credential(**named)["ServiceSpecificCredential"]
    key = api_key["ServiceCredentialSecret"]
    return {
        "service password": first["ServicePassword"],
        "new service password": second["ServicePassword"],
        "API key": key,
        "password in the API key": base64.b64decode(key.removeprefix("ABSK")).decode().partition(":")[2],
    }


def server_certificates(iam: Any, refused: Any) -> dict[str, str]:
    """A private key that is kept, also without its armour, and one that is refused."""
    material, other = server_material(), private_pem(ec_key("other"))
    iam.upload_server_certificate(ServerCertificateName="site", **material)
    refused(iam.upload_server_certificate, ServerCertificateName="other", **material | {"PrivateKey": other})
    refused(iam.upload_server_certificate, ServerCertificateName="other", **material | {"PrivateKey": other[:-50]})
    return {
        "private key": body_of(material["PrivateKey"]),
        "raw private key": base64.b64decode(body_of(material["PrivateKey"])).hex(),
        "refused private key": body_of(other)[:48],
    }


def body_of(pem: str) -> str:
    """A PEM without its armour and line ends."""
    return "".join(pem.splitlines()[1:-1])


SECRETS = (
    "access key", "another account's key", "old password", "new password", "wrong password", "seed",
    "seed as it is sent", "raw seed", "session's key", "session token",
    "service password", "new service password", "API key", "password in the API key",
    "private key", "raw private key", "refused private key",
)  # fmt: skip


@pytest.mark.parametrize("name", SECRETS)
def test_no_file_no_event_and_no_refusal_holds_it(used, name):
    secrets, answers, events, files = used
    assert set(secrets) == set(SECRETS)
    secret = secrets[name]
    assert secret not in answers
    assert secret not in events
    form = bytes.fromhex(secret) if name.startswith("raw ") else secret.encode()
    assert not [path for path, content in files.items() if path.name not in KEPT_APART and form in content]


def test_one_time_codes_are_in_no_event(used):
    assert "975319" not in used[2]
    assert "HIDDEN_DUE_TO_SECURITY_REASONS" in used[2]


def test_what_was_searched_is_the_database_and_the_servers_log(used):
    contents = {path.name: content for path, content in used[3].items()}
    assert contents["iamd.db"].startswith(b"SQLite format 3")
    assert b"CreateLoginProfile" in contents["iamd.db"]
    assert b"iamd" in contents["data.log"]
