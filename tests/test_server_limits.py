"""The transport: framing that has one reading only, and limits of size, time and number (GW-02, LIM-01, LIM-03)."""

import json
import time

import pytest
from raw import Raw

HEALTH = b"GET /_iamd/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
CLOCK = b"POST /_iamd/clock HTTP/1.1\r\nHost: localhost\r\n"


def health(*headers: bytes, line: bytes = b"GET /_iamd/health HTTP/1.1", host: bytes = b"Host: localhost") -> bytes:
    return b"\r\n".join([line, host, *headers, b"", b""])


@pytest.fixture
def raw(aws):
    with Raw(aws.endpoint) as connection:
        yield connection


MALFORMED = {
    "both lengths": CLOCK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two equal lengths": CLOCK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "two lengths": CLOCK + b"Content-Length: 2\r\ncontent-length: 0\r\n\r\n{}",
    "a list of lengths": CLOCK + b"Content-Length: 2, 2\r\n\r\n{}",
    "a signed length": CLOCK + b"Content-Length: +2\r\n\r\n{}",
    "a negative length": CLOCK + b"Content-Length: -2\r\n\r\n{}",
    "a hexadecimal length": CLOCK + b"Content-Length: 0x2\r\n\r\n{}",
    "an empty length": CLOCK + b"Content-Length:\r\n\r\n",
    "a length beyond 64 bits": CLOCK + b"Content-Length: 18446744073709551618\r\n\r\n{}",
    "two encodings": CLOCK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "gzip, chunked": CLOCK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "identity": CLOCK + b"Transfer-Encoding: identity\r\n\r\n",
    "xchunked": CLOCK + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a vertical tab before chunked": CLOCK + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "chunked in HTTP/1.0": CLOCK.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "no size": CLOCK + b"Transfer-Encoding: chunked\r\n\r\n\r\n",
    "a size that is no number": CLOCK + b"Transfer-Encoding: chunked\r\n\r\nxx\r\n{}\r\n0\r\n\r\n",
    "a size with 0x": CLOCK + b"Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n",
    "a size with a space": CLOCK + b"Transfer-Encoding: chunked\r\n\r\n2 \r\n{}\r\n0\r\n\r\n",
    "a size beyond 64 bits": CLOCK + b"Transfer-Encoding: chunked\r\n\r\n10000000000000002\r\n{}\r\n0\r\n\r\n",
    "a chunk extension": CLOCK + b"Transfer-Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\n\r\n",
    "a long chunk extension": CLOCK + b"Transfer-Encoding: chunked\r\n\r\n2;" + b"a" * 5000 + b"\r\n{}\r\n0\r\n\r\n",
    "a bare LF after a size": CLOCK + b"Transfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n",
    "a chunk that is too long": CLOCK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}}\r\n0\r\n\r\n",
    "a bare LF after a chunk": CLOCK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\n0\r\n\r\n",
    "a trailer field": CLOCK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-Amz-Date: 1\r\n\r\n",
    "bare LFs": HEALTH.replace(b"\r\n", b"\n") + b"\r\n\r\n",
    "one bare LF": health(b"X: 1\nY: 2"),
    "a bare CR": health(b"X: 1\rY: 2"),
    "a folded header": health(b"X: 1", b" 2"),
    "a folded header with a tab": health(b"X: 1", b"\t2"),
    "a NUL in a value": health(b"X: a\x00b"),
    "a NUL in a name": health(b"X\x00: a"),
    "a NUL in the target": health(line=b"GET /_iamd/health\x00 HTTP/1.1"),
    "an escape in a value": health(b"X: \x1b[0m"),
    "a space before the colon": health(b"X : 1"),
    "a space in a name": health(b"X Y: 1"),
    "a name that is no token": health(b"X(Y): 1"),
    "a name outside ASCII": health("Ärger: 1".encode()),
    "no name": health(b": 1"),
    "no colon": health(b"X"),
    "no Host": b"GET /_iamd/health HTTP/1.1\r\nX: 1\r\n\r\n",
    "two Hosts": health(b"Host: other"),
    "an absolute target": health(line=b"GET http://localhost/_iamd/health HTTP/1.1"),
    "an authority as target": health(line=b"CONNECT localhost:443 HTTP/1.1"),
    "CONNECT with a path": health(line=b"CONNECT /_iamd/health HTTP/1.1"),
    "an asterisk as target": health(line=b"OPTIONS * HTTP/1.1"),
    "a target without a slash": health(line=b"GET _iamd/health HTTP/1.1"),
    "a fragment": health(line=b"GET /_iamd/health#x HTTP/1.1"),
    "raw bytes in the target": health(line=b"GET /\xc3\xa4 HTTP/1.1"),
    "a space in the target": health(line=b"GET /_iamd/he alth HTTP/1.1"),
    "two spaces": health(line=b"GET  /_iamd/health HTTP/1.1"),
    "a tab": health(line=b"GET\t/_iamd/health HTTP/1.1"),
    "HTTP/0.9": b"GET /_iamd/health\r\n\r\n",
    "HTTP/1.2": health(line=b"GET /_iamd/health HTTP/1.2"),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a lower-case method": health(line=b"get /_iamd/health HTTP/1.1"),
    "an unknown method": health(line=b"BREW /_iamd/health HTTP/1.1"),
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "101 headers": health(*(b"X-%d: 1" % number for number in range(100))),
    "a head of more than 32 KiB": health(b"X: " + b"a" * 33000),
    "a request line of more than 32 KiB": health(line=b"GET /_iamd/health?" + b"a" * 33000 + b" HTTP/1.1"),
    "a head that never ends": b"GET / HTTP/1.1\r\nX: " + b"a" * 40000,
}


@pytest.mark.parametrize("name", MALFORMED)
def test_ambiguous_framing_is_refused_and_the_connection_closed(raw, name):
    raw.send(MALFORMED[name] + HEALTH)
    status, headers, _ = raw.answer()
    assert status == 400
    assert headers["connection"] == "close"
    assert headers["x-amzn-requestid"]
    assert raw.closed()


@pytest.mark.parametrize("name", ["both lengths", "a chunk extension", "a folded header", "a trailer field"])
def test_ambiguous_framing_is_refused_in_packets_of_one_byte_too(raw, name):
    request = MALFORMED[name]
    raw.send(*(request[at : at + 1] for at in range(len(request))))
    assert raw.answer()[0] == 400
    assert raw.closed()


def advanced(answer: tuple[int, dict[str, str], bytes]) -> float:
    assert answer[0] == 200, answer
    return json.loads(answer[2])["advanced_seconds"]


WELL_FORMED = {
    "sized": CLOCK + b'Content-Length: 22\r\n\r\n{"advance_seconds": 5}',
    "chunked": CLOCK + b'Transfer-Encoding: Chunked\r\n\r\nb\r\n{"advance_s\r\n0B\r\neconds": 5}\r\n0\r\n\r\n',
    "an upgrade is ignored": CLOCK
    + b'Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 22\r\n\r\n{"advance_seconds": 5}',
    "values with tabs and bytes": CLOCK + b'X: a\t\xff \r\nY:\r\nContent-Length: 22\r\n\r\n{"advance_seconds": 5}',
    "HTTP/1.0": CLOCK.replace(b"1.1", b"1.0") + b'Content-Length: 22\r\n\r\n{"advance_seconds": 5}',
    "100 headers": CLOCK
    + b"".join(b"X-%d: 1\r\n" % number for number in range(98))
    + b'Content-Length: 22\r\n\r\n{"advance_seconds": 5}',
}


@pytest.mark.parametrize("name", WELL_FORMED)
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_well_formed_requests_are_served_however_they_come(raw, name, size):
    request = WELL_FORMED[name]
    raw.send(*(request[at : at + size] for at in range(0, len(request), size)))
    assert advanced(raw.answer()) == 5


def test_a_head_of_almost_32_kib_is_served(raw):
    raw.send(health(b"X: " + b"a" * 32000))
    assert raw.answer()[0] == 200


def test_requests_sent_together_are_answered_in_order(raw):
    raw.send(b"".join([*WELL_FORMED.values()][:4]) + HEALTH)
    assert [advanced(raw.answer()) for _ in range(4)] == [5, 10, 15, 20]
    assert raw.answer()[0] == 200


def test_a_malformed_request_behind_a_good_one_does_not_take_its_answer(raw):
    raw.send(WELL_FORMED["sized"] + MALFORMED["a folded header"])
    assert advanced(raw.answer()) == 5
    assert raw.answer()[0] == 400
    assert raw.closed()


def test_nothing_is_served_after_a_request_that_closes(raw):
    raw.send(health(b"Connection: close") + WELL_FORMED["sized"])
    assert raw.answer()[0] == 200
    assert raw.closed()


def test_a_client_that_asks_first_is_told_to_go_on(raw):
    raw.send(CLOCK + b"Expect: 100-continue\r\nContent-Length: 22\r\n\r\n")
    assert raw.answer()[0] == 100
    raw.send(b'{"advance_seconds": 5}')
    assert advanced(raw.answer()) == 5
    raw.send(HEALTH)
    assert raw.answer()[0] == 200


FORM = b"POST / HTTP/1.1\r\nHost: iam.localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
JSON = b"POST / HTTP/1.1\r\nHost: iamd.localhost\r\nContent-Type: application/x-amz-json-1.1\r\nX-Amz-Target: iamd.ListAccounts\r\n"


def test_a_body_above_1_mib_is_refused_before_it_is_sent(raw):
    raw.send(FORM + b"Expect: 100-continue\r\nContent-Length: 1048577\r\n\r\n")
    status, headers, body = raw.answer()
    # A client that did not send its body is told that it can't go on with this connection.
    assert (status, headers["connection"]) == (413, "close")
    assert b"<ErrorResponse" in body
    assert b"Request must be smaller than 1048576 bytes" in body
    assert raw.closed()


@pytest.mark.parametrize(("head", "shape"), [(FORM, b"<ErrorResponse"), (JSON, b'"__type"')])
@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_above_1_mib_is_refused_in_the_protocols_shape(raw, head, shape, chunked):
    body = b"a" * 1048577
    if chunked:
        raw.send(head + b"Transfer-Encoding: chunked\r\n\r\n100001\r\n" + body + b"\r\n0\r\n\r\n")
    else:
        raw.send(head + b"Content-Length: 1048577\r\n\r\n" + body)
    status, _, answer = raw.answer()
    assert status == 413
    assert shape in answer
    raw.send(HEALTH)
    assert raw.answer()[0] == 200


def flood(raw: Raw, data: bytes) -> None:
    """Send without end, and without reading an answer."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            raw.socket.send(data)
        except TimeoutError:
            time.sleep(0.1)


def test_a_body_that_nobody_reads_is_cut(raw):
    raw.send(FORM + b"Content-Length: 100000000000\r\n\r\n")
    assert raw.answer()[0] == 413
    with pytest.raises(ConnectionError):
        flood(raw, b"a" * 65536)


def test_a_body_that_ends_early_changes_nothing(aws, raw):
    raw.send(CLOCK + b"Content-Length: 100\r\n\r\n" + b'{"advance_seconds": 5}')
    raw.socket.close()
    assert aws.server.post("/_iamd/clock")["advanced_seconds"] == 0


@pytest.fixture(scope="module")
def impatient(tmp_path_factory):
    from running import Server

    data = tmp_path_factory.mktemp("impatient") / "data"
    limits = ["--header-seconds", "1", "--idle-seconds", "1.5", "--connections", "5"]
    running = Server(data, "--backend", "none", "--dev", *limits)
    yield running
    assert running.stop() == 0


@pytest.mark.parametrize(
    ("sent", "status"),
    [(b"", None), (b"GET / HTTP/1.1\r\nHost: x", 408), (CLOCK + b"Content-Length: 9\r\n\r\n{}", 408)],
    ids=["nothing", "half a head", "half a body"],
)
def test_slow_clients_are_cut(impatient, sent, status):
    with Raw(impatient.endpoint) as raw:
        began = time.monotonic()
        raw.send(sent)
        if status is not None:
            assert raw.answer()[0] == status
        assert raw.closed()
        assert 0.9 < time.monotonic() - began < 5


def test_headers_that_trickle_are_cut_all_the_same(impatient):
    with Raw(impatient.endpoint) as raw:
        began = time.monotonic()
        raw.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        raw.socket.settimeout(0.1)
        for _ in range(60):
            try:
                raw.send(b"X: 1\r\n")
                if raw.answer()[0] == 408:
                    break
            except TimeoutError:
                continue
        else:
            pytest.fail("it was never cut")
        assert time.monotonic() - began < 5


def test_a_body_that_comes_slowly_but_comes_is_taken(impatient):
    with Raw(impatient.endpoint) as raw:
        raw.send(CLOCK + b"Content-Length: 22\r\n\r\n")
        for part in (b'{"advance', b"_seconds", b'": 5}'):
            time.sleep(0.8)
            raw.send(part)
        assert raw.answer()[0] == 200


def test_a_connection_that_is_silent_between_requests_is_closed(impatient):
    with Raw(impatient.endpoint) as raw:
        raw.send(HEALTH)
        assert raw.answer()[0] == 200
        assert raw.closed()


def test_the_time_for_headers_begins_with_the_headers(impatient):
    with Raw(impatient.endpoint) as raw:
        raw.send(HEALTH)
        assert raw.answer()[0] == 200
        time.sleep(1.2)
        raw.send(HEALTH[:20])
        time.sleep(0.7)
        raw.send(HEALTH[20:])
        assert raw.answer()[0] == 200


def test_connections_above_the_cap_are_turned_away(impatient):
    held = [Raw(impatient.endpoint) for _ in range(5)]
    for raw in held:
        raw.send(HEALTH)
        assert raw.answer()[0] == 200
    with Raw(impatient.endpoint) as one_more:
        assert one_more.answer()[0] == 503
        assert one_more.closed()
    for raw in held:
        raw.socket.close()
    time.sleep(0.1)
    with Raw(impatient.endpoint) as again:
        again.send(HEALTH)
        assert again.answer()[0] == 200


def test_a_client_that_does_not_take_its_answers_is_cut(impatient):
    with Raw(impatient.endpoint, seconds=0.1) as raw, pytest.raises(ConnectionError):
        flood(raw, HEALTH)
