"""Checks of condition operators: whether they exist, and whether they suit the key and its values' JSON types.

AWS: IAM User Guide, "Condition operators" (reference_policies_elements_condition_operators).
"""

from collections.abc import Iterator, Mapping
from typing import Final

from iamd.policy.conditions import Quantifier
from iamd.policy.lint.finding import Note, note
from iamd.policy.lint.policy_variables import without_escapes
from iamd.policy.lint.subject import Document, Entry, Statement
from iamd.policy.operators import OPERATORS
from iamd.policy.request import lower
from iamd.policy.syntax import Number
from iamd.policy.tree import Array, Member, Object, Scalar
from iamd.policy.wildcard import has_wildcard

FAMILIES: Final[Mapping[str, str]] = {
    "String": "String", "Numeric": "Numeric", "Date": "Date", "Bool": "Bool", "Binary": "Binary", "Arn": "ARN",
    "IpAddress": "IPAddress", "NotIpAddress": "IPAddress",
}  # fmt: skip
"""The type of values that an operator compares, by how its name begins."""

ALLOWED: Final = {
    "String": "String",
    "Numeric": "Numeric",
    "Date": "Date",
    "Bool": "Boolean",
    "IPAddress": "IP address",
}
USED: Final = {"String": "string", "Numeric": "numeric", "Date": "date", "Bool": "Boolean", "IPAddress": "IP address"}
"""How messages call the types; `ARN`, `Boolean`, `String` and `string` are recorded answers' words."""


def check(document: Document) -> Iterator[Note]:
    """What is wrong with each operator of each statement."""
    for statement in document.statements:
        yield from _blocks(statement)
        for entry in statement.conditions:
            if _exists(entry):
                yield from _type(entry)
                yield from _wildcards(entry)
            yield from _values(entry)


def family(entry: Entry) -> str | None:
    """The type of values that the entry's operator compares; None of Null, and of one that does not exist."""
    return next((type for name, type in FAMILIES.items() if entry.name.base.startswith(name)), None)


def _exists(entry: Entry) -> bool:
    return entry.name.base in OPERATORS


def _blocks(statement: Statement) -> Iterator[Note]:
    member = statement.node.member("Condition")
    if member is None or not isinstance(member.value, Object):
        return
    if not member.value.members:
        yield note("EMPTY_OBJECT_CONDITION", member.value.place)
    for operator in member.value.members:
        if isinstance(operator.value, Object) and not operator.value.members:
            yield note("EMPTY_OBJECT_CONDITION", operator.value.place)
        yield from _operator(operator)


def _operator(operator: Member) -> Iterator[Note]:
    quantifier, colon, base = operator.name.partition(":")
    if not colon or quantifier not in {"ForAllValues", "ForAnyValue"}:
        quantifier, base = "", operator.name
    if base == "NullIfExists":
        yield note("NULL_WITH_IF_EXISTS", operator.key)
    elif base == "Null":
        if quantifier:
            yield note("NULL_WITH_QUALIFIER", operator.key)
    elif base.removesuffix("IfExists") not in OPERATORS:
        yield note("INVALID_CONDITION_OPERATOR", operator.key, operator=operator.name)


def _type(entry: Entry) -> Iterator[Note]:
    """Operators of one type on a key of another; texts and ARNs may be compared as texts, if without wildcards."""
    used = family(entry)
    if entry.known is None or used is None:
        return
    wanted = entry.known.type.removeprefix("ArrayOf")
    if wanted == used or (entry.lower == "aws:epochtime" and used == "Numeric"):
        return
    words = {"allowed": ALLOWED.get(wanted, wanted), "operator": USED.get(used, lower(used))}
    if used == "ARN":
        words["operator"] = "ARN"
    if wanted == "ARN" and used == "String":
        if entry.is_like:
            yield note("STRING_LIKE_OPERATOR_WITH_ARN_CONDITION_KEYS", entry.key.key, key=entry.key.name, **words)
        return
    yield note("TYPE_MISMATCH", entry.key.key, key=entry.key.name, **words)


def _wildcards(entry: Entry) -> Iterator[Note]:
    if family(entry) != "String" or entry.is_like:
        return
    for value in entry.values:
        if has_wildcard(without_escapes(value.value)):
            yield note("WILDCARD_WITHOUT_LIKE_OPERATOR", value.place)


def _values(entry: Entry) -> Iterator[Note]:
    node = entry.key.value
    if not isinstance(node, Array):
        return
    if not node.items:
        yield note(_empty(entry), node.place, key=entry.key.name)
    if len({_json_type(item) for item in node.items}) > 1:
        yield note("INVALID_CONDITION_DATA_TYPE", node.place)
    if len(node.items) > 1 and entry.name.base in {"Bool", "Null"} and not entry.name.quantifier:
        yield note("INVALID_CONDITION_MULTIPLE_BOOLEAN", node.place)


def _empty(entry: Entry) -> str:
    match entry.name.quantifier:
        case Quantifier.FOR_ALL_VALUES:
            return "EMPTY_ARRAY_CONDITION_FORALLVALUES"
        case Quantifier.FOR_ANY_VALUE:
            return "EMPTY_ARRAY_CONDITION_FORANYVALUE"
        case Quantifier.NONE:
            return "EMPTY_ARRAY_CONDITION_IFEXISTS" if entry.name.if_exists else "EMPTY_ARRAY_CONDITION"


def _json_type(node: object) -> type:
    value = node.value if isinstance(node, Scalar) else node
    return Number if isinstance(value, Number) else type(value)
