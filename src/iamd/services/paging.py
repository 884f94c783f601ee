"""Pages of a list, as AWS cuts them: `MaxItems` and `Marker` in, `IsTruncated` and `Marker` out."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from iamd.auth.sealing import SealError
from iamd.call import Call
from iamd.errors import AWSError

DEFAULT_MAX_ITEMS = 100
"""AWS: "If you do not include this parameter, the number of items defaults to 100" (IAM API Reference, ListUsers)."""

WHOLE_BYTES = 160
"""Up to this length a key stands in a marker whole. AWS: a marker has at most 320 characters (IAM API Reference)."""

Item = TypeVar("Item")


class InvalidMarker(AWSError):
    """A marker that this operation, with these parameters, did not give to this caller."""

    code = "ValidationError"


def page(
    call: Call,
    items: Sequence[Item],
    *,
    key: Callable[[Item], str],
    max_items: int | None,
    marker: str | None,
    query: Sequence[str] = (),
) -> tuple[list[Item], dict[str, Any]]:
    """Cut the page after `marker` out of `items`, which are unique by `key`; with it the members that say what follows.

    A marker is the place of the last item given, sealed for this caller, operation and `query` (the parameters that
    choose the items), so it shows nothing and fits nowhere else. Items are given in the order of their keys; a marker
    goes on behind its item though that was deleted since.
    """

    def place(item: Item) -> bytes:
        return _place(key(item))

    ordered = sorted(items, key=place)
    bound = (call.identity.account_id, call.identity.user_id, call.service, call.operation, *query)
    if marker is not None:
        after = _opened(call, marker, bound)
        ordered = [item for item in ordered if place(item) > after]
    cut = ordered[: max_items or DEFAULT_MAX_ITEMS]
    if len(cut) == len(ordered):
        return cut, {"IsTruncated": False}
    sealed = call.keyring.seal_text("marker", bound, place(cut[-1]))
    return cut, {"IsTruncated": True, "Marker": sealed}


def _place(key: str) -> bytes:
    """Where a key stands among others: the key, or of a long one its beginning and a digest of it."""
    whole = key.encode()
    if len(whole) <= WHOLE_BYTES:
        return whole
    return whole[:WHOLE_BYTES] + hashlib.sha256(whole).digest()


def _opened(call: Call, marker: str, bound: tuple[str, ...]) -> bytes:
    try:
        return call.keyring.open_text("marker", bound, marker)
    except SealError as error:
        raise InvalidMarker("Invalid Marker.") from error
