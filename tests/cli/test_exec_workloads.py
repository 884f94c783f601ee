"""`iamd exec --task-role` and `--instance-profile`: the command runs as ECS and EC2 run programs."""

import json
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
