"""`iamd exec --task-role` and `--instance-profile`: the command runs as ECS and EC2 run programs."""

import json
import socket
import sys
from pathlib import Path

import pytest
from cli.conftest import one_line
from running import ACCOUNT, AWS, Credentials, Server, allow
from services.iamd.test_workloads import EC2, TASKS, trust

ROLE = f"arn:aws:iam::{ACCOUNT}:role/worker"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/"
WHO = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
REFRESHED = """
import boto3, sys, time
session, seen, deadline = boto3.Session(), set(), time.monotonic() + 60
sts = session.client("sts")
while len(seen) < 3 and time.monotonic() < deadline:
    if "instance" in sys.argv:
        # botocore holds on to an instance's credentials for two minutes at least, so that a new session must ask.
        session = boto3.Session()
        sts = session.client("sts")
    sts.get_caller_identity()
    seen.add(session.get_credentials().get_frozen_credentials().access_key)
print(len(seen))
"""


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """A server whose workloads' credentials last for four seconds."""
    running = Server(tmp_path_factory.mktemp("short") / "data", "--backend", "none", "--workload-session-seconds", "4")
    aws = AWS(running)
    iam = aws.client("iam")
    iam.create_role(RoleName="worker", AssumeRolePolicyDocument=trust(TASKS, EC2))
    policy = json.dumps({"Version": "2012-10-17", "Statement": allow("iam:ListUsers")})
    iam.put_role_policy(RoleName="worker", PolicyName="own", PolicyDocument=policy)
    iam.create_instance_profile(InstanceProfileName="machines")
    iam.add_role_to_instance_profile(InstanceProfileName="machines", RoleName="worker")
    yield aws
    assert running.stop() == 0


@pytest.fixture(params=[("--task-role", ROLE), ("--instance-profile", "machines")], ids=["task", "instance"])
def run(request, process, short):
    """`run(*words)` runs a command as a task, and as on an instance."""

    def run(*words, env=None):
        clean = {"AWS_EC2_METADATA_DISABLED": "true"} | (env or {})
        return process("exec", "--data", short.server.data, *request.param, "--", *words, env=clean)

    return run


def test_boto3_is_the_role(run):
    assert run(sys.executable, "-c", WHO).stdout.startswith(SESSION)


def test_the_aws_cli_may_do_what_the_role_may(run):
    cli = Path(sys.executable).parent / "aws"
    assert json.loads(run(cli, "iam", "list-users", "--query", "Users[].UserName").stdout) == ["admin"]
    assert "is not authorized to perform: iam:ListRoles" in run(cli, "iam", "list-roles").stderr


def test_boto3_is_seen_having_them_anew(run, request):
    ended = run(sys.executable, "-c", REFRESHED, request.node.callspec.id)
    assert ended.stdout == "3\n", ended.stderr


def test_nothing_else_is_there_to_find(run, short):
    printed = run("env", env={"AWS_PROFILE": "x", "AWS_ACCESS_KEY_ID": "AKIAWRONGWRONGWRONG0"}).stdout
    names = {line.partition("=")[0] for line in printed.splitlines()}
    assert names.isdisjoint({"AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"})
    assert short.server.administrator.secret_access_key not in printed


def test_a_task_may_look_at_its_own_metadata(process, short):
    script = """
import json, os, urllib.request
url = os.environ["ECS_CONTAINER_METADATA_URI_V4"]
print(json.dumps([json.load(urllib.request.urlopen(url + more)) for more in ("", "/task")]))
"""
    ended = process("exec", "--data", short.server.data, "--task-role", ROLE, "--", sys.executable, "-c", script)
    container, task = json.loads(ended.stdout)
    assert task["TaskARN"].startswith(f"arn:aws:ecs:us-east-1:{ACCOUNT}:task/iamd/")
    assert task["Containers"] == [container]
    assert container["Labels"]["com.amazonaws.ecs.task-arn"] == task["TaskARN"]


def test_a_pods_agent_answers_in_its_own_shape(process, short):
    """EKS's agent is asked at a path of its own, with the token of a file as well."""
    script = """
import json, os, urllib.request
from urllib.parse import urljoin
headers = {"Authorization": open(os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]).read()}
url = urljoin(os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"], "/v1/credentials")
print(json.dumps(json.load(urllib.request.urlopen(urllib.request.Request(url, headers=headers)))))
os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = url
import boto3
print(boto3.client("sts").get_caller_identity()["Arn"])
"""
    ended = process("exec", "--data", short.server.data, "--task-role", ROLE, "--", sys.executable, "-c", script)
    told, who = ended.stdout.splitlines()
    assert sorted(json.loads(told)) == ["AccessKeyId", "AccountId", "Expiration", "SecretAccessKey", "Token"]
    assert json.loads(told)["AccountId"] == ACCOUNT
    assert who.startswith(SESSION)


def test_what_may_not_be_passed_runs_nothing(process, short, tmp_path):
    user = short.user("nobody")
    key = {
        "AWS_ENDPOINT_URL": short.endpoint,
        "AWS_ACCESS_KEY_ID": user.access_key_id,
        "AWS_SECRET_ACCESS_KEY": user.secret_access_key,
    }
    made = tmp_path / "made"
    words = one_line(process("exec", "--task-role", ROLE, "--", "touch", made, env=key), 1)
    assert f"nobody is not authorized to perform: iam:PassRole on resource: {ROLE}" in words
    assert not made.exists()


def test_one_way_to_run_is_given(iamd, short):
    both = iamd("exec", "--data", short.server.data, "--task-role", ROLE, "--role", ROLE, "--", "true")
    assert one_line(both, 2) == "give one of --role, --task-role and --instance-profile"
    named = iamd("exec", "--data", short.server.data, "--task-role", ROLE, "--session-name", "x", "--", "true")
    assert one_line(named, 2) == "--session-name and --duration-seconds are for --role"


def test_credentials_that_were_given_are_real_sessions(short):
    told = short.iamd("GetWorkloadCredentials", Service=TASKS, RoleArn=ROLE, ClientToken="0123456789abcdef")
    assert told["DurationSeconds"] == 4
    assert short.client("sts", Credentials.of(told)).get_caller_identity()["Arn"].startswith(SESSION)


RAW = """
import json, os, sys, urllib.error, urllib.request
host, uri = sys.argv[1], os.environ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]
def ask(path):
    try:
        with urllib.request.urlopen(f"http://{host}{path}") as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
names = sorted(name for name in os.environ if name.startswith(("AWS_CONTAINER", "ECS")))
metadata = json.load(urllib.request.urlopen(os.environ["ECS_CONTAINER_METADATA_URI_V4"]))
paths = (uri, uri[:-1] + ("0" if uri[-1] != "0" else "1"), "/v2/credentials/", "/v1/credentials")
print(json.dumps([names, metadata["Type"], [ask(path) for path in paths]]))
"""


def test_a_relative_uri_is_answered_as_by_ecs_agent_without_a_token(process, short):
    """AWS: ECS Developer Guide, task-iam-roles: the path stands for the task, and nothing else is asked for."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    host = f"127.0.0.1:{port}"
    words = ("exec", "--data", short.server.data, "--task-role", ROLE, "--ecs-address", host)
    ended = process(*words, "--", sys.executable, "-c", RAW, host)
    names, kind, ((status, told), *others) = json.loads(ended.stdout)
    assert names == ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "ECS_CONTAINER_METADATA_URI_V4"]
    assert (kind, status, told["RoleArn"]) == ("NORMAL", 200, ROLE)
    assert sorted(told) == ["AccessKeyId", "Expiration", "RoleArn", "SecretAccessKey", "Token"]
    assert [(code, answer["code"]) for code, answer in others] == [(400, "InvalidIdInRequest")] * 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--task-role", ROLE, "--ecs-address", "0.0.0.0"), "a loopback or link-local address"),
        (("--task-role", ROLE, "--ecs-address", "127.0.0.1:70000"), "a port up to 65535"),
        (("--task-role", ROLE, "--ecs-address", "here"), "an IPv4 address and perhaps a port"),
        (("--task-role", ROLE, "--ecs-address", "169.254.254.254"), "add the address to the loopback of a network"),
        (("--role", ROLE, "--ecs-address", "127.0.0.1"), "--ecs-address is for --task-role"),
    ],
)
def test_an_address_that_is_none_is_one_line(process, short, words, said):
    assert said in one_line(process("exec", "--data", short.server.data, *words, "--", "true"), 2)
