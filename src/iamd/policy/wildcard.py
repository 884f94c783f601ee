"""`*` (any run of characters) and `?` (exactly one), the only wildcards of the policy language.

A pattern is a sequence of tokens, so that text which came out of a variable can stand in it as a literal whatever
characters it holds. It is cut at its `*`: the first chunk is anchored at the start, the last at the end, and those
between are taken leftmost, which is exact because a chunk has a fixed length. Nothing ever backtracks over a `*`.
"""

import re
from collections.abc import Callable, Sequence
from enum import Enum
from functools import lru_cache


class Wild(Enum):
    """The two wildcards, as tokens."""

    RUN = "*"
    ONE = "?"


Token = str | Wild
Matcher = Callable[[str], bool]

_TYPED = re.compile(r"[*?]|[^*?]+")
_WILD: dict[str, Wild] = {"*": Wild.RUN, "?": Wild.ONE}


def tokens(text: str) -> tuple[Token, ...]:
    """The tokens of text that an author typed: its `*` and `?` are wildcards."""
    return tuple(_WILD.get(piece, piece) for piece in _TYPED.findall(text))


def matches(pattern: str, text: str) -> bool:
    """Whether the whole of `text` matches `pattern`; case and newlines are ordinary."""
    return cached_matcher(tokens(pattern))(text)


def has_wildcard(text: str) -> bool:
    return "*" in text or "?" in text


@lru_cache(maxsize=4096)
def cached_matcher(pattern: tuple[Token, ...]) -> Matcher:
    """As `matcher`, remembered: for patterns that are known only when a request brings its variables."""
    return matcher(pattern)


def matcher(pattern: Sequence[Token]) -> Matcher:
    """A function that tells whether a whole text matches `pattern`."""
    chunks = _chunks(pattern)
    if len(chunks) == 1:
        return chunks[0].whole
    head, *middle, tail = chunks
    middle = [chunk for chunk in middle if chunk.length]
    if middle or head.regex or tail.regex:
        return _general(head, middle, tail)
    if not tail.length:
        return _everything if not head.length else _starting(head.literal)
    return _around(head.literal, tail.literal)


class _Chunk:
    """What stands between two `*`: a literal, or with `?` in it a regular expression of fixed length."""

    __slots__ = ("length", "literal", "regex")

    def __init__(self, pieces: Sequence[Token]) -> None:
        self.length = sum(1 if isinstance(piece, Wild) else len(piece) for piece in pieces)
        self.literal = "".join(piece for piece in pieces if isinstance(piece, str))
        # Only fixed-length expressions reach `re`, so it has nothing to backtrack over; DOTALL because `?` is any
        # character, newline too.
        self.regex = re.compile("".join(map(_expression, pieces)), re.DOTALL) if Wild.ONE in pieces else None

    def whole(self, text: str) -> bool:
        return text == self.literal if self.regex is None else self.regex.fullmatch(text) is not None

    def at(self, text: str, position: int) -> bool:
        if self.regex is None:
            return text.startswith(self.literal, position)
        return self.regex.match(text, position) is not None

    def end_of_first(self, text: str, start: int, end: int) -> int:
        """Where the leftmost match inside text[start:end] ends, or -1."""
        if self.regex is None:
            position = text.find(self.literal, start, end)
            return position + self.length if position >= 0 else -1
        found = self.regex.search(text, start, end)
        return found.end() if found else -1


def _expression(piece: Token) -> str:
    return "." if isinstance(piece, Wild) else re.escape(piece)


def _chunks(pattern: Sequence[Token]) -> list[_Chunk]:
    pieces: list[list[Token]] = [[]]
    for token in pattern:
        if token is Wild.RUN:
            pieces.append([])
        else:
            pieces[-1].append(token)
    return [_Chunk(piece) for piece in pieces]


def _everything(_text: str) -> bool:
    return True


def _starting(head: str) -> Matcher:
    return lambda text: text.startswith(head)


def _around(head: str, tail: str) -> Matcher:
    shortest = len(head) + len(tail)
    return lambda text: len(text) >= shortest and text.startswith(head) and text.endswith(tail)


def _general(head: _Chunk, middle: Sequence[_Chunk], tail: _Chunk) -> Matcher:
    def match(text: str) -> bool:
        end = len(text) - tail.length
        if end < head.length or not head.at(text, 0) or not tail.at(text, end):
            return False
        position = head.length
        for chunk in middle:
            position = chunk.end_of_first(text, position, end)
            if position < 0:
                return False
        return True

    return match
