"""Access reports of an organization: which services its SCPs let accounts use, and which account used each last.

AWS: IAM API Reference, GenerateOrganizationsAccessReport and GetOrganizationsAccessReport. How a job fails and in what
words, that the same question within a minute gets the same job, and that an account makes one report at a time, is as
in AWS's recorded answers (September 2026).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from iamd import arn
from iamd.authz import context, organizations, vpc_endpoints
from iamd.authz.authorize import Denied, authorize
from iamd.authz.target import Target
from iamd.call import Call
from iamd.data.organization_policies import SERVICE_CONTROL_POLICY
from iamd.data.service_reference import ServiceReference
from iamd.policy.document import Policy, PolicyType, load
from iamd.services.iam import accesses as activity
from iamd.services.iam import arns, potential_access, reported
from iamd.services.iam.accesses import Accesses
from iamd.services.iam.errors import AccessDenied, ReportGenerationLimitExceeded
from iamd.services.iam.reported import ReportedService
from iamd.services.organizations import entities
from iamd.services.paging import page
from iamd.services.registry import operation, reading
from iamd.store.organization_records import Membership, Organization, PolicyTarget
from iamd.store.report_records import AccessReport

TYPE: Final = "ORGANIZATION"
MAKING_SECONDS: Final = 2
"""How long a report is in progress: as long as AWS's small ones."""

REUSED_SECONDS: Final = 60
"""How long the same question of the same caller gets the same job."""

NAMESPACE_ASCENDING: Final = "SERVICE_NAMESPACE_ASCENDING"
DESCENDING: Final = "_DESCENDING"
BY_TIME: Final = "LAST_AUTHENTICATED_TIME"

GLOBAL_REGIONS: Final[Mapping[str, str]] = {"iam": "us-east-1"}
"""The region that a report gives a service that nobody used."""

NO_ENTITY = (
    "INVALID_ORGANIZATIONS_ENTITY_PATH",
    "The entity with the specified path does not exist in your organization.",
)
NO_POLICY = ("INVALID_ORGANIZATIONS_POLICY", "The policy with the specified ID does not exist in your organization.")
NO_ACCESS = (
    "ORGANIZATIONS_REPORT_ACCESS_DENIED",
    "Requester is not authorized to perform the required AWS Organizations Describe* and List* actions.",
)

READ: Final = (
    "DescribeAccount", "DescribeOrganization", "DescribeOrganizationalUnit", "DescribePolicy", "ListChildren",
    "ListParents", "ListPolicies", "ListPoliciesForTarget", "ListRoots", "ListTargetsForPolicy",
)  # fmt: skip
"""What the caller may have to ask of Organizations.

AWS: IAM User Guide, "View last accessed information for Organizations" (access_policies_last-accessed-view-data-orgs).
"""


@dataclass(frozen=True, slots=True)
class Made:
    """What a job comes to: the entries, or an error."""

    content: bytes = b""
    error: tuple[str, str] | None = None


def report(call: Call, *, entity_path: str, organizations_policy_id: str | None = None) -> Target:
    """The report of this path, which is a resource of its own."""
    named = {"iam:organizationspolicyid": organizations_policy_id} if organizations_policy_id is not None else {}
    return Target(arn=f"arn:{arn.PARTITION}:iam::{call.account.id}:access-report/{entity_path}", context=named)


def _make(call: Call, *, entity_path: str, organizations_policy_id: str | None = None) -> Made | None:
    organization = _managed(call)
    _check_path(organization, entity_path)
    if _recent(call, _subject(entity_path, organizations_policy_id)) is not None:
        return None
    return _made(call, organization, entity_path, organizations_policy_id)


@operation(on=report, prepare=_make)
def generate_organizations_access_report(
    call: Call, *, entity_path: str, organizations_policy_id: str | None = None
) -> dict[str, Any]:
    """Begin a report of a root, unit or account, or of what one policy does there."""
    organization = _managed(call)
    _check_path(organization, entity_path)
    subject = _subject(entity_path, organizations_policy_id)
    recent = _recent(call, subject)
    if recent is not None:
        return {"JobId": recent.job_id}
    if any(one.type == TYPE and not reported.is_done(call, one) for one in call.account.all(AccessReport)):
        raise ReportGenerationLimitExceeded("The maximum number of concurrent requests for this account are running.")
    made: Made = call.prepared or _made(call, organization, entity_path, organizations_policy_id)
    found = AccessReport(
        job_id=reported.new_job_id(),
        owner=reported.owner_of(call),
        subject=subject,
        type=TYPE,
        created=call.now,
        completed=call.now + MAKING_SECONDS,
        content=made.content,
        error_code=made.error[0] if made.error is not None else None,
        error_message=made.error[1] if made.error is not None else None,
    )
    reported.keep(call, found)
    return {"JobId": found.job_id}


@reading(on=arns.anything)
def get_organizations_access_report(
    call: Call,
    *,
    job_id: str,
    max_items: int | None = None,
    marker: str | None = None,
    sort_key: str = NAMESPACE_ASCENDING,
) -> dict[str, Any]:
    """Show how far a report is, and its services when it is done."""
    _managed(call)
    found = reported.named(call, job_id, types=(TYPE,))
    status = reported.status(call, found)
    if not reported.is_done(call, found):
        return {**status, "IsTruncated": False}
    if found.error_code is not None:
        error = {"Message": found.error_message, "Code": found.error_code}
        return {**status, "IsTruncated": False, "ErrorDetails": error}
    services = reported.unpacked(found)
    places = {one.namespace: f"{place:06d}" for place, one in enumerate(_sorted(services, sort_key))}
    cut, more = page(
        call,
        services,
        key=lambda one: places[one.namespace],
        max_items=max_items,
        marker=marker,
        query=(job_id, sort_key),
    )
    return {
        **status,
        "NumberOfServicesAccessible": len(services),
        "NumberOfServicesNotAccessed": sum(1 for one in services if one.time is None),
        "AccessDetails": [_shown(one) for one in cut],
        **more,
    }


# Who may ask


def _managed(call: Call) -> Organization:
    """The organization that the caller's account manages, with SCPs enabled; AccessDenied for everybody else."""
    organization = entities.organization_in(call)
    # SECURITY: an account's policies don't let it look at its organization.
    if organization is None or not entities.is_management(organization, call.identity.account_id):
        raise AccessDenied("You must use the credentials of your organization's management account.")
    if SERVICE_CONTROL_POLICY not in organization.policy_types:
        raise AccessDenied("Service control policies must be enabled for your organization root.")
    return organization


def _check_path(organization: Organization, entity_path: str) -> None:
    if entity_path.partition("/")[0] != organization.organization_id:
        raise AccessDenied("The organization ID in the specified entity path is different than your organization ID.")


def _may_read(call: Call) -> bool:
    targets = [Target(action=f"organizations:{name}") for name in READ]
    try:
        authorize(
            call.identity,
            call.view,
            targets[0].action or "",
            targets,
            lambda: context.of_request(call.request, call.region, call.now),
            call.now,
            endpoint=vpc_endpoints.of(call.request, call.identity),
        )
    except Denied:
        return False
    return True


def _subject(entity_path: str, policy_id: str | None) -> str:
    return entity_path if policy_id is None else f"{entity_path} {policy_id}"


def _recent(call: Call, subject: str) -> AccessReport | None:
    own = call.account.find(AccessReport, "owner", reported.owner_of(call))
    fitting = (one for one in own if (one.type, one.subject) == (TYPE, subject))
    return next((one for one in fitting if call.now < one.created + REUSED_SECONDS), None)


# What is reported on


def _made(call: Call, organization: Organization, entity_path: str, policy_id: str | None) -> Made:
    if not _may_read(call):
        return Made(error=NO_ACCESS)
    targets = _targets(call, organization, entity_path)
    if targets is None:
        return Made(error=NO_ENTITY)
    shared = call.view.shared
    if policy_id is not None and _scp(call, organization, policy_id) is None:
        return Made(error=NO_POLICY)
    members = [one for one in entities.accounts_of(shared, organization) if _is_below(call, one, targets[-1])]
    if entities.is_management(organization, targets[-1].key):
        levels: list[list[Policy]] = []
    else:
        members = [one for one in members if not entities.is_management(organization, one.account_id)]
        levels, members = _selected(call, organization, targets, members, policy_id)
    used = {one.account_id: activity.accesses(call, one.account_id) for one in members}
    paths = {one.account_id: _path(call, one) for one in members}
    everything = potential_access.services(levels)
    return Made(reported.packed([_entry(reference, used, paths) for reference, _ in everything]))


def _selected(
    call: Call,
    organization: Organization,
    targets: Sequence[PolicyTarget],
    members: list[Membership],
    policy_id: str | None,
) -> tuple[list[list[Policy]], list[Membership]]:
    """The SCPs that count, level by level, and the accounts whose use does."""
    if policy_id is None:
        return [_attached(call, organization, target) for target in targets], members
    policy = _scp(call, organization, policy_id)
    if policy is None:
        raise LookupError(policy_id)
    # AWS: accounts that the policy is attached to within the entity, or to something above them there.
    bound = [one for one in members if _is_bound(call, one, targets[-1], policy_id)]
    return [[policy]], bound


def _targets(call: Call, organization: Organization, entity_path: str) -> list[PolicyTarget] | None:
    """What stands on a path, from the root down; None when it is not there so."""
    _, root_id, *below = entity_path.split("/")
    if root_id != organization.root_id:
        return None
    found: list[PolicyTarget] = [organization]
    parent_id = root_id
    for one in below:
        thing = entities.target_in(call.view.shared, organization, one)
        if thing is None or isinstance(thing, Organization) or thing.parent_id != parent_id:
            return None
        found.append(thing)
        parent_id = one
    return found


def _above(call: Call, member: Membership) -> list[PolicyTarget]:
    return organizations.levels(member, call.view.shared)


def _is_below(call: Call, member: Membership, target: PolicyTarget) -> bool:
    return any(one.key == target.key for one in _above(call, member))


def _is_bound(call: Call, member: Membership, target: PolicyTarget, policy_id: str) -> bool:
    above = _above(call, member)
    start = next(place for place, one in enumerate(above) if one.key == target.key)
    return any(policy_id in one.attached_policies for one in above[start:])


def _attached(call: Call, organization: Organization, target: PolicyTarget) -> list[Policy]:
    found = (_scp(call, organization, policy_id) for policy_id in target.attached_policies)
    return [policy for policy in found if policy is not None]


def _scp(call: Call, organization: Organization, policy_id: str) -> Policy | None:
    found = entities.policy_in(call.view.shared, organization, policy_id)
    if found is None or found.type != SERVICE_CONTROL_POLICY:
        return None
    return load(found.content, PolicyType.SCP)


def _path(call: Call, member: Membership) -> str:
    return f"{organizations.path_of(_above(call, member))}{member.account_id}"


# What it says


def _entry(reference: ServiceReference, used: Mapping[str, Accesses], paths: Mapping[str, str]) -> ReportedService:
    lasts = [(account_id, found.newest.get(reference.prefix)) for account_id, found in used.items()]
    newest = sorted(
        ((access, account_id) for account_id, access in lasts if access is not None),
        key=lambda one: (-one[0].time, one[1]),
    )
    name = potential_access.display_name(reference)
    if not newest:
        return ReportedService(reference.prefix, name, region=GLOBAL_REGIONS.get(reference.prefix))
    last, account_id = newest[0]
    return ReportedService(reference.prefix, name, last.time, paths[account_id], last.where, len(newest))


def _sorted(services: Sequence[ReportedService], sort_key: str) -> list[ReportedService]:
    """The services as they are asked for; those that nobody used are older than all others."""
    descends = sort_key.endswith(DESCENDING)
    if sort_key.startswith(BY_TIME):
        return sorted(services, key=lambda one: (one.time or 0, one.namespace), reverse=descends)
    return sorted(services, key=lambda one: one.namespace, reverse=descends)


def _shown(service: ReportedService) -> dict[str, Any]:
    return {
        "ServiceName": service.name,
        "ServiceNamespace": service.namespace,
        **reported.present(
            Region=service.region,
            EntityPath=service.entity,
            LastAuthenticatedTime=reported.seconds(service.time),
        ),
        "TotalAuthenticatedEntities": service.total,
    }
