"""Signature Version 4 and 4A: `claim` reads what a request says about its signer, `check` verifies it (SIG-01..11).

Between the two, the caller finds the secret that belongs to the claimed access key. Nothing of a claim may be believed,
and nothing driven by the body done, before `check` has returned.
"""

import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache

from iamd.auth import authorization, canonical, form_claims, presigned, sigv4a
from iamd.auth.canonical import S3_SERVICES
from iamd.auth.claim import HEADER, PRESIGNED, Claim, Merged, Scope, check_day
from iamd.auth.dates import amz_form
from iamd.auth.s3_errors import InvalidRequest
from iamd.auth.signing_key import SigningKey, cached, derive, remember, sha256
from iamd.auth.sigv4a import VerifyingKey
from iamd.errors import Common, CommonError
from iamd.http import HttpRequest

__all__ = ["Claim", "Scope", "check", "check_scope", "check_unknown_key", "claim"]

UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
STREAMING_PAYLOADS = frozenset(
    {
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    }
)
_STREAMED_UNSIGNED = frozenset({"STREAMING-UNSIGNED-PAYLOAD-TRAILER"})
"""What SigV4A may stream here: its signatures of chunks are not read."""
Key = SigningKey | VerifyingKey
_EMPTY = sha256(b"")
_SHA256 = re.compile("[0-9a-f]{64}").fullmatch
_NAMED = re.compile(
    r"Credential=[^/,\s]{1,128}(?:/|%2F)[0-9]{8}(?:/|%2F)(?:[a-z0-9-]{1,64}(?:/|%2F))?([a-z0-9-]{1,64})(?:/|%2F)"
).search
_KEY_ID = re.compile(r"[A-Z0-9_]{16,128}", re.ASCII).fullmatch
_NOBODYS_SECRET = secrets.token_urlsafe(30)

# SIG-03: two of these would be two answers to one question.
_ONCE = frozenset(
    {b"authorization", b"host", b"content-length", b"content-type", b"content-md5", b"content-encoding", b"date"}
)
# AWS: S3's SDKs send these lists as one header per item (S3 API Reference, GetObjectAttributes, ListObjectsV2).
_LISTS = frozenset({b"x-amz-object-attributes", b"x-amz-optional-object-attributes"})

_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)
_S3_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your key and signing method."
)


def claim(request: HttpRequest) -> Claim | None:
    """Read who claims to have signed a request, unverified; None when nothing in it is a signature."""
    headers = request.fields if not request.repeats_headers else _merged(request)
    value = headers.get(b"authorization")
    found = presigned.parameters(request.query) if request.query else None
    if value is None and not found:
        return None
    # AWS: the bearer header of sso's unsigned operations; beside a signature it would be a second identity (SIG-02).
    if (value is not None and found) or b"x-amz-sso_bearer_token" in headers:
        raise CommonError(
            Common.MALFORMED_HEADER,
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "
            "Signature query string parameter or the Authorization header should be specified",
        )
    return authorization.claim(value, headers) if value is not None else presigned.claim(found or {}, headers)


def named_service(request: HttpRequest) -> str | None:
    """The service that a credential names, be the rest of the signature what it may: for the form of a refusal only."""
    found = _NAMED(request.header(b"authorization") or "") or _NAMED(request.query.decode("latin-1"))
    return found[1] if found is not None else None


def _merged(request: HttpRequest) -> Merged:
    """Join repeated headers by a comma, in their order; those that must stand alone are refused."""
    headers: dict[bytes, bytes] = {}
    for name, value in request.headers:
        if name not in headers:
            headers[name] = value
        elif name in _ONCE or _is_single_amz(name):
            # The name is one of ours, or checked to begin as Amazon's do: it is safe to repeat.
            text = name.decode("latin-1")[:64]
            raise CommonError(Common.MALFORMED_HEADER, f"The header '{text}' must stand in a request once only.")
        else:
            headers[name] = canonical.value(headers[name]) + b"," + canonical.value(value)
    return headers


def _is_single_amz(name: bytes) -> bool:
    return name.startswith(b"x-amz-") and not name.startswith(b"x-amz-meta-") and name not in _LISTS


def check(
    claim: Claim,
    request: HttpRequest,
    secret_access_key: str,
    now: float,
    window: float,
    body_sha256: str | None = None,
    unsigned_payload: bool | None = None,
) -> None:
    """Verify a claim with the secret of its access key; anything but a valid, timely signature raises.

    `now` is the machine's clock in epoch seconds, `window` the seconds a date may be off. `body_sha256` is the hash of
    the received body, or None: then it is computed of `request.body`, or, while that is a stream, left to the reader.
    `unsigned_payload` says whether the operation may leave its body unsigned; by default only S3's may.
    """
    if claim.policy is not None:
        form_claims.check(claim, claim.policy, secret_access_key, now, window)
        return
    scope = claim.scope
    is_s3 = scope.service in S3_SERVICES
    _check_time(claim, now, window, is_s3)
    # When all signed headers are there (or the signature fails), an equal count leaves none for the unsigned ones.
    if _amz_count(tuple(claim.headers)) != scope.amz_count:
        _check_signed(claim, is_s3=is_s3)
    payload, body_hash = _payload(claim, request, body_sha256, is_s3, unsigned_payload)
    if scope.regions is not None:
        pair = sigv4a.verifying_key(scope.access_key_id, secret_access_key)
        _check_signature(claim, request, pair, payload, is_s3)
        sigv4a.remember(pair, scope.access_key_id, secret_access_key)
    elif (key := cached(secret_access_key, scope.date, scope.region, scope.service)) is not None:
        _check_signature(claim, request, key, payload, is_s3)
    else:
        key = derive(secret_access_key, scope.date, scope.region, scope.service)
        _check_signature(claim, request, key, payload, is_s3)
        remember(key, secret_access_key, scope.date, scope.region, scope.service)
    if body_hash is not None and body_hash != payload:
        if not is_s3:
            raise CommonError(Common.SIGNATURE_MISMATCH, _MISMATCH)
        raise CommonError(
            Common.BODY_HASH_MISMATCH,
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
            members={"ClientComputedContentSHA256": payload, "S3ComputedContentSHA256": body_hash},
        )
    if claim.memo is not None:
        authorization.remember(claim)


def check_unknown_key(
    claim: Claim, request: HttpRequest, now: float, window: float, body_sha256: str | None = None
) -> CommonError:
    """Do the work of `check` for an access key that does not exist, and give the error to raise (SIG-06)."""
    with suppress(CommonError):
        check(claim, request, _NOBODYS_SECRET, now, window, body_sha256)
    if claim.scope.service in S3_SERVICES:
        message = "The AWS Access Key Id you provided does not exist in our records."
        # SECURITY: what has another form may be a secret that was pasted into the wrong place.
        shown = {"AWSAccessKeyId": claim.access_key_id} if _KEY_ID(claim.access_key_id) else {}
        return CommonError(Common.UNKNOWN_ACCESS_KEY, message, members=shown)
    return CommonError(Common.UNKNOWN_ACCESS_KEY, "The security token included in the request is invalid.")


def check_scope(claim: Claim, *, service: str, region: str | None = None) -> None:
    """The credential scope names the service that the request goes to, and its region where it has only one."""
    # AWS: IAM User Guide, "Troubleshoot signed requests for AWS APIs", "Credential scope errors".
    if claim.service != service:
        raise CommonError(Common.SIGNATURE_MISMATCH, f"Credential should be scoped to correct service: '{service}'. ")
    if region is not None and not claim.is_for(region):
        raise CommonError(Common.SIGNATURE_MISMATCH, "Credential should be scoped to a valid region. ")


def _check_time(claim: Claim, now: float, window: float, is_s3: bool) -> None:
    check_day(claim)
    if is_s3 and claim.mode is PRESIGNED:
        presigned.check_life(claim, now, window)
    elif not -window <= claim.timestamp - now <= window:
        raise _skewed(claim, now, window, is_s3=is_s3)


def _skewed(claim: Claim, now: float, window: float, *, is_s3: bool) -> CommonError:
    if is_s3:
        return CommonError(
            Common.SIGNATURE_TIME,
            "The difference between the request time and the current time is too large.",
            members={
                "RequestTime": claim.amz_date,
                "ServerTime": datetime.fromtimestamp(int(now), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "MaxAllowedSkewMilliseconds": str(int(window * 1000)),
            },
        )
    minutes = f"{int(window // 60)} min."
    if claim.timestamp < now:
        edge = f"is now earlier than {amz_form(now - window)} ({amz_form(now)} - {minutes})"
        return CommonError(Common.SIGNATURE_TIME, f"Signature expired: {claim.amz_date} {edge}")
    edge = f"is still later than {amz_form(now + window)} ({amz_form(now)} + {minutes})"
    return CommonError(Common.SIGNATURE_TIME, f"Signature not yet current: {claim.amz_date} {edge}")


def _check_signed(claim: Claim, *, is_s3: bool) -> None:
    """Every x-amz-* header is signed; x-amz-content-sha256 is by its value, which the canonical request ends with."""
    signed = claim.scope.signed
    for name in claim.headers:
        # SECURITY: an unsigned header that is acted on could have been added by anybody (SIG-01).
        if name not in signed and name[:6] == b"x-amz-" and name != b"x-amz-content-sha256":
            text = name.decode("latin-1")[:128]
            raise CommonError(
                Common.ACCESS_DENIED if is_s3 else Common.SIGNATURE_MISMATCH,
                "There were headers present in the request which were not signed",
                members={"HeadersNotSigned": text},
            )


@lru_cache(maxsize=512)
def _amz_count(names: tuple[bytes, ...]) -> int:
    """How often `x-amz-` occurs in names of headers; most clients send the same ones each time."""
    return b" ".join(names).count(b"x-amz-")


def _payload(
    claim: Claim, request: HttpRequest, body_sha256: str | None, is_s3: bool, unsigned: bool | None
) -> tuple[str, str | None]:
    """Give the payload hash that was signed, and the hash of the body that it must equal, if it can be known yet."""
    declared = claim.content_sha256
    if declared is None:
        if is_s3:
            if claim.mode is PRESIGNED:
                return UNSIGNED_PAYLOAD, None
            raise InvalidRequest("Missing required header for this request: x-amz-content-sha256")
        actual = _body_hash(request, body_sha256)
        if actual is None:
            raise CommonError(Common.MALFORMED_HEADER, "Missing required header for this request: x-amz-content-sha256")
        return actual, None
    if len(declared) == 64:
        actual = _body_hash(request, body_sha256)
        if declared == actual:
            return declared, None
        if _SHA256(declared):
            return declared, actual
    allowed = is_s3 if unsigned is None else unsigned
    if declared == UNSIGNED_PAYLOAD and allowed:
        return declared, None
    streamed = STREAMING_PAYLOADS if claim.scope.regions is None else _STREAMED_UNSIGNED
    if declared in streamed and is_s3 and claim.mode is HEADER:
        return declared, None
    raise CommonError(
        Common.MALFORMED_HEADER,
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
    )


def _body_hash(request: HttpRequest, body_sha256: str | None) -> str | None:
    if body_sha256 is not None:
        return body_sha256
    body = request.body
    if body is None:
        return None
    return sha256(body) if body else _EMPTY


def _check_signature(claim: Claim, request: HttpRequest, key: Key, payload: str, is_s3: bool) -> None:
    told: Mapping[str, object] = {}
    try:
        text = canonical_request(claim, request, payload)
        if key.has_signed(_to_sign(claim, key, text), claim.signature):
            return
        if is_s3:
            other = canonical_request(claim, request, payload, canonical.s3_path(request.path))
            if key.has_signed(_to_sign(claim, key, other), claim.signature):
                return
        told = _compared(claim, key, text) if is_s3 else {}
    except (KeyError, canonical.NotCanonicalError):
        # A signed header that the request does not have, or a target with no canonical form.
        pass
    raise CommonError(Common.SIGNATURE_MISMATCH, _S3_MISMATCH if is_s3 else _MISMATCH, members=told)


def _to_sign(claim: Claim, key: Key, text: bytes) -> bytes:
    digest = sha256(text)
    return f"{key.algorithm}\n{claim.amz_date}{claim.scope.line}{digest}".encode("latin-1")


def _compared(claim: Claim, key: Key, text: bytes) -> dict[str, object]:
    """What S3 tells of a signature that is another one: all that it compared but its own.

    SECURITY: none of it is more than the request tells, and of S3's signature nothing. AWS: S3 API Reference, "Error
    responses" (ErrorResponses), SignatureDoesNotMatch; the members are those of answers that its users have met.
    """
    to_sign = _to_sign(claim, key, text)
    return {
        "AWSAccessKeyId": claim.access_key_id,
        "StringToSign": to_sign.decode("utf-8", "replace"),
        "SignatureProvided": claim.signature.decode("latin-1"),
        "StringToSignBytes": to_sign.hex(" "),
        "CanonicalRequest": text.decode("utf-8", "replace"),
        "CanonicalRequestBytes": text.hex(" "),
    }


def canonical_request(claim: Claim, request: HttpRequest, payload: str, path: bytes | None = None) -> bytes:
    """Give the canonical request of a claim; KeyError when a signed header is not there."""
    scope = claim.scope
    if path is None:
        path = canonical.path(request.path, scope.service)
    query = request.query
    if query:
        without = b"X-Amz-Signature" if claim.mode is PRESIGNED else None
        query = canonical.query(query, without=without)
    values = canonical.values(scope.values(claim.headers))
    return scope.template % (request.method.encode("latin-1"), path, query, *values, payload.encode("latin-1"))
