"""Pages of Organizations' lists: `MaxResults` and `NextToken` in, `NextToken` out when more follows."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from iamd.call import Call
from iamd.services import paging
from iamd.services.organizations.errors import InvalidInput

MAX_RESULTS = 20
"""AWS: the most that one page has (Organizations API Reference, MaxResults)."""

Item = TypeVar("Item")


def page(
    call: Call,
    items: Sequence[Item],
    *,
    key: Callable[[Item], str],
    max_results: int | None = None,
    next_token: str | None = None,
    query: Sequence[str] = (),
) -> tuple[list[Item], dict[str, Any]]:
    """Cut the page after `next_token` out of `items`, which are unique by `key`; with the token of what follows."""
    try:
        cut, more = paging.page(
            call, items, key=key, max_items=max_results or MAX_RESULTS, marker=next_token, query=query
        )
    except paging.InvalidMarker:
        raise InvalidInput(
            "INVALID_NEXT_TOKEN",
            "Get the value for the NextToken parameter from the response to a previous call of the operation.",
        ) from None
    return cut, {"NextToken": more["Marker"]} if "Marker" in more else {}
