"""What protects stacks: termination protection, and stack policies."""

from typing import Any, Final

from msgspec.structs import replace

from iamd.call import Call
from iamd.services.registry import operation, reading
from iamd.stacks import entities
from iamd.stacks.cloudformation import arns
from iamd.stacks.faults import ValidationError
from iamd.stacks.requested import policy_text

_UPDATES: Final = frozenset({"UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"})


@operation(on=arns.stack)
def update_termination_protection(
    call: Call, *, stack_name: str, enable_termination_protection: bool
) -> dict[str, Any]:
    """Protect a stack from being deleted, or protect it no longer."""
    found = entities.named_stack(call.account, call.region, stack_name)
    if found.root_id is not None:
        # AWS: it is set on the root stack, and can't be changed on a nested one (using-cfn-protect-stacks).
        raise ValidationError(f"Termination protection of the nested stack [{found.name}] is that of its root stack.")
    call.put(replace(found, is_protected=enable_termination_protection))
    return {"StackId": found.stack_id}


@reading(on=arns.stack)
def get_stack_policy(call: Call, *, stack_name: str) -> dict[str, Any]:
    """Show the policy of a stack; while an update goes on that has its own, that one."""
    found = entities.named_stack(call.account, call.region, stack_name)
    # AWS: that the update's own is shown meanwhile is seen in its answers.
    shown = found.update_policy if found.status in _UPDATES and found.update_policy is not None else found.policy
    return {"StackPolicyBody": shown} if shown is not None else {}


async def _given(call: Call, *, stack_name: str, **given: Any) -> str:
    entities.named_stack(call.account, call.region, stack_name)
    found = await policy_text(call, given, "StackPolicy")
    if found is None:
        raise ValidationError("Either StackPolicyURL or StackPolicyBody must be specified.")
    return found


@operation(on=arns.stack, prepare=_given)
def set_stack_policy(
    call: Call, *, stack_name: str, stack_policy_body: str | None = None, stack_policy_url: str | None = None
) -> None:
    """Set the policy of a stack; it can be changed from then on, and not be taken away."""
    found = entities.named_stack(call.account, call.region, stack_name)
    call.put(replace(found, policy=call.prepared))
