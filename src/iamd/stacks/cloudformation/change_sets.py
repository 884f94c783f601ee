"""Change sets: what would be changed of a stack, shown before it is."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from iamd.call import Call
from iamd.services.registry import operation, reading
from iamd.stacks import entities, nested, shown
from iamd.stacks.begin import Able, able, begun, client_of, is_repeated, page_of
from iamd.stacks.cloudformation import arns
from iamd.stacks.cloudformation.stacks import change_begun
from iamd.stacks.comparing import changes, is_same
from iamd.stacks.contexts import with_values
from iamd.stacks.faults import AlreadyExists, ChangeSetNotFound, InvalidChangeSetStatus, ValidationError, unsupported
from iamd.stacks.pages import newest_first, page
from iamd.stacks.requested import Requested, disables_rollback, requested
from iamd.store.stack_records import ChangeSet, Stack, StackState

CREATE, UPDATE = "CREATE", "UPDATE"
NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


def _changeable(call: Call, name: str, kind: str) -> Stack | None:
    """The stack that a change set is to be of; None for one that is to be made by it."""
    found = entities.find_stack(call.account, call.region, name)
    found = None if found is not None and found.deleted is not None else found
    if kind == CREATE:
        if found is not None and not entities.is_reviewed(found):
            raise ValidationError(
                f"Stack [{found.name}] already exists and cannot be created again with the changeSet []."
            )
        return found
    if found is None:
        raise ValidationError(f"Stack [{name}] does not exist")
    if found.status not in entities.UPDATABLE:
        raise ValidationError(f"Stack:{found.stack_id} is in {found.status} state and can not be updated.")
    return found


async def _asked(call: Call, *, stack_name: str, change_set_type: str = UPDATE, **given: Any) -> Requested:
    if change_set_type not in {CREATE, UPDATE}:
        raise unsupported(f"A change set of type {change_set_type}")
    found = _changeable(call, stack_name, change_set_type)
    includes_nested = given.pop("include_nested_stacks", None)
    if found is None:
        entities.check_name(stack_name)
        stack_id = entities.new_stack_id(call.identity.account_id, call.region, stack_name)
    else:
        stack_id = found.stack_id
    asked = await requested(call, given, stack_id, found, expands=False)
    if includes_nested and nested.TYPE in asked.template.types():
        raise unsupported("IncludeNestedStacks for a template with nested stacks")
    return asked


def _made_before(call: Call, stack: Stack, name: str, token: str | None) -> ChangeSet | None:
    """The change set that the same request, sent again, has made; AlreadyExists where another one has its name."""
    before = next((one for one in entities.change_sets_of(call.account, stack) if one.name == name), None)
    if before is not None and (token is None or before.token != token):
        raise AlreadyExists(f"ChangeSet {name} cannot be created due to a mismatch with existing attribute Name")
    return before


@operation(on=arns.made, prepare=_asked)
def create_change_set(
    call: Call,
    *,
    stack_name: str,
    change_set_name: str,
    template_body: str | None = None,
    template_url: str | None = None,
    use_previous_template: bool | None = None,
    parameters: Sequence[Mapping[str, Any]] = (),
    capabilities: Sequence[str] = (),
    resource_types: Sequence[str] = (),
    role_arn: str | None = None,
    rollback_configuration: Mapping[str, Any] | None = None,
    notification_arns: Sequence[str] = (),
    tags: Sequence[Mapping[str, str]] | None = None,
    client_token: str | None = None,
    description: str | None = None,
    change_set_type: str = UPDATE,
    resources_to_import: Sequence[Mapping[str, Any]] = (),
    include_nested_stacks: bool | None = None,
    on_stack_failure: str | None = None,
    import_existing_resources: bool | None = None,
    deployment_mode: str | None = None,
    deployment_config: Mapping[str, Any] | None = None,
    disable_validation: bool | None = None,
) -> dict[str, Any]:
    """Tell what a change would change; the stack of one that makes it is there from then on, under review."""
    asked: Requested = call.prepared
    now = call.clock.timestamp()
    stack = _changeable(call, stack_name, change_set_type)
    if stack is None:
        stack = Stack(stack_id=asked.stack_id, name=stack_name, region=call.region, status=entities.REVIEW, created=now)
        page_of(call).stack(stack, entities.REVIEW, "User Initiated")
    before = _made_before(call, stack, change_set_name, client_token)
    if before is not None:
        return {"Id": before.change_set_id, "StackId": stack.stack_id}
    same = change_set_type == UPDATE and is_same(asked.scope, asked.state, stack, call.account, call.keyring)
    found = [] if same else list(changes(asked.scope, asked.state, stack, call.account, call.keyring))
    made = ChangeSet(
        change_set_id=entities.new_change_set_id(call.identity.account_id, call.region, change_set_name),
        name=change_set_name,
        stack_id=stack.stack_id,
        description=description,
        token=client_token,
        created=now,
        status="FAILED" if same else "CREATE_COMPLETE",
        reason=NO_CHANGES if same else None,
        execution_status="UNAVAILABLE" if same else "AVAILABLE",
        type=change_set_type,
        state=asked.state,
        role_arn=asked.role_arn,
        on_failure="DO_NOTHING" if disables_rollback(deployment_config) else on_stack_failure or "ROLLBACK",
        # What is there already fails the change (docs/divergences.md).
        includes_nested=bool(include_nested_stacks),
        imports_existing=bool(import_existing_resources),
        changes=msgspec.json.encode(found).decode(),
    )
    call.put(made)
    return {"Id": made.change_set_id, "StackId": stack.stack_id}


def _of(call: Call, found: ChangeSet) -> Stack:
    stack = call.account.get(Stack, found.stack_id)
    if stack is None:
        raise ChangeSetNotFound(found.name)
    return stack


@reading(on=arns.of_change_set)
def describe_change_set(
    call: Call,
    *,
    change_set_name: str,
    stack_name: str | None = None,
    next_token: str | None = None,
    include_property_values: bool | None = None,
) -> dict[str, Any]:
    """Show a change set with its changes."""
    found = entities.named_change_set(call.account, call.region, change_set_name, stack_name)
    stack, state = _of(call, found), found.state
    listed = msgspec.json.decode(found.changes, type=list[dict[str, Any]])
    cut, more = page(
        call,
        listed,
        key=lambda change: str(change["ResourceChange"]["LogicalResourceId"]),
        next_token=next_token,
        query=(found.change_set_id,),
    )
    if include_property_values:
        cut = with_values(cut, stack.state, state, stack.stack_id, call.account, call.keyring)
    return {
        **shown.change_set_summary(stack, found),
        "Parameters": shown.given_parameters(found.stack_id, state, call.keyring),
        "NotificationARNs": [],
        "RollbackConfiguration": {},
        "Capabilities": list(state.capabilities) if state is not None else [],
        "Tags": shown.tags(state),
        "Changes": cut,
        "OnStackFailure": found.on_failure,
        "DeploymentConfig": shown.deployment(found),
        **more,
    }


class _Executable(NamedTuple):
    change_set: ChangeSet
    stack: Stack
    state: StackState


def _executable(call: Call, name: str, stack_name: str | None, token: str | None) -> _Executable | None:
    """A change set that can be executed now; None when the same request was made before."""
    found = entities.named_change_set(call.account, call.region, name, stack_name)
    stack = _of(call, found)
    if is_repeated(call, stack, token):
        return None
    if found.execution_status != "AVAILABLE" or found.state is None:
        raise InvalidChangeSetStatus(
            f"ChangeSet [{found.change_set_id}] cannot be executed in its current status of [{found.status}]"
        )
    _changeable(call, stack.stack_id, found.type)
    return _Executable(found, stack, found.state)


async def _able(
    call: Call,
    *,
    change_set_name: str,
    stack_name: str | None = None,
    client_request_token: str | None = None,
    **_: Any,
) -> Able | None:
    found = _executable(call, change_set_name, stack_name, client_request_token)
    return await able(call, found.stack, found.change_set.role_arn) if found is not None else None


@operation(on=arns.of_change_set, prepare=_able)
def execute_change_set(
    call: Call,
    *,
    change_set_name: str,
    stack_name: str | None = None,
    client_request_token: str | None = None,
    disable_rollback: bool | None = None,
    retain_except_on_create: bool = False,
) -> dict[str, Any]:
    """Begin to make or change a stack as a change set says; the stack's other change sets are gone."""
    ready = _executable(call, change_set_name, stack_name, client_request_token)
    if ready is None:
        return {}
    found, stack, state = ready
    client = client_of(call, stack, found.role_arn)
    now = call.clock.timestamp()
    on_failure = "DO_NOTHING" if disable_rollback else found.on_failure
    changed = replace(stack, state=state, created=now) if found.type == CREATE else change_begun(stack, state, now)
    changed = replace(
        changed,
        role_arn=found.role_arn,
        on_failure=on_failure,
        deletes_retained=retain_except_on_create,
        change_set_id=found.change_set_id,
    )
    for other in entities.change_sets_of(call.account, stack):
        if other is not found:
            call.delete(other)
    call.put(replace(found, execution_status="EXECUTE_COMPLETE"))
    begun(call, changed, f"{found.type}_IN_PROGRESS", client, client_request_token)
    return {}


@operation(on=arns.of_change_set)
def delete_change_set(call: Call, *, change_set_name: str, stack_name: str | None = None) -> dict[str, Any]:
    """Delete a change set; its stack stays. One that is not there is deleted."""
    found = entities.find_change_set(call.account, call.region, change_set_name, stack_name)
    if found is None:
        if stack_name is not None and entities.find_stack(call.account, call.region, stack_name) is None:
            raise ValidationError(f"Stack [{stack_name}] does not exist")
        return {}
    call.delete(found)
    return {}


@reading(on=arns.stack)
def list_change_sets(call: Call, *, stack_name: str, next_token: str | None = None) -> dict[str, Any]:
    """List the change sets of a stack, the newest first."""
    stack = entities.find_stack(call.account, call.region, stack_name)
    if stack is None:
        raise ValidationError(f"Stack [{stack_name}] does not exist")
    cut, more = page(
        call,
        entities.change_sets_of(call.account, stack),
        key=lambda one: f"{newest_first(one.created)} {one.name}",
        next_token=next_token,
        query=(stack.stack_id,),
    )
    return {"Summaries": [shown.change_set_summary(stack, one) for one in cut], **more}
