"""LIM-03: an address from which unknown callers flood is slowed down; known callers there are not, and nothing opens."""

import pytest
from botocore.exceptions import ClientError
from raw import Raw
from running import AWS, Credentials

from iamd import refusals
from iamd.refusals import Refusals


@pytest.fixture
def now(monkeypatch):
    at = [1000.0]
    monkeypatch.setattr(refusals.time, "monotonic", lambda: at[0])
    return at


def count(buckets, address, tries):
    return sum(buckets.allows(address) for _ in range(tries))


def test_a_burst_and_then_a_rate(now):
    buckets = Refusals(5)
    assert count(buckets, "a", 100) == 50
    now[0] += 1
    assert count(buckets, "a", 100) == 5
    now[0] += 3600
    assert count(buckets, "a", 100) == 50


def test_each_address_has_its_own(now):
    buckets = Refusals(1)
    assert count(buckets, "a", 100) == 10
    assert count(buckets, "b", 5) == 5
    assert not buckets.allows("a")


def test_addresses_are_not_kept_without_bound(now):
    buckets = Refusals(1)
    for number in range(10_000):
        buckets.allows(str(number))
    assert len(buckets._buckets) <= 4096


UNSIGNED = {
    "query": b"GET /?Action=ListUsers&Version=2010-05-08 HTTP/1.1\r\nHost: iam.localhost\r\n\r\n",
    "json": b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: iamd.ListAccounts\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: 2\r\n\r\n{}",
    "malformed": b"GET / HTTP/1.1\r\nHost: iam.localhost\r\nAuthorization: AWS4-HMAC-SHA256 x\r\n\r\n",
}


@pytest.fixture
def slow(start):
    """An iamd that slows an address down after ten refusals."""
    return AWS(start("--backend", "none", "--dev", "--refusals-per-second", "1"))


def test_a_flood_of_unknown_callers_is_throttled_in_their_protocol(slow):
    codes = {}
    for name, request in UNSIGNED.items():
        for _ in range(15):
            with Raw(slow.endpoint) as raw:
                raw.send(request)
                status, headers, body = raw.answer()
                codes.setdefault(name, []).append((status, b"Throttling" in body))
                if b"Throttling" in body:
                    assert headers["connection"] == "close"
                    assert raw.closed()
                    assert slow.explain(headers["x-amzn-requestid"])["ErrorCode"].startswith("Throttling")
    assert codes["query"][:9] == [(403, False)] * 9
    assert codes["query"][-1] == (400, True)
    assert (400, True) in codes["json"]
    assert all(status >= 400 for answers in codes.values() for status, _ in answers)


def test_known_callers_at_the_same_address_go_on(slow):
    nobody = Credentials("AKIAEXAMPLEEXAMPLE00", "x" * 40)
    seen = set()
    for _ in range(30):
        try:
            slow.client("iam", nobody).list_users()
        except ClientError as error:
            seen.add(error.response["Error"]["Code"])
    assert seen == {"InvalidClientTokenId", "Throttling"}
    poor = slow.user("poor")
    for _ in range(30):
        assert slow.client("sts").get_caller_identity()["Account"]
        # A denial is no flood: who is denied is known.
        with pytest.raises(ClientError, match="AccessDenied"):
            slow.client("iam", poor).list_users()
