"""Records of temporary delegation: what partners may ask for, and what they have asked for."""

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from iamd.store.records import Index, Record


class DelegationTemplate(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A policy template that the operator has registered for a partner's account, kept under GLOBAL by its ARN."""

    kind = "delegation-template"
    arn: str
    account_id: str
    requestor_name: str
    document: str
    registered: int

    indexes: ClassVar[Mapping[str, Index]] = {"account": lambda template: (template.account_id,)}

    @property
    def key(self) -> str:
        return self.arn


class PolicyParameter(msgspec.Struct, frozen=True):
    """A value of a template's parameter, by the IAM API's members."""

    name: str
    values: tuple[str, ...]
    type: str


class Approver(msgspec.Struct, frozen=True, kw_only=True):
    """Who accepted a request, as it was then: a user, a role by one of its sessions, or a root user.

    `lineage` is all that the approver's credentials derive from, as a session's `ancestors` has it.
    """

    arn: str
    principal_id: str
    name: str
    path: str
    lineage: tuple[str, ...]


class DelegationRequest(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A partner's request for temporary access to an account, kept under GLOBAL; the key is its id.

    `state` is the one that somebody brought about; past `expires` it is EXPIRED. `owner_user_id` is the `user_id` of
    the owner's Identity, so that a recreated namesake owns nothing.
    """

    kind = "delegation-request"
    request_id: str
    requestor_account: str
    requestor_name: str
    workflow_id: str
    description: str
    template_arn: str
    parameters: tuple[PolicyParameter, ...]
    policy: str
    notification_channel: str
    session_duration: int
    created: int
    updated: int
    expires: int
    state: str
    owner_account: str | None = None
    owner_id: str | None = None
    owner_user_id: str | None = None
    request_message: str | None = None
    redirect_url: str | None = None
    only_send_by_owner: bool = False
    notes: str | None = None
    rejection_reason: str | None = None
    approver: Approver | None = None
    finalized: int | None = None

    indexes: ClassVar[Mapping[str, Index]] = {
        "owner": lambda request: (request.owner_account,) if request.owner_account and request.owner_id else (),
        "requestor": lambda request: (request.requestor_account,),
        "workflow": lambda request: (f"{request.requestor_account} {request.workflow_id}",),
    }

    @property
    def key(self) -> str:
        return self.request_id
