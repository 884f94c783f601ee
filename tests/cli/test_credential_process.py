"""`iamd credential-process`: what an SDK reads when a profile names it, and how little it has to import for that."""

import json
import shlex
import subprocess
import sys

import boto3
import pytest
from cli.conftest import environment, one_line
from running import ACCOUNT

ROLE = f"arn:aws:iam::{ACCOUNT}:role/worker"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/worker"
TRUST = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}


@pytest.fixture
def role(aws):
    document = json.dumps({"Version": "2012-10-17", "Statement": TRUST})
    aws.client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument=document)
    return ROLE


def test_boto3_has_the_credentials_of_a_profile_that_names_it(aws, data, role, tmp_path, monkeypatch):
    words = [sys.executable, "-m", "iamd", "credential-process", "--data", str(data), "--role", role]
    config = f"[profile worker]\ncredential_process = {shlex.join(words)}\nregion = us-east-1\n"
    (tmp_path / "config").write_text(config)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    session = boto3.Session(profile_name="worker")
    client = session.client("sts", endpoint_url=aws.endpoint)
    assert client.get_caller_identity()["Arn"] == f"{SESSION}/iamd-credential-process"
    client.close()


@pytest.mark.parametrize("more", [[], ["--duration-seconds", "900"]])
def test_a_roles_credentials_are_printed_with_their_end(process, data, role, more):
    """By both ways: the one that imports little, and the command itself."""
    ended = process("credential-process", "--data", data, "--role", role, *more)
    told = json.loads(ended.stdout)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert sorted(told) == ["AccessKeyId", "Expiration", "SecretAccessKey", "SessionToken", "Version"]
    assert told["AccessKeyId"].startswith("ASIA")
    assert told["Version"] == 1


def test_without_a_role_they_are_the_callers_own(aws, process, data, role):
    admin = aws.server.administrator
    own = {"Version": 1, "AccessKeyId": admin.access_key_id, "SecretAccessKey": admin.secret_access_key}
    assert json.loads(process("credential-process", "--data", data).stdout) == own
    assumed = json.loads(process("credential-process", "--data", data, "--role", role).stdout)
    names = {
        "AWS_ENDPOINT_URL": aws.endpoint,
        "AWS_ACCESS_KEY_ID": assumed["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": assumed["SecretAccessKey"],
        "AWS_SESSION_TOKEN": assumed["SessionToken"],
    }
    del assumed["Expiration"]
    assert json.loads(process("credential-process", env=names).stdout) == assumed


def test_what_is_refused_is_one_line(process, data, role, tmp_path):
    other = one_line(process("credential-process", "--data", data, "--role", role + "x"), 1)
    assert f"not authorized to perform: sts:AssumeRole on resource: {role}x" in other
    assert "no such option" in one_line(process("credential-process", "--data", data, "--rolle", role), 2).lower()
    assert "`worker` is not a role's ARN" in one_line(
        process("credential-process", "--data", data, "--role", "worker"), 2
    )
    assert "no server was started" in one_line(process("credential-process", "--data", tmp_path / "none"), 2)


HEAVY = {"click", "msgspec", "http.client", "ssl", "platformdirs", "dataclasses", "iamd.settings", "configparser"}


@pytest.mark.parametrize("with_role", [False, True])
def test_it_imports_nothing_that_takes_long(data, role, folder, with_role):
    script = "import sys; from iamd.cli import main; main(); print(*sys.modules, file=sys.stderr)"
    words = ["credential-process", "--data", str(data), *(["--role", role] if with_role else [])]
    ended = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path = {sys.path!r}; {script}", *words],
        check=True, capture_output=True, text=True, env=environment(folder), timeout=60,
    )  # fmt: skip
    assert json.loads(ended.stdout)["Version"] == 1
    assert HEAVY.isdisjoint(ended.stderr.split())
