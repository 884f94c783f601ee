"""Whether parameters keep the model's constraints, and what is wrong in AWS's words."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from itertools import islice
from typing import Any, Final

from iamd.errors import AWSError, Common, CommonError
from iamd.wire.models import Operation
from iamd.wire.organizations import organizations_error
from iamd.wire.patterns import Fits, at_most, fits
from iamd.wire.shapes import Member, Shape

# Secrets that the models do not call sensitive: what was sent is not repeated.
_SENSITIVE: Final = frozenset(
    {
        ("iam", "authenticationCodeType"),
        ("sts", "contextAssertionType"),
        ("sts", "tokenCodeType"),
        ("sts", "tradeInTokenType"),
    }
)
_NAMES: Final = "It must contain only alphanumeric characters and/or the following: +=,.@_-"
_PATHS: Final = "It must begin and end with / and contain only alphanumeric characters and/or / characters."
_PREFIXES: Final = "It must begin with the / character and contain only alphanumeric characters and/or / characters."
# How IAM itself words a name or path of another pattern, when nothing else is wrong: seen in its answers.
_IAM_NAME_PATTERN: Final = "[\\w+=,.@-]+"
_IAM_PATHS: Final = {"path": _PATHS, "newPath": _PATHS, "pathPrefix": _PREFIXES}
# IAM's answers of 2026 say which member is wrong and no longer what it was; those of STS of the same year still do.
_ECHOLESS: Final = frozenset({"iam"})
# Where AWS was seen to say more than the model of a list's elements has, or an enum in another order than the model's.
_NOT_NULL: Final = "Member must not be null"
_ELEMENTS_NOT_NULL: Final = frozenset({("iam", "tagKeyType")})
_ENUM_ORDERS: Final = {
    frozenset({"User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"}): (
        "LocalManagedPolicy", "User", "AWSManagedPolicy", "Role", "Group",
    ),
}  # fmt: skip
_PATTERN_WORDS: Final = "Member must satisfy regular expression pattern: "
MOST: Final = 100
"""How many errors are told: a megabyte of empty structures would have a million."""

_LENGTHS: Final = frozenset({"string", "blob", "list", "map"})
Check = Callable[[Any], bool]


def validate(operation: Operation, parameters: Mapping[str, Any]) -> None:
    """Raise the validation error of this operation's protocol unless every constraint of the model holds."""
    shape = operation.input
    if shape is None or not shape.members:
        return
    with at_most():
        if _keeps(shape, parameters):
            return
        found = list(islice(_structure(shape, parameters, "", operation.service), MOST))
    if found:
        raise _error(operation, found)


def check_lengths(operation: Operation, parameters: Mapping[str, Any]) -> None:
    """Raise the validation error of this operation's protocol for what is longer than the model's maximum."""
    shape = operation.input
    if shape is None:
        return
    every = _structure(shape, parameters, "", operation.service)
    with at_most(0):  # patterns are not asked for
        found = list(islice((wrong for wrong in every if _TOO_LONG in wrong[1]), MOST))
    if found:
        raise _error(operation, found)


_TOO_LONG: Final = "Member must have length less than or equal to"

Wrong = tuple[str, str]
"""A member's path, and the whole sentence about it."""


def _error(operation: Operation, found: list[Wrong]) -> AWSError:
    plural = "error" if len(found) == 1 else "errors"
    sentences = "; ".join(sentence for _, sentence in found)
    message = f"{len(found)} validation {plural} detected: {sentences}"
    if operation.service == "organizations":
        return organizations_error(found[0][1])
    if operation.service == "iam" and len(found) == 1:
        message = _iam_words(*found[0]) or message
    return CommonError(Common.VALIDATION, message, members=_members(operation, found))


def _iam_words(path: str, sentence: str) -> str | None:
    _, broken, pattern = sentence.rpartition(_PATTERN_WORDS)
    words = _NAMES if pattern == _IAM_NAME_PATTERN else _IAM_PATHS.get(path)
    return f"The specified value for {path} is invalid. {words}" if broken and words else None


def _members(operation: Operation, found: list[Wrong]) -> dict[str, object]:
    """Members that some services' ValidationException has beside its message (Access Analyzer, IAM Roles Anywhere)."""
    modelled = operation.error("ValidationException")
    shape = modelled.shape if modelled else None
    members: dict[str, object] = {}
    if shape and "reason" in shape.members and "fieldValidationFailed" in shape.members["reason"].shape.enum:
        members["reason"] = "fieldValidationFailed"
    if shape and "fieldList" in shape.members:
        members["fieldList"] = [{"name": path, "message": sentence} for path, sentence in found]
    return members


# The quick answer, which nearly all requests get


def _keeps(shape: Shape, value: Mapping[str, Any]) -> bool:
    """Whether a structure's members keep their constraints: `_structure` finds nothing wrong."""
    members = shape.members
    for name in shape.required:
        if value.get(name) is None and not members[name].streaming:
            return False
    for name, given in value.items():
        if given is not None and name in members and not _value_keeps(members[name].shape, given):
            return False
    return True


def _value_keeps(shape: Shape, value: Any) -> bool:
    if not _quick(shape)(value):
        return False
    kind = shape.type
    if kind == "string":
        return True
    match kind:
        case "structure" if not shape.document:
            return _keeps(shape, value)
        case "list":
            element = shape.element.shape
            return all(_value_keeps(element, item) for item in value)
        case "map":
            key, inner = shape.key.shape, shape.value.shape
            return all(_holds(key, name) and _value_keeps(inner, item) for name, item in value.items())
    return True


# Walking


def _structure(shape: Shape, value: Mapping[str, Any], path: str, service: str) -> Iterator[Wrong]:
    for name in _told(shape, service):
        member, given = shape.members[name], value.get(name)
        at = f"{path}{_camel(name)}"
        if given is not None:
            yield from _value(member.shape, given, at, service)
        elif name in shape.required and not member.streaming:
            echo = "Value" if service in _ECHOLESS else "Value null"
            yield at, f"{echo} at '{at}' failed to satisfy constraint: {_NOT_NULL}"


@cache
def _told(shape: Shape, service: str) -> tuple[str, ...]:
    """The members in the order in which they are told of: the model's, and for IAM that of a hash map of Java's.

    So were those of CreateOpenIDConnectProvider and UpdateAccountPasswordPolicy in IAM's answers (February 2026), which
    neither the model nor the alphabet explains.
    """
    if service not in _ECHOLESS:
        return tuple(shape.members)
    buckets = _BUCKETS
    while len(shape.members) > buckets * 3 // 4:
        buckets *= 2
    return tuple(sorted(shape.members, key=lambda name: _hashed(_camel(name)) % buckets))


_BUCKETS: Final = 16


def _hashed(text: str) -> int:
    """What Java's HashMap makes of `String.hashCode`."""
    code = 0
    for character in text:
        code = (31 * code + ord(character)) & 0xFFFFFFFF
    return code ^ code >> 16


def _camel(name: str) -> str:
    return name[:1].lower() + name[1:]


def _value(shape: Shape, value: Any, path: str, service: str) -> Iterator[Wrong]:
    for words, holds in _checks(shape):
        if not holds(value):
            yield _sentence(shape, value, path, words, service)
    match shape.type:
        case "structure" if not shape.document:
            yield from _structure(shape, value, f"{path}.", service)
        case "list":
            yield from _list(shape, value, path, service)
        case "map":
            yield from _map(shape, value, path, service)


def _list(shape: Shape, value: list[Any], path: str, service: str) -> Iterator[Wrong]:
    element = shape.element.shape
    if element.type in {"structure", "list", "map"}:
        for index, item in enumerate(value, 1):
            yield from _value(element, item, f"{path}.{index}.member", service)
    elif not all(_holds(element, item) for item in value):
        words = f"Member must satisfy constraint: [{_all_words(element, service)}]"
        yield _sentence(shape, value, path, words, service)


def _map(shape: Shape, value: Mapping[str, Any], path: str, service: str) -> Iterator[Wrong]:
    if not all(_holds(shape.key.shape, key) for key in value):
        words = f"Map keys must satisfy constraint: [{_all_words(shape.key.shape, service)}]"
        yield _sentence(shape, value, path, words, service)
    inner = shape.value.shape
    if not all(_holds(inner, item) for item in value.values()):
        words = f"Map value must satisfy constraint: [{_all_words(inner, service)}]"
        yield _sentence(shape, value, path, words, service)
    if inner.type in {"structure", "list", "map"}:
        for key, item in value.items():
            yield from (wrong for wrong in _inside(inner, item, f"{path}.{key}.member", service))


def _inside(shape: Shape, value: Any, path: str, service: str) -> Iterator[Wrong]:
    """What is wrong within a map's value; the value as a whole was spoken of already."""
    if shape.type == "structure":
        yield from _structure(shape, value, f"{path}.", service)
    elif shape.type == "list":
        yield from _list(shape, value, path, service)
    else:
        yield from _map(shape, value, path, service)


def _sentence(shape: Shape, value: Any, path: str, words: str, service: str) -> Wrong:
    # SECURITY: what is sensitive anywhere inside is not repeated in the answer, and so not in logs and events either.
    echo = "Value" if service in _ECHOLESS or _secret(shape, service) else f"Value '{_shown(shape, value)}'"
    return path, f"{echo} at '{path}' failed to satisfy constraint: {words}"


# Constraints of one shape


@cache
def _checks(shape: Shape) -> tuple[tuple[str, Check], ...]:
    """The shape's own constraints with their words."""
    return tuple(_own_checks(shape))


def _own_checks(shape: Shape) -> Iterator[tuple[str, Check]]:
    if shape.enum:
        allowed = frozenset(shape.enum)
        listed = f"[{', '.join(_ENUM_ORDERS.get(allowed, shape.enum))}]"
        yield f"Member must satisfy enum value set: {listed}", lambda value: value in allowed
    if shape.pattern is not None and shape.type == "string":
        yield f"{_PATTERN_WORDS}{shape.pattern}", fits(shape.pattern)
    measure = _length if shape.type in _LENGTHS else Decimal
    noun = "length" if shape.type in _LENGTHS else "value"
    maximum, minimum = shape.maximum, shape.minimum
    if maximum is not None:
        yield f"Member must have {noun} less than or equal to {maximum}", lambda value: measure(value) <= maximum
    if minimum is not None:
        yield f"Member must have {noun} greater than or equal to {minimum}", lambda value: measure(value) >= minimum


def _length(value: Any) -> int:
    if isinstance(value, str) and not value.isascii():
        # Java counts UTF-16 code units: a character outside the basic plane is two.
        return len(value.encode("utf-16-le", "surrogatepass")) // 2
    return len(value)


def _holds(shape: Shape, value: Any) -> bool:
    return _quick(shape)(value)


@cache
def _quick(shape: Shape) -> Check:
    """Whether all constraints hold, in one function: nearly all values are strings with a pattern and lengths."""
    checks = tuple(holds for _, holds in _checks(shape))
    if not checks:
        return lambda _: True
    if shape.type != "string" or shape.enum:
        return lambda value: all(holds(value) for holds in checks)
    fitting: Fits | None = fits(shape.pattern) if shape.pattern is not None else None
    least = int(shape.minimum) if shape.minimum is not None else 0
    most = int(shape.maximum) if shape.maximum is not None else sys.maxsize

    def holds(value: Any) -> bool:
        if not least <= (len(value) if value.isascii() else _length(value)) <= most:
            return False
        return fitting is None or fitting(value)

    return holds


def _all_words(shape: Shape, service: str) -> str:
    """All constraints of a list's or map's element in one: lengths, pattern, enum."""
    ordered = sorted((words for words, _ in _checks(shape)), key=_place)
    if (service, shape.name) in _ELEMENTS_NOT_NULL:
        ordered.append(_NOT_NULL)
    return ", ".join(ordered)


def _place(words: str) -> int:
    return next(place for place, start in enumerate(_ORDER) if words.startswith(start))


_ORDER: Final = (
    "Member must have length less",
    "Member must have length",
    "Member must have value less",
    "Member must have value",
    "Member must satisfy regular",
    "Member must satisfy enum",
)


# Echoing


def may_be_secret(operation: Operation) -> bool:
    """Whether something in an operation's parameters is not to be repeated or kept."""
    return operation.input is not None and _secret(operation.input, operation.service)


def are_secret(operation: Operation, names: Iterable[str]) -> bool:
    """Whether something in these parameters of a form, or what is not known by its name, is not to be kept."""
    if not may_be_secret(operation) or operation.input is None:
        return False
    members = (operation.input.members.get(name.partition(".")[0]) for name in names)
    return any(member is None or _secret(member.shape, operation.service) for member in members)


@cache
def _secret(shape: Shape, service: str) -> bool:
    return any(inner.sensitive or (service, inner.name) in _SENSITIVE for inner in _reachable(shape))


def _reachable(shape: Shape) -> set[Shape]:
    found, waiting = {shape}, [shape]
    while waiting:
        inner = waiting.pop()
        uses: list[Member] = [*inner.members.values(), *inner.parts.values()]
        new = {use.shape for use in uses} - found
        found |= new
        waiting += new
    return found


def _shown(shape: Shape, value: Any) -> str:
    """A value as Java's `toString` shows it."""
    match shape.type:
        case "list":
            return f"[{', '.join(_shown(shape.element.shape, item) for item in value)}]"
        case "map":
            return f"{{{', '.join(f'{key}={_shown(shape.value.shape, item)}' for key, item in value.items())}}}"
        case "structure" if not shape.document:
            given = (f"{name}={_shown(shape.members[name].shape, item)}" for name, item in value.items())
            return f"{shape.name}({', '.join(given)})"
        case "boolean":
            return "true" if value else "false"
        case _:
            return str(value)
