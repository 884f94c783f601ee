"""Memory of what was found out about short texts: long ones come with requests, and would fill it for good."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Final, TypeVar

LONGEST: Final = 1_024
"""How many characters a text has at most that is remembered."""

Found = TypeVar("Found")


def of_short_texts(maxsize: int) -> Callable[[Callable[[str], Found]], Callable[[str], Found]]:
    """As `lru_cache`, for functions of one text; they are asked what they remember as its own are."""

    def decorate(function: Callable[[str], Found]) -> Callable[[str], Found]:
        kept = lru_cache(maxsize=maxsize)(function)

        @wraps(function)
        def remembering(text: str) -> Found:
            return kept(text) if len(text) <= LONGEST else function(text)

        for name in ("cache_clear", "cache_info", "cache_parameters"):
            vars(remembering)[name] = getattr(kept, name)
        return remembering

    return decorate
