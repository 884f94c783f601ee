"""`iamd exec --role`: the command has that role's credentials from an endpoint of its own, and finds no others."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cli.conftest import environment, one_line
from running import ACCOUNT, allow

ROLE = f"arn:aws:iam::{ACCOUNT}:role/orders/worker"
WHO = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/iamd-exec"
WRONG = "[default]\naws_access_key_id = AKIAWRONGWRONGWRONG0\naws_secret_access_key = wrong\nregion = eu-west-3\n"
POISON = {
    "AWS_ACCESS_KEY": "AKIAWRONGWRONGWRONG0",
    "AWS_SECRET_KEY": "wrong",
    "AWS_SESSION_TOKEN": "stale",
    "AWS_PROFILE": "work",
    "AWS_ROLE_ARN": "arn:aws:iam::1:role/x",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/x",
    "AWS_CREDENTIAL_FILE": "creds",
    "AWS_SHARED_CREDENTIALS_FILE": "creds",
    "AWS_CONFIG_FILE": "conf",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/x",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN": "other",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1",
    "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1",
    "AWS_NOBODY_KNOWS_YET": "x",
    "ECS_CONTAINER_METADATA_URI_V4": "http://127.0.0.1:1",
    "BOTO_CONFIG": "creds",
    "IAMD_ADMIN_SECRET_ACCESS_KEY": "wrong",
}


def trust(principal, effect="Allow"):
    statement = {"Effect": effect, "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def role(aws):
    iam = aws.client("iam")
    iam.create_role(
        Path="/orders/", RoleName="worker", AssumeRolePolicyDocument=trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    )
    policy = json.dumps({"Version": "2012-10-17", "Statement": allow("iam:ListUsers")})
    iam.put_role_policy(RoleName="worker", PolicyName="own", PolicyDocument=policy)
    return ROLE


@pytest.fixture
def poisoned(folder):
    """An environment and a home folder full of other credentials."""
    for name in ("creds", "conf", ".aws/credentials", ".aws/config", ".boto"):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(WRONG + WRONG.replace("default", "Credentials"))
    return POISON


@pytest.fixture
def as_role(process, data, role):
    """`as_role(*words)` runs a command as the role."""

    def run(*words, env=None):
        return process("exec", "--data", data, "--role", role, "--", *words, env=env)

    return run


def test_boto3_is_the_role_whatever_else_lies_about(as_role, poisoned):
    assert as_role(sys.executable, "-c", WHO, env=poisoned).stdout.strip() == SESSION


def test_the_aws_cli_is_the_role_and_may_do_what_the_role_may(as_role, poisoned):
    cli = Path(sys.executable).parent / "aws"
    listed = as_role(cli, "iam", "list-users", "--query", "Users[].UserName", env=poisoned)
    assert json.loads(listed.stdout) == ["admin"]
    refused = as_role(cli, "iam", "list-roles", env=poisoned)
    assert f"{SESSION} is not authorized to perform: iam:ListRoles" in refused.stderr


def test_its_own_iamd_is_the_role_too(as_role):
    refused = as_role(sys.executable, "-m", "iamd", "account", "list")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"{SESSION} is not authorized to perform: iamd:ListAccounts" in refused.stderr


def test_no_key_stands_in_its_environment(aws, as_role, poisoned):
    printed = as_role("env", env=poisoned).stdout
    found = dict(
        line.split("=", 1) for line in printed.splitlines() if line.startswith(("AWS_", "BOTO", "IAMD", "ECS"))
    )
    url, token = found.pop("AWS_CONTAINER_CREDENTIALS_FULL_URI"), found.pop("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
    found.pop("AWS_CA_BUNDLE", None)
    assert found == {
        "AWS_ENDPOINT_URL": aws.endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_CONFIG_FILE": "/dev/null",
        "BOTO_CONFIG": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    assert url.startswith("http://127.0.0.1:")
    assert token.endswith("/token")
    assert aws.server.administrator.secret_access_key not in printed


ASKING = """
import json, os, stat, sys, urllib.error, urllib.request
url, path = os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"], os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]
token = open(path).read()
def ask(url=url, method="GET", **headers):
    headers = {"Authorization": token} | {name.replace("_", "-"): value for name, value in headers.items()}
    sent = urllib.request.Request(url, headers={k: v for k, v in headers.items() if v}, method=method)
    try:
        with urllib.request.urlopen(sent) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
"""


def test_the_endpoint_gives_ecs_credentials_to_who_shows_the_token(as_role, role):
    script = (
        ASKING + "print(json.dumps([ask(), oct(os.stat(path).st_mode), oct(os.stat(os.path.dirname(path)).st_mode)]))"
    )
    (status, told), file, folder = json.loads(as_role(sys.executable, "-c", script).stdout)
    assert status == 200
    assert sorted(told) == ["AccessKeyId", "Expiration", "RoleArn", "SecretAccessKey", "Token"]
    assert told["RoleArn"] == role
    assert told["AccessKeyId"].startswith("ASIA")
    assert (stat.S_IMODE(int(file, 8)), stat.S_IMODE(int(folder, 8))) == (0o600, 0o700)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("Authorization=None", 401),
        ("Authorization='x'", 401),
        ("Authorization=token + 'x'", 401),
        ("url=url + 'x'", 400),
        ("url=url.rpartition('/')[0] + '/'", 400),
        ("method='POST'", 405),
        ("Origin='http://evil.example'", 403),
        ("Sec_Fetch_Mode='cors'", 403),
        ("Host='evil.example'", 403),
    ],
)
def test_the_endpoint_refuses_whoever_else_asks(as_role, asked, status):
    code, told = json.loads(as_role(sys.executable, "-c", f"{ASKING}print(json.dumps(ask({asked})))").stdout)
    assert (code, "ASIA" in told) == (status, False)


def test_nothing_is_left_when_the_command_has_ended(as_role):
    printed = as_role("env").stdout
    found = dict(line.split("=", 1) for line in printed.splitlines() if line.startswith("AWS_CONTAINER"))
    gone = Path(found["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]).parent
    url = urlsplit(found["AWS_CONTAINER_CREDENTIALS_FULL_URI"])
    deadline = time.monotonic() + 30
    while is_open(url.hostname, url.port) and time.monotonic() < deadline:
        pass
    assert not is_open(url.hostname, url.port)
    assert not gone.exists()


def is_open(host, port):
    try:
        socket.create_connection((host, port), timeout=10).close()
    except ConnectionError:
        return False
    return True


def test_a_role_that_may_not_be_assumed_runs_nothing(aws, process, data, role, tmp_path):
    aws.client("iam").update_assume_role_policy(
        RoleName="worker", PolicyDocument=trust({"Service": "ec2.amazonaws.com"})
    )
    made = tmp_path / "made"
    words = one_line(process("exec", "--data", data, "--role", role, "--", "touch", made), 1)
    assert "not authorized to perform: sts:AssumeRole" in words
    assert not made.exists()


def test_assuming_is_the_callers_own_and_recorded(aws, process, data, role):
    ended = process(
        "exec", "--data", data, "--role", role, "--session-name", "nightly", "--duration-seconds", 900, "--", "true"
    )
    assert ended.returncode == 0, ended
    event = aws.events("AssumeRole")[0]
    assert event["userIdentity"]["userName"] == "admin"
    assert event["requestParameters"] == {"roleArn": role, "roleSessionName": "nightly", "durationSeconds": 900}


def test_code_and_options_pass_through(as_role):
    assert as_role("sh", "-c", "exit 42").returncode == 42
    assert as_role("sh", "-c", "kill -9 $$").returncode == -9
    assert as_role("printf", "%s", "--help").stdout == "--help"
    assert one_line(as_role("no-such-command"), 127) == "cannot run `no-such-command`: No such file or directory"


def test_the_command_is_the_process_that_was_started_and_has_no_strange_children(folder, data, role):
    """A signal reaches it because it is sent to it; `wait` finds no child that it has not made."""
    script = (
        "import os, signal; signal.signal(signal.SIGUSR1, lambda *_: os._exit(7)); print(os.getpid(), flush=True)\n"
    )
    script += "try:\n    os.waitpid(-1, 0)\nexcept ChildProcessError:\n    print('alone', flush=True)\nsignal.pause()"
    words = [
        sys.executable,
        "-m",
        "iamd",
        "exec",
        "--data",
        str(data),
        "--role",
        role,
        "--",
        sys.executable,
        "-c",
        script,
    ]
    with subprocess.Popen(words, env=environment(folder), cwd=folder, stdout=subprocess.PIPE, text=True) as running:
        assert int(running.stdout.readline()) == running.pid
        assert running.stdout.readline() == "alone\n"
        os.kill(running.pid, signal.SIGUSR1)
        assert running.wait(60) == 7


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--role", "worker"), "`worker` is not a role's ARN, such as arn:aws:iam::123456789012:role/name"),
        (("--task-role", f"arn:aws:iam::{ACCOUNT}:user/admin"), "user/admin` is not a role's ARN"),
        (("--task-rol", ROLE), "no such option '--task-rol'"),
        (("--no-such-option",), "no such option '--no-such-option'"),
    ],
)
def test_what_is_no_role_and_no_option_is_said_so_and_nothing_runs(process, data, words, told):
    assert told in one_line(process("exec", "--data", data, *words, "--", "env"), 2)


def test_the_companion_hides_the_callers_keys_from_the_command(folder, data, role):
    """The process that serves the credentials holds the caller's key; the command may not look into it.

    Root may read every process by CAP_SYS_PTRACE, CAP_PERFMON and CAP_SYS_ADMIN (capabilities(7)); here it has none.
    """
    as_any_user = """
import ctypes, os, sys
PR_CAPBSET_DROP, CAP_SYS_PTRACE, CAP_SYS_ADMIN, CAP_PERFMON = 24, 19, 21, 38
for capability in (CAP_SYS_PTRACE, CAP_SYS_ADMIN, CAP_PERFMON):
    if ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) and os.geteuid() == 0:
        sys.exit(f"root keeps capability {capability}")
os.execv(sys.executable, [sys.executable, "-m", "iamd", *sys.argv[1:]])
"""
    look = """
import os, sys
for name in filter(str.isdigit, os.listdir("/proc")):
    try:
        words = open(f"/proc/{name}/cmdline").read().split("\\0")
    except OSError:
        continue
    if "--role" in words and sys.argv[1] in words:
        try:
            print(open(f"/proc/{name}/environ").read())
        except PermissionError:
            print("hidden")
"""
    iamd = [sys.executable, "-c", as_any_user, "exec", "--data", str(data), "--role", role]
    ended = subprocess.run(
        [*iamd, "--", sys.executable, "-c", look, str(data)],
        check=False,
        capture_output=True,
        text=True,
        env=environment(folder),
        cwd=folder,
        timeout=60,
    )
    assert (ended.stdout, ended.stderr) == ("hidden\n", "")
