"""What protects stacks: termination protection, and stack policies, of which there are none."""

from typing import Any

from msgspec.structs import replace

from iamd.call import Call
from iamd.services.registry import operation, reading
from iamd.stacks import entities
from iamd.stacks.cloudformation import arns
from iamd.stacks.faults import ValidationError
from iamd.store.stack_records import Stack


def _named(call: Call, stack_name: str) -> Stack:
    found = entities.find_stack(call.account, call.region, stack_name)
    if found is None or found.deleted is not None:
        raise ValidationError(f"Stack [{stack_name}] does not exist")
    return found


@operation(on=arns.stack)
def update_termination_protection(
    call: Call, *, stack_name: str, enable_termination_protection: bool
) -> dict[str, Any]:
    """Protect a stack from being deleted, or protect it no longer."""
    found = _named(call, stack_name)
    call.put(replace(found, is_protected=enable_termination_protection))
    return {"StackId": found.stack_id}


@reading(on=arns.stack)
def get_stack_policy(call: Call, *, stack_name: str) -> dict[str, Any]:
    """Show the policy of a stack, of which it has none: no operation sets one."""
    _named(call, stack_name)
    return {}
