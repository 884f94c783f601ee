"""Exports: outputs that other stacks of the account and Region import."""

from typing import Any

from iamd.call import Call
from iamd.services.registry import reading
from iamd.stacks import sealed
from iamd.stacks.cloudformation import arns
from iamd.stacks.faults import ValidationError
from iamd.stacks.pages import page
from iamd.store.stack_records import Stack


@reading(on=arns.nothing)
def list_exports(call: Call, *, next_token: str | None = None) -> dict[str, Any]:
    """List what stacks export, by name."""
    found = [
        {"ExportingStackId": stack.stack_id, "Name": output.export, "Value": output.value}
        for stack in call.account.all(Stack)
        if stack.region == call.region and stack.exports and stack.state is not None
        for output in sealed.opened_outputs(call.keyring, stack.stack_id, stack.state.outputs)
        if output.export is not None
    ]
    cut, more = page(call, found, key=lambda export: str(export["Name"]), next_token=next_token)
    return {"Exports": cut, **more}


@reading(on=arns.nothing)
def list_imports(call: Call, *, export_name: str, next_token: str | None = None) -> dict[str, Any]:
    """List the stacks that import what is exported by a name."""
    place = f"{call.region}/{export_name}"
    if not call.account.find(Stack, "export", place):
        raise ValidationError(f"Export '{export_name}' does not exist.")
    found = [stack.name for stack in call.account.find(Stack, "import", place)]
    if not found:
        raise ValidationError(f"Export '{export_name}' is not imported by any stack.")
    cut, more = page(call, found, key=str, next_token=next_token, query=(export_name,))
    return {"Imports": cut, **more}
