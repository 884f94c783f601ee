"""Why a request was decided as it was, and how one would be."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec
from msgspec.structs import replace

from iamd import arn, policy_places
from iamd.auth import credentials
from iamd.auth.identity import Identity, root_user
from iamd.authz import (
    acls,
    context,
    explanations,
    kms_grants,
    organizations,
    owners_only,
    policies,
    public_access,
    vpc_endpoints,
)
from iamd.authz.authorize import Verdict, decided, principal_of
from iamd.authz.context import Context
from iamd.authz.explanations import noted_context
from iamd.authz.partly_known import NONE, PartlyKnown, Unknowns
from iamd.authz.regions import region_of
from iamd.call import Call
from iamd.data import service_reference
from iamd.errors import AWSError, Common, CommonError
from iamd.own_services import OWN_SERVICES
from iamd.policy.document import Policy, PolicyType, load
from iamd.policy.evaluate import Layers
from iamd.policy.lint import global_keys
from iamd.policy.request import PrincipalKind, Request, lower
from iamd.services.iam import entities, role_templates, simulated_callers
from iamd.services.registry import Target, reading
from iamd.store.account import Account
from iamd.store.errors import Unavailable
from iamd.store.records import Resource, Role, User
from iamd.vpc_endpoint import VpcEndpoint

SESSION_NAME = "iamd-can"
_NETWORK: Final = frozenset({"aws:sourcevpc", "aws:sourcevpcarn", "aws:sourcevpce", "aws:vpcsourceip"})
_KEPT: Final = owners_only.WITHOUT_POLICY | owners_only.WITH_OWN_ERROR


class NoSuchRequest(AWSError):
    """No event of this request id is in the caller's account."""

    code = "NoSuchRequest"


class InvalidResource(AWSError):
    """What is asked about is no resource."""

    code = "InvalidResource"


class NoSuchPrincipal(AWSError):
    """No user, role or account of this ARN is on this server."""

    code = "NoSuchPrincipal"


def nothing(_call: Call, **_parameters: Any) -> Target:
    """An operation that touches no resource."""
    return Target()


@reading(on=nothing, is_long=True)
def explain(call: Call, *, request_id: str) -> dict[str, Any]:
    """Show what was decided when a request was made, and by which statements."""
    # While nothing can be stored, what was stored is still told.
    with suppress(Unavailable):
        call.store.flush()
    found = call.store.by_request_id(request_id, call.identity.account_id)
    if not found:
        raise NoSuchRequest(f"No request {request_id} is recorded in this account.")
    record = msgspec.json.decode(found[-1].document)
    shown = {
        "RequestId": request_id,
        "EventTime": datetime.fromisoformat(record["eventTime"]),
        "PrincipalArn": _who(record["userIdentity"]),
        "EventSource": record["eventSource"],
        "EventName": record["eventName"],
        "ErrorCode": record.get("errorCode"),
        "ErrorMessage": record.get("errorMessage"),
        "Revision": record["iamd"]["revision"],
        "Decisions": [
            told({**decision, "context": noted_context(decision, record)}) for decision in record["iamd"]["decisions"]
        ],
    }
    return {name: value for name, value in shown.items() if value is not None}


def _who(identity: Mapping[str, Any]) -> str:
    found: str = identity.get("arn") or identity.get("invokedBy") or "anonymous"
    return found


def told(decision: Mapping[str, Any]) -> dict[str, Any]:
    """A decision as the API has it; a record of an older iamd lacks some of its members."""
    shown = {
        "Action": decision["action"],
        "Resource": decision["resource"],
        "Outcome": decision["outcome"],
        "Layer": decision["layer"],
        "Message": decision.get("message", ""),
        "Statements": [_statement(one) for one in decision["statements"]],
        "Context": {key: [value] if isinstance(value, str) else value for key, value in decision["context"].items()},
    }
    if "nearMisses" in decision:
        shown["NearMisses"] = [_near_miss(one) for one in decision["nearMisses"]]
        shown["MissingKeys"] = decision["missingKeys"]
        shown["UnknownKeys"] = decision.get("unknownKeys", [])
        shown["Layers"] = [_layer(one) for one in decision["layers"]]
    return shown


def _layer(one: Mapping[str, Any]) -> dict[str, Any]:
    return {"Layer": one["layer"], "Outcome": one["outcome"], "Policies": one["policies"]}


def shown_statement(one: Mapping[str, Any]) -> dict[str, Any]:
    """A statement as the API has it."""
    named = {"Layer": "layer", "Policy": "policy", "Index": "index", "Sid": "sid"}
    placed = {"Effect": "effect", "Line": "line", "Column": "column"}
    return {name: one[member] for name, member in (named | placed).items() if member in one}


def _statement(one: Mapping[str, Any]) -> dict[str, Any]:
    return _near_miss(one) if one.get("conditions") else shown_statement(one)


def _near_miss(one: Mapping[str, Any]) -> dict[str, Any]:
    conditions = [
        {"Operator": failed["operator"], "Key": failed["key"], "Values": failed["values"], "Found": failed["found"]}
        for failed in one["conditions"]
    ]
    return shown_statement(one) | {"Conditions": conditions}


@reading(on=nothing)
def can(
    call: Call,
    *,
    principal_arn: str,
    action: str,
    resource_arn: str,
    context: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """Decide a request that nobody made, by the same functions that decide those that are made."""
    imagined = Imagined(call, action, resource_arn, context)
    verdict = imagined.by(_identity(call, principal_arn))
    shown = told(explanations.explained(verdict, call.view))
    return {"Allowed": verdict.decision.allowed, "Decision": shown | {"Action": action, "Resource": resource_arn}}


class Supposed(NamedTuple):
    """What is known of callers who stand for many, or of whom an account tells nothing.

    Their own layers, their condition keys, and the keys, or beginnings of keys, whose values are not known.
    """

    layers: Layers
    keys: Context
    unknown: tuple[str, ...]


class Imagined:
    """A request that nobody made: CommonError for an action that AWS has not, InvalidResource for no resource."""

    def __init__(
        self, call: Call, action: str, resource_arn: str, context: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        _check_action(action)
        self._call = call
        self.action = _canonical(action)
        self._action = action
        self._target, self._known = _target(call, resource_arn, action)
        self._given = {lower(key): values for key, values in (context or {}).items()}
        self._endpoint = _endpoint(call, action, self._given)

    @property
    def owner(self) -> str | None:
        """The account that has the resource, as far as that is known."""
        return self._target.account

    @property
    def policies(self) -> tuple[Policy, ...]:
        """The resource's own policies, its grants among them."""
        kind = PolicyType.TRUST if self._target.trust else PolicyType.RESOURCE
        return tuple(load(text, kind) for text in self._target.policies)

    @property
    def acls(self) -> tuple[acls.Acl, ...]:
        """The access control lists of a bucket, each of which must give what is asked for."""
        known = self._known
        return acls.of_bucket(known.facts) if known is not None and acls.may_have_acls(known.facts) else ()

    def by(self, identity: Identity, supposed: Supposed | None = None) -> Verdict:
        """The verdict on it if this caller made it; of whom no more is known than what is `supposed`."""
        call, action, known, endpoint = self._call, self._action, self._known, self._endpoint
        target = self._target
        if known is not None:
            opened = _listed(call, identity, _restricted(call, identity, target, known), known)
            target = owners_only.closed(opened, identity, self.action, _KEPT)
        asked = _asked(call, identity, action, target, self._given, endpoint, supposed)
        own = policies.of_caller(identity, call.view) if supposed is None else supposed.layers
        standing = organizations.standing_of(asked.resource_account, call.view)
        layers = policies.with_target(own, target, asked, identity, call.view, standing)
        return decided(identity, call.view, asked, layers, endpoint=endpoint)


def _check_action(action: str) -> None:
    """Refuse an action that nobody can ask for: `*` in a policy would allow it, and who mistyped would not see it."""
    prefix, _, name = action.partition(":")
    reference = service_reference.service(prefix.lower())
    if prefix.lower() == "iamd" or (reference is not None and reference.action(name) is not None):
        return
    near = reference.nearest(name) if reference is not None else None
    way_out = f"; did you mean `{prefix.lower()}:{near.name}`?" if near is not None else ""
    raise CommonError(Common.VALIDATION, f"AWS has no action `{action}`{way_out}")


def _endpoint(call: Call, action: str, given: Mapping[str, Sequence[str]]) -> VpcEndpoint | None:
    """The VPC endpoint that the context names, where it is one for the action's service."""
    named = given.get("aws:sourcevpce", ())
    found = call.vpc_endpoint(named[0], lower(action).partition(":")[0]) if len(named) == 1 else None
    # SECURITY: what another account's endpoint lets through is not told to who does not come through it.
    return found if found is not None and found.account == call.identity.account_id else None


def _asked(
    call: Call,
    identity: Identity,
    action: str,
    target: Target,
    given: Mapping[str, Sequence[str]],
    endpoint: VpcEndpoint | None,
    supposed: Supposed | None,
) -> Request:
    owner = target.account or identity.account_id
    parsed = arn.parse(target.arn)
    named = parsed.region if parsed is not None else ""
    region = named or region_of(lower(action).partition(":")[0], call.region)
    unknown = () if supposed is None else supposed.unknown
    keys = PartlyKnown(lambda arn, _: _unknown(arn, unknown), target.arn, action)
    keys.update(context.of_request(call.request, region, call.now, by_service=identity.service is not None))
    keys.update(context.of_caller(identity, call.view, call.now) if supposed is None else supposed.keys)
    keys.update(target.context)
    keys.update(organizations.of_target(target, owner, organizations.standing_of(owner, call.view)))
    if lower(action).startswith("kms:") and "aws:principalaccount" in keys:
        keys["kms:calleraccount"] = keys["aws:principalaccount"]
    if not _NETWORK.isdisjoint(given):
        # AWS: what comes through a VPC endpoint has none (reference_policies_condition-keys, aws:SourceIp).
        keys.pop("aws:sourceip", None)
    if endpoint is not None:
        keys |= {"aws:sourcevpc": endpoint.vpc, **vpc_endpoints.of_action(endpoint, action, call.view)}
    for key, values in given.items():
        keys[key] = values[0] if len(values) == 1 and not _is_multivalued(key) else tuple(values)
    return Request(principal_of(identity), action, target.arn, owner, keys)


def _is_multivalued(key: str) -> bool:
    """Whether requests have a list for a key, though of one value."""
    known = global_keys.global_key(key)
    if known is not None:
        return known.type.startswith("ArrayOf")
    reference = service_reference.service(key.partition(":")[0])
    of_service = reference.condition_key(key) if reference is not None else None
    return of_service is not None and of_service.multivalued


def user_identity(account: Account, user: User) -> Identity:
    """A user as a caller."""
    named = entities.user_arn(account, user)
    return Identity(PrincipalKind.USER, account.id, named, user.user_id, user.user_id, named, user.user_name)


def no_arn(call: Call, text: str) -> NoSuchPrincipal:
    """The error for what names nobody."""
    example = arn.iam(call.account.id, "user", "/", "NAME")
    return NoSuchPrincipal(f"`{text}` is no ARN, as `{example}` is one.")


def _identity(call: Call, principal_arn: str) -> Identity:
    """The user, role, session of a role, or root user of an ARN; a role stands for a session of it."""
    parsed = arn.parse(principal_arn)
    if parsed is None:
        raise no_arn(call, principal_arn)
    account = call.view.account(parsed.account)
    # SECURITY: an account's policies are its own: nobody asks about another account's principals.
    if account is None or account.id != call.identity.account_id:
        raise NoSuchPrincipal(f"No principal {principal_arn} is in this account.")
    if principal_arn == arn.root(account.id):
        return root_user(account.id)
    for user in account.all(User):
        if entities.user_arn(account, user) == principal_arn:
            return user_identity(account, user)
    if parsed.service == "sts":
        # As denials name their callers.
        _, name, session = [*parsed.resource.split("/", 2), "", ""][:3]
        role = entities.role_in(account, name)
        if role is not None and session and f"assumed-role/{role.role_name}/{session}" == parsed.resource:
            return credentials.session_now(account, role, session, call.now)
    for role in account.all(Role):
        if entities.role_arn(account, role) == principal_arn:
            return credentials.session_now(account, role, SESSION_NAME, call.now)
    raise NoSuchPrincipal(f"No principal {principal_arn} is in this account.")


def _target(call: Call, resource_arn: str, action: str) -> tuple[Target, Resource | None]:
    """The resource with what iamd knows of it: tags of IAM's own, a role's trust policy, the policy of a backend's.

    And the record of a backend's resource, by which its policy may do less for some callers.
    """
    parsed = arn.parse(resource_arn)
    if parsed is None:
        if resource_arn != "*":
            raise InvalidResource(f"`{resource_arn}` is no ARN, and not `*`.")
        return _of_account(call, action), None
    account = call.view.account(parsed.account)
    if account is not None and action.lower().startswith("sts:") and parsed.resource.startswith("role/"):
        trusts = [role.trust_policy for role in account.all(Role) if entities.role_arn(account, role) == resource_arn]
        return Target(arn=resource_arn, account=account.id, policies=tuple(trusts), trust=True), None
    if account is not None and account.id == call.account.id and parsed.service == "iam":
        return simulated_callers.simulated(call, policy_source_arn=resource_arn), None
    place = _place_of_policies(parsed)
    if place is not None:
        return Target(arn=resource_arn, account=parsed.account or None, policies=_at(call, place)), None
    found = call.view.shared.get(Resource, policy_places.holder(resource_arn))
    if found is None and role_templates.is_template(parsed):
        return role_templates.read(resource_arn), None
    above = _above(call, parsed)
    if found is None:
        return Target(arn=resource_arn, account=parsed.account or None, policies=above), None
    texts = ((found.policy,) if found.policy else ()) + above
    if _is_key(parsed):
        return _key(found, texts, action), found
    keys = {"s3:resourceaccount": found.owner} if policy_places.is_s3(resource_arn) else {}
    return Target(arn=resource_arn, account=found.owner, policies=texts, context=keys), found


def _place_of_policies(parsed: arn.Arn) -> str | None:
    """Where the policies are kept of what has several, or is one of many that have them together."""
    if parsed.service in policy_places.SEVERAL:
        return policy_places.place(str(parsed))
    if parsed.service == "logs" and not parsed.resource.startswith(policy_places.DESTINATIONS):
        return policy_places.of_account("logs", parsed.region, parsed.account)
    return None


def _above(call: Call, parsed: arn.Arn) -> tuple[str, ...]:
    """The policies of what a resource lies below, and is covered by."""
    if parsed.service not in policy_places.WITH_PARTS:
        return ()
    known = (call.view.shared.get(Resource, one) for one in policy_places.above(str(parsed)))
    return tuple(one.policy for one in known if one is not None and one.policy)


def _key(known: Resource, texts: tuple[str, ...], action: str) -> Target:
    """A KMS key, with what its grants allow, as requests to KMS are decided; a grant is retired by the grant alone."""
    if lower(action) == lower(kms_grants.RETIRING):
        retirements = kms_grants.retirements(known.owner, known.facts)
        return Target(arn=known.arn, account=known.owner, policies=retirements, kms_key=True)
    policies_and_grants = (*texts, *kms_grants.policies(known.facts))
    return Target(arn=known.arn, account=known.owner, policies=policies_and_grants, kms_key=bool(texts))


def _of_account(call: Call, action: str) -> Target:
    """`*`, with the policies that an account has for all of a service: those of X-Ray."""
    if not action.lower().startswith("xray:"):
        return Target()
    place = policy_places.of_account("xray", call.region, call.account.id)
    return Target(account=call.account.id, policies=_at(call, place))


def _at(call: Call, place: str) -> tuple[str, ...]:
    """The policies that a resource has under names."""
    return tuple(one.policy for one in call.view.shared.find(Resource, "name", place) if one.policy)


def _canonical(action: str) -> str:
    """An action as AWS writes it; one that AWS does not know as it is."""
    prefix, _, name = action.partition(":")
    found = service_reference.action(prefix, name)
    return f"{prefix.lower()}:{found.name}" if found is not None else action


def _is_key(parsed: arn.Arn) -> bool:
    return parsed.service == "kms" and parsed.resource.startswith("key/")


def _unknown(resource_arn: str, of_caller: Sequence[str]) -> Unknowns:
    """What a backend would have to be asked, the tags of its resources; and what is not known of the caller."""
    parsed = arn.parse(resource_arn)
    of_resource = NONE if parsed is None or parsed.service in OWN_SERVICES else _TAGS
    return of_resource.also(of_caller) if of_caller else of_resource


_TAGS = Unknowns.of(("aws:resourcetag/",))


def _listed(call: Call, identity: Identity, target: Target, known: Resource) -> Target:
    """The target with what the ACL of its bucket allows a caller of another account; of objects' nothing is known."""
    if identity.account_id == known.owner or not acls.may_have_acls(known.facts):
        return target
    ignores = public_access.blocks("IgnorePublicAcls", call.view, known.owner, known.facts)
    given = acls.granted(acls.of_bucket(known.facts), identity, call.view, ignores_public=ignores)
    return acls.opened(target, identity, acls.actions(given, acls.ON_BUCKET))


def _restricted(call: Call, identity: Identity, target: Target, known: Resource) -> Target:
    """The target as it is for this caller where its bucket, or the bucket's account, blocks public access."""
    is_s3 = target.arn.startswith("arn:aws:s3:::")
    if not is_s3 or not public_access.is_closable(target, identity):
        return target
    if not public_access.blocks("RestrictPublicBuckets", call.view, known.owner, known.facts):
        return target
    return replace(target, policies=(*target.policies, public_access.NOBODY))
