"""New accounts of an organization, and what became of the requests that asked for them."""

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from iamd import arn, ids
from iamd.call import Call
from iamd.data.organization_policies import DEFAULTS
from iamd.services.organizations import answers, arns, entities, quotas
from iamd.services.organizations.accounts import CREATED
from iamd.services.organizations.errors import CreateAccountStatusNotFound, InvalidInput
from iamd.services.organizations.organizations import make_service_linked_role
from iamd.services.organizations.pages import page
from iamd.services.organizations.service_events import account_created, account_joined
from iamd.services.organizations.tags import checked_tags
from iamd.services.registry import operation, reading
from iamd.store.organization_records import AccountCreation, Membership, Organization
from iamd.store.records import GLOBAL, AccountRecord, InlinePolicy, Role, Tag

DEFAULT_ROLE = "OrganizationAccountAccessRole"
RESERVED_ROLE = "AWSServiceRoleFor"
ADMINISTRATOR = "AdministratorAccess"
EVERYTHING = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
ACCOUNT_NUMBERS = 10**12

IN_PROGRESS, SUCCEEDED, FAILED = "IN_PROGRESS", "SUCCEEDED", "FAILED"

GivenTags = Sequence[Mapping[str, str]]


@operation(on=arns.new_account)
def create_account(
    call: Call,
    *,
    email: str,
    account_name: str,
    role_name: str = DEFAULT_ROLE,
    iam_user_access_to_billing: str = "ALLOW",
    tags: GivenTags = (),
) -> dict[str, Any]:
    """Make an account that is a member of the organization, with a role that the management account may assume.

    AWS makes it in the background, and so the answer says that it is in progress; what came of it is told by
    DescribeCreateAccountStatus, here from the next request on.
    """
    organization = entities.managed_organization(call)
    _check(role_name, iam_user_access_to_billing)
    checked = checked_tags(tags)
    count = len(entities.accounts_of(call.view.shared, organization))
    quotas.check("ACCOUNT_NUMBER_LIMIT_EXCEEDED", count + 1, quotas.ACCOUNTS)
    if _is_taken(call, email):
        creation = _noted(call, organization, account_name, failure_reason="EMAIL_ALREADY_EXISTS")
        return {"CreateAccountStatus": _in_progress(creation)}
    account_id = _free_number(call)
    _make(call, account_id, email, account_name, role_name)
    creation = _noted(call, organization, account_name, account_id=account_id)
    _join(call, organization, account_id, checked)
    return {"CreateAccountStatus": _in_progress(creation)}


@reading(on=arns.nothing)
def describe_create_account_status(call: Call, *, create_account_request_id: str) -> dict[str, Any]:
    """Tell what became of a request to create an account."""
    organization = entities.readable_organization(call)
    found = call.view.shared.get(AccountCreation, create_account_request_id)
    if found is None or found.organization_id != organization.organization_id:
        raise CreateAccountStatusNotFound
    return {"CreateAccountStatus": _shown(found)}


@reading(on=arns.nothing)
def list_create_account_status(
    call: Call,
    *,
    states: Sequence[str] = (),
    next_token: str | None = None,
    max_results: int | None = None,
) -> dict[str, Any]:
    """List the requests to create accounts by what became of them, oldest first."""
    organization = entities.readable_organization(call)
    found = _creations(call, organization, states)
    cut, more = page(
        call,
        found,
        key=lambda creation: f"{creation.requested:012d} {creation.request_id}",
        max_results=max_results,
        next_token=next_token,
        query=tuple(states),
    )
    return {"CreateAccountStatuses": [_shown(one) for one in cut], **more}


def _creations(call: Call, organization: Organization, states: Sequence[str]) -> list[AccountCreation]:
    found = call.view.shared.find(AccountCreation, "organization", organization.organization_id)
    return [one for one in found if not states or one.state in states]


def _check(role_name: str, iam_user_access_to_billing: str) -> None:
    if role_name.startswith(RESERVED_ROLE):
        raise InvalidInput(
            "INVALID_ROLE_NAME",
            "You provided a role name that isn't valid. "
            f"A role name can't begin with the reserved prefix {RESERVED_ROLE}.",
        )
    if iam_user_access_to_billing == "DENY":
        # No billing is here that access could be denied to.
        raise InvalidInput("INVALID_ENUM", "iamd has no billing: IamUserAccessToBilling can be ALLOW only.")


def _noted(
    call: Call,
    organization: Organization,
    account_name: str,
    *,
    account_id: str | None = None,
    failure_reason: str | None = None,
) -> AccountCreation:
    """What became of the request, kept and recorded."""
    creation = AccountCreation(
        request_id=entities.new_id("car-", 32),
        organization_id=organization.organization_id,
        account_name=account_name,
        state=SUCCEEDED if failure_reason is None else FAILED,
        requested=call.now,
        account_id=account_id,
        failure_reason=failure_reason,
    )
    call.change.put(GLOBAL, creation)
    account_created(call, organization, creation)
    return creation


def _make(call: Call, account_id: str, email: str, account_name: str, role_name: str) -> None:
    """The account itself: its root user has an address and no key yet, and its roles are there."""
    record = AccountRecord(
        account_id=account_id,
        name=account_name,
        email=email,
        created=call.now,
        canonical_id=secrets.token_hex(32),
    )
    call.change.put(account_id, record)
    call.change.put(account_id, _access_role(call, role_name))
    make_service_linked_role(call, account_id)


def _join(call: Call, organization: Organization, account_id: str, tags: tuple[Tag, ...]) -> None:
    membership = Membership(
        organization_id=organization.organization_id,
        account_id=account_id,
        parent_id=organization.root_id,
        joined=call.now,
        joined_method=CREATED,
        attached_policies=tuple(DEFAULTS[policy_type].policy_id for policy_type in organization.policy_types),
        tags=tags,
    )
    call.change.put(GLOBAL, membership)
    account_joined(call, organization, membership)


def _is_taken(call: Call, email: str) -> bool:
    records = (entities.record_of(call, account_id) for account_id in call.view.account_ids())
    return any(record is not None and record.email.lower() == email.lower() for record in records)


def _free_number(call: Call) -> str:
    while True:
        number = f"{secrets.randbelow(ACCOUNT_NUMBERS):012d}"
        if number[0] != "0" and call.view.account(number) is None:
            return number


def _access_role(call: Call, role_name: str) -> Role:
    """The role by which the management account administers the new one.

    AWS: Organizations User Guide, "Accessing member accounts in an organization" (orgs_manage_accounts_access).
    """
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": arn.root(call.identity.account_id)},
        "Action": "sts:AssumeRole",
    }
    trust = {"Version": "2012-10-17", "Statement": [statement]}
    return Role(
        role_name=role_name,
        role_id=ids.unique_id(ids.ROLE),
        created=call.now,
        trust_policy=json.dumps(trust, separators=(",", ":")),
        inline_policies=(InlinePolicy(ADMINISTRATOR, EVERYTHING),),
    )


def _in_progress(creation: AccountCreation) -> dict[str, Any]:
    return {
        "Id": creation.request_id,
        "AccountName": creation.account_name,
        "State": IN_PROGRESS,
        "RequestedTimestamp": answers.moment(creation.requested),
    }


def _shown(creation: AccountCreation) -> dict[str, Any]:
    found = {"AccountId": creation.account_id, "FailureReason": creation.failure_reason}
    return {
        **_in_progress(creation),
        "State": creation.state,
        "CompletedTimestamp": answers.moment(creation.requested),
        **{name: value for name, value in found.items() if value is not None},
    }
