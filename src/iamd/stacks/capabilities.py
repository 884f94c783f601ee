"""Capabilities: what a template does that whoever makes a stack of it has to have acknowledged.

AWS: CloudFormation API Reference, CreateStack, Capabilities.
"""

from collections.abc import Sequence
from typing import Final

from iamd.stacks import handlers
from iamd.stacks.faults import InsufficientCapabilities, ValidationError
from iamd.stacks.template import Template

IAM: Final = "CAPABILITY_IAM"
NAMED_IAM: Final = "CAPABILITY_NAMED_IAM"
AUTO_EXPAND: Final = "CAPABILITY_AUTO_EXPAND"


def needed(template: Template) -> tuple[list[str], str | None]:
    """The capability that a template needs for what it makes, and why."""
    found = {
        logical_id: handlers.needs_capability(resource["Type"], resource.get("Properties", {}))
        for logical_id, resource in template.resources.items()
    }
    names = {name for name in found.values() if name is not None}
    if not names:
        return [], None
    types = sorted({template.resources[logical_id]["Type"] for logical_id, name in found.items() if name is not None})
    one = NAMED_IAM if NAMED_IAM in names else IAM
    return [one], f"The following resource(s) require capabilities: [{', '.join(types)}]"


def check(template: Template, given: Sequence[str], *, expands: bool) -> None:
    """What the template needs was acknowledged; `expands` says that a macro has made it, not shown in a change set."""
    names, _ = needed(template)
    if expands and AUTO_EXPAND not in given:
        raise InsufficientCapabilities([AUTO_EXPAND])
    if names and not (NAMED_IAM in given or (names == [IAM] and IAM in given)):
        raise InsufficientCapabilities(names)


def check_types(template: Template, allowed: Sequence[str] | None) -> None:
    """Every type is one of those that were named, if any were (CreateStack, ResourceTypes)."""
    if not allowed:
        return
    for type in template.types():
        if not any(_is_one(type, pattern) for pattern in allowed):
            raise ValidationError(
                f"Resource type {type} is not allowed by parameter ResourceTypes [{', '.join(allowed)}]"
            )


def _is_one(type: str, pattern: str) -> bool:
    return type.startswith(pattern[:-1]) if pattern.endswith("::*") else type == pattern
