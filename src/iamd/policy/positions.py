"""Where statements stand in their policy's text, by line and column; both begin at 1."""

import re
from bisect import bisect_right
from functools import lru_cache
from typing import NamedTuple

from iamd.policy.document import Policy, Statement

CACHED_TEXTS = 64

_LINE_END = re.compile(r"\r\n|\r|\n")


class Position(NamedTuple):
    """A place in a text."""

    line: int
    column: int


def position(text: str, offset: int) -> Position:
    """The place of the character at `offset`, or of the end."""
    starts = _line_starts(text)
    line = bisect_right(starts, offset)
    return Position(line, offset - starts[line - 1] + 1)


def simulator_span(policy: Policy, statement: Statement) -> tuple[Position, Position]:
    """The beginning and end of a statement as the policy simulator gives them.

    AWS: it begins where its reader stood before the statement, which is behind the `[` of the list or behind the
    statement before, and behind the `{` of a statement that stands alone; it ends behind the `}` (IAM API Reference,
    SimulatePrincipalPolicy, Examples: the positions in AmazonS3ReadOnlyAccess and in PolicyInputList.1).
    """
    return position(policy.text, _beginning(policy, statement)), position(policy.text, statement.end)


def _beginning(policy: Policy, statement: Statement) -> int:
    if statement.index > 0:
        return policy.statements[statement.index - 1].end
    before = policy.text[: statement.start].rstrip(" \t\r\n")
    return len(before) if before.endswith("[") else statement.start + 1


@lru_cache(maxsize=CACHED_TEXTS)
def _line_starts(text: str) -> list[int]:
    return [0, *(found.end() for found in _LINE_END.finditer(text))]
