"""Event patterns: what the fields of a JSON value must hold for it to match.

AWS: Lambda Developer Guide, "Filter rule syntax" (invocation-eventfiltering), and EventBridge User Guide, "Comparison
operators for use in event patterns" (eb-create-pattern-operators), of which Lambda has what pipes have.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

_DEEPEST: Final = 50
"""Objects within objects of a pattern."""
_NUMBERS: Final = Decimal(5_000_000_000)
"""AWS: numeric matching knows values from -5.0e9 to 5.0e9 (eb-create-pattern-operators, "Numeric matching")."""
_LARGEST_EXPONENT: Final = 400
_EITHER: Final = "$or"


class Malformed(ValueError):
    """A text that is no pattern, or no JSON."""


class Number(msgspec.Struct, frozen=True):
    """A number as it is written. AWS: 300, 300.0 and 3.0e2 are not equal."""

    text: str

    @property
    def value(self) -> Decimal | None:
        """Its value; None when it is out of the range that is compared."""
        try:
            found = Decimal(self.text)
        except InvalidOperation:
            # Its exponent is none that decimals have.
            return None
        exponent = found.adjusted()
        if abs(exponent) > _LARGEST_EXPONENT or abs(found) > _NUMBERS:
            return None
        return found


Leaf = str | Number | bool | None
Test = Callable[[Leaf], bool]
Rule = Callable[[Sequence[Leaf], bool], bool]
"""Whether values keep a rule, of a field that is there, or is in none of the objects at its place."""


class Pattern(msgspec.Struct, frozen=True):
    """The rules of an object's fields, all of which must hold, and patterns of which one must."""

    fields: Mapping[str, "Pattern | tuple[Rule, ...]"]
    either: tuple["Pattern", ...] = ()

    def matches(self, value: Mapping[str, Any]) -> bool:
        """Whether an object has what is asked for."""
        return _Match().holds(self, value, [value])


Objects = Sequence[Mapping[str, Any]]


class _Match:
    """One object that is matched. What stands at a place of the pattern is gathered once, however many hold a part."""

    def __init__(self) -> None:
        self._beside: dict[tuple[int, str], Objects] = {}
        self._absent: dict[tuple[int, str], bool] = {}

    def holds(self, pattern: Pattern, value: Mapping[str, Any], siblings: Objects) -> bool:
        """Of objects within arrays one must have all of it; what must not exist none of them may have."""
        if not all(self._keeps(pattern, name, value, siblings) for name in pattern.fields):
            return False
        return not pattern.either or any(self.holds(one, value, siblings) for one in pattern.either)

    def _keeps(self, pattern: Pattern, name: str, value: Mapping[str, Any], siblings: Objects) -> bool:
        part, place = pattern.fields[name], (id(pattern), name)
        if isinstance(part, Pattern):
            if place not in self._beside:
                self._beside[place] = [one for sibling in siblings for one in _objects(sibling.get(name))]
            beside = self._beside[place]
            return any(self.holds(part, one, beside) for one in _objects(value.get(name)) or [{}])
        if place not in self._absent:
            self._absent[place] = not any(_leaves(sibling, name) for sibling in siblings)
        leaves, is_absent = _leaves(value, name), self._absent[place]
        return any(rule(leaves, is_absent) for rule in part)


def _flat(value: Any) -> Iterator[Any]:
    """A value, or what its array and the arrays within hold."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting.extend(reversed(one))
        else:
            yield one


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in _flat(value) if isinstance(one, dict)]


def _leaves(value: Mapping[str, Any], name: str) -> list[Leaf]:
    return [one for one in _flat(value[name]) if not isinstance(one, dict)] if name in value else []


def read(text: str | bytes) -> Any:
    """A JSON text, its numbers as they are written; Malformed when it is none."""
    return _read(text, dict)


def _read(text: str | bytes, pairs: Callable[[list[tuple[str, Any]]], dict[str, Any]]) -> Any:
    try:
        return json.loads(text, parse_int=Number, parse_float=Number, parse_constant=_refuse, object_pairs_hook=pairs)
    except (ValueError, RecursionError) as error:
        raise Malformed("it is no valid JSON") from error


def _refuse(word: str) -> Any:
    raise Malformed(f"{word} is no JSON")


def _merged(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """AWS: an object that is named twice is one with the fields of both (with-ddb-filtering, "Boolean expressions")."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name not in found:
            found[name] = value
        elif isinstance(value, dict) and isinstance(found[name], dict):
            found[name] = _merged([*found[name].items(), *value.items()])
        else:
            raise Malformed(f"the field {name} stands there twice")
    return found


def pattern_of(text: str) -> Pattern:
    """The pattern that a text describes; Malformed when it describes none."""
    return _pattern(_read(text, _merged), 0)


def _pattern(given: Any, depth: int) -> Pattern:
    if not isinstance(given, dict) or not given:
        raise Malformed("an event pattern is an object that is not empty")
    if depth >= _DEEPEST:
        raise Malformed("the objects of the event pattern are nested too deeply")
    fields = {name: _part(name, value, depth + 1) for name, value in given.items() if name != _EITHER}
    return Pattern(fields, _alternatives(given[_EITHER], depth + 1) if _EITHER in given else ())


def _alternatives(given: Any, depth: int) -> tuple[Pattern, ...]:
    if not isinstance(given, list) or len(given) < 2:
        raise Malformed(f"{_EITHER} is an array of at least two patterns")
    return tuple(_pattern(one, depth) for one in given)


def _part(name: str, given: Any, depth: int) -> Pattern | tuple[Rule, ...]:
    if isinstance(given, dict):
        return _pattern(given, depth)
    if not isinstance(given, list) or not given:
        raise Malformed(f"the field {name} has neither an object nor an array of values")
    return tuple(_rule(one) for one in given)


def _rule(given: Any) -> Rule:
    if isinstance(given, list):
        raise Malformed("an array of values has no arrays")
    if not isinstance(given, dict):
        return _of_leaves(_equal(given))
    if len(given) != 1:
        raise Malformed("a rule has one comparison operator")
    [(name, argument)] = given.items()
    if name == "exists":
        return _exists(argument)
    if name not in _TESTS:
        raise Malformed(f"{name} is no comparison operator of event filters")
    return _of_leaves(_TESTS[name](argument))


def _of_leaves(test: Test) -> Rule:
    return lambda leaves, _: any(test(leaf) for leaf in leaves)


def _exists(argument: Any) -> Rule:
    if not isinstance(argument, bool):
        raise Malformed("exists is true or false")
    return (lambda leaves, _: bool(leaves)) if argument else (lambda _, is_absent: is_absent)


def _equal(wanted: Leaf) -> Test:
    return lambda leaf: type(leaf) is type(wanted) and leaf == wanted


def _text(name: str, argument: Any) -> str:
    if not isinstance(argument, str):
        raise Malformed(f"{name} takes a text")
    return argument


def _equals_ignore_case(argument: Any) -> Test:
    wanted = _text("equals-ignore-case", argument).casefold()
    return lambda leaf: isinstance(leaf, str) and leaf.casefold() == wanted


def _edge(name: str, holds: Callable[[str, str], bool]) -> Callable[[Any], Test]:
    """The operator of how texts begin, or end, with or without regard to case."""

    def made(argument: Any) -> Test:
        if isinstance(argument, dict):
            if list(argument) != ["equals-ignore-case"]:
                raise Malformed(f"{name} takes a text, or equals-ignore-case")
            folded = _text(name, argument["equals-ignore-case"]).casefold()
            return lambda leaf: isinstance(leaf, str) and holds(leaf.casefold(), folded)
        wanted = _text(name, argument)
        return lambda leaf: isinstance(leaf, str) and holds(leaf, wanted)

    return made


def _anything_but(argument: Any) -> Test:
    refused = argument if isinstance(argument, list) else [argument]
    kinds = {type(one) for one in refused}
    if kinds not in ({str}, {Number}):
        raise Malformed("anything-but takes texts or numbers")
    return lambda leaf: not any(type(leaf) is type(one) and leaf == one for one in refused)


_COMPARED: Final[Mapping[str, Callable[[Decimal, Decimal], bool]]] = {
    "=": lambda value, wanted: value == wanted,
    ">": lambda value, wanted: value > wanted,
    ">=": lambda value, wanted: value >= wanted,
    "<": lambda value, wanted: value < wanted,
    "<=": lambda value, wanted: value <= wanted,
}
_RANGES: Final = frozenset((low, high) for low in (">", ">=") for high in ("<", "<="))


def _numeric(argument: Any) -> Test:
    if not isinstance(argument, list) or not argument or len(argument) % 2:
        raise Malformed("numeric takes comparisons, each with its number")
    names, numbers = argument[0::2], argument[1::2]
    is_known = all(isinstance(name, str) and name in _COMPARED for name in names)
    if not is_known or (len(names) > 1 and tuple(names) not in _RANGES):
        raise Malformed("numeric takes one comparison, or a lower and an upper bound")
    wanted = [number.value if isinstance(number, Number) else None for number in numbers]
    bounds = [(_COMPARED[name], value) for name, value in zip(names, wanted, strict=True) if value is not None]
    if len(bounds) != len(names):
        raise Malformed("numeric compares with numbers from -5.0e9 to 5.0e9")

    def test(leaf: Leaf) -> bool:
        value = leaf.value if isinstance(leaf, Number) else None
        return value is not None and all(holds(value, bound) for holds, bound in bounds)

    return test


_TESTS: Final[Mapping[str, Callable[[Any], Test]]] = {
    "anything-but": _anything_but,
    "equals-ignore-case": _equals_ignore_case,
    "numeric": _numeric,
    "prefix": _edge("prefix", str.startswith),
    "suffix": _edge("suffix", str.endswith),
}
