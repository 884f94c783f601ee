"""Resources of stacks."""

from typing import Any

import msgspec

from iamd.call import Call
from iamd.services.registry import Target, reading
from iamd.stacks import entities, shown
from iamd.stacks.cloudformation import arns
from iamd.stacks.faults import ValidationError
from iamd.stacks.pages import page
from iamd.stacks.scopes import template_of
from iamd.store.stack_records import Stack, StackResource


def _named(call: Call, stack_name: str, words: str = "Stack with id {} does not exist") -> Stack:
    found = entities.find_stack(call.account, call.region, stack_name)
    if found is None:
        raise ValidationError(words.format(stack_name))
    return found


@reading(on=arns.stack)
def describe_stack_resource(call: Call, *, stack_name: str, logical_resource_id: str) -> dict[str, Any]:
    """Show a resource of a stack, with its metadata in the template."""
    stack = _named(call, stack_name, "Stack '{}' does not exist")
    found = entities.resource_of(call.account, stack, logical_resource_id)
    if found is None:
        raise ValidationError(f"Resource {logical_resource_id} does not exist for stack {stack.name}")
    detail = {"StackName": stack.name, "StackId": stack.stack_id, **shown.resource_summary(found)}
    metadata = _metadata(stack, logical_resource_id)
    return {"StackResourceDetail": detail | ({"Metadata": metadata} if metadata is not None else {})}


def _metadata(stack: Stack, logical_id: str) -> str | None:
    declared = template_of(stack.state).resources.get(logical_id, {}) if stack.state is not None else {}
    return msgspec.json.encode(declared["Metadata"]).decode() if "Metadata" in declared else None


def _described(
    call: Call,
    *,
    stack_name: str | None = None,
    physical_resource_id: str | None = None,
    logical_resource_id: str | None = None,
) -> Target:
    if stack_name is None and physical_resource_id is not None:
        found = _of_physical(call, physical_resource_id)
        if found is not None:
            return arns.stack(call, stack_name=found.stack_id)
    return arns.stack(call, stack_name=stack_name)


def _of_physical(call: Call, physical_id: str) -> Stack | None:
    """The stack that a thing belongs to; the newest one that is not deleted."""
    for resource in reversed(call.account.find(StackResource, "physical", physical_id)):
        stack = call.account.get(Stack, resource.stack_id)
        if stack is not None and stack.region == call.region and stack.deleted is None:
            return stack
    return None


@reading(on=_described)
def describe_stack_resources(
    call: Call,
    *,
    stack_name: str | None = None,
    logical_resource_id: str | None = None,
    physical_resource_id: str | None = None,
) -> dict[str, Any]:
    """Show resources of a stack, which is named, or found by something that it made; up to 100."""
    if (stack_name is None) == (physical_resource_id is None):
        raise ValidationError("One and only one of StackName and PhysicalResourceId must be specified.")
    if physical_resource_id is not None:
        found = _of_physical(call, physical_resource_id)
        if found is None:
            raise ValidationError(f"Stack for {physical_resource_id} does not exist")
    else:
        found = _named(call, stack_name or "")
    resources = [
        one for one in entities.resources_of(call.account, found) if logical_resource_id in {None, one.logical_id}
    ]
    # AWS: only the first 100 (API Reference, DescribeStackResources).
    cut = sorted(resources, key=lambda one: one.logical_id)[:100]
    return {"StackResources": [shown.resource(found, one) for one in cut]}


@reading(on=arns.stack)
def list_stack_resources(call: Call, *, stack_name: str, next_token: str | None = None) -> dict[str, Any]:
    """List the resources of a stack, by logical id; of a deleted stack by its id."""
    stack = _named(call, stack_name)
    found = entities.resources_of(call.account, stack)
    cut, more = page(call, found, key=lambda one: one.logical_id, next_token=next_token, query=(stack.stack_id,))
    return {"StackResourceSummaries": [shown.resource_summary(one) for one in cut], **more}
