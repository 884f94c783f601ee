"""Which policies of a user, group or role let it use a service."""

from collections.abc import Iterable, Sequence
from typing import Any

from iamd.authz import policies
from iamd.authz.policies import Source
from iamd.call import Call
from iamd.data import service_reference
from iamd.data.service_reference import ServiceReference
from iamd.policy.document import Effect, Policy, PolicyType, load
from iamd.services.iam import simulated_callers
from iamd.services.iam.errors import InvalidInput, NoSuchEntity
from iamd.services.paging import page
from iamd.services.registry import Target, reading
from iamd.store.records import Group, Role, User

Granting = list[dict[str, Any]]


def bearer(call: Call, *, arn: str, **_: Any) -> Target:
    """The user, group or role whose policies are asked for."""
    return simulated_callers.simulated(call, policy_source_arn=arn)


def _granted(call: Call, *, arn: str, service_namespaces: Sequence[str], marker: str | None = None) -> Granting:
    """An entry for each service, in the order in which they are asked for; each policy is read once for each."""
    services = [_service(namespace) for namespace in dict.fromkeys(service_namespaces)]
    found = [(source, load(source.text, PolicyType.IDENTITY)) for source in _sources(call, arn)]
    return [
        {
            "ServiceNamespace": service.prefix,
            "Policies": [_shown(source) for source, policy in found if _grants(policy, service)],
        }
        for service in services
    ]


@reading(on=bearer, prepare=_granted)
def list_policies_granting_service_access(
    call: Call, *, arn: str, service_namespaces: Sequence[str], marker: str | None = None
) -> dict[str, Any]:
    """List, for each service, the policies that allow some action of it; no other kind of policy has a say.

    AWS: IAM API Reference, ListPoliciesGrantingServiceAccess: a user's list has those of its groups, a group's and a
    role's their own.
    """
    entries: Granting = call.prepared
    places = {entry["ServiceNamespace"]: f"{place:03d}" for place, entry in enumerate(entries)}
    cut, more = page(
        call,
        entries,
        key=lambda entry: places[entry["ServiceNamespace"]],
        max_items=None,
        marker=marker,
        query=(arn, *service_namespaces),
    )
    return {"PoliciesGrantingServiceAccess": cut, **more}


def _service(namespace: str) -> ServiceReference:
    """The service of a namespace, which is the prefix of its actions, in small letters."""
    found = service_reference.service(namespace)
    if found is None or found.prefix != namespace:
        raise InvalidInput(f"Invalid service namespace: [{namespace}]")
    return found


def _sources(call: Call, entity_arn: str) -> list[Source]:
    """The policies of the entity of exactly this ARN, managed ones first."""
    entity = simulated_callers.source(call, entity_arn)
    if simulated_callers.caller_from(call.account, entity).arn != entity_arn:
        raise NoSuchEntity("Unable to retrieve specified IAM entity.")
    return sorted(policies.sources(call.account, entity), key=lambda source: source.arn is None)


def _grants(policy: Policy, service: ServiceReference) -> bool:
    """Whether a statement allows some action of the service, on whatever resource and condition."""
    actions: Iterable[str] = (f"{service.prefix}:{name}" for name in service.actions)
    return any(statement.effect is Effect.ALLOW for action in actions for statement in policy.fitting(action))


def _shown(source: Source) -> dict[str, str]:
    if source.arn is not None:
        return {"PolicyName": source.policy_name, "PolicyType": "MANAGED", "PolicyArn": source.arn}
    return {
        "PolicyName": source.policy_name,
        "PolicyType": "INLINE",
        "EntityType": ENTITY_TYPES[type(source.bearer)],
        "EntityName": policies.name(source.bearer),
    }


ENTITY_TYPES: dict[type, str] = {User: "USER", Group: "GROUP", Role: "ROLE"}
