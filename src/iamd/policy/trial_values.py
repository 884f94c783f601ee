"""Values of a condition key that make its conditions come out in every way that they can.

Of each kind of operator a few values do: of numbers those at and between the bounds, of addresses the first of each
range and of what lies between, of texts one for every set of patterns that can match together (telling_texts.py). Where
a key has conditions of several kinds, or its values rest on those of another key, they may not be all: that is told.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import combinations, pairwise
from typing import Final, NamedTuple

from iamd.policy import variables
from iamd.policy.conditions import Condition, OperatorName, Quantifier, condition, operator_name
from iamd.policy.lint.global_keys import global_key
from iamd.policy.operators import OPERATORS, address, arn_segments, moment, network, number, octets
from iamd.policy.request import UNKNOWN, Context
from iamd.policy.telling_texts import Glob, arn_glob, glob, told_apart
from iamd.policy.variables import Template
from iamd.policy.wildcard import tokens

Value = str | tuple[str, ...] | None
"""What a request has of a key; None says that it lacks it."""

ALWAYS: Final = frozenset(
    {
        "aws:currenttime", "aws:epochtime", "aws:principalisawsservice", "aws:requestedregion", "aws:securetransport",
        "aws:useragent", "aws:viaawsservice",
    }
)  # fmt: skip
"""The keys that every request has (IAM User Guide, reference_policies_condition-keys, "Availability")."""

OTHER: Final = "other"
_LARGEST_SET: Final = 6
"""Of how many kinds of elements all sets are tried."""
_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ARN: Final = arn_glob([tokens("arn"), *[tokens("*")] * 5])


class Use(NamedTuple):
    """A condition, and whether variables stand in its values."""

    condition: Condition
    substitute: bool

    @property
    def name(self) -> OperatorName:
        return operator_name(self.condition.operator)

    def templates(self) -> list[Template]:
        values = self.condition.values
        return [variables.parse(value) if self.substitute else (value,) for value in values]

    def variables(self) -> frozenset[str]:
        """The keys whose values stand in its own."""
        return frozenset().union(*map(variables.keys, self.templates()))


class Trials(NamedTuple):
    """The values to try, and whether no others would make the conditions come out in another way."""

    values: tuple[Value, ...]
    is_whole: bool


class Bound(NamedTuple):
    """What is known of a key whose value is not: it is there, matches one pattern, and does not match another."""

    form: Glob
    unlike: Glob | None = None

    def holds(self, text: str) -> bool:
        return self.form.matches(text) and (self.unlike is None or not self.unlike.matches(text))


def of_key(key: str, uses: Sequence[Use], context: Context, bound: Bound | None = None) -> Trials:
    """The values of a key for these conditions on it, its present one first; within its bound, where there is one.

    Variables in the conditions stand for what the context has.
    """
    kind = _kind(key)
    if not uses and kind != "Bool" and bound is None:
        return Trials(tuple(dict.fromkeys([*_present(key, context), None])), is_whole=True)
    is_array = kind.startswith("ArrayOf")
    is_set = is_array or (not kind and any(use.name.quantifier is not Quantifier.NONE for use in uses))
    singles = _singles(key, uses, context, bound, kind.removeprefix("ArrayOf"))
    found: list[Value] = [] if is_array else list(singles.values)
    is_whole = singles.is_whole
    if is_set:
        sets = _sets(key, uses, context, singles.values)
        found += sets.values
        is_whole = is_whole and sets.is_whole
    if key not in ALWAYS and bound is None:
        found.append(None)
    return Trials(tuple(dict.fromkeys([*_present(key, context), *found])), is_whole)


def _present(key: str, context: Context) -> list[Value]:
    """What the request has of a key, where that is known; a list by itself for one that it lacks."""
    found = context.get(key)
    if found is UNKNOWN:
        return []
    return [found if found or found == "" else None]


def _kind(key: str) -> str:
    known = global_key(key)
    return known.type if known is not None else ""


class _Texts(NamedTuple):
    values: tuple[str, ...]
    is_whole: bool


def _singles(key: str, uses: Sequence[Use], context: Context, bound: Bound | None, kind: str) -> _Texts:
    if kind == "Bool":
        return _Texts(("true", "false"), is_whole=True)
    by_family: dict[str, list[Use]] = {}
    for use in uses:
        family = family_of(use.name.base)
        if family:
            by_family.setdefault(family, []).append(use)
    if bound is not None or not by_family:
        by_family.setdefault("text", [])
    parts = [_OF[family](some, context) for family, some in by_family.items() if family != "text"]
    if "text" in by_family:
        parts.insert(0, _texts(by_family["text"], context, bound, _other(key)))
    values = tuple(value for part in parts for value in part.values if _is_possible(key, value))
    return _Texts(values, len(parts) == 1 and parts[0].is_whole)


def family_of(base: str) -> str:
    """The kind of values that an operator is for; empty for Null, and for what is no operator."""
    if base not in OPERATORS:
        return ""
    for beginning, family in (("Numeric", "number"), ("Date", "moment"), ("Bool", "bool"), ("Binary", "octets")):
        if base.startswith(beginning):
            return family
    return "address" if base.endswith("IpAddress") else "text"


def _is_possible(key: str, value: str) -> bool:
    if key == "aws:multifactorauthage":
        found = number(value)
        return found is None or found >= 0
    return True


# --- texts and ARNs


def _other(key: str) -> str:
    """A value of a key that no policy names, as people would write it."""
    return "111122223333" if key.endswith("account") else OTHER


def _texts(uses: Sequence[Use], context: Context, bound: Bound | None, other: str) -> _Texts:
    globs = [one for one in bound or () if one is not None]
    plain: list[str] = []
    is_whole = True
    for use in uses:
        base = use.name.base
        if base.startswith("Arn"):
            globs.append(_ARN)
        for template in use.templates():
            made = _glob(template, base, context)
            if made is not None:
                globs.append(made)
                is_whole = is_whole and not (made.folds and not _is_ascii(made))
            plain += _instances(template, base, context)
    told = told_apart(tuple(dict.fromkeys(globs)))
    plain.append(other)
    if bound is not None:
        found = [*plain, *told.texts]
        return _Texts(tuple(text for text in dict.fromkeys(found) if bound.holds(text)), is_whole and told.is_whole)
    # An empty text is there for some operators, and for Null it is not.
    return _Texts(tuple(dict.fromkeys([*plain, *told.texts, ""])), is_whole and told.is_whole)


def _is_ascii(made: Glob) -> bool:
    return all(unit.isascii() for unit in made.units if isinstance(unit, str))


def _glob(template: Template, base: str, context: Context) -> Glob | None:
    """What a value matches, with the variables that the context has; None where it matches nothing."""
    if base.startswith("Arn"):
        return _arn_glob(template, context)
    if base.endswith("Like"):
        pattern = variables.tokens_of(template, context)
        return glob(pattern) if pattern is not None else None
    text = variables.text_of(template, context)
    if text is None:
        return None
    return glob([text.lower()], folds=True) if base.endswith("IgnoreCase") else glob([text])


def _arn_glob(template: Template, context: Context) -> Glob | None:
    segments = variables.segments(template)
    if len(segments) == 6:
        parts = [variables.tokens_of(segment, context) for segment in segments]
        found = [part for part in parts if part is not None]
        return arn_glob(found) if len(found) == len(parts) else None
    text = variables.text_of(template, context) if variables.only_key(template) is not None else None
    return glob([text]) if text is not None and arn_segments(text) is not None else None


def _instances(template: Template, base: str, context: Context) -> Iterator[str]:
    """Texts that a value matches, as people would write them."""
    text = variables.text_of(template, context)
    if text is None:
        return
    if base.startswith("Arn") or base.endswith("Like"):
        yield written_out(text)
        return
    yield text
    if base.endswith("IgnoreCase"):
        yield from (text.lower(), text.upper())


def written_out(pattern: str) -> str:
    """A text that a pattern matches."""
    return pattern.replace("*", "x").replace("?", "x")


# --- what is ordered


def _numbers(uses: Sequence[Use], _context: Context) -> _Texts:
    bounds = sorted({found for text in _written(uses) if (found := number(text)) is not None})
    between = [(one + other) / 2 for one, other in pairwise(bounds)]
    ends = [bounds[0] - 1, bounds[-1] + 1] if bounds else [Decimal(0)]
    return _Texts(tuple(_plain(one) for one in [*bounds, *between, *ends]), is_whole=True)


def _plain(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _moments(uses: Sequence[Use], _context: Context) -> _Texts:
    return _Texts(tuple(map(iso_of, moments(uses))), is_whole=True)


def moments(uses: Iterable[Use]) -> list[int]:
    """The milliseconds since 1970 at the bounds of these conditions, and on both sides of each."""
    bounds = {found for text in _written(uses) if (found := moment(text)) is not None}
    near = {bound + step for bound in bounds for step in (-1, 0, 1)}
    return sorted(one for one in near if _LEAST <= one <= _LARGEST)


_LEAST: Final = moment("0001-01-02") or 0
_LARGEST: Final = moment("9999-12-30") or 0


def iso_of(milliseconds: int) -> str:
    """A moment as condition keys have it."""
    text = (_FIRST + timedelta(milliseconds=milliseconds)).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    rest = milliseconds % 1000
    return f"{text}.{rest:03d}Z" if rest else f"{text}Z"


def _addresses(uses: Sequence[Use], _context: Context) -> _Texts:
    """The first address of every range and the one behind it: whatever lies between ranges begins with one of these."""
    found = ["0.0.0.0", "::"]  # noqa: S104 - nothing listens on it
    for text in _written(uses):
        written = network(text)
        if written is None:
            continue
        found.append(str(written.network_address))
        # Behind the very last address there is none.
        if written.broadcast_address.packed.strip(b"\xff"):
            found.append(str(written.broadcast_address + 1))
    return _Texts(tuple(one for one in dict.fromkeys(found) if address(one) is not None), is_whole=True)


def _binaries(uses: Sequence[Use], _context: Context) -> _Texts:
    written = {text for text in _written(uses) if octets(text) is not None}
    others = (f"{letter}A==" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    fresh = next((one for one in others if one not in written), None)
    return _Texts((*sorted(written), *((fresh,) if fresh is not None else ())), is_whole=fresh is not None)


def _truths(_uses: Sequence[Use], _context: Context) -> _Texts:
    return _Texts(("true", "false"), is_whole=True)


def _written(uses: Iterable[Use]) -> Iterator[str]:
    for use in uses:
        yield from use.condition.values


_OF: Final[dict[str, Callable[[Sequence[Use], Context], _Texts]]] = {
    "number": _numbers,
    "moment": _moments,
    "address": _addresses,
    "octets": _binaries,
    "bool": _truths,
}


# --- several values


class _Sets(NamedTuple):
    values: tuple[tuple[str, ...], ...]
    is_whole: bool


def _sets(key: str, uses: Sequence[Use], context: Context, singles: Sequence[str]) -> _Sets:
    """Sets of values, with one element of each kind: of those for which all conditions come out alike."""
    tests = [_single_test(key, use) for use in uses]
    kinds: dict[tuple[bool | None, ...], str] = {}
    for value in singles:
        changed = Changed(context, {key: value})
        kinds.setdefault(tuple(test(changed) for test in tests), value)
    elements = list(kinds.values())
    is_whole = len(elements) <= _LARGEST_SET
    sizes = range(1, len(elements) + 1) if is_whole else (1, 2, len(elements))
    return _Sets(tuple(some for size in sizes for some in combinations(elements, size)), is_whole)


def _single_test(key: str, use: Use) -> Callable[[Context], bool | None]:
    name = use.condition.operator
    bare = name.partition(":")[2] if use.name.quantifier is not Quantifier.NONE else name
    return condition(bare, key, use.condition.values, substitute=use.substitute).test


class Changed(dict[str, "str | tuple[str, ...]"]):
    """The condition keys of a request, some with other values, or none."""

    __slots__ = ("_context",)

    def __init__(self, context: Context, changes: "dict[str, Value]") -> None:
        super().__init__({key: value if value is not None else () for key, value in changes.items()})
        self._context = context

    def get(self, key: str, default: "str | tuple[str, ...] | None" = None) -> "str | tuple[str, ...] | None":  # type: ignore[override]
        """The value of a key; none for what has been taken away."""
        return self[key] if key in self else self._context.get(key, default)
