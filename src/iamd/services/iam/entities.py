"""IAM's entities: found by their names, with their ARNs, and as they look on the wire."""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from iamd import arn
from iamd.call import Call
from iamd.data import managed_policies
from iamd.policy.request import PrincipalKind
from iamd.services.iam.errors import InvalidInput, NoSuchEntity, ValidationError
from iamd.store.account import Account
from iamd.store.federation_records import OpenIDConnectProvider, SAMLProvider
from iamd.store.records import (
    Group,
    InstanceProfile,
    ManagedPolicy,
    MFADevice,
    Role,
    ServerCertificate,
    Tag,
    User,
    fold,
)

AnyPolicy = ManagedPolicy | managed_policies.ManagedPolicy
"""A managed policy of the customer's or of AWS's; both have a name, an id, an ARN, a path and a default version."""


# AWS: IAM finds users, groups, roles and instance profiles by names of any case, and decides on the ARN in their own
# spelling (recorded answers of September 2026). SECURITY: what is named by an ARN, or to another service, is so in no
# other spelling: whoever looks it up here compares what was found.


def user_in(account: Account, user_name: str) -> User | None:
    """The user of this name, whatever its case, or None."""
    return account.one(User, "name", fold(user_name))


def group_in(account: Account, group_name: str) -> Group | None:
    """The group of this name, whatever its case, or None."""
    return account.one(Group, "name", fold(group_name))


def role_in(account: Account, role_name: str) -> Role | None:
    """The role of this name, whatever its case, or None."""
    return account.one(Role, "name", fold(role_name))


def instance_profile_in(account: Account, instance_profile_name: str) -> InstanceProfile | None:
    """The instance profile of this name, whatever its case, or None."""
    return account.one(InstanceProfile, "name", fold(instance_profile_name))


def server_certificate_in(account: Account, server_certificate_name: str) -> ServerCertificate | None:
    """The server certificate of exactly this name, or None."""
    certificate = account.one(ServerCertificate, "name", fold(server_certificate_name))
    is_exact = certificate is not None and certificate.server_certificate_name == server_certificate_name
    return certificate if is_exact else None


def policy_in(account: Account, policy_arn: str) -> AnyPolicy | None:
    """The managed policy of this ARN, AWS's or one of the account's own, or None."""
    return managed_policies.catalogue().get(policy_arn) or account.one(ManagedPolicy, "arn", policy_arn)


def named_user(call: Call, user_name: str) -> User:
    """The user of this name, or NoSuchEntity."""
    user = user_in(call.account, user_name)
    if user is None:
        raise NoSuchEntity(f"The user with name {user_name} cannot be found.")
    return user


def named_group(call: Call, group_name: str) -> Group:
    """The group of this name, or NoSuchEntity."""
    group = group_in(call.account, group_name)
    if group is None:
        raise NoSuchEntity(f"The group with name {group_name} cannot be found.")
    return group


def named_role(call: Call, role_name: str) -> Role:
    """The role of this name, or NoSuchEntity."""
    role = role_in(call.account, role_name)
    if role is None:
        raise NoSuchEntity(f"The role with name {role_name} cannot be found.")
    return role


def named_instance_profile(call: Call, instance_profile_name: str) -> InstanceProfile:
    """The instance profile of this name, or NoSuchEntity."""
    profile = instance_profile_in(call.account, instance_profile_name)
    if profile is None:
        raise NoSuchEntity(f"Instance Profile {instance_profile_name} cannot be found.")
    return profile


def named_server_certificate(call: Call, server_certificate_name: str) -> ServerCertificate:
    """The server certificate of this name, or NoSuchEntity."""
    certificate = server_certificate_in(call.account, server_certificate_name)
    if certificate is None:
        raise NoSuchEntity(f"The Server Certificate with name {server_certificate_name} cannot be found.")
    return certificate


def check_arn(policy_arn: str) -> None:
    """Raise InvalidInput for what is no ARN at all."""
    if arn.parse(policy_arn) is None:
        raise InvalidInput(f"ARN {policy_arn} is not valid.")


def named_policy(call: Call, policy_arn: str) -> AnyPolicy:
    """The managed policy of this ARN, AWS's or the customer's, or NoSuchEntity."""
    check_arn(policy_arn)
    policy = policy_in(call.account, policy_arn)
    if policy is None:
        raise NoSuchEntity(f"Policy {policy_arn} was not found.")
    return policy


def named_customer_policy(call: Call, policy_arn: str) -> ManagedPolicy:
    """The account's own managed policy of this ARN, or NoSuchEntity."""
    check_arn(policy_arn)
    policy = call.account.one(ManagedPolicy, "arn", policy_arn)
    if policy is None:
        raise NoSuchEntity(f"Policy {policy_arn} was not found.")
    return policy


def named_mfa_device(call: Call, serial_number: str) -> MFADevice:
    """The virtual MFA device of this serial number, or NoSuchEntity."""
    device = call.account.get(MFADevice, serial_number)
    if device is None or device.hardware:
        raise NoSuchEntity(f"VirtualMFADevice with serial number {serial_number} doesn't exist.")
    return device


def openid_connect_provider_in(account: Account, provider_arn: str) -> OpenIDConnectProvider | None:
    """The OIDC provider of exactly this ARN, or None."""
    provider = account.get(OpenIDConnectProvider, provider_arn.partition(":oidc-provider/")[2])
    return provider if provider is not None and openid_connect_provider_arn(account, provider) == provider_arn else None


def check_openid_connect_provider_arn(provider_arn: str) -> None:
    """Raise InvalidInput for what is no ARN of an OIDC provider."""
    named = arn.parse(provider_arn)
    if named is None or named.service != "iam" or not named.resource.startswith("oidc-provider/"):
        raise InvalidInput(f"ARN {provider_arn} is not valid.")


def named_openid_connect_provider(call: Call, provider_arn: str) -> OpenIDConnectProvider:
    """The OIDC provider of this ARN, InvalidInput for what is no ARN of one, or NoSuchEntity."""
    check_openid_connect_provider_arn(provider_arn)
    provider = openid_connect_provider_in(call.account, provider_arn)
    if provider is None:
        raise NoSuchEntity(f"OpenIDConnect Provider not found for arn {provider_arn}")
    return provider


def saml_provider_in(account: Account, provider_arn: str) -> SAMLProvider | None:
    """The SAML provider of exactly this ARN, or None."""
    provider = account.get(SAMLProvider, provider_arn.partition(":saml-provider/")[2])
    return provider if provider is not None and saml_provider_arn(account, provider) == provider_arn else None


def named_saml_provider(call: Call, provider_arn: str) -> SAMLProvider:
    """The SAML provider of this ARN, InvalidInput for what is no ARN of one, or NoSuchEntity."""
    named = arn.parse(provider_arn)
    if named is None or named.service != "iam" or not named.resource.startswith("saml-provider/"):
        raise InvalidInput(f"ARN {provider_arn} is not valid.")
    provider = saml_provider_in(call.account, provider_arn)
    if provider is None:
        # AWS's word for a provider is Manifest here.
        raise NoSuchEntity(f"Manifest not found for arn {provider_arn}")
    return provider


def named_or_calling_user(call: Call, user_name: str | None) -> User | None:
    """The user of this name; without a name the user who calls, and None when that is the root user.

    AWS: where UserName is optional, it is told by the access key that signs, the root user's too (IAM API Reference,
    CreateAccessKey); a session's key tells no user.
    """
    if user_name is not None:
        return named_user(call, user_name)
    if call.identity.is_root:
        return None
    user = calling_user(call)
    if user is None:
        raise ValidationError("Must specify userName when calling with non-User credentials")
    return user


def named_or_calling_iam_user(call: Call, user_name: str | None) -> User:
    """The user of this name, or who calls; the root user, who cannot have what is asked about, must name one.

    AWS: with the root user's own credentials the name must be given (IAM API Reference, CreateLoginProfile).
    """
    user = named_or_calling_user(call, user_name)
    if user is None:
        raise ValidationError("Must specify userName when calling with non-User credentials")
    return user


def calling_user(call: Call) -> User | None:
    """The IAM user who calls, also by a session of its own, or None when something else calls."""
    identity = call.identity
    if identity.kind is not PrincipalKind.USER or identity.entity_id is None:
        return None
    return call.account.get(User, identity.entity_id)


def user_arn(account: Account, user: User) -> str:
    """The ARN of a user, with its path."""
    return arn.iam(account.id, "user", user.path, user.user_name)


def group_arn(account: Account, group: Group) -> str:
    """The ARN of a group, with its path."""
    return arn.iam(account.id, "group", group.path, group.group_name)


def role_arn(account: Account, role: Role) -> str:
    """The ARN of a role, with its path."""
    return arn.iam(account.id, "role", role.path, role.role_name)


def instance_profile_arn(account: Account, profile: InstanceProfile) -> str:
    """The ARN of an instance profile, with its path."""
    return arn.iam(account.id, "instance-profile", profile.path, profile.instance_profile_name)


def openid_connect_provider_arn(account: Account, provider: OpenIDConnectProvider) -> str:
    """The ARN of an OIDC provider, which holds its URL without the scheme."""
    return arn.iam(account.id, "oidc-provider", "/", provider.url)


def saml_provider_arn(account: Account, provider: SAMLProvider) -> str:
    """The ARN of a SAML provider."""
    return arn.iam(account.id, "saml-provider", "/", provider.name)


def server_certificate_arn(account: Account, certificate: ServerCertificate) -> str:
    """The ARN of a server certificate, with its path."""
    return arn.iam(account.id, "server-certificate", certificate.path, certificate.server_certificate_name)


@lru_cache(maxsize=8192)
def moment(seconds: int) -> datetime:
    """A time of a record as a timestamp of the wire."""
    return datetime.fromtimestamp(seconds, UTC)


def shown_document(document: str) -> str:
    """A policy document as the wire has it.

    AWS: "Policies returned by this operation are URL-encoded compliant with RFC 3986" (IAM API Reference,
    GetUserPolicy).
    """
    return quote(document, safe="")


def shown_tags(tags: Iterable[Tag]) -> list[dict[str, str]]:
    """Tags as the wire has them, by key."""
    return [{"Key": tag.key, "Value": tag.value} for tag in sorted(tags, key=lambda tag: tag.key)]


def given_tags(tags: Iterable[Tag]) -> list[dict[str, str]]:
    """Tags as answers to the operations that make something have them: in the order in which they were given.

    AWS: recorded answers (2026) to CreatePolicy and CreateOpenIDConnectProvider; reading them gives them by key.
    """
    return [{"Key": tag.key, "Value": tag.value} for tag in tags]


def shown_boundary(policy_arn: str) -> dict[str, str]:
    """A permissions boundary as the wire has it (IAM API Reference, AttachedPermissionsBoundary)."""
    return {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": policy_arn}


def listed_user(account: Account, user: User) -> dict[str, Any]:
    """A user as the listing operations show it: they leave tags and boundary out (IAM API Reference, ListUsers)."""
    return {
        "Path": user.path,
        "UserName": user.user_name,
        "UserId": user.user_id,
        "Arn": user_arn(account, user),
        "CreateDate": moment(user.created),
        **({"PasswordLastUsed": moment(user.password_last_used)} if user.password_last_used is not None else {}),
    }


def shown_user(account: Account, user: User) -> dict[str, Any]:
    """A user as GetUser and CreateUser show it."""
    return listed_user(account, user) | shown_attributes(user)


def shown_attributes(entity: User | Role) -> dict[str, Any]:
    """What listings leave out of a user or role: its boundary and its tags, where it has them."""
    members: dict[str, Any] = {}
    if entity.permissions_boundary is not None:
        members["PermissionsBoundary"] = shown_boundary(entity.permissions_boundary)
    if entity.tags:
        members["Tags"] = shown_tags(entity.tags)
    return members


def shown_group(account: Account, group: Group) -> dict[str, Any]:
    """A group as every operation shows it."""
    return {
        "Path": group.path,
        "GroupName": group.group_name,
        "GroupId": group.group_id,
        "Arn": group_arn(account, group),
        "CreateDate": moment(group.created),
    }
