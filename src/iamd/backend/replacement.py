"""Functions of moto's that iamd puts its own in place of, each checked to be there."""

import inspect
from collections.abc import Callable
from typing import Any


def replace(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Put what `make` makes of the present attribute in its place; RuntimeError when there is none."""
    if not hasattr(owner, name):
        # SECURITY: a moto other than the one this was written for must not start.
        raise RuntimeError(f"this moto has no {owner.__name__}.{name}")
    setattr(owner, name, make(getattr(owner, name)))


def supply(owner: Any, name: str, value: Any) -> None:
    """Put there what moto has not; RuntimeError when it has one by now."""
    if hasattr(owner, name):
        raise RuntimeError(f"this moto has {owner.__name__}.{name}")
    setattr(owner, name, value)


def always(value: Any) -> Callable[[Any], Any]:
    """Make what stands there no matter what stood there before."""
    return lambda _original: value


def argument(function: Callable[..., Any], parameter: str, /, *given: Any, **named: Any) -> Any:
    """What a call of a function hands over as this parameter, wherever it stands."""
    return inspect.signature(function).bind(*given, **named).arguments.get(parameter)
