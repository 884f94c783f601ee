"""Access advisor: when a user, group, role or policy was last used to ask for what it may let use.

AWS: IAM API Reference, GenerateServiceLastAccessedDetails, GetServiceLastAccessedDetails and
GetServiceLastAccessedDetailsWithEntities; which services and actions stand in a report, the members of unused ones and
pages are those of AWS's recorded answers (September 2026).
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from msgspec.structs import replace

from iamd.authz import policies
from iamd.call import Call
from iamd.data import service_reference
from iamd.data.service_reference import ServiceReference
from iamd.policy.document import Policy, PolicyType, load
from iamd.services.iam import accesses as activity
from iamd.services.iam import arns, entities, potential_access, reported, simulated_callers
from iamd.services.iam.accesses import Accesses
from iamd.services.iam.errors import InvalidInput, NoSuchEntity
from iamd.services.iam.reported import ReportedAction, ReportedService
from iamd.services.iam.tracked_actions import is_tracked
from iamd.services.paging import page
from iamd.services.registry import Target, operation, reading
from iamd.store.log import Access
from iamd.store.records import Group, Role, User
from iamd.store.report_records import AccessReport

SERVICE_LEVEL: Final = "SERVICE_LEVEL"
ACTION_LEVEL: Final = "ACTION_LEVEL"
LEVELS: Final = (SERVICE_LEVEL, ACTION_LEVEL)

SERVICES_ON_A_PAGE: Final = 200
"""What a page has when it is not said; AWS's page says 100, and its answers have 200."""

LATEST: Final = 10**12
"""Later than every time, to count back from."""

_POLICY: Final = re.compile(r"arn:aws:iam::(?:[0-9]{12}|aws):policy/.+", re.ASCII | re.DOTALL)

Entity = User | Role


def subject(call: Call, *, arn: str, **_: Any) -> Target:
    """The user, group, role or policy that is reported on."""
    if _POLICY.fullmatch(arn):
        return replace(arns.policy(call, policy_arn=arn), shown=None)
    return simulated_callers.simulated(call, policy_source_arn=arn)


def _report(call: Call, *, arn: str, granularity: str = SERVICE_LEVEL) -> bytes:
    found, bearers = _policies(call, arn)
    used = activity.accesses(call, call.account.id)
    services = potential_access.services([found])
    with_actions = granularity == ACTION_LEVEL
    return reported.packed([_entry(call, one, names, bearers, used, with_actions) for one, names in services])


@operation(on=subject, prepare=_report)
def generate_service_last_accessed_details(call: Call, *, arn: str, granularity: str = SERVICE_LEVEL) -> dict[str, Any]:
    """Make a report of when each service, and each action of it, was last asked for; it is there at once."""
    _policies(call, arn)
    report = AccessReport(
        job_id=reported.new_job_id(),
        owner=reported.owner_of(call),
        subject=arn,
        type=granularity,
        created=call.now,
        completed=call.now,
        content=call.prepared,
    )
    reported.keep(call, report)
    return {"JobId": report.job_id}


@reading(on=arns.anything)
def get_service_last_accessed_details(
    call: Call, *, job_id: str, max_items: int | None = None, marker: str | None = None
) -> dict[str, Any]:
    """Show a report's services by namespace, each with its last use by anybody that it is of."""
    report = reported.named(call, job_id, types=LEVELS)
    cut, more = page(
        call,
        reported.unpacked(report),
        key=lambda one: one.namespace,
        max_items=max_items or SERVICES_ON_A_PAGE,
        marker=marker,
        query=(job_id,),
    )
    return {
        **reported.status(call, report),
        "JobType": report.type,
        "ServicesLastAccessed": [_shown(service) for service in cut],
        **more,
    }


@reading(on=arns.anything)
def get_service_last_accessed_details_with_entities(
    call: Call, *, job_id: str, service_namespace: str, max_items: int | None = None, marker: str | None = None
) -> dict[str, Any]:
    """Show the users and roles that may use a service by what a report is of; who used it last stands first."""
    report = reported.named(call, job_id, types=LEVELS)
    reference = service_reference.service(service_namespace)
    if reference is None or reference.prefix != service_namespace:
        # AWS's own spelling.
        raise InvalidInput(f"Service namepace {service_namespace} is either invalid or unsupported.")
    services = [service for service in reported.unpacked(report) if service.namespace == service_namespace]
    listed = [(_entity(call, key), time) for service in services for key, time in service.entities]
    cut, more = page(
        call,
        [(entity, time) for entity, time in listed if entity is not None],
        key=lambda one: _place(call, *one),
        max_items=max_items,
        marker=marker,
        query=(job_id, service_namespace),
    )
    details = [{"EntityInfo": _info(call, entity), **_when(time)} for entity, time in cut]
    return {**reported.status(call, report), "EntityDetailsList": details, **more}


# What a report is of


def _policies(call: Call, arn: str) -> tuple[list[Policy], list[Entity]]:
    """The policies whose use is reported, and the users and roles that have them."""
    if _POLICY.fullmatch(arn):
        return _of_managed(call, arn)
    if simulated_callers.is_none(arn):
        raise InvalidInput(f"ARN {arn} is not valid.")
    entity = simulated_callers.source(call, arn)
    if simulated_callers.caller_from(call.account, entity).arn != arn:
        raise NoSuchEntity(f"ARN {arn} cannot be found.")
    found = [load(source.text, PolicyType.IDENTITY) for source in policies.sources(call.account, entity)]
    bearers: list[Entity] = call.account.find(User, "group", entity.key) if isinstance(entity, Group) else [entity]
    return found, bearers


def _of_managed(call: Call, arn: str) -> tuple[list[Policy], list[Entity]]:
    entities.named_policy(call, arn)
    account = call.account
    users = {user.key: user for user in account.find(User, "policy", arn)}
    for group in account.find(Group, "policy", arn):
        users |= {user.key: user for user in account.find(User, "group", group.key)}
    text = policies.document_of(account, arn)
    return [load(text, PolicyType.IDENTITY)], [*users.values(), *account.find(Role, "policy", arn)]


# What it says


def _entry(
    call: Call,
    reference: ServiceReference,
    names: Sequence[str],
    bearers: Sequence[Entity],
    used: Accesses,
    with_actions: bool,
) -> ReportedService:
    by_id = {bearer.key: bearer for bearer in bearers}
    found = used.service(reference.prefix, by_id)
    times = {access.who: access.time for access in found}
    last = found[0] if found else None
    tracked = [name for name in names if is_tracked(reference, name)] if with_actions else []
    return ReportedService(
        namespace=reference.prefix,
        name=potential_access.display_name(reference),
        time=last.time if last else None,
        entity=_arn(call, by_id[last.who]) if last else None,
        region=last.where if last else None,
        total=len(found),
        actions=tuple(_action(call, name, used.action(f"{reference.prefix}:{name}", by_id), by_id) for name in tracked),
        entities=tuple((key, times.get(key)) for key in by_id),
    )


def _action(call: Call, name: str, found: Sequence[Access], by_id: dict[str, Entity]) -> ReportedAction:
    if not found:
        return ReportedAction(name)
    last = found[0]
    return ReportedAction(name, last.time, _arn(call, by_id[last.who]), last.where)


def _shown(service: ReportedService) -> dict[str, Any]:
    actions = [_shown_action(action) for action in service.actions]
    return {
        "ServiceName": service.name,
        "ServiceNamespace": service.namespace,
        **reported.present(
            LastAuthenticated=reported.seconds(service.time),
            LastAuthenticatedEntity=service.entity,
            LastAuthenticatedRegion=service.region,
        ),
        "TotalAuthenticatedEntities": service.total,
        **({"TrackedActionsLastAccessed": actions} if actions else {}),
    }


def _shown_action(action: ReportedAction) -> dict[str, Any]:
    return {
        "ActionName": action.name,
        **reported.present(
            LastAccessedTime=reported.seconds(action.time),
            LastAccessedEntity=action.entity_arn,
            LastAccessedRegion=action.region,
        ),
    }


def _entity(call: Call, key: str) -> Entity | None:
    """The user or role of a unique id, as it is now; None when it is gone."""
    return call.account.get(User, key) or call.account.get(Role, key)


def _place(call: Call, entity: Entity, time: int | None) -> str:
    """Where an entity stands: by its last use, users before roles, by ARN."""
    return f"{LATEST - (time or 0):013d} {isinstance(entity, Role):d} {_arn(call, entity)}"


def _arn(call: Call, entity: Entity) -> str:
    return simulated_callers.caller_from(call.account, entity).arn


def _info(call: Call, entity: Entity) -> dict[str, Any]:
    return {
        "Arn": _arn(call, entity),
        "Name": policies.name(entity),
        "Type": entity.kind.upper(),
        "Id": entity.key,
        "Path": entity.path,
    }


def _when(time: int | None) -> dict[str, Any]:
    return reported.present(LastAuthenticated=reported.seconds(time))
