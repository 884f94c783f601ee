"""moto's DynamoDB, held to statements and expressions that it reads as iamd has read them.

moto finds the parts of a PartiQL statement by splitting its text: a quoted name, a doubled quote or a word it does not
know moves what follows to another place, and another table, key or attribute than the decided one is read or written.
So it gets statements of one plain form, and others are not implemented.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, Final

from moto.dynamodb import responses
from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.parsing import partiql
from py_partiql_parser import QueryMetadata
from py_partiql_parser._internal.utils import CaseInsensitiveDict

from iamd.backend import items, restored_tables, table_policies, transaction_tokens
from iamd.backend.replacement import always, replace
from iamd.backend.verdict import NOT_IMPLEMENTED, Refused

_BACKEND: ContextVar[Any] = ContextVar("backend")

# Words of the language, which name no attribute unless they are quoted.
_WORDS: Final = (
    "all|and|any|as|asc|between|by|desc|false|in|is|like|missing|modified|new|not|null|old|or|order|remove|returning|set"
    "|true|value|where|select|insert|update|delete|from|into|exists"
)
# SECURITY: each part stands between single blanks, no quoted part holds a quote, no table a dot: moto takes
# `"table.index"` for an index.
_TABLE: Final = r'(?:"[A-Za-z0-9_-]+"|[A-Za-z_][A-Za-z0-9_-]*)'
_NAME: Final = rf'(?:"(?u:[^"\'\s.\[\]]+)"|(?!(?:{_WORDS})\b)[A-Za-z_][A-Za-z0-9_]*)'
_PATH: Final = rf"{_NAME}(?:\.[A-Za-z_][A-Za-z0-9_]*)*"
# A text that is a question mark is one of the parameters to moto.
_TEXT: Final = r"'(?!\?')[^'\"]*'"
_VALUE: Final = rf"(?:{_TEXT}|\?|-?[0-9]+(?:\.[0-9]+)?)"
_TERM: Final = (
    rf"(?:{_PATH} (?:=|<=|>=|<|>) {_VALUE}|(?:contains|attribute_type)\({_PATH}, {_VALUE}\)"
    rf"|{_PATH} IS (?:NOT )?MISSING)"
)
_EQUALS: Final = rf"{_NAME} ?= ?(?:{_TEXT}|\?)"
_ALL_EQUAL: Final = rf"{_EQUALS}(?: AND {_EQUALS})*"
_PLAIN: Final = re.compile(
    rf"SELECT (?:\*|{_PATH}(?:, ?{_PATH})*) FROM {_TABLE}(?: WHERE {_TERM}(?: (?:AND|OR) {_TERM})*)?"  # noqa: S608 - read
    rf"|UPDATE {_TABLE} (?:SET {_EQUALS}(?:, ?{_EQUALS})*|REMOVE {_NAME}) WHERE {_ALL_EQUAL}"
    rf"|DELETE FROM {_TABLE} WHERE {_ALL_EQUAL}"
    rf"|INSERT INTO {_TABLE} VALUE (?P<document>\{{(?:'[^'\"\\]*'|\"[^'\"\\]*\"|[^'\"\\])*\}})",
    re.IGNORECASE | re.ASCII,
)
_QUOTED: Final = re.compile(r"'[^']*'|\"[^\"]*\"")
# Where moto splits a SELECT: it takes `ſ` for `s` too.
_SPLIT: Final = re.compile("(?u:SELECT | FROM | WHERE )", re.IGNORECASE | re.ASCII)

# A comparison with the blanks around it, or a quoted part, in which nothing is one.
_COMPARISON: Final = re.compile(r"('[^']*'|\"[^\"]*\")|[ \n]*(<=|>=|=|<|>)[ \n]*")

Query = Callable[..., Any]


def install() -> None:
    """Put the checks before moto's readers of statements and key conditions."""
    replace(partiql, "query", _query)
    replace(partiql, "get_query_metadata", _described)
    replace(QueryMetadata, "get_table_names", _unquoted)
    replace(DynamoDBBackend, "execute_statement", _remembered)
    replace(responses, "parse_expression", _one_blank)
    _tell_cases_apart()
    items.install()
    table_policies.install()
    restored_tables.install()
    transaction_tokens.install()


def spaced(statement: str) -> str:
    """A SELECT with single blanks around its comparisons, without which moto finds none: the same tokens to iamd.

    AWS: DynamoDB Developer Guide, "PartiQL update statements", writes `Artist='Acme Band'`; blanks say nothing.
    """
    if statement[:6].lower() != "select":
        return statement
    return _COMPARISON.sub(lambda match: match[1] or f" {match[2]} ", statement)


def require_plain(statement: str) -> None:
    """Refuse a statement that moto could read as something else than what it says."""
    text = statement.replace("\n", " ")
    match = _PLAIN.fullmatch(text)
    is_select = text[:6].lower() == "select"
    is_broken = any("\n" in quoted for quoted in _QUOTED.findall(statement))
    if match is None or is_broken or (is_select and len(_SPLIT.split(text)) > 4):
        raise Refused(NOT_IMPLEMENTED, "statement")
    if match["document"] is not None:
        _require_json(match["document"])


def _require_json(document: str) -> None:
    """With no quote within a quoted part, a document is JSON but for its single quotes."""
    try:
        json.loads(document.replace("'", '"'), object_pairs_hook=_once)
    except ValueError:
        raise Refused(NOT_IMPLEMENTED, "document") from None


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a name that stands there twice")
    return dict(pairs)


def _query(original: Query) -> Query:
    def query(statement: str, source_data: Any, parameters: Sequence[Any]) -> Any:
        statement = spaced(statement)
        require_plain(statement)
        found, updates = original(statement, source_data, list(parameters))
        _require_same_keys(updates)
        return found, updates

    return query


def _described(original: Query) -> Query:
    def get_query_metadata(statement: str) -> Any:
        statement = spaced(statement)
        require_plain(statement)
        return original(statement)

    return get_query_metadata


def _unquoted(original: Query) -> Query:
    def get_table_names(described: Any) -> list[str]:
        # moto looks for the tables of a batch by their names as the statements write them.
        return [name.strip('"') for name in original(described)]

    return get_table_names


def _remembered(original: Query) -> Query:
    def execute_statement(backend: Any, statement: str, parameters: Sequence[Any]) -> Any:
        _BACKEND.set(backend)
        return original(backend, statement, parameters)

    return execute_statement


def _require_same_keys(updates: Mapping[str, Sequence[tuple[Any, Any]]]) -> None:
    """AWS: a key attribute can't be changed; moto would overwrite the item that has the new key."""
    for name, pairs in updates.items():
        keys = [part["AttributeName"] for part in _BACKEND.get().tables[name].schema]
        for before, after in pairs:
            changed = [key for key in keys if before and after and before.get(key) != after.get(key)]
            if changed:
                raise MockValidationException(
                    f"Cannot update attribute {changed[0]}. This attribute is part of the key"
                )


def _one_blank(original: Query) -> Query:
    def parse_expression(key_condition_expression: str, *given: Any, **named: Any) -> Any:
        # moto takes a tab or a line's end for a part of the value beside it.
        return original(" ".join(key_condition_expression.split()), *given, **named)

    return parse_expression


def _tell_cases_apart() -> None:
    """Attributes are told apart by case, which the parser's own map of an item does not do."""
    for name, method in (
        ("__getitem__", _get),
        ("__setitem__", _set),
        ("__delitem__", _delete),
        ("lower_items", _items),
        ("get_original", _original),
    ):
        replace(CaseInsensitiveDict, name, always(method))


def _entries(item: Any) -> dict[str, tuple[str, Any]]:
    found: dict[str, tuple[str, Any]] = vars(item)["_store"]
    return found


def _get(item: Any, key: str) -> Any:
    return _entries(item)[key][1]


def _set(item: Any, key: str, value: Any) -> None:
    _entries(item)[key] = (key, value)


def _delete(item: Any, key: str) -> None:
    del _entries(item)[key]


def _items(item: Any) -> Iterator[tuple[str, Any]]:
    return iter(item.items())


def _original(item: Any, key: str) -> Any:
    return CaseInsensitiveDict({key: _get(item, key)})
