"""This request's condition keys: those of the caller, those of the request, those of the thing that is touched.

All keys are lower case. What a client sends decides no key of the caller (AUZ-18: a header, query or body field can
never set, append to or shadow one). Names and availability: IAM User Guide, reference_policies_condition-keys, and
the table of principal key values in reference_policies_variables.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from iamd.auth.identity import Identity, Service
from iamd.authz import organizations
from iamd.clock import iso_of
from iamd.http import HttpRequest
from iamd.policy.request import PrincipalKind, lower
from iamd.store.account import Snapshot
from iamd.store.change import Change
from iamd.store.records import Role, Tag, User
from iamd.vpc_endpoint import VpcEndpoint

if TYPE_CHECKING:
    from iamd.federation.proof import Federation

Value = str | tuple[str, ...]
Context = dict[str, Value]

# AWS: aws:PrincipalType is one of Account, User, FederatedUser, AssumedRole, Anonymous.
PRINCIPAL_TYPES = {
    PrincipalKind.ROOT: "Account",
    PrincipalKind.USER: "User",
    PrincipalKind.ROLE_SESSION: "AssumedRole",
    PrincipalKind.FEDERATED_USER: "FederatedUser",
    PrincipalKind.ANONYMOUS: "Anonymous",
}


def of_caller(identity: Identity, view: Snapshot | Change, now: int) -> Context:
    """The keys that say who asks."""
    if identity.federation is not None:
        return _of_provider(identity.federation, identity.account_id)
    if identity.service is not None:
        return _of_service(identity.service)
    keys: Context = {"aws:userid": identity.user_id, "aws:principalisawsservice": "false"}
    kind = identity.kind
    if kind in PRINCIPAL_TYPES:
        keys["aws:principaltype"] = PRINCIPAL_TYPES[kind]
    if identity.account_id:
        keys["aws:principalaccount"] = identity.account_id
        # AWS: for a role session the key holds the role's ARN with its path, not the session's.
        keys["aws:principalarn"] = principal_arn(identity)
        keys.update(organizations.of_caller(identity, view))
    if kind is PrincipalKind.USER and identity.name is not None:
        keys["aws:username"] = identity.name
    for key, value in principal_tags(identity, view).items():
        keys[f"aws:principaltag/{lower(key)}"] = value
    if identity.session is not None:
        keys.update(_of_session(identity, now))
    if identity.called_via:
        keys.update(_of_calls_via(identity.called_via))
    return keys


def _of_provider(federation: "Federation", account_id: str) -> Context:
    """The keys of a caller who has signed nothing: what the identity provider says, and that it is this provider.

    AWS: so trust policies for an account's providers were seen to be decided in September 2026, without an
    `aws:PrincipalArn`; what they see of the providers that AWS knows by itself is not public.
    """
    keys: Context = dict(federation.context)
    if federation.record is not None:
        keys["aws:principaltype"] = PRINCIPAL_TYPES[PrincipalKind.USER]
        keys["aws:principalaccount"] = account_id
        keys["aws:userid"] = federation.provider
    return keys


def _of_calls_via(services: tuple[str, ...]) -> Context:
    """The keys of what a service does with its caller's permissions (IAM User Guide, reference_policies_condition-keys,
    aws:CalledVia, aws:ViaAWSService); what it does with a role of its own has none of them.
    """
    keys: Context = {"aws:viaawsservice": "true"}
    named = tuple(name for name in services if name in CALLING)
    if named:
        keys |= {"aws:calledvia": named, "aws:calledviafirst": named[0], "aws:calledvialast": named[-1]}
    return keys


def _of_service(service: Service) -> Context:
    """The keys of a service's own request (IAM User Guide, reference_policies_condition-keys, aws:PrincipalServiceName,
    aws:SourceAccount, aws:SourceArn).
    """
    keys: Context = {
        "aws:principalisawsservice": "true",
        "aws:principalservicename": service.name,
        "aws:principalservicenameslist": service.names,
        "aws:sourceaccount": service.source_account,
    }
    return keys | ({"aws:sourcearn": service.source_arn} if service.source_arn is not None else {})


def principal_arn(identity: Identity) -> str:
    """The value of `aws:PrincipalArn`."""
    is_role = identity.kind is PrincipalKind.ROLE_SESSION
    return identity.entity_arn if is_role and identity.entity_arn is not None else identity.arn


def _of_session(identity: Identity, now: int) -> Context:
    session = identity.session
    if session is None:
        return {}
    keys: Context = {
        "aws:tokenissuetime": iso_of(session.issued),
        # AWS: present with temporary credentials only, absent with long-term keys.
        "aws:multifactorauthpresent": "true" if session.mfa_time is not None else "false",
    }
    if session.mfa_time is not None:
        keys["aws:multifactorauthage"] = str(max(0, now - session.mfa_time))
    if session.source_identity is not None:
        keys["aws:sourceidentity"] = session.source_identity
    if session.federated_provider is not None:
        keys["aws:federatedprovider"] = session.federated_provider
    keys.update(session.federated_claims)
    return keys


def principal_tags(identity: Identity, view: Snapshot | Change) -> Mapping[str, str]:
    """The caller's tags: the user's, or the role's under the session's own (IAM User Guide, id_session-tags)."""
    account = view.account(identity.account_id)
    if account is None or identity.entity_id is None:
        return {}
    entity: Role | User | None
    if identity.kind is PrincipalKind.ROLE_SESSION:
        entity = account.get(Role, identity.entity_id)
    else:
        entity = account.get(User, identity.entity_id)
    tags = {lower(tag.key): tag.value for tag in entity.tags} if entity is not None else {}
    if identity.session is not None:
        tags.update((lower(key), value) for key, value in identity.session.tags.items())
    return tags


def of_request(request: HttpRequest, region: str, now: int, by_service: bool = False) -> Context:
    """The keys that say how and when it is asked; `by_service` says that a service asks for the caller."""
    keys: Context = {
        **of_moment(now),
        "aws:securetransport": "true" if request.secure or request.counts_as_secure else "false",
        "aws:requestedregion": region,
        "aws:viaawsservice": "false",
    }
    if request.source_ip and not by_service:
        # A service's own request has none.
        if request.vpc_endpoint is None:
            keys["aws:sourceip"] = request.source_ip
        else:
            keys.update(_of_endpoint(request.vpc_endpoint, request.source_ip))
    agent, referer = request.fields.get(b"user-agent"), request.fields.get(b"referer")
    if agent is not None:
        keys["aws:useragent"] = agent.decode("latin-1")
    if referer is not None:
        keys["aws:referer"] = referer.decode("latin-1")
    return keys


@lru_cache(maxsize=16)
def of_moment(now: int) -> Mapping[str, str]:
    """The keys that say when it is asked."""
    return {"aws:currenttime": iso_of(now), "aws:epochtime": str(now)}


def _of_endpoint(endpoint: VpcEndpoint, source_ip: str) -> Context:
    """The keys of what comes through a VPC endpoint, which has no aws:SourceIp (IAM User Guide,
    reference_policies_condition-keys, "Properties of the network").
    """
    return {"aws:sourcevpce": endpoint.id, "aws:sourcevpc": endpoint.vpc, "aws:vpcsourceip": source_ip}


# AWS: the services that aws:CalledVia names (IAM User Guide, reference_policies_condition-keys, aws:CalledVia).
CALLING: Final = frozenset(
    f"{name}.amazonaws.com"
    for name in (
        "aoss", "athena", "backup", "cloud9", "cloudformation", "databrew", "dataexchange", "dynamodb", "imagebuilder",
        "kms", "mgn", "nimble", "omics", "ram", "robomaker", "servicecatalog-appregistry", "sqlworkbench",
        "ssm-guiconnect",
    )
)  # fmt: skip


def of_tags(parameters: Mapping[str, Any]) -> Context:
    """`aws:RequestTag/...` and `aws:TagKeys`, from the tags that an operation's parameters hold."""
    if not parameters:
        return {}
    tags = parameters.get("Tags")
    keys: Context = {}
    if isinstance(tags, list) and all(isinstance(tag, dict) and "Key" in tag for tag in tags):
        # SECURITY: of keys that differ by case alone the first in byte order counts, as for the tags of a resource:
        # what a condition sees of the request is what one sees of the resource later.
        ordered = sorted(tags, key=lambda tag: str(tag["Key"]), reverse=True)
        keys.update((f"aws:requesttag/{lower(tag['Key'])}", tag.get("Value", "")) for tag in ordered)
        keys["aws:tagkeys"] = tuple(tag["Key"] for tag in tags)
    tag_keys = parameters.get("TagKeys")
    if isinstance(tag_keys, list):
        keys["aws:tagkeys"] = tuple(str(key) for key in tag_keys)
    return {key: value for key, value in keys.items() if value != ()}


def resource_tags(tags: Iterable[Tag], prefixes: tuple[str, ...] = ("aws:resourcetag",)) -> Context:
    """`aws:ResourceTag/...` (and a service's own forms of it) for the tags that a resource has.

    Of keys that differ by case alone, which are one condition key, the first in byte order counts.
    """
    ordered = sorted(tags, key=lambda tag: tag.key, reverse=True)
    return {f"{prefix}/{lower(tag.key)}": tag.value for prefix in prefixes for tag in ordered}
