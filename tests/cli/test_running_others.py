"""`iamd exec` and `iamd aws`: the child finds this server and these credentials, and nothing else."""

import json
import subprocess
import sys

import pytest
from cli.conftest import environment, one_line

ELSEWHERE = {
    "AWS_PROFILE": "work",
    "AWS_SESSION_TOKEN": "stale",
    "AWS_SECURITY_TOKEN": "stale",
    "AWS_ROLE_ARN": "arn:aws:iam::1:role/x",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/x",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/",
    "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1",
    "AWS_ENDPOINT_URL_IAM": "http://127.0.0.1:1",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_SHARED_CREDENTIALS_FILE": "creds",
    "AWS_CONFIG_FILE": "conf",
    "BOTO_CONFIG": "/x",
}


@pytest.fixture
def elsewhere(folder):
    """An environment and files that point a client at AWS, or at nobody."""
    for name in ("creds", "conf", ".aws/credentials", ".aws/config"):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("[default]\naws_access_key_id = wrong\naws_secret_access_key = wrong\nregion = eu-west-3\n")
    return ELSEWHERE


def test_exec_gives_its_child_nothing_else_to_find(aws, process, data, elsewhere):
    ended = process("exec", "--data", data, "--", "env", env=elsewhere)
    found = dict(line.split("=", 1) for line in ended.stdout.splitlines() if line.startswith(("AWS_", "BOTO")))
    admin = aws.server.administrator
    assert found == {
        "AWS_ENDPOINT_URL": aws.endpoint,
        "AWS_ACCESS_KEY_ID": admin.access_key_id,
        "AWS_SECRET_ACCESS_KEY": admin.secret_access_key,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    } | ({"AWS_CA_BUNDLE": found["AWS_CA_BUNDLE"]} if "AWS_CA_BUNDLE" in found else {})


def test_the_aws_cli_reaches_the_server(process, data, elsewhere):
    ended = process("aws", "--data", data, "iam", "list-users", "--query", "Users[].UserName", env=elsewhere)
    assert (ended.returncode, json.loads(ended.stdout)) == (0, ["admin"])


def test_the_childs_code_and_options_pass_through(process, data):
    assert process("exec", "--data", data, "--", "sh", "-c", "exit 42").returncode == 42
    assert process("exec", "--data", data, "printf", "%s", "--help").stdout == "--help"
    assert process("exec", "--data", data, "--", "sh", "-c", "kill -9 $$").returncode == -9
    refused = process("aws", "--data", data, "iam", "get-user", "--user-name", "nobody")
    assert (refused.returncode, refused.stdout) == (255, "") or refused.returncode == 254
    assert "NoSuchEntity" in refused.stderr


@pytest.mark.parametrize(
    ("word", "code", "told"),
    [
        ("no-such-command", 127, "cannot run `no-such-command`: No such file or directory"),
        ("/etc/passwd", 126, "cannot run `/etc/passwd`: Permission denied"),
        ("/", 126, "cannot run `/`: Permission denied"),
    ],
)
def test_a_child_that_cannot_run_has_the_shells_code(process, data, word, code, told):
    assert one_line(process("exec", "--data", data, "--", word), code) == told


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_script_is_printed_and_what_it_asks_is_answered(process, folder, shell):
    script = process("completion", shell)
    assert (script.returncode, script.stderr) == (0, "")
    assert f"_IAMD_COMPLETE={shell}_complete" in script.stdout
    asked = {
        "_IAMD_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": "iamd fs",
        "COMP_CWORD": "fs" if shell == "fish" else "1",
    }
    command = [sys.executable, "-c", "import sys; sys.argv[0] = 'iamd'; from iamd.cli import main; main()"]
    told = subprocess.run(
        command, check=False, env=environment(folder) | asked, capture_output=True, text=True, timeout=60
    )
    assert "fsck" in told.stdout
    assert "status" not in told.stdout
