"""The query form of a signature: from the query string to a Claim, and how long it is good for."""

import re
from datetime import UTC, datetime
from urllib.parse import unquote_to_bytes

from iamd.auth import sigv4a
from iamd.auth.canonical import S3_SERVICES
from iamd.auth.claim import Claim, Merged, Mode, not_a_date, scope, timestamp
from iamd.errors import Common, CommonError

ALGORITHM = "AWS4-HMAC-SHA256"
LONGEST = 604800

_REQUIRED = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date")
_OTHERS = (
    "X-Amz-Expires", "X-Amz-Security-Token", "X-Amz-S3session-Token", "X-Amz-Content-Sha256", sigv4a.REGION_SET,
)  # fmt: skip
_PARAMETERS = {name.lower(): name for name in (*_REQUIRED, *_OTHERS)}
_MECHANISM = {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature"}
# SigV2 signs queries with these, S3's and the Query services' alike.
_OLD = {"awsaccesskeyid", "signature"}
# A name that could be one of these, also when it is percent-encoded; most queries have none.
_SUSPECT = re.compile(rb"(?:^|&)(?:x-amz-|awsaccesskeyid|signature|[^=&]*%)", re.IGNORECASE).search


def parameters(query: bytes) -> dict[str, str]:
    """Give the query's authentication parameters; empty when nothing in it claims to be a signature.

    A repeated parameter, or one in another spelling of its letters, is refused: no two readers may see two values.
    """
    if not _SUSPECT(query):
        return {}
    found: dict[str, str] = {}
    old: set[str] = set()
    for part in query.split(b"&"):
        raw_name, _, raw_value = part.partition(b"=")
        name = _decoded(raw_name)
        lower = name.lower()
        if lower in _OLD:
            old.add(lower)
        exact = _PARAMETERS.get(lower)
        if exact is None:
            continue
        if name != exact or exact in found:
            raise CommonError(
                Common.AUTHORIZATION_QUERY, f"Query-string parameter '{exact}' must stand in the request exactly once."
            )
        found[exact] = _decoded(raw_value)
    if old == _OLD:
        raise CommonError(
            Common.INCOMPLETE_SIGNATURE,
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
        )
    return found if found.keys() & _MECHANISM else {}


def _decoded(raw: bytes) -> str:
    return unquote_to_bytes(raw.replace(b"+", b" ")).decode("latin-1")


def claim(found: dict[str, str], headers: Merged) -> Claim:
    """Read a query's authentication parameters; what is missing is named as AWS names it."""
    wanting = [name for name in _REQUIRED if not found.get(name)]
    credential = found.get("X-Amz-Credential", "")
    algorithm, regions = found.get("X-Amz-Algorithm"), None
    if algorithm == sigv4a.ALGORITHM:
        regions = found.get(sigv4a.REGION_SET, "")
        wanting += [] if regions else [sigv4a.REGION_SET]
    is_s3 = not S3_SERVICES.isdisjoint(credential.split("/")[2 if regions is not None else 3 :][:1])
    if wanting or (is_s3 and not found.get("X-Amz-Expires")):
        raise _incomplete(wanting, is_s3=is_s3)
    if algorithm not in {ALGORITHM, sigv4a.ALGORITHM}:
        raise CommonError(Common.AUTHORIZATION_QUERY, f'X-Amz-Algorithm only supports "{ALGORITHM}"')
    amz_date = found["X-Amz-Date"]
    seconds = timestamp(amz_date)
    if seconds is None:
        raise not_a_date(amz_date)
    _check_no_conflict(found, headers)
    declared = found.get("X-Amz-Content-Sha256")
    if declared is None and b"x-amz-content-sha256" in headers:
        declared = headers[b"x-amz-content-sha256"].decode("latin-1")
    return Claim(
        Mode.PRESIGNED,
        scope(credential, found["X-Amz-SignedHeaders"], regions),
        found["X-Amz-Signature"].encode("latin-1"),
        amz_date,
        seconds,
        found.get("X-Amz-Security-Token", found.get("X-Amz-S3session-Token")),
        found.get("X-Amz-Expires"),
        declared,
        headers,
    )


def _incomplete(wanting: list[str], *, is_s3: bool) -> CommonError:
    if is_s3:
        # AWS: S3 API Reference, "Authenticating Requests: Using Query Parameters".
        return CommonError(
            Common.AUTHORIZATION_QUERY,
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, "
            "X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
        )
    words = "".join([f"AWS query-string parameters must include '{name}'. " for name in wanting])
    return CommonError(Common.INCOMPLETE_SIGNATURE, f"{words}Re-examine the query-string parameters.")


def _check_no_conflict(found: dict[str, str], headers: Merged) -> None:
    """A header that says the same as a parameter must say it alike, so that no two readers see two values."""
    for name in ("X-Amz-Date", *_OTHERS[1:]):
        header = headers.get(name.lower().encode("ascii"))
        # SECURITY: a token only in a header would be one that the query's signature does not cover.
        if header is None or (name == "X-Amz-Content-Sha256" and name not in found):
            continue
        if header.decode("latin-1") != found.get(name):
            raise CommonError(
                Common.AUTHORIZATION_QUERY,
                f"Query-string parameter '{name}' and the header of this name must not differ.",
            )


def check_life(claim: Claim, now: float, window: float) -> None:
    """A presigned S3 request is good from its date until date + expires, and refused from that second on."""
    expires = _seconds(claim.expires or "")
    if now >= claim.timestamp + expires:
        # AWS: an expired URL is AccessDenied (S3 User Guide, "Sharing objects with presigned URLs").
        raise CommonError(
            Common.ACCESS_DENIED,
            "Request has expired",
            members={
                "X-Amz-Expires": str(expires),
                "Expires": _iso(claim.timestamp + expires),
                "ServerTime": _iso(now),
            },
        )
    if claim.timestamp - now > window:
        raise CommonError(
            Common.SIGNATURE_TIME,
            "Request is not yet valid",
            members={"X-Amz-Date": claim.amz_date, "ServerTime": _iso(now)},
        )


def _seconds(text: str) -> int:
    """Give X-Amz-Expires as a number of 1 to 604800."""
    if text.startswith("-") and text[1:].isascii() and text[1:].isdecimal():
        raise CommonError(Common.AUTHORIZATION_QUERY, "X-Amz-Expires must be non-negative")
    if not (text.isascii() and text.isdecimal()):
        raise CommonError(Common.AUTHORIZATION_QUERY, "X-Amz-Expires should be a number")
    # Seven digits are enough to tell; a number of thousands of digits is not worth its arithmetic.
    seconds = int(text.lstrip("0")[:7] or "0")
    if seconds > LONGEST:
        raise CommonError(
            Common.AUTHORIZATION_QUERY,
            "X-Amz-Expires must be less than a week (in seconds); "
            f"that is, the given X-Amz-Expires must be less than {LONGEST} seconds",
        )
    if seconds < 1:
        raise CommonError(Common.AUTHORIZATION_QUERY, "X-Amz-Expires must be at least 1 second")
    return seconds


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
