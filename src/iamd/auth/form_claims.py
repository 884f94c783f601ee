"""Who has signed a form that is posted to S3: `claim` reads what its fields say of that, `check` verifies it.

AWS: S3 API Reference, "Authenticating Requests: Browser-Based Uploads Using POST" (sigv4-authentication-HTTPPOST): what
is signed is the policy, as it was sent. The page has no errors; these are what S3 is seen to answer.
"""

import re
from collections.abc import Mapping
from typing import Final

from iamd.auth import presigned
from iamd.auth.claim import TERMINATOR, Claim, Mode, printable, scope, timestamp
from iamd.auth.s3_errors import InvalidArgument, InvalidRequest
from iamd.auth.signing_key import cached, derive, remember
from iamd.errors import Common, CommonError

ALGORITHM: Final = "AWS4-HMAC-SHA256"
TOKEN: Final = "x-amz-security-token"
_SHOWN: Final = {
    "x-amz-algorithm": "X-Amz-Algorithm",
    "x-amz-credential": "X-Amz-Credential",
    "x-amz-date": "X-Amz-Date",
    "x-amz-signature": "X-Amz-Signature",
    "policy": "policy",
}
"""The fields that a signed form has, in the order in which S3 misses them, as it names them."""
_SIGNING: Final = (_SHOWN.keys() | {TOKEN}) - {"policy"}
_OLD: Final = frozenset({"awsaccesskeyid", "signature"})
"""The fields of Signature Version 2."""
FIELDS: Final = frozenset(_SHOWN.keys() | {TOKEN} | _OLD)

_DAY: Final = re.compile(r"[0-9]{8}", re.ASCII)
_SERVICE: Final = "s3"


def claim(fields: Mapping[str, str]) -> Claim | None:
    """The claim of a form's fields, which are named in lower case; None when nobody says to have signed it."""
    if not _OLD.isdisjoint(fields):
        # AWS: Regions that came after January 2014 know Signature Version 4 alone.
        raise InvalidRequest(f"The authorization mechanism you have provided is not supported. Please use {ALGORITHM}.")
    if _SIGNING.isdisjoint(fields):
        if "policy" in fields:
            # SECURITY: a policy that nobody has signed is nobody's; the form is not taken for one that has none.
            raise CommonError(Common.ACCESS_DENIED, "Access Denied")
        return None
    for name, shown in _SHOWN.items():
        if not fields.get(name):
            raise missing(shown)
    if fields["x-amz-algorithm"] != ALGORITHM:
        raise _wrong("x-amz-algorithm", fields, f'X-Amz-Algorithm only supports "{ALGORITHM}"')
    amz_date = fields["x-amz-date"]
    seconds = timestamp(amz_date)
    if seconds is None:
        raise _wrong("x-amz-date", fields, "X-Amz-Date must be formated via ISO8601 Long format")
    _check_credential(fields, amz_date)
    return Claim(
        mode=Mode.FORM,
        scope=scope(fields["x-amz-credential"], "host"),
        signature=fields["x-amz-signature"].encode(),
        amz_date=amz_date,
        timestamp=seconds,
        session_token=fields.get(TOKEN),
        # AWS: a signature of version 4 is good for seven days, as its signing key is (S3 API Reference, "Amazon S3
        # Signature Version 4 authentication specific policy keys", s3:signatureAge).
        expires=str(presigned.LONGEST),
        content_sha256="UNSIGNED-PAYLOAD",
        headers={},
        policy=fields["policy"].encode(),
    )


def missing(name: str) -> InvalidArgument:
    """The refusal of a form without one of its fields: those behind the file are not there."""
    return InvalidArgument(
        f"Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields.",
        members={"ArgumentName": name, "ArgumentValue": ""},
    )


def _check_credential(fields: Mapping[str, str], amz_date: str) -> None:
    credential = fields["x-amz-credential"]
    parts = credential.split("/")
    if len(parts) != 5 or not all(parts[1:]) or not credential.isascii() or not credential.isprintable():
        words = 'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".'
        raise _wrong("x-amz-credential", fields, words)
    key_id, day, _, service, terminator = parts
    if not key_id:
        words = "a non-empty Access Key (AKID) must be provided in the credential."
    elif not _DAY.fullmatch(day):
        words = f'incorrect date format "{day}". This date in the credential must be in the format "yyyyMMdd".'
    elif service != _SERVICE:
        words = f'incorrect service "{service}". This endpoint belongs to "{_SERVICE}".'
    elif terminator != TERMINATOR:
        words = f'incorrect terminal "{terminator}". This endpoint uses "{TERMINATOR}".'
    elif not amz_date.startswith(day):
        words = f'Invalid credential date "{day}". This date is not the same as X-Amz-Date: "{amz_date[:8]}".'
    else:
        return
    raise _wrong("x-amz-credential", fields, words)


def _wrong(name: str, fields: Mapping[str, str], words: str) -> InvalidArgument:
    return InvalidArgument(words, members={"ArgumentName": _SHOWN[name], "ArgumentValue": printable(fields[name])})


def check(claim: Claim, policy: bytes, secret_access_key: str, now: float, window: float) -> None:
    """Verify that the key has signed the policy, within the days that a signature is good for."""
    presigned.check_life(claim, now, window)
    place = (secret_access_key, claim.date, claim.region, claim.service)
    key = cached(*place)
    known = key is not None
    key = key or derive(*place)
    if not key.has_signed(policy, claim.signature):
        raise CommonError(
            Common.SIGNATURE_MISMATCH,
            members={
                "AWSAccessKeyId": claim.access_key_id,
                "StringToSign": policy.decode(),
                "SignatureProvided": claim.signature.decode(),
                "StringToSignBytes": policy.hex(" "),
            },
        )
    if not known:
        remember(key, *place)
