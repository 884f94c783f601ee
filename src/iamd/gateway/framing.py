"""Which headers of a request and of an answer pass through the gateway, and which are made anew."""

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import compress
from typing import Final

from iamd.errors import Common, CommonError
from iamd.http import Headers, HttpRequest

# RFC 9110, section 7.6.1, and what older proxies understand: these are about one connection only.
_HOP_BY_HOP: Final = frozenset(
    {
        b"connection", b"http2-settings", b"keep-alive", b"proxy-authenticate", b"proxy-authorization",
        b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade",
    }
)  # fmt: skip
# Made anew, or meant for iamd: framing, signature, and what a client's SDK declared about its own framing.
_OURS: Final = frozenset(
    {
        b"authorization", b"content-length", b"expect", b"forwarded", b"host", b"x-amz-content-sha256", b"x-amz-date",
        b"x-amz-decoded-content-length", b"x-amz-region-set", b"x-amz-security-token", b"x-amz-trailer", b"x-real-ip",
    }
)  # fmt: skip
_PRIVATE: Final = (b"x-moto-", b"x-iamd-", b"x-forwarded-")
_ANSWERS_OURS: Final = frozenset({b"date", b"server", b"x-amz-request-id", b"x-amzn-requestid", b"status"})
_ANSWERS_GONE: Final = _HOP_BY_HOP | _ANSWERS_OURS
_FOR_SOME: Final = (b"x-amz-object-lock-", b"x-amz-tagging-count", b"x-amz-server-side-encryption")
"""How the names begin of what not everybody is told who gets the answer (`guarded_headers`, `key_uses`)."""
_DECIDING: Final = (b"x-amz", b"content-", b"if-", b"range", b"host", b"authorization", b"date")
_SIGNATURE_PARAMETERS: Final = re.compile(
    rb"x-amz-(?:algorithm|credential|date|expires|signedheaders|signature|security-token|content-sha256|region-set)",
    re.IGNORECASE,
)
_TARGET: Final = re.compile(rb"[!-\"$-~]*")
_HOST: Final = re.compile(r"[A-Za-z0-9_.:\[\]-]{1,255}", re.ASCII)


def request_headers(request: HttpRequest) -> list[tuple[bytes, bytes]]:
    """Give the headers that a backend gets from the client, in their order."""
    fields = request.fields
    if request.repeats_headers or b"connection" in fields:
        return _repeated_headers(request.headers)
    # Without a name that is there twice they stand in the same order.
    return list(compress(request.headers, _passing(tuple(fields))))


def _repeated_headers(headers: Headers) -> list[tuple[bytes, bytes]]:
    hop = _named_by_connection(headers)
    return [(name, value) for name, value in headers if _passes(name) and name.replace(b"_", b"-") not in hop]


@lru_cache(maxsize=256)
def _passing(names: tuple[bytes, ...]) -> tuple[bool, ...]:
    """Which of the names a backend gets; most clients send the same ones each time."""
    return tuple(map(_passes, names))


@lru_cache(maxsize=1024)
def _passes(name: bytes) -> bool:
    dashed = name.replace(b"_", b"-")
    if dashed in _OURS or dashed in _HOP_BY_HOP or dashed.startswith(_PRIVATE):
        return False
    # SECURITY: `x_amz_target` must not become `x-amz-target` in a backend that cannot tell them apart.
    return dashed == name or not dashed.startswith(b"x-amz-") or dashed.startswith(b"x-amz-meta-")


def _named_by_connection(headers: Headers) -> frozenset[bytes]:
    named = {
        token.strip().lower().replace(b"_", b"-")
        for name, value in headers
        if name == b"connection"
        for token in value.split(b",")
    }
    if any(token.startswith(_DECIDING) for token in named):
        # SECURITY: dropping a header that the decision has read would make the backend do something else.
        raise CommonError(
            Common.MALFORMED_HEADER, "The Connection header names a header that is not about the connection."
        )
    return frozenset(named)


def answer_headers(headers: Headers, fields: Mapping[bytes, bytes], whole: bool) -> tuple[Headers, bool]:
    """Give the headers that a client gets from the backend, and whether none of them is for some clients alone.

    Their names are in lower case; `fields` is a dict of them. Of what is `whole` the server tells the length.
    """
    if len(fields) != len(headers) or b"connection" in fields:
        return _repeated_answer_headers(headers), False
    kept, is_for_all = _coming_back(tuple(fields), whole)
    return list(compress(headers, kept)), is_for_all


def _repeated_answer_headers(headers: Headers) -> list[tuple[bytes, bytes]]:
    named = {token.strip().lower() for name, value in headers if name == b"connection" for token in value.split(b",")}
    return [(name, value) for name, value in headers if _comes_back(name) and name not in named]


@lru_cache(maxsize=256)
def _coming_back(names: tuple[bytes, ...], whole: bool) -> tuple[tuple[bool, ...], bool]:
    """Which of the names a client gets, and whether each is for all; most answers have the same ones each time."""
    kept = tuple(_comes_back(name) and not (whole and name == b"content-length") for name in names)
    return kept, not any(name.startswith(_FOR_SOME) for name in compress(names, kept))


@lru_cache(maxsize=1024)
def _comes_back(name: bytes) -> bool:
    return name not in _ANSWERS_GONE and not name.startswith(_PRIVATE)


def without_signature(query: bytes) -> bytes:
    """Give a query without the parameters of a presigned URL, everything else as it was."""
    if b"mz" not in query.lower():
        return query
    return b"&".join(part for part in query.split(b"&") if not _SIGNATURE_PARAMETERS.fullmatch(part.partition(b"=")[0]))


def target(path: bytes, query: bytes) -> bytes:
    """Give the request target byte for byte; what no request target may hold is refused."""
    text = path + b"?" + query if query else path
    if not path.startswith(b"/") or not _TARGET.fullmatch(text):
        # SECURITY: a fragment, a space or a raw byte is read differently by different servers (RFC 9112, 3.2).
        raise CommonError(Common.MALFORMED_HEADER, "The request target holds bytes that must be percent-encoded.")
    return text


def host(claimed: str) -> str:
    """Give the host that the client used, when it can be one."""
    return claimed if _HOST.fullmatch(claimed) else "localhost"


def without_aws_chunked(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Give the headers of a body that has been decoded: `aws-chunked` is no part of its encoding any more."""
    kept = []
    for name, value in headers:
        if name != b"content-encoding":
            kept.append((name, value))
            continue
        # AWS: S3 stores the value without aws-chunked (S3 API Reference, "Authenticating Requests: Chunked Upload").
        rest = [token.strip() for token in value.split(b",") if token.strip().lower() not in {b"", b"aws-chunked"}]
        if rest:
            kept.append((name, b",".join(rest)))
    return kept
