"""What a type of resource does when a stack makes, changes and removes it."""

from collections.abc import Mapping
from typing import Any

from iamd.stacks import properties as described
from iamd.stacks import registry
from iamd.stacks.client import Client
from iamd.stacks.errors import InvalidProperties
from iamd.stacks.resources import Made, Wanted

__all__ = [
    "InvalidProperties", "Made", "Wanted", "attribute_names", "check", "create", "delete", "needs_capability",
    "replaces", "secret_attributes", "supported", "update",
]  # fmt: skip

_NAMES = frozenset({"GroupName", "InstanceProfileName", "ManagedPolicyName", "RoleName", "UserName"})
_NAMED = {f"AWS::IAM::{name.removesuffix('Name')}": name for name in _NAMES}


def supported(type: str) -> bool:
    """Whether stacks can have resources of this type."""
    return registry.find(type) is not None


def check(type: str, properties: Mapping[str, Any]) -> None:
    """Raise InvalidProperties naming properties that are unknown to the type, missing or of a wrong kind.

    Values that are not known yet (functions still to be evaluated) are dicts with one `Fn::`/`Ref` key: not judged.
    """
    kind = registry.named(type)
    described.check(type, properties)
    strangers = sorted(properties.keys() - kind.known_properties())
    if strangers and not kind.takes_any:
        raise InvalidProperties(f"iamd does not support the property {strangers[0]} of {type} yet.")
    kind.check(properties)


def needs_capability(type: str, properties: Mapping[str, Any]) -> str | None:
    """CAPABILITY_IAM, CAPABILITY_NAMED_IAM (a given name) or None. AWS: CreateStack, Capabilities."""
    if not type.startswith("AWS::IAM::"):
        return None
    return "CAPABILITY_NAMED_IAM" if _NAMED.get(type) in properties else "CAPABILITY_IAM"


def replaces(type: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether going from the old properties to the new needs a new resource ("Update requires: Replacement")."""
    return bool(described.replacing(type, old, new)) or registry.named(type).replaces(old, new)


def attribute_names(type: str) -> frozenset[str]:
    """What Fn::GetAtt may ask for, by (dotted) name."""
    return frozenset(registry.named(type).attributes)


def secret_attributes(type: str) -> frozenset[str]:
    """Those of the attributes that nobody is to be shown who has not asked for them."""
    return frozenset(registry.named(type).secret_attributes)


async def create(wanted: Wanted, client: Client) -> Made:
    """Make the resource; when a step fails, the earlier ones are undone before its error is raised."""
    return await registry.named(wanted.type).create(wanted, client)


async def update(old: Wanted, new: Wanted, made: Made, client: Client) -> Made:
    """Change a resource that stays the same one."""
    return await registry.named(new.type).update(old, new, made, client)


async def delete(old: Wanted, made: Made, client: Client) -> None:
    """Remove the resource; what is not there any more is deleted."""
    await registry.named(old.type).delete(old, made, client)
