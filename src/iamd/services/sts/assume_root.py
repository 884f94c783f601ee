"""AssumeRoot: a short session of a member account's root user, for one privileged task.

AWS: STS API Reference, AssumeRoot; IAM User Guide, "Perform a privileged task on an AWS Organizations member account"
(id_root-user-privileged-task). The words of refusals are those of AWS's recorded answers (September 2026). A task's
policy only denies, so it is a session policy of a root user, who may everything else.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from iamd import arn
from iamd.auth.tokens import Session, SessionKind
from iamd.call import Call
from iamd.errors import Common, CommonError
from iamd.services.iam.root_access import CREDENTIALS_MANAGEMENT, SERVICE, SESSIONS
from iamd.services.organizations import entities
from iamd.services.registry import Target, operation
from iamd.services.sts import sessions
from iamd.services.sts.errors import AccessDenied, ValidationError
from iamd.store.records import AccountRecord

MAX_SECONDS = 900
GLOBAL_ENDPOINT = "sts.amazonaws.com"

_TASKS = f"arn:{arn.PARTITION}:iam::aws:policy/root-task/"

FEATURES: Final[Mapping[str, str]] = {
    f"{_TASKS}IAMAuditRootUserCredentials": CREDENTIALS_MANAGEMENT,
    f"{_TASKS}IAMCreateRootUserPassword": CREDENTIALS_MANAGEMENT,
    f"{_TASKS}IAMDeleteRootUserCredentials": CREDENTIALS_MANAGEMENT,
    f"{_TASKS}S3UnlockBucketPolicy": SESSIONS,
    f"{_TASKS}SQSUnlockQueuePolicy": SESSIONS,
}
"""The policies that a session may have, and the feature of central root access that each is part of."""

_ACCOUNT: Final = re.compile(r"(?:arn:aws:iam::)?([0-9]{12})(:root)?", re.ASCII)


def target(call: Call, *, target_principal: str, task_policy_arn: Mapping[str, str], **_: Any) -> Target:
    """The root user of the account that is named, as the organization gives it to its administrators."""
    if call.identity.is_root:
        raise AccessDenied("AssumeRoot may not be called by root accounts.")
    # AWS: "The STS global endpoint is not supported for AssumeRoot."
    if (call.request.header(b"host") or "").lower().partition(":")[0] == GLOBAL_ENDPOINT:
        raise CommonError(Common.UNKNOWN_OPERATION, "Unknown Operation")
    account_id = _account(target_principal)
    given = {"Effect": "Allow", "Principal": {"AWS": call.identity.account_id}, "Action": "sts:AssumeRoot"}
    # SECURITY: this only says that the account gives the caller's policies a say; whether it does is for
    # `_check_organization`, which every session passes.
    document = json.dumps({"Version": "2012-10-17", "Statement": {**given, "Resource": arn.root(account_id)}})
    return Target(
        arn=arn.root(account_id),
        account=account_id,
        context={"sts:taskpolicyarn": _task(task_policy_arn)},
        policies=(document,),
    )


@operation(on=target)
def assume_root(
    call: Call,
    *,
    target_principal: str,
    task_policy_arn: Mapping[str, str],
    duration_seconds: int = MAX_SECONDS,
    minimum_session_token_size: int = 0,
) -> dict[str, Any]:
    """Give temporary credentials of a member account's root user, which may do the one task."""
    account_id, task = _account(target_principal), _task(task_policy_arn)
    _check_organization(call, account_id, FEATURES[task])
    key_id, secret = sessions.new_key(account_id)
    caller = call.identity.session
    session = Session(
        kind=SessionKind.ROOT,
        access_key_id=key_id,
        secret_access_key=secret,
        account=account_id,
        principal_id=account_id,
        issued=call.now,
        expires=call.now + duration_seconds,
        source_identity=caller.source_identity if caller is not None else None,
        policy_arns=(task,),
        assumed_by=call.identity.arn,
        source_account=call.identity.account_id,
        ancestors=sessions.ancestors(call),
    )
    token = sessions.sealed(call, session, minimum_session_token_size)
    return {
        "Credentials": sessions.credentials(session, token),
        **({"SourceIdentity": session.source_identity} if session.source_identity else {}),
        **sessions.token_size(token),
    }


def _account(target_principal: str) -> str:
    """The account that is named, by its number or by its root user's ARN."""
    found = _ACCOUNT.fullmatch(target_principal)
    if found is None or target_principal.startswith("arn:") is (found[2] is None):
        raise ValidationError("Request must contain a valid target principal")
    return found[1]


def _task(task_policy_arn: Mapping[str, str]) -> str:
    """The ARN of the task policy that is named."""
    named = task_policy_arn.get("arn", "")
    if named not in FEATURES:
        raise ValidationError("Request must contain valid AWS managed task policy ARN")
    return named


def _check_organization(call: Call, account_id: str, feature: str) -> None:
    """Raise AccessDenied unless the organization lets the caller's account do this in a member account of it."""
    organization = entities.organization_in(call)
    # SECURITY: all of it must hold, and whoever is refused is not told what is missing in which account.
    if (
        organization is None
        or feature not in organization.root_access_features
        or not entities.is_trusted(organization, SERVICE)
        or not entities.administers(call, organization, SERVICE)
        or entities.is_management(organization, account_id)
        or entities.member_in(call.view.shared, organization, account_id) is None
        or _is_suspended(call, account_id)
    ):
        raise AccessDenied(
            f"User: {call.identity.arn} is not authorized to perform: sts:AssumeRoot"
            f" on resource: {arn.root(account_id)}"
        )


def _is_suspended(call: Call, account_id: str) -> bool:
    record = call.account_of(account_id).get(AccountRecord, account_id)
    return record is None or record.suspended
