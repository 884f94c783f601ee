"""Answers: stacks, resources, events and change sets as CloudFormation shows them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from iamd.auth.sealing import Keyring
from iamd.stacks import parameters, sealed
from iamd.stacks.scopes import template_of
from iamd.store.stack_records import ChangeSet, Stack, StackEvent, StackResource, StackState

_NO_DRIFT = {"StackDriftStatus": "NOT_CHECKED"}
_NO_RESOURCE_DRIFT = {"StackResourceDriftStatus": "NOT_CHECKED"}


def moment(seconds: float) -> datetime:
    """A time as answers have it."""
    return datetime.fromtimestamp(round(seconds, 3), UTC)


def _present(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def stack(found: Stack, keyring: Keyring) -> dict[str, Any]:
    """A stack as DescribeStacks shows it."""
    state = found.state
    return _present(
        {
            "StackId": found.stack_id,
            "StackName": found.name,
            "ChangeSetId": found.change_set_id,
            "Description": template_of(state).description if state is not None else None,
            "Parameters": given_parameters(found.stack_id, state, keyring) or None,
            "CreationTime": moment(found.created),
            "LastUpdatedTime": moment(found.updated) if found.updated is not None else None,
            "DeletionTime": moment(found.deleted) if found.deleted is not None else None,
            "RollbackConfiguration": {},
            "StackStatus": found.status,
            "StackStatusReason": found.reason,
            "DisableRollback": found.on_failure == "DO_NOTHING",
            "DeploymentConfig": deployment(found),
            "RetainExceptOnCreate": found.deletes_retained or None,
            "NotificationARNs": [],
            "TimeoutInMinutes": found.timeout_minutes,
            "Capabilities": list(state.capabilities) or None if state is not None else None,
            "Outputs": _outputs(found, keyring) or None,
            "RoleARN": found.role_arn,
            "Tags": tags(state),
            "ParentId": found.parent_id,
            "RootId": found.root_id,
            "EnableTerminationProtection": found.is_protected,
            "DriftInformation": _NO_DRIFT,
        }
    )


def deployment(found: Stack | ChangeSet) -> dict[str, Any]:
    """How a stack is made and changed."""
    return {"Mode": "STANDARD", "DisableRollback": found.on_failure == "DO_NOTHING"}


def tags(state: StackState | None) -> list[dict[str, str]]:
    """The tags of a stack or change set."""
    return [{"Key": tag.key, "Value": tag.value} for tag in state.tags] if state is not None else []


def given_parameters(stack_id: str, state: StackState | None, keyring: Keyring) -> list[dict[str, str]]:
    """The values of parameters; those with NoEcho are hidden."""
    if state is None:
        return []
    declared = template_of(state).parameters
    told = sealed.opened_parameters(keyring, stack_id, state.parameters)
    found = []
    for name, value in told.values.items():
        if parameters.is_hidden(declared.get(name, {})):
            found.append({"ParameterKey": name, "ParameterValue": parameters.HIDDEN})
            continue
        resolved = {"ResolvedValue": told.resolved[name]} if name in told.resolved else {}
        found.append({"ParameterKey": name, "ParameterValue": value, **resolved})
    return found


def _outputs(found: Stack, keyring: Keyring) -> list[dict[str, Any]]:
    outputs = sealed.opened_outputs(keyring, found.stack_id, found.state.outputs) if found.state is not None else []
    return [
        _present(
            {
                "OutputKey": output.key,
                "OutputValue": output.value,
                "Description": output.description,
                "ExportName": output.export,
            }
        )
        for output in outputs
    ]


def summary(found: Stack) -> dict[str, Any]:
    """A stack as ListStacks shows it."""
    return _present(
        {
            "StackId": found.stack_id,
            "StackName": found.name,
            "TemplateDescription": template_of(found.state).description if found.state is not None else None,
            "CreationTime": moment(found.created),
            "LastUpdatedTime": moment(found.updated) if found.updated is not None else None,
            "DeletionTime": moment(found.deleted) if found.deleted is not None else None,
            "StackStatus": found.status,
            "StackStatusReason": found.reason,
            "ParentId": found.parent_id,
            "RootId": found.root_id,
            "DriftInformation": _NO_DRIFT,
        }
    )


def _resource(found: StackResource) -> dict[str, Any]:
    return _present(
        {
            "LogicalResourceId": found.logical_id,
            "PhysicalResourceId": found.physical_id,
            "ResourceType": found.type,
            "ResourceStatus": found.status,
            "ResourceStatusReason": found.reason,
            "DriftInformation": _NO_RESOURCE_DRIFT,
        }
    )


def resource(of: Stack, found: StackResource) -> dict[str, Any]:
    """A resource as DescribeStackResources shows it."""
    return {
        "StackName": of.name,
        "StackId": of.stack_id,
        "Timestamp": moment(found.changed),
        **_resource(found),
    }


def resource_summary(found: StackResource) -> dict[str, Any]:
    """A resource as ListStackResources shows it."""
    return {"LastUpdatedTimestamp": moment(found.changed), **_resource(found)}


def event(of: Stack, found: StackEvent) -> dict[str, Any]:
    """An event of a stack."""
    return _present(
        {
            "StackId": found.stack_id,
            "EventId": found.event_id,
            "StackName": of.name,
            "LogicalResourceId": found.logical_id,
            "PhysicalResourceId": found.physical_id or "",
            "ResourceType": found.type,
            "Timestamp": moment(found.time),
            "ResourceStatus": found.status,
            "ResourceStatusReason": found.reason,
            "ClientRequestToken": found.token,
        }
    )


def change_set_summary(of: Stack, found: ChangeSet) -> dict[str, Any]:
    """A change set as ListChangeSets shows it."""
    return _present(
        {
            "StackId": found.stack_id,
            "StackName": of.name,
            "ChangeSetId": found.change_set_id,
            "ChangeSetName": found.name,
            "ExecutionStatus": found.execution_status,
            "Status": found.status,
            "StatusReason": found.reason,
            "CreationTime": moment(found.created),
            "Description": found.description,
            "IncludeNestedStacks": found.includes_nested,
            "ImportExistingResources": found.imports_existing,
        }
    )
