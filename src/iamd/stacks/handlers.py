"""What a type of resource does when a stack makes, changes and removes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from iamd.stacks.client import Client


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A resource as the template has it, functions evaluated.

    `generated_name` is what CloudFormation would make of stack, logical id and chance. `tags` are the stack's tags and
    the aws:cloudformation:* tags.
    """

    logical_id: str
    type: str
    properties: Mapping[str, Any]
    stack_name: str
    stack_id: str
    generated_name: str
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """`physical_id` is what Ref gives; `attributes` what Fn::GetAtt gives, by (dotted) name."""

    physical_id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


class InvalidProperties(Exception):
    """Why a resource's properties can't be used, in a sentence."""


def supported(type: str) -> bool:
    """Whether stacks can have resources of this type."""
    raise InvalidProperties(type)


def check(type: str, properties: Mapping[str, Any]) -> None:
    """Raise InvalidProperties naming properties that are unknown to the type, missing or of a wrong kind.

    Values that are not known yet (functions still to be evaluated) are dicts with one `Fn::`/`Ref` key: not judged.
    """
    raise InvalidProperties(type)


def needs_capability(type: str, properties: Mapping[str, Any]) -> str | None:
    """CAPABILITY_IAM, CAPABILITY_NAMED_IAM (a given name) or None. AWS: CreateStack, Capabilities."""
    raise InvalidProperties(type)


def replaces(type: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether going from the old properties to the new needs a new resource ("Update requires: Replacement")."""
    raise InvalidProperties(type)


def attribute_names(type: str) -> frozenset[str]:
    """What Fn::GetAtt may ask for, by (dotted) name."""
    raise InvalidProperties(type)


async def create(wanted: Wanted, client: Client) -> Made:
    """Make the resource; when a step fails, the earlier ones are undone before its error is raised."""
    raise InvalidProperties(wanted.type)


async def update(old: Wanted, new: Wanted, made: Made, client: Client) -> Made:
    """Change a resource that stays the same one."""
    raise InvalidProperties(new.type)


async def delete(old: Wanted, made: Made, client: Client) -> None:
    """Remove the resource; what is not there any more is deleted."""
    raise InvalidProperties(old.type)
