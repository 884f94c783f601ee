"""What protects stacks: termination protection, and stack policies, of which there are none."""

from typing import Any

from msgspec.structs import replace

from iamd.call import Call
from iamd.services.registry import operation, reading
from iamd.stacks import entities
from iamd.stacks.cloudformation import arns


@operation(on=arns.stack)
def update_termination_protection(
    call: Call, *, stack_name: str, enable_termination_protection: bool
) -> dict[str, Any]:
    """Protect a stack from being deleted, or protect it no longer."""
    found = entities.named_stack(call.account, call.region, stack_name)
    call.put(replace(found, is_protected=enable_termination_protection))
    return {"StackId": found.stack_id}


@reading(on=arns.stack)
def get_stack_policy(call: Call, *, stack_name: str) -> dict[str, Any]:
    """Show the policy of a stack, of which it has none: no operation sets one."""
    entities.named_stack(call.account, call.region, stack_name)
    return {}
