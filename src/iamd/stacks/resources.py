"""A resource of a stack: as it is wanted, and as it was made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


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
    """`physical_id` is what Ref gives; `attributes` what Fn::GetAtt gives, by (dotted) name, `hidden` or not."""

    physical_id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    hidden: bool = False
