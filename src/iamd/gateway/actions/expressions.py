"""Which top-level attributes DynamoDB's expressions name, and which values they hold against a partition key.

AWS: DynamoDB Developer Guide, "Using expressions in DynamoDB" and "Legacy conditional parameters".
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from iamd.gateway.actions.asked import invalid

_TOKEN: Final = re.compile(r"\s*(?:([#:]?[A-Za-z0-9_]+|<>|<=|>=|[=<>().,\[\]+-])|\Z)", re.ASCII)
_NAME: Final = re.compile(r"#[A-Za-z0-9_]+", re.ASCII)
_VALUE: Final = re.compile(r":[A-Za-z0-9_]+", re.ASCII)
_DIGITS: Final = 38
_SCALE: Final = 130
_WORDS: Final = frozenset(
    {"and", "or", "not", "between", "in", "set", "remove", "add", "delete", "true", "false", "null"}
)


def tokens(expression: str) -> list[str]:
    """The tokens of an expression; what no expression can hold is refused, since readers would differ on it."""
    found, place = [], 0
    while place < len(expression):
        match = _TOKEN.match(expression, place)
        if match is None:
            raise invalid("Invalid expression: Syntax error; token: an unexpected character")
        if match[1] is not None:
            found.append(match[1])
        place = match.end()
    return found


def attributes(expression: str, names: Mapping[str, str]) -> Iterator[str]:
    """The first part of each document path in an expression; `#name` stands for what `names` says."""
    read = tokens(expression)
    for index, token in enumerate(read):
        after = read[index + 1] if index + 1 < len(read) else ""
        before = read[index - 1] if index else ""
        if before in {".", "["} or not (token[0] in "#_" or token[0].isalpha()):
            continue
        if after == "(" or (token.lower() in _WORDS and token[0] != "#"):
            continue
        yield names.get(token, token)


def equal_to(expression: str, attribute: str | None, names: Mapping[str, str]) -> list[str | None]:
    """The value placeholders that the expression holds equal to the attribute; to any, when it is None.

    None stands for each place where the attribute is named and held against something else, or in another way.
    """
    read = tokens(expression)
    found: list[str | None] = []
    for index, token in enumerate(read):
        if token.startswith(":") or names.get(token, token) != (attribute or names.get(token, token)):
            continue
        if attribute is None and not (token[0] in "#_" or token[0].isalpha()):
            continue
        found.append(_equal(read, index))
    return found if attribute is not None else [one for one in found if one is not None]


def _equal(read: list[str], index: int) -> str | None:
    """The placeholder that the token of this place is held equal to."""
    if read[index + 1 : index + 2] == ["="] and index + 2 < len(read):
        other = read[index + 2]
    elif index > 1 and read[index - 1] == "=":
        other = read[index - 2]
    else:
        return None
    return other if other.startswith(":") else None


def check_key_condition(expression: str) -> None:
    """A value in a key condition stands between its sign or word and the next condition, or is refused.

    AWS: DynamoDB Developer Guide, "Key condition expressions for the Query operation".
    """
    read = [token.lower() for token in tokens(expression)]
    for index, token in enumerate(read):
        if not token.startswith(":"):
            continue
        before, after = read[index - 1] if index else "and", read[index + 1] if index + 1 < len(read) else "and"
        is_first = before in {"and", "("} and after == "="
        if not is_first and after not in {"and", ")", ","}:
            raise invalid(f'Invalid KeyConditionExpression: Syntax error; token: "{after}"')


def check_names(given: Mapping[str, Any]) -> None:
    """Placeholders are `#name` and `:name`: another form of them is read as one by some, and by others as a path.

    AWS: DynamoDB Developer Guide, "Expression attribute names (aliases)" and "Expression attribute values".
    """
    for member, form in (("ExpressionAttributeNames", _NAME), ("ExpressionAttributeValues", _VALUE)):
        for key in given.get(member) or {}:
            if not form.fullmatch(key):
                raise invalid(f'{member} contains invalid key: Syntax error; key: "{key}"')


def number_text(text: str) -> str:
    """A number as DynamoDB gives it back: `01`, `1.0` and `1e0` are all the key `1`."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        raise invalid("A value provided cannot be converted into a number") from None
    # AWS: 38 digits, from 1E-130 to 9.99E+125 (DynamoDB Developer Guide, "Supported data types": Number).
    if not found.is_finite() or len(found.as_tuple().digits) > _DIGITS or (found and abs(found.adjusted()) > _SCALE):
        raise invalid("Attempting to store more than 38 significant digits in a Number")
    return format(found.normalize(), "f") if found else "0"


def text_of(value: Any) -> str | None:
    """A key's value as conditions compare it: of type S, N or B."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return None
    kind, content = next(iter(value.items()))
    if kind == "S" and isinstance(content, str):
        return content
    if kind == "N" and isinstance(content, str):
        return number_text(content)
    return content.hex() if kind == "B" and isinstance(content, bytes) else None
