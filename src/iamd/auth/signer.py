"""Signing with SigV4: what the gateway sends to a backend, and what iamd's own command line sends to iamd."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from iamd.auth import canonical
from iamd.auth.canonical import S3_SERVICES
from iamd.auth.dates import amz_form
from iamd.auth.signing_key import sha256, signing_key

if TYPE_CHECKING:
    # Imported for types alone: `iamd credential-process` signs, and has to start at once.
    from iamd.http import Headers

# AWS: headers that proxies change on their way must not be signed (Smithy, "AWS SigV4 authentication").
UNSIGNED_HEADERS = frozenset(
    {
        b"authorization",
        b"baggage",
        b"connection",
        b"expect",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"te",
        b"traceparent",
        b"tracestate",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"user-agent",
        b"x-amzn-trace-id",
    }
)


def sign(
    method: str,
    path: bytes,
    query: bytes,
    headers: "Headers",
    payload_hash: str,
    access_key_id: str,
    secret_access_key: str,
    session_token: str | None,
    region: str,
    service: str,
    now: float,
) -> list[tuple[bytes, bytes]]:
    """Give the headers that sign a request; together with `headers`, which must name the host, they are what to send.

    `path` and `query` are bytes as they will be sent, `headers` have lower-case names. `payload_hash` is the body's
    SHA-256 in hexadecimal digits, or one of SigV4's literals such as UNSIGNED-PAYLOAD.
    """
    amz_date, hashed = amz_form(now), payload_hash.encode()
    added = [(b"x-amz-date", amz_date.encode())]
    if service in S3_SERVICES or len(payload_hash) != 64:
        added.append((b"x-amz-content-sha256", hashed))
    if session_token is not None:
        added.append((b"x-amz-security-token", session_token.encode()))
    signed, text = _canonical_headers([*headers, *added])
    parts = (method.encode(), canonical.path(path, service), canonical.query(query), text, hashed)
    digest = sha256(b"%b\n%b\n%b\n%b\n%b" % parts)
    day = amz_date[:8]
    scope = f"{day}/{region}/{service}/aws4_request"
    key = signing_key(secret_access_key, day, region, service)
    signature = key.sign(f"AWS4-HMAC-SHA256\n{amz_date}\n{scope}\n{digest}".encode())
    value = f"AWS4-HMAC-SHA256 Credential={access_key_id}/{scope}, SignedHeaders={signed}, Signature={signature}"
    added.append((b"authorization", value.encode("latin-1")))
    return added


def _canonical_headers(headers: "Headers") -> tuple[str, bytes]:
    """Give the names of the headers to sign, and their canonical form with those names behind it."""
    fields = dict(headers)
    if len(fields) != len(headers):
        fields = _joined(headers)
    chosen, names, template = _form(tuple(fields))
    return names, template % canonical.values(chosen(fields))


def _joined(headers: "Headers") -> dict[bytes, bytes]:
    values: dict[bytes, bytes] = {}
    for name, raw in headers:
        value = canonical.value(raw)
        values[name] = values[name] + b"," + value if name in values else value
    return values


class _Form(NamedTuple):
    """How headers of certain names are signed: what gives their values, SignedHeaders, and a template for them."""

    chosen: Callable[[Mapping[bytes, bytes]], tuple[bytes, ...]]
    names: str
    template: bytes


@lru_cache(maxsize=128)
def _form(names: tuple[bytes, ...]) -> _Form:
    """Give the form for headers of these names; most clients send the same ones each time."""
    # At least two: the host and the date.
    chosen = sorted(set(names) - UNSIGNED_HEADERS)
    signed = b";".join(chosen)
    lines = [name.replace(b"%", b"%%") + b":%b\n" for name in chosen]
    return _Form(itemgetter(*chosen), signed.decode("latin-1"), b"".join([*lines, b"\n", signed.replace(b"%", b"%%")]))
