"""Service-linked roles: made for a service by name, deleted by a task, and otherwise the service's own."""

import re
import uuid
from typing import Any

from iamd import arn, ids
from iamd.call import Call
from iamd.data.service_linked_roles import ServiceLinkedRole, service_linked_role
from iamd.services.iam import arns, entities, quotas
from iamd.services.iam.entities import named_role
from iamd.services.iam.errors import AccessDenied, InvalidInput, NoSuchEntity
from iamd.services.iam.protected_roles import SERVICE_LINKED_PATH
from iamd.services.iam.roles import created_role
from iamd.services.registry import Target, operation, reading
from iamd.store.records import Role, fold
from iamd.store.report_records import DeletionTask, RoleUsage

SUCCEEDED, FAILED = "SUCCEEDED", "FAILED"
IN_USE = "The role is still used for resources of its service. Delete them, and then the role."
UNKNOWN_USE = "It could not be found out whether the role is still used for resources of its service."
MAX_ROLE_NAME = 64
TASKS_KEPT_SECONDS = 7 * 24 * 3600
TASK_ID = re.compile(r"task(/aws-service-role/[^/]+/)([^/]+)/[^/]+")


def new_service_linked_role(call: Call, *, aws_service_name: str, custom_suffix: str | None = None, **_: Any) -> Target:
    """The role that the request would create, and the service that it is for."""
    template = service_linked_role(aws_service_name)
    name = "" if template is None else template.name(custom_suffix)
    path = f"{SERVICE_LINKED_PATH}{aws_service_name}/"
    return Target(
        arn=arn.iam(call.account.id, "role", path, name),
        context={"iam:awsservicename": aws_service_name},
    )


def deleted_service_linked_role(call: Call, *, deletion_task_id: str) -> Target:
    """The role that a deletion task's id names."""
    named = TASK_ID.fullmatch(deletion_task_id)
    return Target() if named is None else Target(arn=arn.iam(call.account.id, "role", named[1], named[2]))


@operation(on=new_service_linked_role)
def create_service_linked_role(
    call: Call, *, aws_service_name: str, description: str | None = None, custom_suffix: str | None = None
) -> dict[str, Any]:
    """Create the role that a service acts by in this account, with the trust and permissions AWS gives it."""
    template = _template(aws_service_name, custom_suffix)
    name = template.name(custom_suffix)
    if call.account.find(Role, "name", fold(name)):
        raise InvalidInput(f"Service role name {name} has been taken in this account, please try a different suffix.")
    quotas.check_roles(call)
    role = Role(
        role_name=name,
        role_id=ids.unique_id(ids.ROLE),
        path=template.path,
        created=call.now,
        trust_policy=template.trust_policy(),
        description=description,
        attached_policies=(template.policy_arn,),
        service_linked=aws_service_name,
    )
    call.put(role)
    return {"Role": created_role(call, role, role.trust_policy)}


async def _usages(call: Call, *, role_name: str) -> tuple[RoleUsage, ...] | None:
    return await call.role_usages(_linked_role(call, role_name), call.account.id)


@operation(on=arns.role, prepare=_usages)
def delete_service_linked_role(call: Call, *, role_name: str) -> dict[str, Any]:
    """Delete a service-linked role unless its service still has resources that need it, and say by which task."""
    role, usages = _linked_role(call, role_name), call.prepared
    task = DeletionTask(
        deletion_task_id=f"task{role.path}{role.role_name}/{uuid.uuid4()}",
        role_arn=entities.role_arn(call.account, role),
        status=SUCCEEDED if usages == () else FAILED,
        created=call.now,
        reason=UNKNOWN_USE if usages is None else IN_USE if usages else None,
        usages=usages or (),
    )
    if task.status == SUCCEEDED:
        call.delete(role)
    _forget_old_tasks(call)
    call.put(task)
    return {"DeletionTaskId": task.deletion_task_id}


def _linked_role(call: Call, role_name: str) -> Role:
    role = named_role(call, role_name)
    if role.service_linked is None:
        raise NoSuchEntity(f"{role_name} exists but is not a service role.")
    return role


@reading(on=deleted_service_linked_role)
def get_service_linked_role_deletion_status(call: Call, *, deletion_task_id: str) -> dict[str, Any]:
    """Tell how far a deletion task is."""
    if TASK_ID.fullmatch(deletion_task_id) is None:
        raise InvalidInput("Invalid task id")
    task = call.account.get(DeletionTask, deletion_task_id)
    if task is None:
        raise NoSuchEntity("Cannot find deletion status for given id.")
    return {"Status": task.status} | ({} if task.reason is None else {"Reason": _shown_reason(task)})


def _shown_reason(task: DeletionTask) -> dict[str, Any]:
    usages = [{"Region": usage.region, "Resources": list(usage.resources)} for usage in task.usages]
    return {"Reason": task.reason} | ({"RoleUsageList": usages} if usages else {})


def _template(aws_service_name: str, custom_suffix: str | None) -> ServiceLinkedRole:
    template = service_linked_role(aws_service_name)
    if template is None:
        # AWS: the code is AccessDenied, though the policies allow it.
        raise AccessDenied(f"Cannot find Service Linked Role template for {aws_service_name}")
    if custom_suffix is not None and not template.custom_suffix:
        raise InvalidInput(f"Custom suffix is not allowed for {aws_service_name}")
    if len(name := template.name(custom_suffix)) > MAX_ROLE_NAME:
        raise InvalidInput(f"Service role name {name} is longer than {MAX_ROLE_NAME} characters.")
    return template


def _forget_old_tasks(call: Call) -> None:
    # Tasks would otherwise grow without bound in the maps that every process holds.
    for task in call.account.all(DeletionTask):
        if task.created < call.now - TASKS_KEPT_SECONDS:
            call.delete(task)
