"""What a request says about its signature, read but not verified: `Claim`, and the `Scope` that many claims share."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from operator import itemgetter

import msgspec

from iamd.auth import sigv4a
from iamd.errors import Common, CommonError

TERMINATOR = "aws4_request"

# A percent sign would be taken for a place in the template below; no header that AWS knows has one.
_HEADER_NAME = re.compile(r"[a-z0-9!#$&'*+.^_`|~-]+").fullmatch
_DATE = re.compile(r"[0-9]{8}", re.ASCII).fullmatch
_AMZ_DATE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z", re.ASCII).fullmatch
_MEMO_SIZE = 1024
_timestamps: dict[str, int] = {}

Merged = Mapping[bytes, bytes]


class Mode(StrEnum):
    """Where the signature stands in the request."""

    HEADER = "header"
    PRESIGNED = "presigned"
    FORM = "form"


# By names of their own: this Python finds a member of an Enum slowly.
HEADER, PRESIGNED, FORM = Mode


class Scope(msgspec.Struct, frozen=True, eq=False):
    """The part of a claim that stays the same for all requests of one key, day, region, service and set of headers.

    `template` is the canonical request with places for method, path, query, the signed values and the payload hash;
    `amz_count` is how often `x-amz-` occurs in the signed names. `regions` is the set of a SigV4A signature, whose
    `region` is the first of the set, or empty where it names none.
    """

    access_key_id: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signed: frozenset[bytes]
    amz_count: int
    values: Callable[[Merged], tuple[bytes, ...]]
    template: bytes
    line: str
    regions: str | None = None


class Claim(msgspec.Struct, frozen=True, eq=False):
    """An unverified signature; nothing in it is true before `sigv4.check` has passed.

    `timestamp` is `amz_date` in epoch seconds. `expires` is the raw X-Amz-Expires of a presigned query.
    `content_sha256` is the literal of x-amz-content-sha256. `headers` are all headers, repeated ones joined by a comma.
    `memo` is what the scope may be remembered by once the signature has been verified. `policy` is what a form's
    signature signs, as it was sent.
    """

    mode: Mode
    scope: Scope
    signature: bytes
    amz_date: str
    timestamp: int
    session_token: str | None
    expires: str | None
    content_sha256: str | None
    headers: Merged
    memo: bytes | None = None
    policy: bytes | None = None

    @property
    def access_key_id(self) -> str:
        """The access key id that the credential names."""
        return self.scope.access_key_id

    @property
    def date(self) -> str:
        """The day of the credential scope, as `20260131`."""
        return self.scope.date

    @property
    def region(self) -> str:
        """The region of the credential scope; empty where a SigV4A signature is good for any."""
        return self.scope.region

    def is_for(self, region: str) -> bool:
        """Whether it was signed for a region."""
        scope = self.scope
        return scope.region == region if scope.regions is None else sigv4a.covers(scope.regions, region)

    @property
    def service(self) -> str:
        """The service of the credential scope."""
        return self.scope.service

    @property
    def signed_headers(self) -> tuple[str, ...]:
        """The names in SignedHeaders, in their order."""
        return self.scope.signed_headers

    def __repr__(self) -> str:
        """Name what may be logged; signature and session token may not."""
        return f"Claim({self.mode}, {self.access_key_id}, {self.amz_date}, {self.region}, {self.service})"


def scope(credential: str, signed_headers: str, regions: str | None = None) -> Scope:
    """Read a Credential and its SignedHeaders; what is malformed is refused in AWS's words.

    `regions` is the set of a SigV4A signature, whose Credential has no region.
    """
    access_key_id, date, region, service, terminator = _parts(credential, regions)
    if not credential.isascii() or not credential.isprintable():
        raise CommonError(Common.INCOMPLETE_SIGNATURE, "Credential must contain printable ASCII characters only.")
    if terminator != TERMINATOR:
        raise CommonError(
            Common.SIGNATURE_MISMATCH,
            f"Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{printable(terminator)}'.",
        )
    if not _DATE(date):
        raise CommonError(Common.SIGNATURE_MISMATCH, _wrong_day(date, "a date of eight digits"))
    names = tuple(signed_headers.split(";"))
    _check_names(names)
    keys = tuple(name.encode("ascii") for name in names)
    return Scope(
        access_key_id=access_key_id,
        date=date,
        region=region,
        service=service,
        signed_headers=names,
        signed=frozenset(keys),
        amz_count=b" ".join(keys).count(b"x-amz-"),
        values=_getter(keys),
        template=_template(keys),
        line=f"\n{date}/{f'{region}/' if regions is None else ''}{service}/{TERMINATOR}\n",
        regions=regions,
    )


def _parts(credential: str, regions: str | None) -> list[str]:
    parts = credential.split("/")
    wanted = "keyid/date/region/service/term" if regions is None else "keyid/date/service/term"
    number = wanted.count("/") + 1
    if len(parts) != number or not all(parts):
        raise CommonError(
            Common.INCOMPLETE_SIGNATURE,
            f"Credential must have exactly {number} slash-delimited elements, e.g. {wanted},"
            f" got '{printable(credential)}'",
        )
    if regions is not None:
        parts.insert(2, sigv4a.first_region(regions))
    return parts


def _check_names(names: tuple[str, ...]) -> None:
    if len(set(names)) != len(names) or not all(map(_HEADER_NAME, names)):
        raise CommonError(
            Common.INCOMPLETE_SIGNATURE,
            "SignedHeaders must be distinct lower-case header names separated by semicolons.",
        )
    if "host" not in names:
        raise CommonError(
            Common.SIGNATURE_MISMATCH, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
        )


def _getter(keys: tuple[bytes, ...]) -> Callable[[Merged], tuple[bytes, ...]]:
    if len(keys) == 1:
        key = keys[0]
        return lambda headers: (headers[key],)
    return itemgetter(*keys)


def _template(keys: tuple[bytes, ...]) -> bytes:
    lines = b"".join([key + b":%b\n" for key in keys])
    return b"%b\n%b\n%b\n" + lines + b"\n" + b";".join(keys) + b"\n%b"


def timestamp(amz_date: str) -> int | None:
    """Give the epoch seconds of `20260131T120000Z`, or None for any other form or a day that does not exist."""
    seconds = _timestamps.get(amz_date)
    if seconds is None:
        seconds = _parse(amz_date)
        if seconds is not None:
            if len(_timestamps) >= _MEMO_SIZE:
                _timestamps.clear()
            _timestamps[amz_date] = seconds
    return seconds


def _parse(amz_date: str) -> int | None:
    match = _AMZ_DATE(amz_date)
    if match is None:
        return None
    year, month, day, hour, minute, second = map(int, match.groups())
    try:
        return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())
    except ValueError:
        return None


def not_a_date(text: str) -> CommonError:
    """The error for a date that is neither of the two forms AWS reads."""
    return CommonError(
        Common.INCOMPLETE_SIGNATURE,
        f"Date must be in ISO-8601 'basic format'. Got '{printable(text)}'. See http://en.wikipedia.org/wiki/ISO_8601",
    )


def check_day(claim: Claim) -> None:
    """The day of the credential scope is the day of the request's date."""
    if not claim.amz_date.startswith(claim.scope.date):
        raise CommonError(Common.SIGNATURE_MISMATCH, _wrong_day(claim.scope.date, claim.amz_date))


def _wrong_day(date: str, amz_date: str) -> str:
    # AWS: IAM User Guide, "Troubleshoot signed requests for AWS APIs", "Credential scope errors".
    return (
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
        f"'{printable(date)}' != '{amz_date[:8]}', from '{amz_date}'."
    )


def printable(text: str) -> str:
    """Give what a client sent in a form fit for an error message: printable ASCII, and not too long."""
    return "".join([character if " " <= character <= "~" else "?" for character in text[:256]])
