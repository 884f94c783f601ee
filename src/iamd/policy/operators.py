"""Condition operators: one row each, and one small function where a comparison is new.

AWS: IAM User Guide, "Condition operators" (reference_policies_elements_condition_operators); what its page leaves open
is as AWS was seen to decide in September 2026. Negation, `IfExists`, `ForAllValues`, `ForAnyValue` and missing keys are
not here: `conditions.py` does them once for every operator.
"""

import base64
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import floor
from operator import eq, ge, gt, le, lt
from typing import Any

from iamd.policy import variables
from iamd.policy.memo import of_short_texts
from iamd.policy.request import Context, lower
from iamd.policy.variables import Template

Compare = Callable[[Any, Context], bool | None]
"""Whether a request value, already read, matches one policy value; None when the policy value does not parse."""


@dataclass(frozen=True, slots=True)
class Operator:
    """How one operator reads a request value and compares it with a policy value.

    `read` gives None for a request value that does not parse, of which the operator says `unread`. `negated` marks
    AWS's *Not* operators: `compare` is then that of the positive twin, and `conditions.py` turns the answer round.
    """

    read: Callable[[str], Any]
    compare: Callable[[Template], Compare]
    negated: bool = False
    is_equality: bool = False
    """Its values, where they hold no variable, are texts of which one must be the request's."""
    unread: bool = False
    is_strict: bool = False
    """A request value that no policy value matches is unknown beside one that does not parse."""


def unreadable(_value: object, _context: Context) -> None:
    """The comparison with a policy value that does not parse."""
    return


# --- strings


def text(value: str) -> str:
    return value


def string_equals(template: Template) -> Compare:
    if variables.is_static(template):
        wanted = variables.text_of(template, {})
        return lambda value, _context: value == wanted
    key = variables.only_key(template)
    if key is not None:
        # An empty value counts as none, and a multivalued key has none that could be put in.
        return lambda value, context: value == context.get(key) and value != ""
    return lambda value, context: value == variables.text_of(template, context, len(value))


def string_equals_ignore_case(template: Template) -> Compare:
    def compare(value: str, context: Context) -> bool:
        # No text is shorter in lower case. It is that of the whole text, whose last sigma is another; there is no case
        # folding, so `ss` is not `ß`.
        wanted = variables.text_of(template, context, len(value))
        return wanted is not None and value == wanted.lower()

    return compare


def string_like(template: Template) -> Compare:
    return variables.glob(template)


# --- values that are parsed: once for the policy's, through a bounded memo for the request's


def parsed(read: Callable[[str], Any], holds: Callable[[Any, Any], bool]) -> Callable[[Template], Compare]:
    """The comparison of parsed values; AWS puts no variables into them, so `${...}` is text that does not parse."""

    def compile_value(template: Template) -> Compare:
        wanted = read(variables.source(template))
        return unreadable if wanted is None else lambda value, _context: holds(value, wanted)

    return compile_value


# AWS leaves open whether `1e3` is a number. It is one here.
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")


@of_short_texts(1024)
def number(value: str) -> Decimal | None:
    """A decimal number, perhaps with sign, fraction or exponent; not NaN, infinity, hexadecimal or trailing text."""
    return Decimal(value) if _NUMBER.fullmatch(value) else None


_EPOCH = re.compile(r"[+-]?[0-9]{1,19}(?:\.[0-9]{1,9})?")
_ISO = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2})"
    r"(?:[Tt](?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,9}))?)?"
    r"(?P<zone>[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?)?)?",
)
MILLISECONDS = 10**3
"""Of a second: what is finer makes no difference, as AWS was seen to decide."""
MILLISECONDS_FROM = 10**11
"""AWS leaves open which numbers are milliseconds: from here (the year 5138 in seconds) a number is read as such."""


@of_short_texts(1024)
def moment(value: str) -> int | None:
    """An instant, in whole milliseconds since 1970: ISO 8601 as W3C profiles it, or epoch time.

    AWS leaves open what digits alone mean: they are epoch seconds here, even four of them. Without an offset a time is
    UTC; a month or a day begins at 00:00 UTC.
    """
    if _EPOCH.fullmatch(value):
        seconds = Fraction(value)
        if abs(seconds) >= 2**63:
            return None
        return floor(seconds if abs(seconds) >= MILLISECONDS_FROM else seconds * MILLISECONDS)
    fields = _ISO.fullmatch(value)
    return _instant(fields.groupdict()) if fields else None


def _instant(fields: dict[str, str | None]) -> int | None:
    try:
        day = date(int(fields["year"] or 0), int(fields["month"] or 0), int(fields["day"] or 1))
    except ValueError:
        return None
    hour, minute, second = (int(fields[name] or 0) for name in ("hour", "minute", "second"))
    offset = _offset(fields["zone"])
    if hour > 23 or minute > 59 or second > 59 or offset is None:
        return None
    days = day.toordinal() - date(1970, 1, 1).toordinal()
    seconds = days * 86400 + hour * 3600 + minute * 60 + second - offset
    return seconds * MILLISECONDS + int((fields["fraction"] or "0").ljust(3, "0")[:3])


def _offset(zone: str | None) -> int | None:
    if zone is None or zone in {"Z", "z"}:
        return 0
    hours, minutes = int(zone[1:3]), int(zone[-2:]) if len(zone) > 3 else 0
    if hours > 23 or minutes > 59:
        return None
    return (hours * 3600 + minutes * 60) * (-1 if zone[0] == "-" else 1)


Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@of_short_texts(1024)
def address(value: str) -> Address | None:
    """An IP address; one of IPv4 that is mapped into IPv6 (`::ffff:a.b.c.d`) is the IPv4 address."""
    try:
        found = ipaddress.ip_address(_without_zeros(value))
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address):
        return None if found.scope_id else found.ipv4_mapped or found
    return found


@of_short_texts(1024)
def network(value: str) -> Network | None:
    """An address or a CIDR range; host bits are ignored, and an address alone is a range of one.

    AWS: the page says /32 for every bare address; for IPv6 that would be half the internet, so it is /128 here.
    """
    base, slash, length = value.partition("/")
    if "%" in base or (slash and not _LENGTH.fullmatch(length)):
        return None
    try:
        found = ipaddress.ip_network(f"{_without_zeros(base)}{slash}{length.removeprefix('+')}", strict=False)
    except ValueError:
        return None
    return _unmapped(found)


_LENGTH = re.compile(r"\+?[0-9]{1,3}")
_ZEROS = re.compile(r"(?<![0-9])0{1,2}(?=[0-7](?:\.|\Z))")


def _without_zeros(value: str) -> str:
    """An address as AWS was seen to read `192.000.002.1`; zeros before what would be another number in octal stay."""
    return _ZEROS.sub("", value) if "0" in value and ":" not in value else value


def _unmapped(found: Network) -> Network:
    mapped = found.network_address.ipv4_mapped if isinstance(found, ipaddress.IPv6Network) else None
    if mapped is None or found.prefixlen < 96:
        return found
    return ipaddress.IPv4Network((mapped, found.prefixlen - 96))


def within(value: Address, wanted: Network) -> bool:
    return value in wanted  # never true of two families


# RFC 4648, section 4. Python's own reader, strict or not, takes `QUJD=`, with padding that is too much.
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


def octets(value: str) -> bytes | None:
    """The bytes that `value` holds in base64; None unless it is the one form that they have."""
    found = base64.b64decode(value, validate=True) if _BASE64.fullmatch(value) else None
    return found if found is not None and base64.b64encode(found).decode() == value else None


# --- Bool


def truth(value: str) -> bool:
    """Whether a request value is `true`; every other value counts as false, as the policy simulator shows."""
    return lower(value) == "true"


def bool_equals(template: Template) -> Compare:
    # AWS: the variables page leaves Bool out, the operators page has it. Variables are substituted here.
    # Every value but `true` counts as false.
    if variables.is_static(template):
        only = truth(variables.text_of(template, {}) or "")
        return lambda value, _context: value is only

    def compare(value: bool, context: Context) -> bool:
        wanted = variables.text_of(template, context, len("true"))
        if wanted is None:
            return not value and variables.is_given(template, context)
        return value is truth(wanted)

    return compare


# --- ARNs


@of_short_texts(4096)
def arn_segments(value: str) -> tuple[str, ...] | None:
    """The six segments of an ARN, or None; the last keeps its own colons."""
    parts = tuple(value.split(":", 5))
    return parts if len(parts) == 6 and parts[0] == "arn" else None


def arn_like(template: Template) -> Compare:
    """ArnEquals and ArnLike are one: six segments, each with its own wildcards, so that `*` never crosses a colon."""
    patterns = variables.segments(template)
    if len(patterns) == 6:
        matches = [variables.glob(pattern) for pattern in patterns]
        return lambda value, context: all(match(part, context) for match, part in zip(matches, value, strict=True))
    return _whole_arn(template) if _is_one_variable(template) else unreadable


def _is_one_variable(template: Template) -> bool:
    return len(template) == 1 and isinstance(template[0], variables.Variable)


def _whole_arn(template: Template) -> Compare:
    """The comparison with `${aws:PrincipalArn}` and the like: a variable that is a whole ARN, compared literally."""

    def compare(value: tuple[str, ...], context: Context) -> bool | None:
        wanted = variables.text_of(template, context)
        if wanted is None:
            return False
        segments = arn_segments(wanted)
        return None if segments is None else value == segments

    return compare


_numeric = {name: parsed(number, holds) for name, holds in {"=": eq, "<": lt, "<=": le, ">": gt, ">=": ge}.items()}
_dated = {name: parsed(moment, holds) for name, holds in {"=": eq, "<": lt, "<=": le, ">": gt, ">=": ge}.items()}


def _in_network(template: Template) -> Compare:
    wanted = network(variables.source(template))
    return unreadable if wanted is None else lambda value, _context: within(value, wanted)


OPERATORS: dict[str, Operator] = {
    "StringEquals": Operator(text, string_equals, is_equality=True),
    "StringNotEquals": Operator(text, string_equals, negated=True, is_equality=True),
    "StringEqualsIgnoreCase": Operator(str.lower, string_equals_ignore_case),
    "StringNotEqualsIgnoreCase": Operator(str.lower, string_equals_ignore_case, negated=True),
    "StringLike": Operator(text, string_like),
    "StringNotLike": Operator(text, string_like, negated=True),
    "NumericEquals": Operator(number, _numeric["="]),
    "NumericNotEquals": Operator(number, _numeric["="], negated=True, unread=True),
    "NumericLessThan": Operator(number, _numeric["<"]),
    "NumericLessThanEquals": Operator(number, _numeric["<="]),
    "NumericGreaterThan": Operator(number, _numeric[">"]),
    "NumericGreaterThanEquals": Operator(number, _numeric[">="]),
    "DateEquals": Operator(moment, _dated["="]),
    "DateNotEquals": Operator(moment, _dated["="], negated=True, unread=True),
    "DateLessThan": Operator(moment, _dated["<"]),
    "DateLessThanEquals": Operator(moment, _dated["<="]),
    "DateGreaterThan": Operator(moment, _dated[">"]),
    "DateGreaterThanEquals": Operator(moment, _dated[">="]),
    "Bool": Operator(truth, bool_equals),
    "BinaryEquals": Operator(octets, parsed(octets, eq)),
    "IpAddress": Operator(address, _in_network),
    "NotIpAddress": Operator(address, _in_network, negated=True),
    "ArnEquals": Operator(arn_segments, arn_like, is_strict=True),
    "ArnNotEquals": Operator(arn_segments, arn_like, negated=True, is_strict=True),
    "ArnLike": Operator(arn_segments, arn_like, is_strict=True),
    "ArnNotLike": Operator(arn_segments, arn_like, negated=True, is_strict=True),
}
"""AWS's names, in AWS's case; AWS leaves open whether another case is accepted. It is not here."""
