"""What a type of resource does when a stack makes, changes and removes it."""

from collections.abc import Mapping
from typing import Any

from iamd.stacks import properties as described
from iamd.stacks import registry
from iamd.stacks.client import Client
from iamd.stacks.errors import Failed, InvalidProperties
from iamd.stacks.resources import Made, Wanted

__all__ = [
    "InvalidProperties", "Made", "Wanted", "always_changes", "attribute_names", "check", "create", "delete",
    "has_attribute", "is_custom", "needs_capability", "replaces", "replaces_type", "restore", "secret_attributes",
    "service_of", "supported", "update",
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
    if kind.is_described:
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
    kind = registry.named(type)
    return kind.replaces(old, new) or (kind.is_described and bool(described.replacing(type, old, new)))


def replaces_type(old: str, new: str, logical_id: str) -> bool:
    """Whether a resource becomes one of another type; Failed where its type can't be changed."""
    if old == new:
        return False
    if not (registry.named(old).changes_type and registry.named(new).changes_type):
        raise Failed(
            "Update of resource type is not permitted. The new template modifies resource type of the following "
            f"resources: [{logical_id}]"
        )
    return True


def attribute_names(type: str) -> frozenset[str]:
    """What Fn::GetAtt may ask for, by (dotted) name."""
    return frozenset(registry.named(type).attributes)


def always_changes(type: str) -> bool:
    """Whether every update of its stack changes a resource of this type."""
    return registry.named(type).always_changes


def is_custom(type: str) -> bool:
    """Whether somebody else than CloudFormation says what a resource of this type is."""
    kind = registry.find(type)
    return kind is not None and not kind.is_described


def has_attribute(type: str, name: str) -> bool:
    """Whether Fn::GetAtt may ask for an attribute."""
    return registry.named(type).has_attribute(name)


def service_of(type: str) -> str | None:
    """The service that has resources of a type, by botocore's name; None for what is nowhere."""
    return registry.named(type).service_of(type)


def secret_attributes(type: str) -> frozenset[str]:
    """Those of the attributes that nobody is to be shown who has not asked for them."""
    return frozenset(registry.named(type).secret_attributes)


async def create(wanted: Wanted, client: Client) -> Made:
    """Make the resource; when a step fails, the earlier ones are undone before its error is raised."""
    return await registry.named(wanted.type).create(wanted, client)


async def update(old: Wanted, new: Wanted, made: Made, client: Client) -> Made:
    """Change a resource that stays the same one."""
    return await registry.named(new.type).update(old, new, made, client)


async def restore(old: Wanted, new: Wanted, made: Made, client: Client) -> Made:
    """Change a resource back to what it was before an update that failed."""
    return await registry.named(new.type).restore(old, new, made, client)


async def delete(old: Wanted, made: Made, client: Client) -> None:
    """Remove the resource; what is not there any more is deleted."""
    await registry.named(old.type).delete(old, made, client)
