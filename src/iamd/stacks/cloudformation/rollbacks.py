"""Rollbacks: going back to what a stack was, after an update was cancelled or something failed."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from iamd.call import Call
from iamd.services.registry import operation
from iamd.stacks import entities
from iamd.stacks.begin import Able, able, begun, client_of, is_repeated
from iamd.stacks.cloudformation import arns
from iamd.stacks.faults import ValidationError, unsupported
from iamd.stacks.requested import disables_rollback
from iamd.store.stack_records import Stack


def _begin(call: Call, found: Stack, status: str, role_arn: str | None, token: str | None) -> None:
    role = role_arn or found.role_arn
    begun(call, replace(found, role_arn=role), status, client_of(call, found, role), token)


@operation(on=arns.stack)
def cancel_update_stack(call: Call, *, stack_name: str, client_request_token: str | None = None) -> None:
    """Have an update that goes on rolled back; what it does just now is done first."""
    found = entities.named_stack(call.account, call.region, stack_name)
    if is_repeated(call, found, client_request_token):
        return
    if found.status != "UPDATE_IN_PROGRESS":
        raise ValidationError("CancelUpdateStack cannot be called from current stack status")
    call.put(replace(found, is_cancelled=True, token=client_request_token, asked=call.operation))


def _continuable(call: Call, name: str, skipped: Sequence[str], token: str | None) -> Stack | None:
    """The stack whose rollback is gone on with; None when the same request was made before."""
    found = entities.named_stack(call.account, call.region, name)
    if is_repeated(call, found, token):
        return None
    if found.status != "UPDATE_ROLLBACK_FAILED":
        raise ValidationError(
            f"Stack:{found.stack_id} is in {found.status} state and can not continue rollback of an update."
        )
    failed = {one.logical_id for one in entities.resources_of(call.account, found) if one.status == "UPDATE_FAILED"}
    others = [name for name in skipped if name not in failed]
    if others:
        # AWS: only resources that failed to be rolled back can be skipped (API Reference, ResourcesToSkip).
        raise ValidationError(f"Resources [{', '.join(others)}] are not in UPDATE_FAILED state, and can't be skipped.")
    return found


async def _able_to_continue(
    call: Call,
    *,
    stack_name: str,
    role_arn: str | None = None,
    resources_to_skip: Sequence[str] = (),
    client_request_token: str | None = None,
    **_: Any,
) -> Able | None:
    found = _continuable(call, stack_name, resources_to_skip, client_request_token)
    return await able(call, found, role_arn or found.role_arn) if found is not None else None


@operation(on=arns.made, prepare=_able_to_continue)
def continue_update_rollback(
    call: Call,
    *,
    stack_name: str,
    role_arn: str | None = None,
    resources_to_skip: Sequence[str] = (),
    client_request_token: str | None = None,
    force_rollback: bool | None = None,
) -> dict[str, Any]:
    """Go on with a rollback that failed, without the resources that are named."""
    if force_rollback:
        raise unsupported("The parameter ForceRollback")
    found = _continuable(call, stack_name, resources_to_skip, client_request_token)
    if found is None:
        return {}
    skipping = replace(found, retained=tuple(resources_to_skip))
    _begin(call, skipping, "UPDATE_ROLLBACK_IN_PROGRESS", role_arn, client_request_token)
    return {}


def _revertible(call: Call, name: str, token: str | None) -> Stack | None:
    """The stack that is rolled back; None when the same request was made before."""
    found = entities.named_stack(call.account, call.region, name)
    if is_repeated(call, found, token):
        return None
    if found.status not in {"CREATE_FAILED", "UPDATE_FAILED"}:
        raise ValidationError(f"Stack:{found.stack_id} is in {found.status} state and can not be rolled back.")
    return found


async def _able_to_go_back(
    call: Call, *, stack_name: str, role_arn: str | None = None, client_request_token: str | None = None, **_: Any
) -> Able | None:
    found = _revertible(call, stack_name, client_request_token)
    return await able(call, found, role_arn or found.role_arn) if found is not None else None


@operation(on=arns.made, prepare=_able_to_go_back)
def rollback_stack(
    call: Call,
    *,
    stack_name: str,
    role_arn: str | None = None,
    client_request_token: str | None = None,
    retain_except_on_create: bool = False,
    deployment_config: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Go back from a failure that was not rolled back to the state before, or to nothing when there was none."""
    disables_rollback(deployment_config)
    found = _revertible(call, stack_name, client_request_token)
    if found is None:
        return {"StackId": entities.named_stack(call.account, call.region, stack_name).stack_id}
    status = "ROLLBACK_IN_PROGRESS" if found.former is None else "UPDATE_ROLLBACK_IN_PROGRESS"
    going_back = replace(found, deletes_retained=retain_except_on_create)
    _begin(call, going_back, status, role_arn, client_request_token)
    return {"StackId": found.stack_id}
