"""Delegation requests: a partner asks for temporary access to an account, and somebody there grants it.

AWS: IAM User Guide, "IAM temporary delegation" (access_policies-temporary-delegation) and "Building your integration"
(temporary-delegation-building-integration), which names the states and who brings them about.
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from iamd import arn
from iamd.call import Call
from iamd.policy.request import PrincipalKind
from iamd.services.iam import (
    delegation_checks,
    delegation_notices,
    delegation_summaries,
    delegation_targets,
    delegation_templates,
)
from iamd.services.iam.delegation_targets import named, state_of
from iamd.services.iam.entities import moment
from iamd.services.iam.errors import AccessDenied, EntityAlreadyExists, InvalidInput, LimitExceeded
from iamd.services.paging import page
from iamd.services.registry import operation, reading
from iamd.services.sts.sessions import ancestors
from iamd.store.delegation_records import Approver, DelegationRequest, DelegationTemplate
from iamd.store.records import GLOBAL

DAY = 24 * 60 * 60
UNASSIGNED_SECONDS = DAY
EXPIRES_SECONDS = 7 * DAY
"""How long a request stays in each other state; a rejected one, says AWS, 7 days (RejectDelegationRequest)."""
ROOT_SECONDS = 4 * 60 * 60
"""AWS: a root user approves no longer ones (IAM User Guide, "IAM temporary delegation")."""
REQUESTS_PER_ACCOUNT = 100
"""How many requests of one partner wait at a time."""

WAITING = ("ASSIGNED", "PENDING_APPROVAL")


@operation(on=delegation_targets.new)
def create_delegation_request(
    call: Call,
    *,
    description: str,
    permissions: Mapping[str, Any],
    requestor_workflow_id: str,
    notification_channel: str,
    session_duration: int,
    owner_account_id: str | None = None,
    request_message: str | None = None,
    redirect_url: str | None = None,
    only_send_by_owner: bool = False,
) -> dict[str, Any]:
    """Ask for what a template of the caller's account makes of these values; whoever is meant is told by the caller."""
    template = _template(call, permissions)
    account_id = call.identity.account_id
    if call.view.shared.find(DelegationRequest, "workflow", f"{account_id} {requestor_workflow_id}"):
        raise EntityAlreadyExists(f"A delegation request with workflow id {requestor_workflow_id} already exists.")
    _forget_expired(call)
    if len(call.view.shared.find(DelegationRequest, "requestor", account_id)) >= REQUESTS_PER_ACCOUNT:
        raise LimitExceeded(f"Cannot exceed quota for DelegationRequestsPerAccount: {REQUESTS_PER_ACCOUNT}")
    delegation_notices.check_channel(call, notification_channel)
    parameters = delegation_templates.given_parameters(permissions.get("Parameters", ()))
    request = DelegationRequest(
        request_id=secrets.token_urlsafe(24).replace("-", "_"),
        requestor_account=account_id,
        requestor_name=template.requestor_name,
        workflow_id=requestor_workflow_id,
        description=description,
        template_arn=template.arn,
        parameters=parameters,
        policy=delegation_templates.rendered(template.document, parameters),
        notification_channel=notification_channel,
        session_duration=session_duration,
        created=call.now,
        updated=call.now,
        expires=call.now + UNASSIGNED_SECONDS,
        state="UNASSIGNED",
        owner_account=owner_account_id,
        request_message=request_message,
        redirect_url=redirect_url,
        only_send_by_owner=only_send_by_owner,
    )
    call.change.put(GLOBAL, request)
    return {"ConsoleDeepLink": _link(call, request), "DelegationRequestId": request.request_id}


def _template(call: Call, permissions: Mapping[str, Any]) -> DelegationTemplate:
    own = call.view.shared.find(DelegationTemplate, "account", call.identity.account_id)
    if not own:
        # AWS: "This API is not available for general use" (IAM API Reference, CreateDelegationRequest).
        raise AccessDenied("Account is not onboarded to create delegation requests.")
    named_arn = permissions.get("PolicyTemplateArn")
    found = next((template for template in own if template.arn == named_arn), None)
    if found is None:
        raise InvalidInput(f"Policy template {named_arn} is not registered for this account.")
    return found


def _forget_expired(call: Call) -> None:
    """Forget the caller's requests that expired long ago: they would be kept for ever."""
    for request in call.view.shared.find(DelegationRequest, "requestor", call.identity.account_id):
        if call.now >= request.expires + EXPIRES_SECONDS:
            call.change.delete(GLOBAL, request)


def _link(call: Call, request: DelegationRequest) -> str:
    scheme, host = "https" if call.request.secure else "http", call.request.header(b"host") or ""
    return f"{scheme}://{host}/_iamd/delegation-requests/{request.request_id}"


@operation(on=delegation_targets.one)
def associate_delegation_request(call: Call, *, delegation_request_id: str) -> None:
    """Make the caller the owner of a request that nobody owns."""
    request = named(call, delegation_request_id)
    if request.owner_id is not None or state_of(call, request) != "UNASSIGNED":
        raise _wrong_state(call, request, "UNASSIGNED")
    identity = call.identity
    owned = replace(request, owner_account=identity.account_id, owner_id=identity.arn, owner_user_id=identity.user_id)
    _move(call, owned, "ASSIGNED")


@operation(on=delegation_targets.owners)
def update_delegation_request(call: Call, *, delegation_request_id: str, notes: str | None = None) -> None:
    """Hand a request on to whoever may approve it, with notes for them."""
    request = named(call, delegation_request_id)
    if state_of(call, request) not in WAITING:
        raise _wrong_state(call, request, *WAITING)
    _move(call, request if notes is None else replace(request, notes=notes), "PENDING_APPROVAL")


@operation(on=delegation_targets.one)
def accept_delegation_request(call: Call, *, delegation_request_id: str) -> None:
    """Grant a request as far as the caller's own permissions go, now and while the access lasts."""
    request = named(call, delegation_request_id)
    if state_of(call, request) not in WAITING:
        raise _wrong_state(call, request, *WAITING)
    _move(call, replace(request, approver=_approver(call, request)), "ACCEPTED")


def _approver(call: Call, request: DelegationRequest) -> Approver:
    identity, session = call.identity, call.identity.session
    # SECURITY: whose permissions are narrower than those of its user or role would hand on more than it has.
    if identity.kind is PrincipalKind.FEDERATED_USER or (
        session is not None and (session.policy is not None or session.policy_arns)
    ):
        raise AccessDenied("A session with session policies cannot accept delegation requests.")
    if identity.is_root and request.session_duration > ROOT_SECONDS:
        raise InvalidInput("The root user cannot accept delegation requests of more than 4 hours.")
    parsed = arn.parse(identity.entity_arn or "")
    path = "/" if parsed is None else "/" + "/".join(parsed.resource.split("/")[1:-1])
    return Approver(
        arn=identity.arn,
        principal_id=identity.entity_id or identity.account_id,
        name=identity.name or "",
        path=path if path.endswith("/") else path + "/",
        lineage=ancestors(call),
    )


@operation(on=delegation_targets.one)
def reject_delegation_request(call: Call, *, delegation_request_id: str, notes: str | None = None) -> None:
    """Refuse a request, for good; one that was accepted too, while its token is not sent."""
    request = named(call, delegation_request_id)
    if state_of(call, request) not in {*WAITING, "ACCEPTED"}:
        raise _wrong_state(call, request, *WAITING, "ACCEPTED")
    _move(call, replace(request, rejection_reason=notes), "REJECTED")


@operation(on=delegation_targets.one)
def send_delegation_token(call: Call, *, delegation_request_id: str) -> None:
    """Let the partner have the token that it exchanges for credentials; the time of the access begins now."""
    request = named(call, delegation_request_id)
    if state_of(call, request) != "ACCEPTED":
        raise _wrong_state(call, request, "ACCEPTED")
    if request.only_send_by_owner and call.identity.user_id != request.owner_user_id:
        raise AccessDenied("Only the owner of this delegation request can send its token.")
    _move(call, replace(request, finalized=call.now), "FINALIZED")


@reading(on=delegation_targets.owners)
def get_delegation_request(
    call: Call, *, delegation_request_id: str, delegation_permission_check: bool = False
) -> dict[str, Any]:
    """Show a request, and whether the caller could grant it."""
    request = named(call, delegation_request_id)
    shown: dict[str, Any] = {"DelegationRequest": _shown(call, request)}
    if delegation_permission_check:
        shown |= {
            "PermissionCheckStatus": "COMPLETE",
            "PermissionCheckResult": delegation_checks.result(call, request.policy),
        }
    return shown


@reading(on=delegation_targets.listed)
def list_delegation_requests(
    call: Call, *, owner_id: str | None = None, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the requests that somebody of the caller's account owns, or those of one owner."""
    owned = call.view.shared.find(DelegationRequest, "owner", call.identity.account_id)
    found = [request for request in owned if owner_id is None or request.owner_id == owner_id]
    cut, more = page(call, found, key=_key, max_items=max_items, marker=marker, query=(owner_id or "",))
    is_truncated = more.pop("IsTruncated")
    # AWS's model spells this member with a small letter here.
    return {"DelegationRequests": [_shown(call, request) for request in cut], "isTruncated": is_truncated, **more}


@reading(on=delegation_targets.summarised)
def get_human_readable_summary(call: Call, *, entity_arn: str, locale: str = "en") -> dict[str, Any]:
    """Say in plain words what a request asks for; in English, from its policy alone."""
    request = delegation_targets.of_arn(call, entity_arn)
    if not delegation_summaries.is_spoken(locale):
        return {"Locale": locale, "SummaryState": "NOT_SUPPORTED"}
    content = delegation_summaries.summary(request)
    return {"SummaryContent": content, "Locale": locale, "SummaryState": "AVAILABLE"}


def _key(request: DelegationRequest) -> str:
    return request.request_id


def _move(call: Call, request: DelegationRequest, state: str) -> None:
    moved = replace(request, state=state, updated=call.now, expires=call.now + EXPIRES_SECONDS)
    call.change.put(GLOBAL, moved)
    delegation_notices.notify(call, moved)


def _wrong_state(call: Call, request: DelegationRequest, *wanted: str) -> InvalidInput:
    states: Sequence[str] = wanted
    return InvalidInput(
        f"Delegation request {request.request_id} is in state {state_of(call, request)}; "
        f"this needs {' or '.join(states)}."
    )


def _shown(call: Call, request: DelegationRequest) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "DelegationRequestId": request.request_id,
        "Description": request.description,
        "Permissions": {
            "PolicyTemplateArn": request.template_arn,
            "Parameters": [
                {"Name": one.name, "Values": list(one.values), "Type": one.type} for one in request.parameters
            ],
        },
        "PermissionPolicy": request.policy,
        "RolePermissionRestrictionArns": delegation_templates.boundaries_of(request.policy),
        "State": state_of(call, request),
        "ExpirationTime": moment(request.expires),
        "RequestorId": request.requestor_account,
        "RequestorName": request.requestor_name,
        "CreateDate": moment(request.created),
        "SessionDuration": request.session_duration,
        "OnlySendByOwner": request.only_send_by_owner,
        "UpdatedTime": moment(request.updated),
    }
    optional = {
        "OwnerAccountId": request.owner_account,
        "OwnerId": request.owner_id,
        "ApproverId": None if request.approver is None else request.approver.arn,
        "RequestMessage": request.request_message,
        "RedirectUrl": request.redirect_url,
        "Notes": request.notes,
        "RejectionReason": request.rejection_reason,
    }
    return shown | {name: value for name, value in optional.items() if value is not None}
