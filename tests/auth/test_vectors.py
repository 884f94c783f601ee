"""AWS's own SigV4 test suite: every vector verifies, and the signer gives the very same signature."""

import re
from pathlib import Path

import pytest

from iamd.auth import signer, sigv4
from iamd.errors import Common, CommonError
from iamd.http import HttpRequest

VECTORS = Path(__file__).parent / "vectors"
CASES = sorted(path.parent.relative_to(VECTORS).as_posix() for path in VECTORS.rglob("*.req"))
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
NOW = 1440938160.0  # 2015-08-30T12:36:00Z


def text_of(case: str, kind: str) -> bytes:
    return (VECTORS / case / f"{Path(case).name}.{kind}").read_bytes().replace(b"\r", b"")


def read(raw: bytes) -> HttpRequest:
    """Read a vector's request; a line that begins with a space belongs to the header before it (RFC 7230 obs-fold)."""
    head, _, body = raw.partition(b"\n\n")
    first, *lines = head.split(b"\n")
    method, _, rest = first.partition(b" ")
    target = rest.removesuffix(b" HTTP/1.1")
    headers: list[tuple[bytes, bytes]] = []
    for line in lines:
        if line[:1] == b" ":
            name, value = headers.pop()
            headers.append((name, value + b" " + line))
        elif line:
            name, _, value = line.partition(b":")
            # An HTTP parser strips values; only those that canonicalisation is tested with stay as they are.
            headers.append((name.lower(), value.strip() if name == b"Authorization" else value))
    path, _, query = target.partition(b"?")
    return HttpRequest("r", method.decode(), path, query, headers, body, "127.0.0.1")


def unsigned(case: str) -> HttpRequest:
    """Read the request to sign; where the suite hands the session token over beside it, it becomes a header."""
    request = read(text_of(case, "req"))
    token = re.search(rb"^x-amz-security-token:(.*)$", text_of(case, "creq"), re.MULTILINE)
    if token is None or request.header(b"x-amz-security-token") is not None:
        return request
    return with_header(request, b"x-amz-security-token", token[1])


def with_header(request: HttpRequest, name: bytes, value: bytes) -> HttpRequest:
    headers = [*request.headers, (name, value)]
    return HttpRequest("r", request.method, request.path, request.query, headers, request.body, "127.0.0.1")


def with_authorization(request: HttpRequest, value: bytes) -> HttpRequest:
    return with_header(request, b"authorization", value)


def test_the_suite_is_whole():
    assert len(CASES) == 34


@pytest.mark.parametrize("case", CASES)
def test_vector_verifies(case):
    request = with_authorization(unsigned(case), text_of(case, "authz"))
    claim = sigv4.claim(request)
    assert claim is not None
    assert (claim.access_key_id, claim.region, claim.service) == ("AKIDEXAMPLE", "us-east-1", "service")
    sigv4.check(claim, request, SECRET, NOW, 900)


@pytest.mark.parametrize("case", CASES)
def test_vector_has_aws_canonical_request(case):
    request = with_authorization(unsigned(case), text_of(case, "authz"))
    claim = sigv4.claim(request)
    expected = text_of(case, "creq")
    assert sigv4.canonical_request(claim, request, expected[-64:].decode()) == expected


# Its token and signature are the halves of another vector's signature, swapped: it is no signed request of the suite.
NOT_SIGNED = "get-vanilla-with-session-token"


@pytest.mark.parametrize("case", [case for case in CASES if case != NOT_SIGNED])
def test_signed_request_of_vector_verifies(case):
    request = read(text_of(case, "sreq"))
    claim = sigv4.claim(request)
    if case == "post-sts-token/post-sts-header-after":
        # SIG-01: a token that the signature does not cover is refused, though some AWS services take it so.
        with pytest.raises(CommonError, match="not signed") as caught:
            sigv4.check(claim, request, SECRET, NOW, 900)
        assert caught.value.kind is Common.SIGNATURE_MISMATCH
    else:
        sigv4.check(claim, request, SECRET, NOW, 900)


def test_signed_request_with_swapped_halves_is_refused():
    request = read(text_of(NOT_SIGNED, "sreq"))
    with pytest.raises(CommonError, match="does not match"):
        sigv4.check(sigv4.claim(request), request, SECRET, NOW, 900)


@pytest.mark.parametrize("case", CASES)
def test_signer_gives_the_signature_of_the_vector(case):
    request = unsigned(case)
    dateless = [header for header in request.headers if header[0] != b"x-amz-date"]
    token = None
    if any(name == b"x-amz-security-token" for name, _ in dateless):
        token = request.header(b"x-amz-security-token")
        dateless = [header for header in dateless if header[0] != b"x-amz-security-token"]
    added = signer.sign(
        request.method,
        request.path,
        request.query,
        dateless,
        text_of(case, "creq")[-64:].decode(),
        access_key_id="AKIDEXAMPLE",
        secret_access_key=SECRET,
        session_token=token,
        region="us-east-1",
        service="service",
        now=NOW,
    )
    assert dict(added)[b"authorization"] == text_of(case, "authz")


@pytest.mark.parametrize("case", CASES)
def test_vector_with_another_secret_is_refused(case):
    request = with_authorization(unsigned(case), text_of(case, "authz"))
    claim = sigv4.claim(request)
    with pytest.raises(CommonError, match="signature we calculated does not match") as caught:
        sigv4.check(claim, request, SECRET + "x", NOW, 900)
    assert caught.value.kind is Common.SIGNATURE_MISMATCH
