"""Stacks: made, changed, deleted and shown."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from iamd.call import Call
from iamd.services.registry import operation, reading
from iamd.stacks import entities, nested, shown
from iamd.stacks.begin import Able, able, begun, client_of, is_repeated, page_of
from iamd.stacks.cloudformation import arns
from iamd.stacks.comparing import is_same
from iamd.stacks.faults import AlreadyExists, LimitExceeded, ValidationError, unsupported
from iamd.stacks.pages import newest_first, page
from iamd.stacks.requested import Requested, disables_rollback, requested
from iamd.stacks.service import stacks_of
from iamd.store.stack_records import Stack, StackState

Parameters = Sequence[Mapping[str, Any]]


MOST_STACKS = 2000
"""AWS: CloudFormation User Guide, "Understand CloudFormation quotas": stacks in a Region."""


def _made_before(call: Call, name: str, token: str | None) -> Stack | None:
    """The stack that the same request has made; AlreadyExists when there is one that another has made."""
    found = entities.find_stack(call.account, call.region, name)
    if found is not None and not is_repeated(call, found, token):
        raise AlreadyExists(f"Stack [{name}] already exists")
    return found


async def _new(
    call: Call, *, stack_name: str, client_request_token: str | None = None, **given: Any
) -> Requested | None:
    entities.check_name(stack_name)
    if _made_before(call, stack_name, client_request_token) is not None:
        return None
    stack_id = entities.new_stack_id(call.identity.account_id, call.region, stack_name)
    parent = nested.parent_of(call)
    nested.new_in(call, parent)
    return await requested(call, nested.with_role(given, parent), stack_id, None, expands=True)


@operation(on=arns.made, prepare=_new)
def create_stack(
    call: Call,
    *,
    stack_name: str,
    template_body: str | None = None,
    template_url: str | None = None,
    parameters: Parameters = (),
    disable_rollback: bool | None = None,
    rollback_configuration: Mapping[str, Any] | None = None,
    timeout_in_minutes: int | None = None,
    notification_arns: Sequence[str] = (),
    capabilities: Sequence[str] = (),
    resource_types: Sequence[str] = (),
    role_arn: str | None = None,
    on_failure: str | None = None,
    stack_policy_body: str | None = None,
    stack_policy_url: str | None = None,
    tags: Parameters = (),
    client_request_token: str | None = None,
    enable_termination_protection: bool = False,
    retain_except_on_create: bool = False,
    deployment_config: Mapping[str, Any] | None = None,
    disable_validation: bool | None = None,
) -> dict[str, Any]:
    """Begin to make a stack of a template; the answer does not wait for it."""
    if disable_rollback is not None and on_failure is not None:
        raise ValidationError("You can specify either DisableRollback or OnFailure, but not both.")
    made = _made_before(call, stack_name, client_request_token)
    if made is not None:
        return {"StackId": made.stack_id}
    if sum(one.deleted is None and one.region == call.region for one in call.account.all(Stack)) >= MOST_STACKS:
        raise LimitExceeded(f"Limit for stack has been exceeded: {MOST_STACKS}")
    asked: Requested = call.prepared
    stack = Stack(
        stack_id=asked.stack_id,
        name=stack_name,
        region=call.region,
        status="CREATE_IN_PROGRESS",
        created=call.clock.timestamp(),
        state=asked.state,
        role_arn=asked.role_arn,
        on_failure="DO_NOTHING" if disables_rollback(deployment_config, disable_rollback) else on_failure or "ROLLBACK",
        deletes_retained=retain_except_on_create,
        timeout_minutes=timeout_in_minutes,
        is_protected=enable_termination_protection,
        policy=asked.policy,
    )
    stack = replace(stack, **nested.new_in(call, nested.parent_of(call)))
    page_of(call).forget_old()
    begun(call, stack, "CREATE_IN_PROGRESS", asked.client, client_request_token)
    return {"StackId": asked.stack_id}


def updatable(call: Call, name: str) -> Stack:
    """The stack of this name, which can be changed now."""
    found = entities.named_stack(call.account, call.region, name)
    if found.status not in entities.UPDATABLE:
        raise ValidationError(f"Stack:{found.stack_id} is in {found.status} state and can not be updated.")
    return found


async def _changed(
    call: Call, *, stack_name: str, client_request_token: str | None = None, **given: Any
) -> Requested | None:
    found = entities.find_stack(call.account, call.region, stack_name)
    if found is not None and is_repeated(call, found, client_request_token):
        return None
    found = updatable(call, stack_name)
    return await requested(call, nested.with_role(given, nested.parent_of(call)), found.stack_id, found, expands=True)


@operation(on=arns.made, prepare=_changed)
def update_stack(
    call: Call,
    *,
    stack_name: str,
    template_body: str | None = None,
    template_url: str | None = None,
    use_previous_template: bool | None = None,
    stack_policy_during_update_body: str | None = None,
    stack_policy_during_update_url: str | None = None,
    parameters: Parameters = (),
    capabilities: Sequence[str] = (),
    resource_types: Sequence[str] = (),
    role_arn: str | None = None,
    rollback_configuration: Mapping[str, Any] | None = None,
    stack_policy_body: str | None = None,
    stack_policy_url: str | None = None,
    notification_arns: Sequence[str] = (),
    tags: Parameters | None = None,
    disable_rollback: bool | None = None,
    client_request_token: str | None = None,
    retain_except_on_create: bool = False,
    deployment_config: Mapping[str, Any] | None = None,
    disable_validation: bool | None = None,
) -> dict[str, Any]:
    """Begin to change a stack to what a template, parameters and tags say."""
    asked: Requested | None = call.prepared
    if asked is None:
        return {"StackId": entities.named_stack(call.account, call.region, stack_name).stack_id}
    parent = nested.parent_of(call)
    found = updatable(call, stack_name)
    if found.stack_id != asked.stack_id:
        raise ValidationError(f"Stack [{stack_name}] does not exist")
    if is_same(asked.scope, asked.state, found, call.account, call.keyring):
        raise ValidationError("No updates are to be performed.")
    changed = replace(
        change_begun(found, asked.state, call.clock.timestamp()),
        role_arn=asked.role_arn,
        on_failure="DO_NOTHING" if disables_rollback(deployment_config, disable_rollback) else "ROLLBACK",
        deletes_retained=retain_except_on_create,
        is_held=parent is not None and parent.status == nested.UPDATING,
        update_policy=asked.update_policy,
        next_policy=asked.policy,
    )
    begun(call, changed, "UPDATE_IN_PROGRESS", asked.client, client_request_token)
    return {"StackId": found.stack_id}


def change_begun(found: Stack, state: StackState, now: float) -> Stack:
    """A stack on its way to another state; what it goes back to is the last one that was whole."""
    is_whole = found.status.endswith("_COMPLETE")
    former = found.state if is_whole else found.former
    outputs = found.state.outputs if found.state is not None else None
    # What is exported is there for others while the stack changes.
    return replace(
        found,
        state=replace(state, outputs=outputs),
        former=former,
        updated=now,
        is_cancelled=False,
        is_held=False,
        failure=None,
        update_policy=None,
        next_policy=None,
    )


def _deletable(call: Call, name: str, retained: Sequence[str], token: str | None) -> Stack | None:
    """The stack that is to be deleted; None when there is nothing to do.

    AWS: a stack that is not there is deleted (API Reference, DeleteStack: it succeeds).
    """
    found = entities.find_stack(call.account, call.region, name)
    if found is None or found.deleted is not None or found.status == "DELETE_IN_PROGRESS":
        return None
    if is_repeated(call, found, token):
        return None
    if call.made_for is None and nested.root_of(call.account, found).is_protected:
        # AWS: a nested stack has the protection of the outermost one (using-cfn-protect-stacks).
        raise ValidationError(f"Stack [{found.name}] cannot be deleted while TerminationProtection is enabled")
    if found.status.endswith("_IN_PROGRESS") and found.status not in {"CREATE_IN_PROGRESS", entities.REVIEW}:
        raise ValidationError(f"Stack [{found.name}] cannot be deleted while in status {found.status}")
    if retained and found.status != "DELETE_FAILED":
        # AWS: RetainResources is for stacks in the DELETE_FAILED state only (API Reference, DeleteStack).
        raise ValidationError(
            f"Invalid operation on stack [{found.stack_id}]. RetainResources can only be used on DELETE_FAILED stacks"
        )
    for export in found.exports:
        users = [other.name for other in call.account.find(Stack, "import", f"{found.region}/{export}")]
        if users:
            raise ValidationError(f"Export {export} cannot be deleted as it is in use by {', '.join(users)}")
    return found


def _role_of(call: Call, found: Stack, role_arn: str | None) -> str | None:
    """As which role a stack is deleted: the one that is given, that its parent has, or that was its own."""
    parent = nested.parent_of(call)
    return role_arn or (parent.role_arn if parent is not None else None) or found.role_arn


async def _able(
    call: Call,
    *,
    stack_name: str,
    retain_resources: Sequence[str] = (),
    role_arn: str | None = None,
    client_request_token: str | None = None,
    **_: Any,
) -> Able | None:
    found = _deletable(call, stack_name, retain_resources, client_request_token)
    return await able(call, found, _role_of(call, found, role_arn)) if found is not None else None


@operation(on=arns.made, prepare=_able)
def delete_stack(
    call: Call,
    *,
    stack_name: str,
    retain_resources: Sequence[str] = (),
    role_arn: str | None = None,
    client_request_token: str | None = None,
    deletion_mode: str | None = None,
    deployment_config: Mapping[str, Any] | None = None,
) -> None:
    """Begin to delete a stack with its resources."""
    disables_rollback(deployment_config)
    if deletion_mode == "FORCE_DELETE_STACK":
        raise unsupported("The DeletionMode FORCE_DELETE_STACK")
    found = _deletable(call, stack_name, retain_resources, client_request_token)
    if found is None:
        return
    known = {resource.logical_id for resource in entities.resources_of(call.account, found)}
    missing = [name for name in retain_resources if name not in known]
    if missing:
        raise ValidationError(f"Resources [{', '.join(missing)}] do not exist in stack [{found.stack_id}]")
    for change_set in entities.change_sets_of(call.account, found):
        call.delete(change_set)
    role = _role_of(call, found, role_arn)
    client = client_of(call, found, role)
    deleted = replace(found, role_arn=role, retained=tuple(retain_resources))
    begun(call, deleted, "DELETE_IN_PROGRESS", client, client_request_token)


async def _settled(call: Call, *, stack_name: str | None = None, **_: Any) -> None:
    """Wait a little for the work on a stack: who asks in a loop, as CLI and SDKs do, pauses half a minute each time."""
    found = entities.find_stack(call.account, call.region, stack_name) if stack_name is not None else None
    if found is not None and entities.is_worked_on(found):
        await stacks_of(call).settled(call.identity.account_id, found.stack_id)


@reading(on=arns.stack, prepare=_settled)
def describe_stacks(call: Call, *, stack_name: str | None = None, next_token: str | None = None) -> dict[str, Any]:
    """Show a stack, or all that are not deleted, the newest first."""
    if stack_name is not None:
        found = entities.find_stack(call.account, call.region, stack_name)
        if found is None:
            raise ValidationError(f"Stack with id {stack_name} does not exist")
        return {"Stacks": [_shown(call, found)]}
    stacks = [one for one in call.account.all(Stack) if one.region == call.region and one.deleted is None]
    cut, more = page(call, stacks, key=_order, next_token=next_token)
    return {"Stacks": [_shown(call, one) for one in cut], **more}


def _shown(call: Call, found: Stack) -> dict[str, Any]:
    protected = nested.root_of(call.account, found).is_protected
    return {**shown.stack(found, call.keyring), "EnableTerminationProtection": protected}


def _order(stack: Stack) -> str:
    return f"{newest_first(stack.created)} {stack.stack_id}"


@reading(on=arns.nothing)
def list_stacks(
    call: Call, *, next_token: str | None = None, stack_status_filter: Sequence[str] = ()
) -> dict[str, Any]:
    """List stacks by their statuses, also those that were deleted in the last 90 days; the newest first."""
    stacks = [
        one
        for one in call.account.all(Stack)
        if one.region == call.region and (not stack_status_filter or one.status in stack_status_filter)
    ]
    cut, more = page(call, stacks, key=_order, next_token=next_token, query=tuple(stack_status_filter))
    return {"StackSummaries": [shown.summary(one) for one in cut], **more}
