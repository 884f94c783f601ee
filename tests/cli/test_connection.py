"""Which server a command asks, and how it ends when that cannot be asked, or says no."""

import json
import re
import socket
import threading

import pytest
from cli.conftest import one_line
from running import Server

ADMIN = "arn:aws:iam::123456789012:user/admin"


def pointing(endpoint, key_id="AKIAEXAMPLEEXAMPLE00", secret="a-secret", **more):
    return {"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": key_id, "AWS_SECRET_ACCESS_KEY": secret, **more}


def answering(answer: bytes):
    """A server on loopback that gives one answer to whatever it is asked."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve():
        with listening:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{listening.getsockname()[1]}"


COMMANDS = [
    ["status"], ["account", "list"], ["account", "add", "--name", "x"], ["audit", "verify"], ["can", ADMIN, "iam:GetUser", "*"],
    ["explain", "x"],
]  # fmt: skip


@pytest.mark.parametrize("words", COMMANDS)
def test_a_server_that_is_not_there_is_exit_code_3(iamd, words):
    told = one_line(iamd(*words, env=pointing("http://127.0.0.1:1")), 3)
    assert told == "no server at http://127.0.0.1:1: is `iamd serve` running?"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
        b'HTTP/1.1 404 Not Found\r\ncontent-length: 16\r\n\r\n{"version": "1"}',
        b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 50_000,
        b"SSH-2.0-x\r\n",
        b"",
    ],
)
def test_a_server_that_is_another_is_exit_code_3(iamd, answer):
    one_line(iamd("status", env=pointing(answering(answer))), 3)


@pytest.mark.parametrize("endpoint", ["foo", "http://", "http://h:abc", "ftp://x", "http://[::1", "", "http://h:0"])
def test_an_endpoint_that_is_none_is_wrong_usage(iamd, endpoint):
    told = one_line(iamd("status", env=pointing(endpoint)), 2)
    assert told == f"`{endpoint}` is no endpoint: it has the form `http://host:port`"


@pytest.mark.parametrize(
    "variables", [{"key_id": "a\nb"}, {"key_id": "é"}, {"key_id": ""}, {"AWS_SESSION_TOKEN": "a\r\nX: b"}]
)
def test_a_key_that_is_none_is_wrong_usage(iamd, variables):
    one_line(iamd("account", "list", env=pointing("http://127.0.0.1:1", **variables)), 2)


@pytest.mark.parametrize("words", COMMANDS[1:])
def test_a_caller_who_may_not_is_exit_code_1(aws, iamd, words):
    poor = aws.user("poor")
    ended = iamd(*words, env=pointing(aws.endpoint, poor.access_key_id, poor.secret_access_key))
    assert re.match(
        r"User: arn:aws:iam::123456789012:user/poor is not authorized to perform: iamd:", one_line(ended, 1)
    )


def test_a_wrong_secret_or_an_unknown_key_is_exit_code_1(aws, iamd):
    known = aws.server.administrator.access_key_id
    for key_id in (known, "AKIAEXAMPLEEXAMPLE00"):
        one_line(iamd("account", "list", env=pointing(aws.endpoint, key_id)), 1)


def test_what_the_server_finds_wrong_is_wrong_usage(iamd, data):
    told = one_line(iamd("account", "add", "--name", "x", "--id", "12", "--data", data), 2)
    assert told.startswith("1 validation error detected: Value '12' at 'accountId' failed to satisfy constraint")
    assert (
        one_line(iamd("explain", "none-such", "--data", data), 2) == "no request none-such is recorded in this account"
    )
    told = one_line(iamd("can", ADMIN.replace("admin", "nobody"), "iam:GetUser", "*", "--data", data), 2)
    assert told == "no principal arn:aws:iam::123456789012:user/nobody is in this account"


def test_a_session_is_taken_from_the_environment(aws, iamd):
    admin = aws.server.administrator
    trust = {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": {"AWS": ADMIN}, "Action": "sts:AssumeRole"},
    }
    iam = aws.client("iam")
    iam.create_role(RoleName="boss", AssumeRolePolicyDocument=json.dumps(trust))
    iam.attach_role_policy(RoleName="boss", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    held = aws.client("sts", admin).assume_role(
        RoleArn="arn:aws:iam::123456789012:role/boss", RoleSessionName="session"
    )["Credentials"]
    variables = pointing(
        aws.endpoint, held["AccessKeyId"], held["SecretAccessKey"], AWS_SESSION_TOKEN=held["SessionToken"]
    )
    assert iamd("account", "list", env=variables).returncode == 0


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("config", b"junk", "`{}` is damaged; start the server once more, or mend it"),
        ("config", b"\xff\xfe", "`{}` is damaged; start the server once more, or mend it"),
        ("credentials", b"[default]\n[default]\n", "`{}` is damaged; start the server once more, or mend it"),
        ("credentials", b"[other]\nx = 1\n", "`{folder}` lacks 'aws_access_key_id'; start the server once more"),
    ],
)
def test_damaged_files_of_the_cli_are_told(iamd, folder, name, content, told):
    aws = folder / "d" / "aws"
    aws.mkdir(parents=True)
    (aws / "config").write_text("[default]\nregion = us-east-1\nendpoint_url = http://127.0.0.1:1\n")
    (aws / "credentials").write_text("[default]\naws_access_key_id = a\naws_secret_access_key = b\n")
    (aws / name).write_bytes(content)
    assert one_line(iamd("account", "list", "--data", "d"), 2) == told.format(f"d/aws/{name}", folder="d/aws")
    (aws / name).unlink()
    (aws / name).mkdir()
    assert one_line(iamd("account", "list", "--data", "d"), 2) == f"cannot read `d/aws/{name}`: Is a directory"


def test_a_secret_may_hold_any_visible_character(process, tmp_path):
    secret = "100%(x)s=;#'\"\\[]${}`!a b".replace(" ", "")
    given = {"IAMD_ADMIN_ACCESS_KEY_ID": "AKIAEXAMPLEEXAMPLE00", "IAMD_ADMIN_SECRET_ACCESS_KEY": secret}
    server = Server(tmp_path / "d", "--backend", "none", environment=given)
    try:
        assert process("account", "list", "--data", server.data).returncode == 0
        assert process("aws", "--data", server.data, "sts", "get-caller-identity").returncode == 0
        sourced = process("exec", "--data", server.data, "--", "sh", "-c", 'printf %s "$AWS_SECRET_ACCESS_KEY"')
        assert sourced.stdout == secret
    finally:
        assert server.stop() == 0


def test_the_folder_of_make_serve_is_found_beside_the_command(iamd, folder, data):
    (folder / ".iamd").symlink_to(data)
    assert iamd("status").returncode == 0
    assert iamd("status", env={"IAMD_DATA": str(data)}).returncode == 0
    one_line(iamd("status", env={"IAMD_DATA": str(folder / "other")}), 2)
