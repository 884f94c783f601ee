"""What Organizations' operations touch: the ARN of each thing, and the condition keys that belong to it.

The keys of each action are those of the Service Authorization Reference, "Actions, resources, and condition keys for
AWS Organizations". What does not exist in the caller's organization has no ARN: only policies for `*` apply. What a
request would make has no id yet, and stands there as `*` in the place of it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from iamd.authz.context import resource_tags
from iamd.call import Call
from iamd.data.organization_policies import ManagedOrganizationPolicy
from iamd.services.organizations import entities, invitations
from iamd.services.organizations.entities import AnyPolicy
from iamd.services.registry import Target
from iamd.store.organization_records import Handshake, Organization

Context = dict[str, str | tuple[str, ...]]

POLICY_TYPE = "organizations:policytype"
SERVICE_PRINCIPAL = "organizations:serviceprincipal"
TAG_RESOURCE = "organizations:TagResource"


def nothing(_call: Call, **_: Any) -> Target:
    """An operation that touches no resource."""
    return Target()


def service(_call: Call, *, service_principal: str | None = None, **_: Any) -> Target:
    """The service that is named, which is a condition key and no resource."""
    return Target(context=_serviced(service_principal))


def policy_type(_call: Call, *, filter: str, **_: Any) -> Target:
    """The policy type that is listed, which is a condition key and no resource."""
    return Target(context={POLICY_TYPE: filter})


def account(call: Call, *, account_id: str, service_principal: str | None = None, **_: Any) -> Target:
    """The account of this number."""
    return _thing(call, account_id, _serviced(service_principal))


def unit(call: Call, *, organizational_unit_id: str, **_: Any) -> Target:
    """The organizational unit of this id."""
    return _thing(call, organizational_unit_id)


def parent(call: Call, *, parent_id: str, **_: Any) -> Target:
    """The root or unit of this id."""
    return _thing(call, parent_id)


def child(call: Call, *, child_id: str, **_: Any) -> Target:
    """The unit or account of this id."""
    return _thing(call, child_id)


def root(call: Call, *, root_id: str, policy_type: str, **_: Any) -> Target:
    """The root of this id, with the policy type that is enabled or disabled in it."""
    return _thing(call, root_id, {POLICY_TYPE: policy_type})


def target(call: Call, *, target_id: str, filter: str, **_: Any) -> Target:
    """The root, unit or account of this id, with the policy type that is listed."""
    return _thing(call, target_id, {POLICY_TYPE: filter})


def policy(call: Call, *, policy_id: str, **_: Any) -> Target:
    """The policy of this id."""
    return _policy(call, policy_id)


def attached(call: Call, *, policy_id: str, target_id: str) -> Sequence[Target]:
    """The policy, and what it is attached to or detached from."""
    found = _policy(call, policy_id)
    return (found, _thing(call, target_id, dict(found.context) if POLICY_TYPE in found.context else {}))


def handshake(call: Call, *, handshake_id: str) -> Target:
    """The handshake of this id, if the caller's account has to do with it."""
    found = call.view.shared.get(Handshake, handshake_id)
    if found is None or not invitations.concerns(call, found):
        return Target()
    return Target(arn=invitations.arn_of(found))


def accepted(call: Call, *, handshake_id: str) -> Sequence[Target]:
    """The handshake that is accepted; who is in another organization leaves it, and must be allowed to."""
    found = handshake(call, handshake_id=handshake_id)
    # SECURITY: an organization that lets no account leave is not left by accepting another's invitation.
    named = call.view.shared.get(Handshake, handshake_id)
    is_invitation = named is not None and named.action == invitations.INVITE
    is_leaving = is_invitation and entities.organization_in(call) is not None
    return (found, Target(action="organizations:LeaveOrganization")) if is_leaving else (found,)


def invited(call: Call, *, target: Mapping[str, str], **parameters: Any) -> Sequence[Target]:
    """The account that is invited, where it is told by its number."""
    organization = entities.organization_in(call)
    is_named = organization is not None and target.get("Type") == invitations.ACCOUNT
    resource = entities.account_arn(organization, target["Id"]) if organization is not None and is_named else "*"
    return _with_tags(call, Target(arn=resource), "account/{organization}/*", parameters)


def moved(call: Call, *, account_id: str, source_parent_id: str, destination_parent_id: str) -> Sequence[Target]:
    """The account, where it is, and where it is to be."""
    return tuple(_thing(call, thing) for thing in (account_id, source_parent_id, destination_parent_id))


def tagged(call: Call, *, resource_id: str, **_: Any) -> Target:
    """Whatever has tags: a root, a unit, an account or a policy."""
    return _policy(call, resource_id) if resource_id.startswith("p-") else _thing(call, resource_id)


def new_account(call: Call, **parameters: Any) -> Sequence[Target]:
    """The account that the request would create, which is no resource of CreateAccount."""
    return _with_tags(call, Target(), "account/{organization}/*", parameters)


def new_unit(call: Call, *, parent_id: str, **parameters: Any) -> Sequence[Target]:
    """Where the request would create a unit."""
    return _with_tags(call, _thing(call, parent_id), "ou/{organization}/ou-*", parameters)


def new_policy(call: Call, **parameters: Any) -> Sequence[Target]:
    """The policy that the request would create."""
    policy_type = parameters["type"]
    resource = f"policy/{{organization}}/{policy_type.lower()}/p-*"
    made = Target(arn=_new(call, resource), context={POLICY_TYPE: policy_type})
    return _with_tags(call, made, resource, parameters)


def _with_tags(call: Call, made: Target, resource: str, parameters: dict[str, Any]) -> Sequence[Target]:
    # AWS: "If the request includes tags, then the requester must have the organizations:TagResource permission"
    # (Organizations API Reference, CreateAccount, CreateOrganizationalUnit, CreatePolicy).
    if not parameters.get("tags"):
        return (made,)
    return (made, Target(arn=_new(call, resource), action=TAG_RESOURCE, context=made.context))


def _new(call: Call, resource: str) -> str:
    organization = entities.organization_in(call)
    if organization is None:
        return "*"
    return entities.organizations_arn(organization, resource.format(organization=organization.organization_id))


def _thing(call: Call, thing_id: str, context: Context | None = None) -> Target:
    keys: Context = context or {}
    organization = entities.organization_in(call)
    if organization is None:
        return Target(context=keys)
    found = entities.target_in(call.view.shared, organization, thing_id)
    if found is None:
        return Target(context=keys)
    return Target(arn=entities.target_arn(organization, found), context={**resource_tags(found.tags), **keys})


def _policy(call: Call, policy_id: str) -> Target:
    organization = entities.organization_in(call)
    found = entities.policy_in(call.view.shared, organization, policy_id) if organization is not None else None
    if organization is None or found is None:
        return Target()
    return _of_policy(organization, found)


def _of_policy(organization: Organization, found: AnyPolicy) -> Target:
    tags = () if isinstance(found, ManagedOrganizationPolicy) else found.tags
    return Target(
        arn=entities.policy_arn(organization, found), context={**resource_tags(tags), POLICY_TYPE: found.type}
    )


def _serviced(service_principal: str | None) -> Context:
    return {SERVICE_PRINCIPAL: service_principal} if service_principal is not None else {}
