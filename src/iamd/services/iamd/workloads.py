"""Credentials of a program that stands for an instance or a task: the service's own session of the role it is passed.

On AWS the caller passes the role when it starts the instance or runs the task (IAM User Guide,
id_roles_use_passrole), and the service assumes it.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from iamd import arn, ids
from iamd.auth.identity import Service, of_service
from iamd.authz import context
from iamd.authz.authorize import Verdict, authorize
from iamd.call import Call
from iamd.errors import AWSError
from iamd.http import HttpRequest
from iamd.services.cloudtrail.events import Outcome, event_of
from iamd.services.iam import entities
from iamd.services.iamd.accounts import nothing
from iamd.services.registry import Target, operation, reading
from iamd.services.sts import assume_role, sessions
from iamd.store.change import Change
from iamd.store.records import InstanceProfile, Role

EC2 = "ec2.amazonaws.com"
_PURPOSE = "workload-ids"


class InvalidWorkload(AWSError):
    """What was asked for is no program that a service could run."""

    code = "InvalidWorkload"


class NoSuchInstance(AWSError):
    """No running instance of this id is in the caller's account, that was started through the gateway."""

    code = "NoSuchInstance"


@reading(on=nothing)
def get_metadata_endpoint(call: Call, *, instance_id: str) -> dict[str, Any]:
    """Give the address of an instance's own metadata, which this process serves from then on."""
    address = call.metadata_endpoint(call.identity.account_id, instance_id)
    if address is None:
        raise NoSuchInstance(f"No instance {instance_id} of this account runs that was started through iamd.")
    return {"Endpoint": address}


def passed_role(
    call: Call,
    *,
    service: str,
    client_token: str,
    role_arn: str | None = None,
    instance_profile_name: str | None = None,
) -> Target:
    """The role, which the caller passes to the service; it needs `iam:PassRole` as it does on AWS."""
    named = _role_arn(call, service, role_arn, instance_profile_name)
    workload = _arn(call, service, _id(call, service, client_token))
    keys = {"iam:passedtoservice": service, "iam:associatedresourcearn": workload}
    return Target(arn=named, action="iam:PassRole", context=keys)


@operation(on=passed_role)
def get_workload_credentials(
    call: Call,
    *,
    service: str,
    client_token: str,
    role_arn: str | None = None,
    instance_profile_name: str | None = None,
) -> dict[str, Any]:
    """Have the service assume the role for a program, whose id follows from the client's token."""
    named = _role_arn(call, service, role_arn, instance_profile_name)
    workload_id = _id(call, service, client_token)
    acting = Service(
        service,
        call.account.id,
        _arn(call, service, workload_id) if service != EC2 else None,
        instance_keys(_arn(call, service, workload_id)) if service == EC2 else {},
        sessions.ancestors(call),
    )
    credentials = _assumed(call, acting, named, workload_id)
    profile = _profile(call, instance_profile_name) if instance_profile_name is not None else None
    shown = {"WorkloadId": workload_id, "RoleArn": named, "DurationSeconds": call.workload_seconds, **credentials}
    if profile is not None:
        shown["InstanceProfileArn"] = entities.instance_profile_arn(call.account, profile)
        shown["InstanceProfileId"] = profile.instance_profile_id
    return shown


def instance_keys(instance_arn: str, version: str = "2.0") -> Mapping[str, str]:
    """The condition keys of an instance's own session.

    AWS: EC2 User Guide, "Limit access to the instance metadata service" (instance-metadata-limiting-access), and the
    service authorization reference of EC2 (ec2:RoleDelivery, ec2:SourceInstanceARN).
    """
    return {"ec2:roledelivery": version, "ec2:sourceinstancearn": instance_arn}


def _assumed(call: Call, acting: Service, role_arn: str, name: str) -> dict[str, Any]:
    """The service's session of the role, with its event; Denied when the role's trust policy does not let it."""
    request = HttpRequest(ids.request_id(), "POST", b"/", b"", [], b"", "")
    own = replace(call, identity=of_service(acting), request=request, service="sts", operation="AssumeRole", notes={})
    verdicts = authorize(
        own.identity,
        call.view,
        "sts:AssumeRole",
        assume_role.targets(own, role_arn=role_arn, role_session_name=name),
        lambda: context.of_request(request, call.region, call.now),
        call.now,
    )
    answer = assume_role.assume_role(
        own, role_arn=role_arn, role_session_name=name, duration_seconds=call.workload_seconds
    )
    parameters = {"RoleArn": role_arn, "RoleSessionName": name, "DurationSeconds": call.workload_seconds}
    call.change.record_event(event_of(_outcome(own, acting, parameters, answer, verdicts)))
    found: dict[str, Any] = answer["Credentials"]
    return found


def _outcome(
    own: Call, acting: Service, parameters: Mapping[str, Any], answer: Mapping[str, Any], verdicts: list[Verdict]
) -> Outcome:
    return Outcome(
        request=own.request,
        time=own.now,
        service="sts",
        source="sts.amazonaws.com",
        name="AssumeRole",
        region=own.region,
        identity=own.identity,
        read_only=False,
        parameters=parameters,
        response=answer,
        verdicts=verdicts,
        notes=own.notes,
        recipient=acting.source_account,
        view=own.view.base if isinstance(own.view, Change) else own.view,
    )


def _id(call: Call, service: str, client_token: str) -> str:
    """The program's id: nobody can choose one, and the same caller has the same for the same token.

    AWS: the forms of an instance's and a task's id, which are the names of their sessions.
    """
    # SECURITY: a chosen id would let the caller's program pass for another's instance in logs and conditions.
    told = f"{call.identity.account_id}\n{call.identity.user_id}\n{client_token}".encode()
    digest = hmac.new(call.keyring.derived_key(_PURPOSE), told, hashlib.sha256).hexdigest()
    return f"i-{digest[:17]}" if service == EC2 else digest[:32]


def _arn(call: Call, service: str, workload_id: str) -> str:
    account = call.identity.account_id
    if service == EC2:
        return f"arn:{arn.PARTITION}:ec2:{call.region}:{account}:instance/{workload_id}"
    return f"arn:{arn.PARTITION}:ecs:{call.region}:{account}:task/iamd/{workload_id}"


def _role_arn(call: Call, service: str, role_arn: str | None, profile_name: str | None) -> str:
    if (role_arn is None) == (profile_name is None) or (service == EC2) != (profile_name is not None):
        raise InvalidWorkload("An instance has an instance profile, and a task has a role.")
    if profile_name is None:
        return _own_role(call, role_arn or "")
    profile = _profile(call, profile_name)
    role = call.account.get(Role, profile.role_id) if profile.role_id is not None else None
    if role is None:
        raise InvalidWorkload(f"IAM Instance Profile {profile_name} has no associated IAM Roles")
    return entities.role_arn(call.account, role)


def _own_role(call: Call, role_arn: str) -> str:
    account_id, _ = assume_role.named_role(call, role_arn)
    if account_id != call.identity.account_id:
        # AWS: roles are passed within an account (IAM User Guide, id_roles_use_passrole).
        raise InvalidWorkload("Cross-account pass role is not allowed.")
    return role_arn


def _profile(call: Call, name: str) -> InstanceProfile:
    found = entities.instance_profile_in(call.account, name)
    if found is None or found.instance_profile_name != name:
        raise InvalidWorkload(f"Invalid IAM Instance Profile name: {name}")
    return found
