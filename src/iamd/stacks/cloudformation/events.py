"""Events of stacks."""

from typing import Any

from iamd.call import Call
from iamd.services.registry import reading
from iamd.stacks import entities, shown
from iamd.stacks.cloudformation import arns
from iamd.stacks.faults import ValidationError
from iamd.stacks.pages import page


@reading(on=arns.stack)
def describe_stack_events(call: Call, *, stack_name: str, next_token: str | None = None) -> dict[str, Any]:
    """Show what happened to a stack, the newest first; of a deleted one by its id."""
    found = entities.find_stack(call.account, call.region, stack_name)
    if found is None:
        raise ValidationError(f"Stack [{stack_name}] does not exist")
    events = entities.events_of(call.account, found.stack_id)
    # What is newest has the smallest key.
    cut, more = page(
        call, events, key=lambda event: f"{10**12 - event.number:012d}", next_token=next_token, query=(found.stack_id,)
    )
    return {"StackEvents": [shown.event(found, event) for event in cut], **more}
