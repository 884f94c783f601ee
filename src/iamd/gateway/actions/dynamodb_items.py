"""The fine-grained condition keys of an operation on DynamoDB items: partition keys, attributes, what is selected.

AWS: DynamoDB Developer Guide, "Using IAM policy conditions for fine-grained access control" (specifying-conditions).
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from iamd.gateway.actions import expressions
from iamd.gateway.actions.asked import invalid

UNKNOWN_KEY: Final = "unknown-partition-key"
"""SECURITY: stands beside every value that could be the partition key's while iamd does not know which one is.

No policy that allows some keys allows it, and a policy that denies some keys finds them all.
"""

_KEY_NAMES: Final = ("first_keys", "second_keys", "third_keys", "fourth_keys")
_READS: Final = frozenset({"GetItem", "BatchGetItem", "Query", "Scan"})
_LEGACY: Final = (
    "AttributesToGet", "AttributeUpdates", "ConditionalOperator", "Expected", "KeyConditions", "QueryFilter",
    "ScanFilter",
)  # fmt: skip
_EXPRESSIONS: Final = (
    "ProjectionExpression", "UpdateExpression", "ConditionExpression", "KeyConditionExpression", "FilterExpression",
)  # fmt: skip


def partition_fact(index: str | None) -> str:
    """The fact that names the partition key of a table, or of its index."""
    return "partition-key" if index is None else f"partition-key/{index}"


def partition_text(names: Iterable[str]) -> str:
    """A partition key as a fact: the names of its attributes, in order."""
    return msgspec.json.encode(list(names)).decode()


def partition_key(known: Mapping[str, str], index: str | None) -> list[str] | None:
    """The attributes of a partition key, by what is known of the table; None when that is not known."""
    text = known.get(partition_fact(index))
    return msgspec.json.decode(text, type=list[str]) if text is not None else None


def of_item(name: str, given: Mapping[str, Any], known: Mapping[str, str]) -> dict[str, Any]:
    """What one operation on items of one table names; `known` is what is known of the table."""
    _check_one_language(given)
    expressions.check_names(given)
    index = given.get("IndexName")
    leading = _leading(name, given, partition_key(known, index))
    found: dict[str, Any] = {"attributes": sorted(_attributes(given))}
    if leading:
        found["leading_keys"] = leading[0]
        found.update(zip(_KEY_NAMES, leading, strict=False))
    if name in _READS:
        found["select"] = given.get("Select") or _selected(given, index)
    return {key: value for key, value in found.items() if value}


def _selected(given: Mapping[str, Any], index: str | None) -> str:
    """What is read when the request does not say (DynamoDB API Reference, Query: Select)."""
    if given.get("ProjectionExpression") or given.get("AttributesToGet"):
        return "SPECIFIC_ATTRIBUTES"
    return "ALL_ATTRIBUTES" if index is None else "ALL_PROJECTED_ATTRIBUTES"


def _check_one_language(given: Mapping[str, Any]) -> None:
    """AWS refuses expressions beside the parameters that they replace; a backend might heed either."""
    legacy = [member for member in _LEGACY if given.get(member) is not None]
    modern = [member for member in _EXPRESSIONS if given.get(member) is not None]
    if legacy and modern:
        raise invalid(
            "Can not use both expression and non-expression parameters in the same request: "
            f"Non-expression parameters: {{{', '.join(legacy)}}} Expression parameters: {{{', '.join(modern)}}}"
        )


def _leading(name: str, given: Mapping[str, Any], key: list[str] | None) -> list[list[str]]:
    """The values of each attribute of the partition key; of unknown ones, all that could be."""
    if name == "Scan":
        return []
    if name == "Query":
        return _queried(given, key)
    entries = [entry for entry in (given.get("Key"), given.get("Item"), *(given.get("Keys") or [])) if entry]
    if key is None and all(len(entry) == 1 for entry in entries) and not given.get("Item"):
        key = [next(iter(entry)) for entry in entries[:1]]
    if key is None:
        return [_distinct([*(text for entry in entries for text in _texts(entry.values())), UNKNOWN_KEY])]
    return [_distinct(expressions.text_of(entry.get(part)) or UNKNOWN_KEY for entry in entries) for part in key]


def _queried(given: Mapping[str, Any], key: list[str] | None) -> list[list[str]]:
    names, placed = given.get("ExpressionAttributeNames") or {}, given.get("ExpressionAttributeValues") or {}
    text, conditions = given.get("KeyConditionExpression") or "", given.get("KeyConditions") or {}
    expressions.check_key_condition(text)

    def compared(part: str | None) -> list[str]:
        found = [placed.get(name or "") for name in expressions.equal_to(text, part, names)]
        for attribute, condition in conditions.items():
            if part in {None, attribute} and condition.get("ComparisonOperator") == "EQ":
                found += condition.get("AttributeValueList") or []
        return _distinct(expressions.text_of(value) or UNKNOWN_KEY for value in found) or [UNKNOWN_KEY]

    if key is None:
        return [_distinct([*compared(None), UNKNOWN_KEY])]
    return [compared(part) for part in key]


def _texts(given: Iterable[Any]) -> list[str]:
    return [text for value in given if (text := expressions.text_of(value)) is not None]


def _distinct(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))


def _attributes(given: Mapping[str, Any]) -> set[str]:
    """The top-level attributes that are named anywhere in the request, those of the key included."""
    names = given.get("ExpressionAttributeNames") or {}
    found: set[str] = set(given.get("AttributesToGet") or [])
    for member in ("Key", "Item", "AttributeUpdates", "Expected", "KeyConditions", "QueryFilter", "ScanFilter"):
        found |= set(given.get(member) or {})
    for entry in given.get("Keys") or []:
        found |= set(entry)
    for member in _EXPRESSIONS:
        found |= set(expressions.attributes(given.get(member) or "", names))
    return found
