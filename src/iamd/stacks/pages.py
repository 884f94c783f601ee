"""Pages of CloudFormation's lists: `NextToken` in, and out when more follows."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from iamd.call import Call
from iamd.services import paging
from iamd.stacks.faults import ValidationError

PAGE: Final = 100
"""AWS: a page has up to 100 entries (API Reference, ListStacks, ListExports) and no request asks for another number."""

Item = TypeVar("Item")


def page(
    call: Call, items: Sequence[Item], *, key: Callable[[Item], str], next_token: str | None, query: Sequence[str] = ()
) -> tuple[list[Item], dict[str, Any]]:
    """Cut the page after `next_token` out of `items`, which are unique by `key`; with the token of what follows."""
    try:
        cut, more = paging.page(call, items, key=key, max_items=PAGE, marker=next_token, query=query)
    except paging.InvalidMarker as error:
        raise ValidationError("Invalid NextToken") from error
    return cut, {"NextToken": more["Marker"]} if "Marker" in more else {}


def newest_first(seconds: float) -> str:
    """A key by which what is newer comes first."""
    return f"{10**15 - int(seconds * 1000):016d}"
