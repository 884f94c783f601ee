"""Tags of users, roles, customer managed policies, instance profiles, MFA devices, providers and certificates."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from msgspec.structs import replace

from iamd.call import Call
from iamd.policy.request import lower
from iamd.services.iam import arns, quotas
from iamd.services.iam.entities import (
    named_customer_policy,
    named_instance_profile,
    named_mfa_device,
    named_openid_connect_provider,
    named_role,
    named_saml_provider,
    named_server_certificate,
    named_user,
    shown_tags,
)
from iamd.services.iam.errors import InvalidInput
from iamd.services.iam.protected_roles import refuse_reserved
from iamd.services.paging import page
from iamd.services.registry import operation, reading
from iamd.store.federation_records import OpenIDConnectProvider, SAMLProvider
from iamd.store.records import InstanceProfile, ManagedPolicy, MFADevice, Role, ServerCertificate, Tag, User

Tagged = TypeVar(
    "Tagged",
    User,
    Role,
    ManagedPolicy,
    InstanceProfile,
    MFADevice,
    OpenIDConnectProvider,
    SAMLProvider,
    ServerCertificate,
)
GivenTags = arns.GivenTags

RESERVED_PREFIX = "aws:"

Fold = Callable[[str], str]
"""What makes two tag keys the same."""

# AWS: the keys of users' and roles' tags are the same whatever their case, though it is kept; those of every other IAM
# resource are case sensitive (IAM User Guide, "Tags for AWS Identity and Access Management resources", id_tags). Case
# is that of ASCII letters, as in condition keys: a tag that no condition takes for another must not replace it.


@operation(on=arns.user)
def tag_user(call: Call, *, user_name: str, tags: GivenTags) -> None:
    """Add tags to a user; one whose key is there takes its place."""
    call.put(_tagged(named_user(call, user_name), tags))


@operation(on=arns.user)
def untag_user(call: Call, *, user_name: str, tag_keys: Sequence[str]) -> None:
    """Take tags from a user; keys that it does not have change nothing."""
    call.put(_untagged(named_user(call, user_name), tag_keys))


@reading(on=arns.user)
def list_user_tags(
    call: Call, *, user_name: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the tags of a user by key."""
    return _listed(call, named_user(call, user_name), marker, max_items)


@operation(on=arns.role)
def tag_role(call: Call, *, role_name: str, tags: GivenTags) -> None:
    """Add tags to a role; one whose key is there takes its place."""
    role = named_role(call, role_name)
    refuse_reserved(role)
    call.put(_tagged(role, tags))


@operation(on=arns.role)
def untag_role(call: Call, *, role_name: str, tag_keys: Sequence[str]) -> None:
    """Take tags from a role; keys that it does not have change nothing."""
    role = named_role(call, role_name)
    refuse_reserved(role)
    call.put(_untagged(role, tag_keys))


@reading(on=arns.role)
def list_role_tags(
    call: Call, *, role_name: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the tags of a role by key."""
    return _listed(call, named_role(call, role_name), marker, max_items)


@operation(on=arns.changed_policy)
def tag_policy(call: Call, *, policy_arn: str, tags: GivenTags) -> None:
    """Add tags to a customer managed policy; one whose key is there takes its place."""
    call.put(_tagged(named_customer_policy(call, policy_arn), tags))


@operation(on=arns.changed_policy)
def untag_policy(call: Call, *, policy_arn: str, tag_keys: Sequence[str]) -> None:
    """Take tags from a customer managed policy; keys that it does not have change nothing."""
    call.put(_untagged(named_customer_policy(call, policy_arn), tag_keys))


@reading(on=arns.policy)
def list_policy_tags(
    call: Call, *, policy_arn: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the tags of a customer managed policy by key."""
    return _listed(call, named_customer_policy(call, policy_arn), marker, max_items)


@operation(on=arns.instance_profile)
def tag_instance_profile(call: Call, *, instance_profile_name: str, tags: GivenTags) -> None:
    """Add tags to an instance profile; one whose key is there takes its place."""
    call.put(_tagged(named_instance_profile(call, instance_profile_name), tags))


@operation(on=arns.instance_profile)
def untag_instance_profile(call: Call, *, instance_profile_name: str, tag_keys: Sequence[str]) -> None:
    """Take tags from an instance profile; keys that it does not have change nothing."""
    call.put(_untagged(named_instance_profile(call, instance_profile_name), tag_keys))


@reading(on=arns.instance_profile)
def list_instance_profile_tags(
    call: Call, *, instance_profile_name: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the tags of an instance profile by key."""
    return _listed(call, named_instance_profile(call, instance_profile_name), marker, max_items)


@operation(on=arns.mfa_device)
def tag_mfa_device(call: Call, *, serial_number: str, tags: GivenTags) -> None:
    """Add tags to a virtual MFA device; one whose key is there takes its place."""
    call.put(_tagged(named_mfa_device(call, serial_number), tags))


@operation(on=arns.mfa_device)
def untag_mfa_device(call: Call, *, serial_number: str, tag_keys: Sequence[str]) -> None:
    """Take tags from a virtual MFA device; keys that it does not have change nothing."""
    call.put(_untagged(named_mfa_device(call, serial_number), tag_keys))


@reading(on=arns.mfa_device)
def list_mfa_device_tags(
    call: Call, *, serial_number: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the tags of a virtual MFA device by key."""
    return _listed(call, named_mfa_device(call, serial_number), marker, max_items)


@operation(on=arns.openid_connect_provider)
def tag_open_id_connect_provider(call: Call, *, open_id_connect_provider_arn: str, tags: GivenTags) -> None:
    """Add tags to an OIDC provider; one whose key is there takes its place."""
    call.put(_tagged(named_openid_connect_provider(call, open_id_connect_provider_arn), tags))


@operation(on=arns.openid_connect_provider)
def untag_open_id_connect_provider(call: Call, *, open_id_connect_provider_arn: str, tag_keys: Sequence[str]) -> None:
    """Take tags from an OIDC provider; keys that it does not have change nothing."""
    provider = named_openid_connect_provider(call, open_id_connect_provider_arn)
    _refuse_no_keys(tag_keys)
    call.put(_untagged(provider, tag_keys))


@reading(on=arns.openid_connect_provider)
def list_open_id_connect_provider_tags(
    call: Call, *, open_id_connect_provider_arn: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the tags of an OIDC provider by key."""
    return _listed(call, named_openid_connect_provider(call, open_id_connect_provider_arn), marker, max_items)


@operation(on=arns.saml_provider)
def tag_saml_provider(call: Call, *, saml_provider_arn: str, tags: GivenTags) -> None:
    """Add tags to a SAML provider; one whose key is there takes its place."""
    call.put(_tagged(named_saml_provider(call, saml_provider_arn), tags))


@operation(on=arns.saml_provider)
def untag_saml_provider(call: Call, *, saml_provider_arn: str, tag_keys: Sequence[str]) -> None:
    """Take tags from a SAML provider; keys that it does not have change nothing."""
    provider = named_saml_provider(call, saml_provider_arn)
    _refuse_no_keys(tag_keys)
    call.put(_untagged(provider, tag_keys))


@reading(on=arns.saml_provider)
def list_saml_provider_tags(
    call: Call, *, saml_provider_arn: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the tags of a SAML provider by key."""
    return _listed(call, named_saml_provider(call, saml_provider_arn), marker, max_items)


@operation(on=arns.server_certificate)
def tag_server_certificate(call: Call, *, server_certificate_name: str, tags: GivenTags) -> None:
    """Add tags to a server certificate; one whose key is there takes its place."""
    call.put(_tagged(named_server_certificate(call, server_certificate_name), tags))


@operation(on=arns.server_certificate)
def untag_server_certificate(call: Call, *, server_certificate_name: str, tag_keys: Sequence[str]) -> None:
    """Take tags from a server certificate; keys that it does not have change nothing."""
    certificate = named_server_certificate(call, server_certificate_name)
    _refuse_no_keys(tag_keys)
    call.put(_untagged(certificate, tag_keys))


@reading(on=arns.server_certificate)
def list_server_certificate_tags(
    call: Call, *, server_certificate_name: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the tags of a server certificate by key."""
    return _listed(call, named_server_certificate(call, server_certificate_name), marker, max_items)


def checked_tags(kind: type[Any], given: GivenTags | None) -> tuple[Tag, ...]:
    """The tags that a request gives to a resource of this kind, or AWS's refusal of them."""
    tags = tuple(Tag(tag["Key"], tag["Value"]) for tag in given or ())
    for tag in tags:
        _refuse_reserved_prefix(tag)
    fold = _fold(kind)
    if len({fold(tag.key) for tag in tags}) < len(tags):
        # AWS: of what has tags whose case counts, the second sentence is not said (recorded answers of policies).
        note = " Please note that Tag keys are case insensitive." if fold is lower else ""
        raise InvalidInput(f"Duplicate tag keys found.{note}")
    quotas.check_tags(len(tags))
    return tags


def _refuse_reserved_prefix(tag: Tag) -> None:
    # AWS: the User Guide has neither a key nor a value begin with `aws:` (id_tags, "Naming tags"); recorded answers of
    # September 2026 take such values.
    if lower(tag.key).startswith(RESERVED_PREFIX):
        raise InvalidInput("Tag keys beginning with aws: are reserved for system use.")


def _fold(kind: type[Any]) -> Fold:
    return lower if kind in {User, Role} else str


def _tagged(resource: Tagged, given: GivenTags) -> Tagged:
    # AWS's recorded answers are of users, providers and server certificates.
    if not given:
        raise InvalidInput("The provided tag map must not be null/empty.")
    kind: type[Any] = type(resource)
    fold = _fold(kind)
    tags = {fold(tag.key): tag for tag in (*resource.tags, *checked_tags(kind, given))}
    quotas.check_tags(len(tags))
    return replace(resource, tags=tuple(tags.values()))


def _refuse_no_keys(tag_keys: Sequence[str]) -> None:
    # AWS's recorded answers: so it is with providers and server certificates, and not with users.
    if not tag_keys:
        raise InvalidInput("The provided tag keys must not be null/empty.")


def _untagged(resource: Tagged, tag_keys: Iterable[str]) -> Tagged:
    fold = _fold(type(resource))
    gone = {fold(key) for key in tag_keys}
    return replace(resource, tags=tuple(tag for tag in resource.tags if fold(tag.key) not in gone))


def _listed(call: Call, resource: Tagged, marker: str | None, max_items: int | None) -> dict[str, Any]:
    cut, more = page(
        call, resource.tags, key=lambda tag: tag.key, max_items=max_items, marker=marker, query=(resource.key,)
    )
    return {"Tags": shown_tags(cut), **more}
