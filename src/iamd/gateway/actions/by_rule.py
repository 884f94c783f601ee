"""Services without a table: the action is the operation's name, the resource what its parameters plainly name."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from iamd.authz.target import Target
from iamd.data import service_reference
from iamd.data.action_prefixes import action_prefix
from iamd.errors import Common, CommonError
from iamd.gateway.actions import tags
from iamd.gateway.actions.asked import Asked
from iamd.wire.models import service as model_of

_PLACE: Final = {"partition": "partition", "region": "region", "account": "account"}
_PLACEHOLDER: Final = re.compile(r"\$\{([^}]*)\}")


class Unmapped(CommonError):
    """An operation that no action is known for; nothing can be decided about it, so it is refused."""

    def __init__(self, operation: str, because: str | None = None) -> None:
        reason = because or f"iamd knows no IAM action for {operation}"
        super().__init__(Common.ACCESS_DENIED, f"{reason}, so the request cannot be decided.")


def action_of(service: str, operation: str) -> str | None:
    """The action of an operation by the rule: its service's prefix and its own name; None when there is none."""
    prefix = action_prefix(service, model_of(service).signing_name, operation)
    found = service_reference.action(prefix, operation) if prefix is not None else None
    return f"{prefix}:{found.name}" if found is not None else None


def targets(asked: Asked) -> list[Target]:
    """One target for each resource that the parameters name, or `*` when none can be told."""
    operation = asked.operation
    action = action_of(operation.service, operation.name)
    if action is None:
        raise Unmapped(f"{operation.service}:{operation.name}")
    keys = tags.of(asked.parameters)
    found = sorted(_resources(action, asked))
    return [Target(arn=name, action=action, context=keys) for name in found or ["*"]]


def _resources(action: str, asked: Asked) -> set[str]:
    found: set[str] = set()
    for pattern, parts in _templates(action):
        given = [value for value in asked.parameters.values() if isinstance(value, str) and value.startswith("arn:")]
        named = {value for value in given if pattern.fullmatch(value)}
        found |= named or _filled(parts, asked)
    return found


def _filled(parts: tuple[str, ...], asked: Asked) -> set[str]:
    """The ARN when each of its placeholders is a parameter of the same name."""
    names = {name.lower(): value for name, value in asked.parameters.items() if isinstance(value, str) and value}
    out = []
    for index, part in enumerate(parts):
        if index % 2 == 0:
            out.append(part)
            continue
        value = _place(part, asked) or names.get(part.lower())
        if value is None or value.startswith("arn:"):
            return set()
        out.append(value)
    return {"".join(out)}


def _place(placeholder: str, asked: Asked) -> str | None:
    place: Mapping[str, Any] = asked.place
    name = _PLACE.get(placeholder.lower())
    return place[name] if name is not None else None


@cache
def _templates(action: str) -> tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]:
    """Of each resource type: a pattern of its ARNs, and the ARN split at its placeholders."""
    prefix, _, name = action.partition(":")
    reference = service_reference.service(prefix)
    entry = reference.action(name) if reference is not None else None
    if reference is None or entry is None:
        return ()
    types = [reference.resource_type(resource.name) for resource in entry.resources]
    return tuple((_pattern(found.arn), tuple(_PLACEHOLDER.split(found.arn))) for found in types if found is not None)


def _pattern(template: str) -> re.Pattern[str]:
    parts = _PLACEHOLDER.split(template)
    text = [re.escape(part) if index % 2 == 0 else _loose(part) for index, part in enumerate(parts)]
    return re.compile("".join(text), re.DOTALL)


def _loose(placeholder: str) -> str:
    return "[^:/]*" if placeholder.lower() in _PLACE else ".+"


def account_of(name: str) -> str | None:
    """The account in an ARN, or None when it names none."""
    parts = name.split(":", 5)
    return parts[4] if len(parts) == 6 and len(parts[4]) == 12 and parts[4].isdigit() else None
