"""Numbers, booleans, dates and blobs as text, read strictly, and dates written."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache
from typing import Any, Final

from iamd.errors import Common, CommonError
from iamd.wire.shapes import Member, Shape

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_FLOAT: Final = re.compile(r"[+-]?[0-9]{1,400}(?:\.[0-9]{0,400})?(?:[eE][+-]?[0-9]{1,4})?", re.ASCII)
_ISO: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?(Z|[+-][0-9]{2}:?[0-9]{2})",
    re.ASCII,
)
_RFC822: Final = re.compile(r"[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT", re.ASCII)
# Signed, by the model's types (Smithy 2.0, "Simple types").
_BITS: Final = {"integer": 32, "long": 64}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def wrong(text: str) -> CommonError:
    """Give the error for a value that is not of its type."""
    return CommonError(Common.MALFORMED, text)


def integer(value: int, shape: Shape) -> int:
    """Give a number that fits the model's integer type."""
    bits = _BITS[shape.type]
    if not -(1 << bits - 1) <= value < 1 << bits - 1:
        raise wrong(f"Number out of range for {shape.type.capitalize()}")
    return value


def from_text(text: str, member: Member, timestamp_format: str) -> Any:
    """Read a scalar's text as queries, headers and XML write it."""
    reader = _READERS.get(member.shape.type)
    if reader is not None:
        return reader(text, member.shape)
    if member.shape.type == "timestamp":
        return timestamp(text, member.timestamp_format or timestamp_format)
    raise wrong("Start of structure or map found where not expected.")


def _integer(text: str, shape: Shape) -> int:
    if not _INTEGER.fullmatch(text):
        raise wrong(f"STRING_VALUE can not be converted to {_ARTICLE[shape.type]}")
    return integer(int(text), shape)


def _float(text: str, shape: Shape) -> float:
    if not _FLOAT.fullmatch(text):
        raise wrong(f"STRING_VALUE can not be converted to {_ARTICLE[shape.type]}")
    return finite(float(text))


def finite(number: float) -> float:
    """Give a number that is neither infinite nor undefined."""
    if number - number != 0:
        raise wrong("Number out of range")
    return number


def _boolean(text: str, shape: Shape) -> bool:
    if text not in {"true", "false"}:
        raise wrong("STRING_VALUE can not be converted to a Boolean")
    return text == "true"


def _blob(text: str, shape: Shape) -> bytes:
    return blob(text)


def blob(text: str) -> bytes:
    """Read base64 without anything that does not belong to it."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise wrong("Blob is not valid base64") from None


def _string(text: str, shape: Shape) -> str:
    return text


_ARTICLE: Final = {"integer": "an Integer", "long": "a Long", "float": "a Float", "double": "a Double"}
_READERS: Final[Mapping[str, Callable[[str, Shape], Any]]] = {
    "string": _string,
    "character": _string,
    "integer": _integer,
    "long": _integer,
    "float": _float,
    "double": _float,
    "boolean": _boolean,
    "blob": _blob,
}


# Dates


def timestamp(value: object, form: str) -> datetime:
    """Read a date in the model's format (`iso8601`, `rfc822`, `unixtimestamp`), as UTC."""
    try:
        return _DATES[form](value)
    except (ValueError, OverflowError, TypeError):
        raise wrong(_DATE_WORDS[form]) from None


def _iso(value: object) -> datetime:
    found = _ISO.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    micro = int((found[7] or "0").ljust(6, "0")[:6])
    zone = UTC if found[8] == "Z" else _offset(found[8])
    return datetime(year, month, day, hour, minute, second, micro, zone).astimezone(UTC)


def _offset(text: str) -> timezone:
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


def _rfc822(value: object) -> datetime:
    if not isinstance(value, str) or not _RFC822.fullmatch(value):
        raise ValueError
    return parsedate_to_datetime(value).astimezone(UTC)


def _epoch(value: object) -> datetime:
    if isinstance(value, str) and _FLOAT.fullmatch(value):
        value = float(value) if "." in value else int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return _EPOCH + timedelta(seconds=value)


_DATES: Final = {"iso8601": _iso, "rfc822": _rfc822, "unixtimestamp": _epoch}
_DATE_WORDS: Final = {
    "iso8601": "timestamp must follow ISO8601",
    "rfc822": "timestamp must follow RFC822",
    "unixtimestamp": "STRING_VALUE can not be converted to a Timestamp",
}


@lru_cache(maxsize=8192)
def iso_text(moment: datetime) -> str:
    """Write a date as XML bodies have it: seconds, and milliseconds when there are any."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds" if utc.microsecond else "seconds")[:-6] + "Z"


def rfc822_text(moment: datetime) -> str:
    """Write a date as headers have it."""
    return format_datetime(moment.astimezone(UTC).replace(microsecond=0), usegmt=True)


def epoch_number(moment: datetime) -> float | int:
    """Write a date as JSON has it: seconds since 1970, in milliseconds' precision."""
    whole, part = divmod(moment - _EPOCH, timedelta(seconds=1))
    return whole + part.microseconds // 1000 / 1000 if part.microseconds >= 1000 else whole


def float_text(number: float) -> str:
    """Write a number as XML and headers have it."""
    return repr(float(number))
