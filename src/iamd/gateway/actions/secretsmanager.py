"""secretsmanager."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from iamd.authz.target import Target
from iamd.gateway.actions.asked import Asked


def values(asked: Asked) -> Mapping[str, Any]:
    return {}


COMPUTED: Final[Mapping[str, Callable[[Asked], list[Target]]]] = {}
