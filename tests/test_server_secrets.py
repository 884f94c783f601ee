"""SEC-01..04: what a first start makes is random, its owner's alone, and shown nowhere; nothing listens beyond loopback."""

import json
import re
import socket
import stat
import subprocess
import sys
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest
from cli.conftest import environment
from running import AWS, Server


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Two servers that were started for the first time, one of them before its backend."""
    folder = tmp_path_factory.mktemp("two")
    servers = [Server(folder / "one", "--dev"), Server(folder / "two", "--backend", "none")]
    yield servers
    for server in servers:
        assert server.stop() == 0


def secrets_of(server):
    admin = server.administrator
    return admin.access_key_id, admin.secret_access_key, (server.data / "key").read_text()


def test_no_two_servers_share_a_key_or_secret(two):
    first, second = map(secrets_of, two)
    assert not set(first) & set(second)
    assert not {part for text in first for part in text.split()} & {part for text in second for part in text.split()}
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", first[0])
    assert len(first[1]) == 40


def test_everything_in_the_data_folder_is_its_owners_alone(two):
    for server in two:
        AWS(server).client("iam").list_users()
        modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in [server.data, *server.data.rglob("*")]}
        assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}, modes
        assert {mode for path, mode in modes.items() if not path.is_dir()} == {0o600}, modes


def test_no_secret_is_printed(two):
    for server in two:
        shown = server.log.read_text() + server.ready_line
        assert not any(secret in shown for secret in (*secrets_of(server)[1:], *secrets_of(server)[2].split()))


def test_the_backend_does_not_have_iamds_secrets(two):
    server = two[0]
    pid = server.process.pid
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    given = Path(f"/proc/{child}/environ").read_bytes() + Path(f"/proc/{child}/cmdline").read_bytes()
    assert b"IAMD_" not in given
    assert not any(secret.encode() in given for secret in secrets_of(server))


def sockets_of(process):
    """The inodes of the sockets that a process holds; a file that it closes meanwhile is none that it listens on."""
    inodes = set()
    for descriptor in Path(f"/proc/{process}/fd").iterdir():
        with suppress(FileNotFoundError):
            held = re.fullmatch(r"socket:\[(\d+)\]", str(descriptor.readlink()))
            inodes |= {held[1]} if held else set()
    return inodes


def test_it_listens_on_loopback_and_nowhere_else(two):
    """By the kernel's tables: 127.0.0.1 alone, where metadata has a socket of its own; the backend's are Unix sockets."""
    for server in two:
        pid = server.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        inodes = sockets_of(str(pid)).union(*map(sockets_of, children))
        lines = [
            line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
        ]
        listening = [fields[1] for fields in lines if fields[3] == "0A" and fields[9] in inodes]
        with urllib.request.urlopen(f"{server.endpoint}/_iamd/health", timeout=30) as answer:
            metadata = json.load(answer)["metadata"]["default"]
        ports = [int(one.rpartition(":")[2]) for one in (server.endpoint, metadata)]
        loopback = f"{int.from_bytes(socket.inet_aton('127.0.0.1'), 'little'):08X}"
        assert sorted(listening) == sorted(f"{loopback}:{port:04X}" for port in ports)


def test_plain_http_elsewhere_and_development_doors_elsewhere_are_refused(tmp_path):
    command = [sys.executable, "-m", "iamd", "serve", "--data", tmp_path / "data", "--host", "0.0.0.0"]
    for options, told in (
        ([], "plain HTTP on `0.0.0.0`"),
        (["--dev", "--allow-plain-http"], "`--dev` binds loopback only"),
    ):
        ended = subprocess.run(
            [*command, *options], check=False, capture_output=True, text=True, env=environment(tmp_path), timeout=60
        )
        assert (ended.returncode, ended.stdout) == (2, "")
        assert ended.stderr.startswith(f"iamd: {told}")
    assert not (tmp_path / "data").exists()


def test_development_doors_are_shut_without_dev(two):
    import urllib.error

    for path in ("/_iamd/reset", "/_iamd/clock"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            two[1].post(path)


@pytest.mark.parametrize(
    "header", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Host": "evil.example"}]
)
def test_development_doors_are_shut_to_pages_of_browsers(two, header):
    import urllib.error
    import urllib.request

    AWS(two[0]).client("iam").create_user(UserName=f"user-{next(iter(header))}")
    request = urllib.request.Request(f"{two[0].endpoint}/_iamd/reset", b"", header, method="POST")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request, timeout=10)
    assert AWS(two[0]).client("iam").get_user(UserName=f"user-{next(iter(header))}")
