"""Wildcards in the event patterns of moto's rules, matched in time that does not grow with what they might stand for.

AWS: EventBridge User Guide, "Comparison operators for use in event patterns" (eb-create-pattern-operators).
"""

import re
from typing import Any, Final

from moto.events.models import EventPattern

from iamd.backend.replacement import always, replace

_PARTS: Final = re.compile(r"\\[*\\]|\*|[^*\\]+|\\")


def install() -> None:
    """Match wildcards by what is here."""
    replace(EventPattern, "_wildcard_match", always(staticmethod(matches)))


def matches(item: Any, pattern: str) -> bool:
    """Whether a text is as a pattern says: `*` stands for anything, unless a backslash is before it."""
    if not isinstance(item, str):
        return False
    literals = [""]
    for part in _PARTS.findall(pattern):
        if part == "*":
            literals.append("")
        else:
            literals[-1] += part[1] if len(part) == 2 and part[0] == "\\" else part
    first, *rest = literals
    if not rest:
        return item == first
    *middle, last = rest
    return item.startswith(first) and _holds(item, len(first), middle, last)


def _holds(item: str, at: int, middle: list[str], last: str) -> bool:
    """Whether the rest has these parts in this order, the last at its end; each is best taken where it comes first."""
    for literal in middle:
        found = item.find(literal, at)
        if found < 0:
            return False
        at = found + len(literal)
    return len(item) - len(last) >= at and item.endswith(last)
