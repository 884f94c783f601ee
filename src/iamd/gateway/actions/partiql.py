"""Which table, index and action a PartiQL statement is: read strictly, so that no two readers can differ.

AWS: DynamoDB Developer Guide, "PartiQL - a SQL-compatible query language for Amazon DynamoDB" and "IAM security
policies with PartiQL for DynamoDB".
"""

import re
from dataclasses import dataclass
from typing import Final

from iamd.gateway.actions.asked import invalid

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<string>'(?:[^']|'')*')|(?P<quoted>"(?:[^"]|"")+")|(?P<word>[A-Za-z_][A-Za-z0-9_.-]*)"""
    r"""|(?P<number>-?[0-9][0-9.eE+-]*)|(?P<sign><>|<=|>=|!=|<<|>>|\|\||[-+*/=<>(){}\[\],.:?]))""",
    re.ASCII,
)
# What may come after the table. SECURITY: anything else, such as a comma, could bring a second table in.
_AFTER: Final = {
    "PartiQLSelect": ("where", "order"),
    "PartiQLInsert": ("value",),
    "PartiQLUpdate": ("set", "remove"),
    "PartiQLDelete": ("where", "returning"),
}
_VERBS: Final = frozenset({"select", "insert", "update", "delete", "from", "into", "exists"})
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{3,255}", re.ASCII)
_ARN: Final = re.compile(r"arn:[a-z-]+:dynamodb:[a-z0-9-]+:[0-9]{12}:table/[A-Za-z0-9_.-]{3,255}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its kind, and its text without quotes."""

    kind: str
    text: str

    def is_word(self, *words: str) -> bool:
        """Tell whether this is one of these words, in whatever case."""
        return self.kind == "word" and self.text.lower() in words

    def is_name(self, name: str) -> bool:
        """Tell whether this names the attribute; a string does not."""
        return self.kind in {"word", "quoted"} and self.text == name


@dataclass(frozen=True, slots=True)
class Statement:
    """What a statement does, on which table (a name or an ARN) and index, and its tokens after that."""

    action: str
    table: str
    index: str | None
    rest: tuple[Token, ...]
    projection: tuple[Token, ...] = ()


def parse(text: str) -> Statement:
    """Read one statement; what is not plainly one statement on one table is refused."""
    tokens = _tokens(text)
    if not tokens:
        raise _malformed()
    head, rest = tokens[0], tokens[1:]
    if head.is_word("exists"):
        return _exists(rest)
    if head.is_word("select"):
        return _select(rest)
    if head.is_word("insert") and rest and rest[0].is_word("into"):
        return _on("PartiQLInsert", rest[1:])
    if head.is_word("update"):
        return _on("PartiQLUpdate", rest)
    if head.is_word("delete") and rest and rest[0].is_word("from"):
        return _on("PartiQLDelete", rest[1:])
    raise _malformed()


def _exists(tokens: tuple[Token, ...]) -> Statement:
    """`EXISTS(SELECT ...)`, the condition of a transaction: it reads as SELECT does."""
    inner = tokens[1:-1]
    if len(tokens) < 3 or tokens[0].text != "(" or tokens[-1].text != ")" or not inner[0].is_word("select"):
        raise _malformed()
    return _select(inner[1:])


def _select(tokens: tuple[Token, ...]) -> Statement:
    place = next((index for index, token in enumerate(tokens) if token.is_word("from")), None)
    if place is None:
        raise _malformed()
    if any(token.is_word(*_VERBS) for token in tokens[:place]):
        raise _malformed()
    found = _on("PartiQLSelect", tokens[place + 1 :])
    return Statement(found.action, found.table, found.index, found.rest, tokens[:place])


def _on(action: str, tokens: tuple[Token, ...]) -> Statement:
    if not tokens or tokens[0].kind not in {"word", "quoted"}:
        raise _malformed()
    table, index, rest = _table(tokens)
    # SECURITY: a second verb is a second statement, or a statement within this one, on a table nobody has looked at.
    if any(token.is_word(*_VERBS) for token in rest) or not (_NAME.fullmatch(table) or _ARN.fullmatch(table)):
        raise _malformed()
    if index is not None and not _NAME.fullmatch(index):
        raise _malformed()
    if (rest and not rest[0].is_word(*_AFTER[action])) or sum(token.is_word("where") for token in rest) > 1:
        raise _malformed()
    return Statement(action, table, index, rest)


def _table(tokens: tuple[Token, ...]) -> tuple[str, str | None, tuple[Token, ...]]:
    first = tokens[0]
    if first.kind == "word" and "." in first.text:
        # SECURITY: without quotes a dot parts table and index, and a name may hold dots too: readers differ.
        raise _malformed()
    if len(tokens) > 2 and tokens[1].text == "." and tokens[2].kind in {"word", "quoted"}:
        return first.text, tokens[2].text, tokens[3:]
    return first.text, None, tokens[1:]


def _tokens(text: str) -> tuple[Token, ...]:
    found, place, end = [], 0, len(text.rstrip())
    while place < end:
        match = _TOKEN.match(text, place)
        if match is None or text.startswith("--", match.start(match.lastgroup or 0)):
            raise _malformed()
        kind = match.lastgroup or ""
        found.append(Token(kind, _unquoted(kind, match[kind])))
        place = match.end()
    return tuple(found)


def _unquoted(kind: str, text: str) -> str:
    if kind == "string":
        return text[1:-1].replace("''", "'")
    return text[1:-1].replace('""', '"') if kind == "quoted" else text


def _malformed() -> Exception:
    return invalid("Statement wasn't well formed, can't be processed")
