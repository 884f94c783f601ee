"""The condition keys of a PartiQL statement: partition keys, attributes, whether it reads a whole table.

AWS: DynamoDB Developer Guide, "IAM security policies with PartiQL for DynamoDB" (ql-iam).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from iamd.gateway.actions import expressions
from iamd.gateway.actions.asked import invalid
from iamd.gateway.actions.dynamodb_items import UNKNOWN_KEY, partition_key
from iamd.gateway.actions.partiql import Statement, Token, parse

__all__ = ["of_statement", "parse", "statements"]

_WORDS: Final = frozenset(
    {
        "all", "and", "any", "as", "asc", "between", "by", "desc", "false", "in", "is", "like", "missing", "modified",
        "new", "not", "null", "old", "or", "order", "remove", "returning", "set", "true", "value", "where",
    }
)  # fmt: skip
_OPEN, _CLOSE = frozenset("([{") | {"<<"}, frozenset(")]}") | {">>"}


def statements(given: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[Any]]]:
    """Each statement of a request, with its parameters."""
    if "Statement" in given:
        yield given["Statement"], given.get("Parameters") or []
    for entry in [*(given.get("Statements") or []), *(given.get("TransactStatements") or [])]:
        yield entry["Statement"], entry.get("Parameters") or []


def of_statement(statement: Statement, parameters: Sequence[Any], known: Mapping[str, str]) -> dict[str, Any]:
    """What one statement names; `known` is what is known of its table."""
    placed = _placed(statement, parameters)
    key = partition_key(known, statement.index)
    leading = _leading(statement, key, placed)
    found: dict[str, Any] = {"leading_keys": leading, "attributes": sorted(_attributes(statement))}
    if statement.action == "PartiQLSelect":
        found["full_table_scan"] = not leading or UNKNOWN_KEY in leading
        everything = any(token.text == "*" for token in statement.projection)
        found["select"] = "ALL_ATTRIBUTES" if everything else "SPECIFIC_ATTRIBUTES"
    if statement.action in {"PartiQLUpdate", "PartiQLDelete"}:
        found["ReturnValues"] = _returning(statement)
    return {name: value for name, value in found.items() if value not in ([], None)}


def _placed(statement: Statement, parameters: Sequence[Any]) -> Mapping[int, Any]:
    marks = [token for token in (*statement.projection, *statement.rest) if token.kind == "sign" and token.text == "?"]
    if len(marks) != len(parameters):
        raise invalid("Number of parameters in request and statement don't match.")
    return {id(mark): value for mark, value in zip(marks, parameters, strict=True)}


def _text(token: Token, placed: Mapping[int, Any]) -> str:
    if token.kind == "string":
        return token.text
    if token.kind == "number":
        return expressions.number_text(token.text)
    return expressions.text_of(placed.get(id(token))) or UNKNOWN_KEY


def _leading(statement: Statement, key: list[str] | None, placed: Mapping[int, Any]) -> list[str]:
    """The values of the partition key; empty for a statement that reads the whole table."""
    if statement.action == "PartiQLInsert":
        return _inserted(statement.rest, key, placed)
    found = _compared(_where(statement.rest), key, placed)
    if statement.action == "PartiQLSelect":
        return found
    # SECURITY: AWS changes one item, whose whole key is given; what names none must not count as naming no other.
    return found or [UNKNOWN_KEY]


def _compared(where: tuple[Token, ...], key: list[str] | None, placed: Mapping[int, Any]) -> list[str]:
    if key is None or len(key) != 1:
        values = [_text(token, placed) for _, _, token in _comparisons(where)]
        return list(dict.fromkeys([*values, UNKNOWN_KEY])) if where else []
    if any(token.is_word("not") for token in where) or any(token.text == "(" for token in _conditions(where)):
        return [*_named(where, key[0], placed), UNKNOWN_KEY]
    found: list[str] = []
    for alternative in _split(where, "or"):
        named = _named(alternative, key[0], placed)
        if not named:
            # This alternative reads every partition, and so does the statement.
            return []
        found += named
    return list(dict.fromkeys(found))


def _where(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    place = next((index for index, token in enumerate(tokens) if token.is_word("where")), None)
    return tokens[place + 1 :] if place is not None else ()


def _conditions(tokens: tuple[Token, ...]) -> Iterator[Token]:
    """The tokens, without parentheses that hold a function's arguments or a list of values."""
    for index, token in enumerate(tokens):
        before = tokens[index - 1] if index else None
        called = before is not None and before.kind == "word" and before.text.lower() not in _WORDS - {"in"}
        if not (token.text == "(" and called):
            yield token


def _split(tokens: tuple[Token, ...], word: str) -> Iterator[tuple[Token, ...]]:
    begun = 0
    for index, token in enumerate(tokens):
        if token.is_word(word):
            yield tokens[begun:index]
            begun = index + 1
    yield tokens[begun:]


def _comparisons(tokens: tuple[Token, ...]) -> Iterator[tuple[Token, Token, Token]]:
    """The comparisons of one token with one: not of parts of paths, nor of sums and the like."""
    for index, (name, sign, value) in enumerate(zip(tokens, tokens[1:], tokens[2:], strict=False)):
        before, after = tokens[index - 1] if index else None, tokens[index + 3] if index + 3 < len(tokens) else None
        stands_alone = _is_border(before, _OPEN) and _is_border(after, _CLOSE)
        if sign.text == "=" and sign.kind == "sign" and stands_alone:
            yield name, sign, value


def _is_border(token: Token | None, brackets: frozenset[str]) -> bool:
    return token is None or token.kind == "word" or (token.kind == "sign" and token.text in brackets)


def _named(tokens: tuple[Token, ...], attribute: str, placed: Mapping[int, Any]) -> list[str]:
    """What `attribute = value`, `value = attribute` and `attribute IN [...]` hold it against."""
    found = []
    for left, _, right in _comparisons(tokens):
        if left.is_name(attribute):
            found.append(_text(right, placed))
        elif right.is_name(attribute):
            found.append(_text(left, placed))
    for index, token in enumerate(tokens):
        after = tokens[index + 1] if index + 1 < len(tokens) else None
        if token.is_name(attribute) and after is not None and after.is_word("in"):
            found += [_text(value, placed) for value in _listed(tokens[index + 2 :])]
    return found


def _listed(tokens: tuple[Token, ...]) -> Iterator[Token]:
    for token in tokens[1:] if tokens and tokens[0].text in _OPEN else ():
        if token.text in _CLOSE and token.kind == "sign":
            return
        if token.text != ",":
            yield token


def _inserted(tokens: tuple[Token, ...], key: list[str] | None, placed: Mapping[int, Any]) -> list[str]:
    fields = list(_fields(tokens))
    if key is None or len(key) != 1:
        return list(dict.fromkeys([*(_text(value, placed) for _, value in fields), UNKNOWN_KEY]))
    return [_text(value, placed) for name, value in fields if name == key[0]] or [UNKNOWN_KEY]


def _fields(tokens: tuple[Token, ...]) -> Iterator[tuple[str, Token]]:
    """Name and value of each field of the document that an INSERT holds; not of those within them."""
    depth = 0
    for index, token in enumerate(tokens):
        if token.kind == "sign":
            depth += (token.text in _OPEN) - (token.text in _CLOSE)
        after = tokens[index + 1 : index + 3]
        if depth == 1 and token.kind in {"string", "quoted"} and len(after) == 2 and after[0].text == ":":
            yield token.text, after[1]


def _attributes(statement: Statement) -> set[str]:
    if statement.action == "PartiQLInsert":
        return {name for name, _ in _fields(statement.rest)}
    return {*_paths(statement.projection), *_paths(statement.rest)}


def _paths(tokens: tuple[Token, ...]) -> Iterator[str]:
    """The first part of each path; words of the language and names of functions are none."""
    for index, token in enumerate(tokens):
        after = tokens[index + 1].text if index + 1 < len(tokens) else ""
        before = tokens[index - 1].text if index else ""
        if before == "." or after == "(":
            continue
        if token.kind == "quoted":
            yield token.text
        elif token.kind == "word" and token.text.lower() not in _WORDS:
            yield token.text.partition(".")[0]


def _returning(statement: Statement) -> str | None:
    words = [token.text.upper() for token in statement.rest if token.kind in {"word", "sign"}]
    if "RETURNING" not in words:
        return None
    scope, image = [*words[words.index("RETURNING") + 1 :], "", ""][:2]
    return {"ALL": "ALL", "MODIFIED": "UPDATED"}.get(scope, scope) + f"_{image}"
