"""The types of resources that stacks can have."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Final

from iamd.stacks import types
from iamd.stacks.errors import InvalidProperties
from iamd.stacks.kinds import Kind

_CUSTOM: Final = re.compile(r"Custom::[A-Za-z0-9_@-]{1,60}", re.ASCII)
"""AWS: Template Reference, AWS::CloudFormation::CustomResource: the names that custom resources may have."""


def find(type: str) -> Kind | None:
    """The kind of a type, or None when stacks can't have it."""
    return _kinds().get("AWS::CloudFormation::CustomResource" if _CUSTOM.fullmatch(type) else type)


def named(type: str) -> Kind:
    """The kind of a type; InvalidProperties when stacks can't have it."""
    found = find(type)
    if found is None:
        raise InvalidProperties(f"iamd does not support resources of type {type} yet.")
    return found


def names() -> list[str]:
    """Every type that stacks can have."""
    return sorted(_kinds())


@cache
def _kinds() -> Mapping[str, Kind]:
    return MappingProxyType({kind.type: kind for kind in _found()})


def _found() -> Iterator[Kind]:
    for module in iter_modules(types.__path__):
        content = vars(import_module(f"{types.__name__}.{module.name}"))
        for one in content.values():
            if isinstance(one, type) and issubclass(one, Kind) and hasattr(one, "type"):
                yield one()
