"""The Authorization header: from its bytes to a Claim."""

import base64
import hashlib
from datetime import UTC
from email.utils import parsedate_to_datetime

from iamd.auth import sigv4a
from iamd.auth.claim import HEADER, Claim, Merged, Scope, not_a_date, scope, timestamp
from iamd.auth.dates import amz_form
from iamd.errors import Common, CommonError

ALGORITHM = "AWS4-HMAC-SHA256"
_SIGNATURE = b"Signature="
_DIGITS = 64
_MEMO_SIZE = 4096
_MEMO_LENGTH = 1024
_scopes: dict[bytes, Scope] = {}


def claim(authorization: bytes, headers: Merged) -> Claim:
    """Read a SigV4 Authorization header with the date, token and payload hash that belong to it."""
    prefix, _, signature = authorization.rpartition(_SIGNATURE)
    known = _scopes.get(prefix)
    if known is None or len(signature) != _DIGITS or not _is_dated(headers):
        return _parse(authorization, headers)
    return _claim(known, signature, headers, None)


def remember(claim: Claim) -> None:
    """Keep the parsed prefix of a header whose signature was verified: once per key, day and set of signed headers."""
    if claim.memo is None:
        return
    if len(_scopes) >= _MEMO_SIZE:
        _scopes.clear()
    _scopes[claim.memo] = claim.scope


def _claim(scope: Scope, signature: bytes, headers: Merged, memo: bytes | None) -> Claim:
    amz_date = _amz_date(headers)
    seconds = timestamp(amz_date)
    if seconds is None:
        raise not_a_date(amz_date)
    token = headers.get(b"x-amz-security-token")
    if token is None:
        # AWS: sessions of S3 directory buckets have a token header of their own (S3 API Reference, CreateSession).
        token = headers.get(b"x-amz-s3session-token")
    declared = headers.get(b"x-amz-content-sha256")
    return Claim(
        HEADER,
        scope,
        signature,
        amz_date,
        seconds,
        None if token is None else token.decode("latin-1"),
        None,
        None if declared is None else declared.decode("latin-1"),
        headers,
        memo,
    )


def _is_dated(headers: Merged) -> bool:
    return b"x-amz-date" in headers or b"date" in headers


def _amz_date(headers: Merged) -> str:
    """X-Amz-Date, or else Date in either of its forms (IAM User Guide, "Elements of an AWS API request signature")."""
    value = headers.get(b"x-amz-date")
    if value is not None:
        return value.decode("latin-1")
    text = headers.get(b"date", b"").decode("latin-1")
    # RFC 7231 writes GMT, and RFC 5322's -0000 is what botocore sends.
    if not text.isascii() or not text.endswith((" GMT", " -0000")):
        return text
    try:
        return amz_form(parsedate_to_datetime(text).replace(tzinfo=UTC).timestamp())
    except (ValueError, OverflowError):
        return text


def _parse(authorization: bytes, headers: Merged) -> Claim:
    """Read a header of any order and spacing; what is missing is named as AWS names it."""
    text = authorization.decode("latin-1")
    algorithm, _, rest = text.partition(" ")
    if algorithm not in {ALGORITHM, sigv4a.ALGORITHM}:
        raise CommonError(Common.INCOMPLETE_SIGNATURE, _unsupported(algorithm, authorization, headers))
    fields = _fields(rest, authorization)
    wanting = [name for name in ("Credential", "Signature", "SignedHeaders") if not fields.get(name)]
    if wanting or not _is_dated(headers):
        raise CommonError(Common.INCOMPLETE_SIGNATURE, _incomplete(wanting, authorization, headers))
    signature = fields["Signature"].encode("latin-1")
    if algorithm == sigv4a.ALGORITHM:
        regions = _regions(authorization, headers)
        return _claim(scope(fields["Credential"], fields["SignedHeaders"], regions), signature, headers, None)
    prefix, _, last = authorization.rpartition(_SIGNATURE)
    memo = prefix if last == signature and len(prefix) <= _MEMO_LENGTH else None
    return _claim(scope(fields["Credential"], fields["SignedHeaders"]), signature, headers, memo)


def _regions(authorization: bytes, headers: Merged) -> str:
    regions = headers.get(sigv4a.REGION_SET.lower().encode())
    if not regions:
        words = f"Authorization header requires existence of a '{sigv4a.REGION_SET}' header."
        raise CommonError(Common.INCOMPLETE_SIGNATURE, f"{words} {_echo(authorization)}")
    return regions.decode("latin-1")


def _fields(rest: str, authorization: bytes) -> dict[str, str]:
    """Split `name=value` pairs at commas and spaces; a repeated, unknown or broken one is refused."""
    fields: dict[str, str] = {}
    for part in rest.replace(",", " ").split():
        name, equals, value = part.partition("=")
        if not equals:
            raise CommonError(
                Common.INCOMPLETE_SIGNATURE,
                "Invalid key=value pair (missing equal-sign) in Authorization header"
                f" (hashed with SHA-256 and encoded with Base64): '{_digest(authorization)}'.",
            )
        if name in fields or name not in {"Credential", "Signature", "SignedHeaders"}:
            raise CommonError(
                Common.INCOMPLETE_SIGNATURE,
                "Authorization header must have each of 'Credential', 'SignedHeaders' and 'Signature' exactly once."
                f" {_echo(authorization)}",
            )
        fields[name] = value
    return fields


def _unsupported(algorithm: str, authorization: bytes, headers: Merged) -> str:
    if algorithm.startswith("AWS"):
        # AWS: what S3 answers to SigV2.
        return "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
    return _incomplete(["Credential", "Signature", "SignedHeaders"], authorization, headers)


def _incomplete(wanting: list[str], authorization: bytes, headers: Merged) -> str:
    words = [f"Authorization header requires '{name}' parameter." for name in wanting]
    if not _is_dated(headers):
        words.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    return f"{' '.join(words)} {_echo(authorization)}"


def _echo(authorization: bytes) -> str:
    # AWS names the header by its hash, so that no bearer token or password comes back in an error.
    return f"(Hashed with SHA-256 and encoded with Base64) Authorization={_digest(authorization)}"


def _digest(authorization: bytes) -> str:
    return base64.b64encode(hashlib.sha256(authorization).digest()).decode("ascii")
