"""LIM-01, LIM-03: what is refused leaves no memory behind, however much and however varied it is."""

import gzip
import resource
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from raw import Raw
from running import AWS, Server

MIB = 1024 * 1024
FORM = b"Host: iam.localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
JSON = b"Host: x\r\nX-Amz-Target: iamd.ListAccounts\r\nContent-Type: application/x-amz-json-1.1\r\n"


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("memory") / "data", "--backend", "none", "--refusals-per-second", "100000")
    yield AWS(server)
    assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()


def resident(aws):
    """Bytes of memory that the server has, once it has stored what waits."""
    time.sleep(0.3)
    status = Path(f"/proc/{aws.server.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


def sent(aws, head, body=b""):
    """The status of the answer to a request that may be cut before it is sent."""
    with Raw(aws.endpoint) as raw:
        with suppress(ConnectionError):
            raw.send(head + b"\r\n" + body)
        return raw.answer()[0]


HOSTILE = {
    "a gigabyte announced": lambda aws, _: sent(aws, b"POST / HTTP/1.1\r\n" + FORM + b"Content-Length: 1073741824\r\n", b"a" * 65536),
    "chunks without end": lambda aws, _: sent(aws, b"POST / HTTP/1.1\r\n" + FORM + b"Transfer-Encoding: chunked\r\n", b"200000\r\n" + b"a" * 2 * MIB),
    "a megabyte of names": lambda aws, n: sent(aws, b"POST / HTTP/1.1\r\n" + FORM + b"Content-Length: 1000000\r\n", b"&".join(b"%d-%d=" % (n, m) for m in range(150_000))[:1_000_000]),
    "a megabyte of brackets": lambda aws, _: sent(aws, b"POST / HTTP/1.1\r\n" + JSON + b"Content-Length: 1000000\r\n", b"[" * 1_000_000),
    "a bomb": lambda aws, _: sent(aws, b"POST / HTTP/1.1\r\n" + JSON + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n" % len(BOMB), BOMB),
    "a head that is too long": lambda aws, n: sent(aws, b"GET / HTTP/1.1\r\nHost: x\r\nX-%d: " % n + b"a" * 40_000 + b"\r\n"),
    "strangers": lambda aws, n: sent(
        aws,
        b"GET /b%d?x%d HTTP/1.1\r\nHost: h%d.localhost\r\nUser-Agent: %d\r\nX-Amz-Date: 20250101T%06dZ\r\n" % (n, n, n, n, n % 100_000)
        + b"Authorization: AWS4-HMAC-SHA256 Credential=AKIA%016d/20250101/eu-west-%d/svc%d/aws4_request," % (n, n, n)
        + b" SignedHeaders=host;x-%d, Signature=%064x\r\n" % (n, n),
    ),
}  # fmt: skip
BOMB = gzip.compress(b" " * 50 * MIB)
TIMES = {"strangers": 3000}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_refused_leaves_no_memory_behind(aws, name):
    statuses = {HOSTILE[name](aws, number) for number in range(20)}
    before = resident(aws)
    for number in range(20, 20 + TIMES.get(name, 40)):
        statuses.add(HOSTILE[name](aws, number))
    assert all(400 <= status < 500 for status in statuses)
    assert resident(aws) - before < 10 * MIB


def test_a_thousand_connections_that_wait_are_kept(tmp_path):
    """The system's usual limit of open files, 1,024, is not iamd's."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 4096:
        pytest.skip("this system allows too few open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    with ExitStack() as stack:
        try:
            options = "--backend", "none", "--connections", "1500"
            aws = AWS(stack.enter_context(Server.serving(tmp_path / "data", *options)))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4096), hard))
        before = resident(aws)
        held = [stack.enter_context(Raw(aws.endpoint)) for _ in range(1000)]
        for _ in range(2):
            for raw in held:
                raw.send(b"GET /_iamd/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert {raw.answer()[0] for raw in held} == {200}
            assert aws.client("sts").get_caller_identity()["Account"]
        assert resident(aws) - before < 40 * MIB


def test_connections_that_send_nothing_whole_are_cheap(aws):
    before = resident(aws)
    held = [Raw(aws.endpoint) for _ in range(400)]
    for raw in held:
        raw.send(b"POST / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 1000)
    grown = resident(aws) - before
    assert aws.client("sts").get_caller_identity()["Account"]
    for raw in held:
        raw.socket.close()
    assert grown < 20 * MIB
