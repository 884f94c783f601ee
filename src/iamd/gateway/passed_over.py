"""Members of requests that the embedded backend would pass over: what is asked for by one is refused by its name.

The rows of passed_over.toml say which; what needs more than its value to be known stands with what mends a service
(`iamd.backend`). The words are iamd's.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from iamd.errors import Common, CommonError
from iamd.gateway.actions.asked import Asked, at
from iamd.wire.models import Operation

Row = Mapping[str, tuple[Any, ...]]
"""The members of an operation by their paths, each with the values that ask for nothing."""


@cache
def table() -> Mapping[str, Mapping[str, Row]]:
    """The rows of passed_over.toml, by service and operation."""
    text = resources.files(__package__).joinpath("passed_over.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, dict[str, dict[str, tuple[Any, ...]]]])


def may_be(operation: Operation) -> bool:
    """Whether the embedded backend would pass something over that an operation may ask for."""
    return operation.name in table().get(operation.service, {})


def check(asked: Asked) -> None:
    """Refuse by its name what would be passed over."""
    operation = asked.operation
    for path, usual in table()[operation.service][operation.name].items():
        value = at(asked.parameters, path)
        if value is not None and value not in usual:
            words = f"The embedded backend does not implement {path} of {operation.name}."
            raise CommonError(Common.NOT_IMPLEMENTED, words)
