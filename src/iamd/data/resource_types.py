"""CloudFormation's resource types: their properties, read one type at a time when it is asked for."""

from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path

import msgspec

from iamd.data.pack import Pack

PACK = Path(__file__).with_name("resource_types.pack")


class Value(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a property may be: its JSON kinds, none where any may stand there.

    An object has `members`, and others too when it is `open`; a list has an `item`. A `definition` of the type is named
    instead where values contain themselves or are used in several places.
    """

    kinds: tuple[str, ...] = ()
    members: dict[str, "Value"] = {}
    required: tuple[str, ...] = ()
    open: bool = True
    item: "Value | None" = None
    definition: str | None = None


class ResourceType(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One type. Paths are names of properties, nested ones after a `/`.

    A change of a property in `create_only` needs a new resource; those in `read_only` are attributes, and no properties
    that a template can have.
    """

    properties: dict[str, Value]
    required: tuple[str, ...]
    definitions: dict[str, Value]
    create_only: tuple[str, ...]
    read_only: tuple[str, ...]


def names() -> Mapping[str, int]:
    """The name of every type that AWS has."""
    return _pack().index


@lru_cache(maxsize=256)
def find(name: str) -> ResourceType | None:
    """The type of this name, or None when there is none."""
    block = names().get(name)
    return None if block is None else msgspec.msgpack.decode(_pack().block(block), type=ResourceType)


@cache
def _pack() -> Pack[dict[str, int]]:
    return Pack(PACK, dict[str, int])
