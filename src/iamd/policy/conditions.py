"""One entry of a Condition element: quantifiers, `IfExists`, negation, missing keys and `Null`, for all operators.

AWS: IAM User Guide, "Condition operators" and "Conditions with multiple context keys or values"
(reference_policies_elements_condition_operators, reference_policies_condition-logic-multiple-context-keys-or-values).
A test has three answers: True, False, and None for unknown, with which an Allow does not apply and a Deny does. Unknown
are operators that do not exist, what rests on a key of the value UNKNOWN, and an ARN beside one that is none.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from iamd.policy import variables
from iamd.policy.operators import OPERATORS, Compare, Operator, text
from iamd.policy.request import UNKNOWN, Context, lower
from iamd.policy.variables import Template

CACHED = 16384
CACHED_CHARACTERS = 4096
"""Of one condition's values; larger ones are compiled for each policy, lest the kept ones grow without bound."""

REMEMBERED: Final = 16
REMEMBERED_CHARACTERS: Final = 256
"""Of a condition without variables, how many values of a request have their answer kept, and up to which length."""

Test = Callable[[Context], bool | None]


class Quantifier(StrEnum):
    """The set operators that stand before an operator's name."""

    NONE = ""
    FOR_ALL_VALUES = "ForAllValues"
    FOR_ANY_VALUE = "ForAnyValue"


@dataclass(frozen=True, slots=True)
class OperatorName:
    """An operator's name, taken apart: `ForAllValues:StringEqualsIfExists`."""

    quantifier: Quantifier
    base: str
    if_exists: bool

    @property
    def may_be_stored(self) -> bool:
        """Whether the operator exists; AWS defines no set operator for Null."""
        if self.base == "Null":
            return self.quantifier is Quantifier.NONE
        return self.base in OPERATORS


@dataclass(frozen=True, slots=True)
class Condition:
    """One key under one operator: `test` tells whether it holds, `absent` whether the request lacks the key."""

    operator: str
    key: str
    values: tuple[str, ...]
    test: Test

    def lacks_key(self, context: Context) -> bool:
        return not context.get(self.key) and context.get(self.key) != ""


def operator_name(name: str) -> OperatorName:
    """The parts of an operator's name; the base may be one that does not exist."""
    prefix, colon, rest = name.partition(":")
    quantifier = Quantifier(prefix) if colon and prefix in {"ForAllValues", "ForAnyValue"} else Quantifier.NONE
    base = rest if quantifier else name
    # AWS: there is no NullIfExists.
    if base.endswith("IfExists") and base != "NullIfExists":
        return OperatorName(quantifier, base.removesuffix("IfExists"), if_exists=True)
    return OperatorName(quantifier, base, if_exists=False)


def condition(name: str, key: str, values: Sequence[str], *, substitute: bool) -> Condition:
    """The compiled entry, one for all who write the same; with `substitute` its values may hold variables."""
    compiled = _condition if sum(map(len, values)) <= CACHED_CHARACTERS else _condition.__wrapped__
    return compiled(name, lower(key), tuple(values), substitute)


@lru_cache(maxsize=CACHED)
def _condition(name: str, key: str, values: tuple[str, ...], substitute: bool) -> Condition:
    return Condition(name, key, values, _test(operator_name(name), key, values, substitute))


def unknown(_context: Context) -> None:
    """The test of an operator that does not exist: neither true nor false."""
    return


def _test(name: OperatorName, key: str, values: Sequence[str], substitute: bool) -> Test:
    if name.base == "Null":
        # AWS defines no ForAllValues:Null; the prefix is refused when stored, and dropped should it be read.
        return _null(key, values)
    operator = OPERATORS.get(name.base)
    if operator is None or name.base.endswith("IfExists"):
        return unknown
    templates = [variables.parse(value) if substitute else (value,) for value in values]
    is_static = all(map(variables.is_static, templates))
    if operator.is_equality:
        return _of_texts(name, key, operator, templates, is_static=is_static)
    test = _quantified(name, key, operator, _holds(operator, [operator.compare(template) for template in templates]))
    if not is_static:
        return _unless_unknown(templates, test)
    return _remembering(key, test) if name.quantifier is Quantifier.NONE else test


def _of_texts(
    name: OperatorName, key: str, operator: Operator, templates: Sequence[Template], *, is_static: bool
) -> Test:
    """The test of an operator for which a value is one of the texts or is not."""
    missing = name.if_exists or operator.negated
    if is_static:
        wanted = frozenset(variables.text_of(template, {}) for template in templates)
        if name.quantifier is Quantifier.NONE:
            return _one_of(key, wanted, negated=operator.negated, missing=missing)
        return _quantified(name, key, operator, _holds_text(wanted, negated=operator.negated))
    other = variables.only_key(templates[0]) if len(templates) == 1 else None
    if other is not None and name.quantifier is Quantifier.NONE:
        return _same_as(key, other, negated=operator.negated, missing=missing)
    holds = _holds(operator, [operator.compare(template) for template in templates])
    return _unless_unknown(templates, _quantified(name, key, operator, holds))


def all_of(tests: tuple[Test, ...]) -> Test | None:
    """One test for all of these, which is False if any is; None where there are none."""
    if len(tests) < 2:
        return tests[0] if tests else None

    def test(context: Context) -> bool | None:
        all_held: bool | None = True
        for one in tests:
            held = one(context)
            if not held:
                if held is not None:
                    return False
                all_held = None
        return all_held

    return test


def _unless_unknown(templates: Sequence[Template], test: Test) -> Test:
    first, *others = {key for template in templates for key in variables.keys(template)}

    def known(context: Context) -> bool | None:
        if context.get(first) is UNKNOWN:
            return None
        for key in others:
            if context.get(key) is UNKNOWN:
                return None
        return test(context)

    return known


def _remembering(key: str, test: Test) -> Test:
    """The test of one key's value, which remembers what it said of the last few: reading them is most of its work."""
    said: dict[object, bool | None] = {}

    def remembered(context: Context) -> bool | None:
        value = context.get(key)
        held = said.get(value)
        if held is None:
            held = test(context)
            if isinstance(value, str) and len(value) <= REMEMBERED_CHARACTERS:
                if len(said) >= REMEMBERED:
                    said.clear()
                said[value] = held
        return held

    return remembered


def _one_of(key: str, wanted: frozenset[str | None], *, negated: bool, missing: bool) -> Test:
    """What `_single` comes to for texts that are known beforehand: most conditions are such."""

    def test(context: Context) -> bool | None:
        value = context.get(key)
        if isinstance(value, str):
            return (value in wanted) is not negated
        if not value:
            return missing
        return None if value is UNKNOWN else False

    return test


def _same_as(key: str, other: str, *, negated: bool, missing: bool) -> Test:
    """What `_single` comes to for the value of another key, as in `"aws:ResourceTag/team": "${aws:PrincipalTag/team}"`.

    An empty value counts as none, and a multivalued key has none that could be put in.
    """

    def test(context: Context) -> bool | None:
        wanted, value = context.get(other), context.get(key)
        if wanted is UNKNOWN or value is UNKNOWN:
            return None
        if not isinstance(value, str):
            return False if value else missing
        return (value == wanted and value != "") is not negated

    return test


Holds = Callable[[str, Context], bool | None]
"""Whether one request value satisfies an operator against all policy values; None for unknown."""


def _holds(operator: Operator, wanted: Sequence[Compare]) -> Holds:
    """OR of all policy values, or NOR for a negated operator; a policy value that does not parse matches nothing."""
    if operator.is_strict:
        return _holds_strictly(operator, wanted)
    read, negated, unread = operator.read, operator.negated, operator.unread
    if len(wanted) == 1 and not negated and not unread:
        only = wanted[0]
        if read is text:
            return lambda value, context: only(value, context) is True
        return lambda value, context: (found := read(value)) is not None and only(found, context) is True

    def holds(value: str, context: Context) -> bool:
        found = read(value)
        if found is None:
            return unread
        for compare in wanted:
            if compare(found, context):
                return not negated
        return negated

    return holds


def _holds_text(wanted: frozenset[str | None], *, negated: bool) -> Holds:
    """The same, of an operator for which a value is one of the texts, or with `negated` is none of them."""
    return (lambda value, _context: value not in wanted) if negated else (lambda value, _context: value in wanted)


def _holds_strictly(operator: Operator, wanted: Sequence[Compare]) -> Holds:
    """The same, where what matches no policy value is unknown if one of these does not parse."""

    def holds(value: str, context: Context) -> bool | None:
        found = operator.read(value)
        if found is None:
            return operator.unread
        otherwise: bool | None = operator.negated
        for compare in wanted:
            matches = compare(found, context)
            if matches:
                return not operator.negated
            if matches is None:
                otherwise = None
        return otherwise

    return holds


def _quantified(name: OperatorName, key: str, operator: Operator, holds: Holds) -> Test:
    match name.quantifier:
        case Quantifier.FOR_ALL_VALUES:
            return _for_all(key, holds)
        case Quantifier.FOR_ANY_VALUE:
            return _for_any(key, holds, missing=name.if_exists)
        case Quantifier.NONE:
            return _single(key, holds, missing=name.if_exists or operator.negated)


def _single(key: str, holds: Holds, *, missing: bool) -> Test:
    def test(context: Context) -> bool | None:
        value = context.get(key)
        if isinstance(value, str):
            return holds(value, context)
        if not value:
            return missing
        # AWS wants a set operator for a multivalued key. Without one the condition was seen to be false, negated or
        # not, whether there was one value or more.
        return None if value is UNKNOWN else False

    return test


def _for_all(key: str, holds: Holds) -> Test:
    def test(context: Context) -> bool | None:
        values = context.get(key, ())
        if isinstance(values, str):
            return not values or holds(values, context)
        if values is UNKNOWN:
            return None
        all_held: bool | None = True
        for value in values:
            held = holds(value, context)
            if held is None:
                all_held = None
            elif not held:
                return not any(values)
        return all_held

    return test


def _for_any(key: str, holds: Holds, *, missing: bool) -> Test:
    def test(context: Context) -> bool | None:
        values = _values(context, key)
        if not values:
            return missing
        if values is UNKNOWN:
            return None
        any_held: bool | None = False
        if any(values):
            for value in values:
                held = holds(value, context)
                if held:
                    return True
                if held is None:
                    any_held = None
        return any_held

    return test


def _values(context: Context, key: str) -> tuple[str, ...]:
    value = context.get(key, ())
    return (value,) if isinstance(value, str) else value


def _null(key: str, values: Sequence[str]) -> Test:
    # AWS was seen to take every value but `true` for `false`.
    wanted = {lower(value) == "true" for value in values}

    def test(context: Context) -> bool | None:
        # AWS: an empty string and an empty list count as null ("Condition", "the value is null").
        values = _values(context, key)
        if values is UNKNOWN:
            return None
        return (not any(values)) in wanted

    return test
