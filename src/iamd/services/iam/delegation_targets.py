"""Which delegation request is meant, who may see it, and what the policies of its owner's account are asked about it.

AWS: IAM API Reference, GetDelegationRequest: a request without an owner account is any account's to see, one with an
owner account that account's alone, and its owner may see it and hand it on by default.
"""

import json
from collections.abc import Mapping
from typing import Any

from iamd import arn
from iamd.call import Call
from iamd.services.iam.errors import InvalidInput, NoSuchEntity
from iamd.services.registry import Target
from iamd.store.delegation_records import DelegationRequest

KIND = "delegation-request"
OWNER = "iam:delegationrequestowner"


def state_of(call: Call, request: DelegationRequest) -> str:
    """The state of a request now."""
    return "EXPIRED" if call.now >= request.expires else request.state


def named(call: Call, request_id: str) -> DelegationRequest:
    """The request of this id that the caller's account may see, or NoSuchEntity."""
    found = _visible(call, request_id)
    if found is None:
        raise NoSuchEntity(f"Delegation request {request_id} cannot be found.")
    return found


def of_arn(call: Call, entity_arn: str) -> DelegationRequest:
    """The request of an ARN; InvalidInput for the ARN of anything else."""
    parsed = arn.parse(entity_arn)
    if parsed is None or parsed.service != "iam" or not parsed.resource.startswith(f"{KIND}/"):
        raise InvalidInput(f"Entity {entity_arn} is not supported; only delegation requests are.")
    found = _visible(call, parsed.resource.partition("/")[2])
    # The account of an ARN is the one that owns the request, or the caller's while none does.
    if found is None or parsed.account != call.identity.account_id:
        raise NoSuchEntity(f"Entity {entity_arn} cannot be found.")
    return found


def _visible(call: Call, request_id: str) -> DelegationRequest | None:
    found = call.view.shared.get(DelegationRequest, request_id)
    # SECURITY: other accounts, the partner's too, are told no more than of a request that does not exist.
    is_visible = found is not None and found.owner_account in {None, call.identity.account_id}
    return found if is_visible else None


def request_arn(call: Call, request_id: str) -> str:
    """The ARN of a request, in the caller's account."""
    return arn.iam(call.identity.account_id, KIND, "/", request_id)


def one(call: Call, *, delegation_request_id: str, **_: Any) -> Target:
    """The request that is named."""
    found = _visible(call, delegation_request_id)
    owner = None if found is None else found.owner_id
    return Target(arn=request_arn(call, delegation_request_id), context={} if owner is None else {OWNER: owner})


def owners(call: Call, *, delegation_request_id: str, **_: Any) -> Target:
    """The request that is named, which its owner may see and hand on without any policy."""
    target = one(call, delegation_request_id=delegation_request_id)
    found = _visible(call, delegation_request_id)
    return target if found is None else _granted(call, found, target)


def summarised(call: Call, *, entity_arn: str, **_: Any) -> Target:
    """The request of an ARN; whoever may see a request may see its summary."""
    parsed = arn.parse(entity_arn)
    request_id = "" if parsed is None else parsed.resource.removeprefix(f"{KIND}/")
    found = _visible(call, request_id)
    if found is None:
        return Target(arn=entity_arn)
    return owners(call, delegation_request_id=request_id)


def new(
    call: Call, *, permissions: Mapping[str, Any], notification_channel: str, session_duration: int, **_: Any
) -> Target:
    """The request that would be made, which has no id yet."""
    keys = {"iam:notificationchannel": notification_channel, "iam:delegationduration": str(session_duration)}
    template = permissions.get("PolicyTemplateArn")
    return Target(
        arn=request_arn(call, "*"), context=keys | ({} if template is None else {"iam:templatearn": template})
    )


def listed(_call: Call, *, owner_id: str | None = None, **_: Any) -> Target:
    """All requests, or those of one owner."""
    return Target(context={} if owner_id is None else {OWNER: owner_id})


def _granted(call: Call, request: DelegationRequest, target: Target) -> Target:
    if request.owner_user_id is None or request.owner_user_id != call.identity.user_id:
        return target
    # SECURITY: the grant names the owner's very identity, and only operations that use this function carry it.
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": call.identity.arn},
        "Action": f"iam:{call.operation}",
        "Resource": target.arn,
    }
    return Target(
        arn=target.arn,
        context=target.context,
        policies=(json.dumps({"Version": "2012-10-17", "Statement": statement}),),
    )
