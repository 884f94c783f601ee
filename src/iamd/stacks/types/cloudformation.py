"""AWS::CloudFormation::Stack: a stack that is a resource of another one."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from iamd.stacks import shaping
from iamd.stacks.client import Client, RequestFailed, Stopped
from iamd.stacks.errors import Failed, InvalidProperties, Unfinished
from iamd.stacks.kinds import Kind, Work, listed, tags_of
from iamd.stacks.nested import MADE, TYPE, UPDATING
from iamd.stacks.resources import Made, Wanted
from iamd.store.stack_records import Stack

_SERVICE: Final = "cloudformation"
_OUTPUTS: Final = "Outputs."
_NOTHING_TO_DO: Final = "No updates are to be performed."


class NestedStack(Kind):
    """A stack that is made, changed and removed with the one whose resource it is."""

    type = TYPE
    properties = ("Parameters", "Tags", "TemplateURL", "TimeoutInMinutes")
    attributes = ("Outputs.OutputName",)
    always_changes = True

    def has_attribute(self, name: str) -> bool:
        """Its template says which outputs there are."""
        return name.startswith(_OUTPUTS) and name != _OUTPUTS

    def check(self, properties: Mapping[str, Any]) -> None:
        """Parameters are texts: lists are joined by who passes them on (AWS::CloudFormation::Stack, Parameters)."""
        parameters = properties.get("Parameters", {})
        if isinstance(parameters, Mapping) and any(isinstance(one, list) for one in parameters.values()):
            raise InvalidProperties("#/Parameters: every value must be a string, and no list")

    def replaces(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        """An update never replaces it; how long it may take to be made can't be changed."""
        if old.get("TimeoutInMinutes") != new.get("TimeoutInMinutes"):
            raise InvalidProperties("#/TimeoutInMinutes: updates are not supported")
        return False

    async def create(self, wanted: Wanted, client: Client) -> Made:
        """Make it and wait for it; what could not be made whole of it is removed with it."""
        minutes = wanted.properties.get("TimeoutInMinutes")
        given: dict[str, Any] = {"StackName": Work(client, None, wanted).name("", 128), "OnFailure": "DO_NOTHING"}
        given |= {"TimeoutInMinutes": minutes} if minutes is not None else {}
        given |= {"Tags": listed(tags_of(wanted))} if tags_of(wanted) else {}
        stack_id = (await _call(client, "CreateStack", given | _asked(wanted, client)))["StackId"]
        made = Made(physical_id=stack_id)
        try:
            found = await _settled(client, wanted, made)
        except Stopped as stopped:
            raise Unfinished("Resource creation cancelled", made) from stopped
        if found.status != "CREATE_COMPLETE":
            words = f"Embedded stack {stack_id} was not successfully created: {_reason(found)}"
            raise Unfinished(words, made)
        return _with_outputs(made, client)

    async def update(self, old: Wanted, new: Wanted, made: Made, client: Client) -> Made:
        """Change it and wait until it is as its template says."""
        parent = client.stack(new.stack_id)
        given: dict[str, Any] = {
            "StackName": made.physical_id,
            "DisableRollback": parent is not None and parent.on_failure == "DO_NOTHING",
        }
        if tags_of(old) or tags_of(new):
            given["Tags"] = listed(tags_of(new))
        try:
            await _call(client, "UpdateStack", given | _asked(new, client))
        except RequestFailed as error:
            if _NOTHING_TO_DO not in str(error):
                raise
            return _with_outputs(made, client)
        try:
            found = await _settled(client, new, made)
        except Stopped as stopped:
            await _cancel(client, made)
            raise Failed("Resource update cancelled") from stopped
        return _updated(found, made, client)

    async def restore(self, old: Wanted, new: Wanted, made: Made, client: Client) -> Made:
        """Have it go back: by itself while its update goes on with its parent's, by what it was made by otherwise."""
        found = await _settled(client, new, made, _is_at_rest)
        if found.status == "UPDATE_FAILED":
            await _call(client, "RollbackStack", {"StackName": made.physical_id})
        elif found.status == "UPDATE_ROLLBACK_FAILED":
            await _call(client, "ContinueUpdateRollback", {"StackName": made.physical_id})
        elif found.status != "UPDATE_ROLLBACK_COMPLETE" and (old.properties, old.tags) != (new.properties, new.tags):
            return await self.update(old, new, made, client)
        found = await _settled(client, new, made, _is_at_rest)
        if found.status.endswith("_FAILED"):
            raise _not_updated(found)
        return _with_outputs(made, client)

    async def delete(self, old: Wanted, made: Made, client: Client) -> None:
        """Delete it with all that is in it."""
        await _call(client, "DeleteStack", {"StackName": made.physical_id})
        try:
            found = await _settled(client, old, made, _is_at_rest)
        except Stopped as stopped:
            raise Failed("Resource deletion cancelled") from stopped
        if found.status != "DELETE_COMPLETE":
            raise Failed(f"Embedded stack {made.physical_id} was not successfully deleted: {_reason(found)}")


def _asked(wanted: Wanted, client: Client) -> dict[str, Any]:
    """What the template is, with what; the capabilities are those that were acknowledged for the parent."""
    parent = client.stack(wanted.stack_id)
    capabilities = parent.state.capabilities if parent is not None and parent.state is not None else ()
    parameters = wanted.properties.get("Parameters") or {}
    return {
        "TemplateURL": wanted.properties["TemplateURL"],
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        "Capabilities": list(capabilities),
    }


async def _call(client: Client, operation: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
    return await client.call(_SERVICE, operation, shaping.parameters(_SERVICE, operation, given))


def _is_at_rest(stack: Stack) -> bool:
    return not stack.status.endswith("_IN_PROGRESS")


def _is_made(stack: Stack) -> bool:
    """Whether it is as its template says, or has failed to be: then it goes back by itself."""
    return stack.status == MADE or stack.status.startswith("UPDATE_ROLLBACK") or _is_at_rest(stack)


async def _settled(client: Client, wanted: Wanted, made: Made, is_settled: Callable[[Stack], bool] = _is_made) -> Stack:
    """The stack once it is settled; Failed when it is gone."""
    while (found := client.stack(made.physical_id)) is not None:
        if is_settled(found):
            return found
        await client.pause(wanted.stack_id)
    raise Failed(f"Stack with id {made.physical_id} does not exist")


async def _cancel(client: Client, made: Made) -> None:
    """Have an update cancelled that is not over.

    AWS: whoever updates nested stacks needs the permission to cancel updates too (AWS::CloudFormation::Stack).
    """
    found = client.stack(made.physical_id)
    if found is not None and found.status == UPDATING:
        await _call(client, "CancelUpdateStack", {"StackName": made.physical_id})


def _updated(found: Stack, made: Made, client: Client) -> Made:
    if found.status not in {MADE, "UPDATE_COMPLETE"}:
        raise _not_updated(found)
    return _with_outputs(made, client)


def _not_updated(found: Stack) -> Failed:
    return Failed(
        f"Embedded stack {found.stack_id} was not successfully updated. Currently in {found.status} with reason: "
        f"{(found.failure or '').strip() or _reason(found)}"
    )


def _reason(found: Stack) -> str:
    return (found.reason or "").strip()


def _with_outputs(made: Made, client: Client) -> Made:
    told = client.outputs(made.physical_id)
    return Made(physical_id=made.physical_id, attributes={f"{_OUTPUTS}{key}": value for key, value in told.items()})
