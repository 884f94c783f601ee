"""The policy of a form that is posted to S3: what its signer lets the form say, and for how long.

AWS: S3 API Reference, "POST Policy" (sigv4-HTTPPOSTConstructPolicy). The words of errors are what S3 is seen to answer.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec

from iamd.auth.s3_errors import EntityTooLarge, EntityTooSmall, InvalidPolicyDocument
from iamd.errors import Common, CommonError

Kind = Literal["eq", "starts-with"]

RANGE: Final = "content-length-range"
_KINDS: Final[Mapping[str, Kind]] = {"eq": "eq", "starts-with": "starts-with"}
_MEMBERS: Final = ("expiration", "conditions")
# Fields that no condition need name; all others, and the bucket, one must.
_UNNAMED: Final = frozenset({"x-amz-signature", "file", "policy"})
_IGNORED: Final = "x-ignore-"
_EXPIRATION: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]{1,9})?Z", re.ASCII)
# AWS: "Character Escaping" on the same page has two escapes that JSON does not have.
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_OWN_ESCAPES: Final = {"$": "$", "v": "\\u000b"}
_NUMBER: Final = re.compile(r"[0-9]{1,18}", re.ASCII)


class Condition(msgspec.Struct, frozen=True):
    """What one field's value must be, or begin with. `name` is the policy's spelling, with its `$`."""

    kind: Kind
    name: str
    value: str

    @property
    def field(self) -> str | None:
        """The field that it is about, in lower case; None when it names none, and so does not hold."""
        return lower(self.name[1:]) if self.name.startswith("$") else None

    def holds(self, fields: Mapping[str, str]) -> bool:
        """Whether it holds of the fields; of one that is not there none does."""
        field = self.field
        given = fields.get(field) if field is not None else None
        if given is None:
            return False
        if self.kind == "eq":
            return given == self.value
        if field == "content-type" and "," in given:
            # AWS: "Matching Content-Types in a Comma-Separated List": each of them must meet the condition.
            return all(one.strip().startswith(self.value) for one in given.split(","))
        return given.startswith(self.value)

    def __str__(self) -> str:
        return _shown([self.kind, self.name, self.value])


class Range(msgspec.Struct, frozen=True):
    """The sizes that a file may have, both ends among them."""

    least: int
    most: int


class Policy(msgspec.Struct, frozen=True):
    """A policy document; `expiration` is in seconds since the epoch."""

    expiration: float
    conditions: Sequence[Condition]
    ranges: Sequence[Range]
    unmet: str | None = None
    """A range whose ends are no numbers, which S3 calls a condition that fails."""

    def check(self, fields: Mapping[str, str], now: float) -> None:
        """Refuse fields that it does not allow; they are named in lower case, the bucket among them.

        AWS: variables are expanded before.
        """
        if now >= self.expiration:
            raise _refused("Policy expired.")
        for condition in self.conditions:
            if not condition.holds(fields):
                raise _refused(f"Policy Condition failed: {condition}")
        if self.unmet is not None:
            raise _refused(f"Policy Condition failed: {self.unmet}")
        named = {condition.field for condition in self.conditions} | _UNNAMED
        for name in fields:
            if name not in named and not name.startswith(_IGNORED):
                raise _refused(f"Extra input fields: {name}")


def check_size(size: int, ranges: Sequence[Range]) -> None:
    """Refuse a file of a size that one of the ranges does not have."""
    for one in ranges:
        if size > one.most:
            raise too_large(size, one.most)
        if size < one.least:
            raise EntityTooSmall(
                "Your proposed upload is smaller than the minimum allowed size",
                members={"ProposedSize": str(size), "MinSizeAllowed": str(one.least)},
            )


def too_large(size: int, most: int) -> EntityTooLarge:
    """The refusal of a file above a size."""
    return EntityTooLarge(
        "Your proposed upload exceeds the maximum allowed size",
        members={"ProposedSize": str(size), "MaxSizeAllowed": str(most)},
    )


def lower(name: str) -> str:
    """A name as it is compared. SECURITY: no letter but ASCII's is another's lower case here."""
    return name.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")


def read(encoded: str) -> Policy:
    """Read the base64 of a policy; one that is not whole and clear is refused."""
    document = _json(encoded)
    if not isinstance(document, dict):
        raise _invalid("Invalid JSON.")
    for name in document:
        if name not in _MEMBERS:
            raise _invalid(f"Unexpected: '{name.lower()}'")
    if "expiration" not in document:
        raise _invalid("Policy missing expiration.")
    if "conditions" not in document:
        raise _invalid("Policy missing conditions.")
    expiration = _expiration(document["expiration"])
    if not isinstance(document["conditions"], list):
        raise _invalid("Invalid 'conditions' value: must be a List.")
    conditions: list[Condition] = []
    ranges: list[Range] = []
    unmet = None
    for given in document["conditions"]:
        if _is_range(given):
            found = _range(given)
            if found is None:
                unmet = unmet or _shown(given)
            else:
                ranges.append(found)
        else:
            conditions.append(_condition(given))
    return Policy(expiration, conditions, ranges, unmet)


def _json(encoded: str) -> Any:
    try:
        text = base64.b64decode(encoded.encode("ascii"), validate=True).decode()
    except (UnicodeError, binascii.Error):
        raise _invalid("invalid Base64 encoding.") from None
    try:
        plain = _ESCAPE.sub(lambda found: _OWN_ESCAPES.get(found[1], found[0]), text)
        return json.loads(plain, object_pairs_hook=_object, parse_float=_no_number, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise _invalid("Invalid JSON.") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    # SECURITY: of two members of one name, each reader takes the one that it likes.
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_number(text: str) -> Any:
    # AWS: S3 is seen to refuse 512.0.
    raise ValueError(text)


def _expiration(given: Any) -> float:
    match = _EXPIRATION.fullmatch(given) if isinstance(given, str) else None
    try:
        if match is not None:
            return datetime.fromisoformat(match[1]).replace(tzinfo=UTC).timestamp()
    except ValueError:
        pass
    raise _invalid(f"Invalid 'expiration' value: '{given}'")


def _is_range(given: Any) -> bool:
    return isinstance(given, list) and bool(given) and isinstance(given[0], str) and lower(given[0]) == RANGE


def _range(given: list[Any]) -> Range | None:
    """The range; None when an end of it is text that is no number."""
    if len(given) != 3:
        raise _invalid(f"Invalid {RANGE}: wrong number of arguments.")
    ends = []
    for end in given[1:]:
        if isinstance(end, str):
            if not _NUMBER.fullmatch(end):
                return None
        elif isinstance(end, bool) or not isinstance(end, int) or end < 0:
            raise _invalid(f"Invalid {RANGE}: the sizes must be numbers that are not negative.")
        ends.append(int(end))
    return Range(*ends)


def _condition(given: Any) -> Condition:
    if isinstance(given, dict):
        return _simple(given)
    if not isinstance(given, list):
        raise _invalid("Invalid Condition: must be a List or Object.")
    if not given:
        raise _invalid("Invalid Condition: missing operation identifier.")
    kind = _KINDS.get(lower(given[0])) if isinstance(given[0], str) else None
    if kind is None:
        raise _invalid(f"Invalid Condition: unknown operation '{given[0]}'.")
    if len(given) != 3:
        raise _invalid(f"Invalid {kind}: wrong number of arguments.")
    _, name, value = given
    if not isinstance(name, str) or not isinstance(value, str):
        raise _invalid("Invalid JSON.")
    return Condition(kind, name, value)


def _simple(given: dict[str, Any]) -> Condition:
    if len(given) != 1:
        raise _invalid("Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.")
    [(name, value)] = given.items()
    if not isinstance(value, str):
        raise _invalid("Invalid Simple-Condition: value must be a string.")
    return Condition("eq", f"${name}", value)


def _shown(condition: list[Any]) -> str:
    return json.dumps(condition, ensure_ascii=False)


def _invalid(words: str) -> InvalidPolicyDocument:
    return InvalidPolicyDocument(f"Invalid Policy: {words}")


def _refused(words: str) -> CommonError:
    return CommonError(Common.ACCESS_DENIED, f"Invalid according to Policy: {words}")
