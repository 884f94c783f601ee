"""What IAM's operations touch: the ARN of each entity, and the condition keys that belong to it.

The keys of each action are those of the Service Authorization Reference, "Actions, resources, and condition keys for
AWS Identity and Access Management". An entity that does not exist has the ARN that it would have without a path.

AWS: where a request names an entity its denial does too, by kind and name (`user ann`, `policy arn:...`), and not by
the ARN that is decided on; what is created, but a policy, or listed, or named by its ARN is told by the ARN. Both are
seen in AWS's answers, such as those of GetUser, CreatePolicy and CreateUser.
"""

import json
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from msgspec.structs import replace

from iamd import arn
from iamd.authz.context import resource_tags
from iamd.call import Call
from iamd.data import service_reference
from iamd.services.iam import entities
from iamd.services.registry import Target
from iamd.store.records import AccountRecord, ManagedPolicy, MFADevice, Role, User

Context = dict[str, str | tuple[str, ...]]
GivenTags = Sequence[dict[str, str]]

ENTITY_TAGS = ("aws:resourcetag", "iam:resourcetag")
"""The keys that tags of users and roles are; those of IAM's other resources are the first alone."""


def user(
    call: Call,
    *,
    user_name: str | None = None,
    policy_arn: str | None = None,
    permissions_boundary: str | None = None,
    **_: Any,
) -> Target:
    """The user that is named, or else the caller's own."""
    if user_name is None:
        return _caller(call)
    return _user(call, user_name, policy_arn, permissions_boundary)


def _caller(call: Call) -> Target:
    if call.identity.is_root:
        return Target(arn=call.identity.arn)
    calling = entities.calling_user(call)
    return Target() if calling is None else _user(call, calling.user_name)


def _user(call: Call, user_name: str, policy_arn: str | None = None, boundary: str | None = None) -> Target:
    found, shown = entities.user_in(call.account, user_name), f"user {user_name}"
    requested = _requested(policy_arn, boundary)
    if found is None:
        return Target(arn=_pathless(call, "user", user_name), context=requested, shown=shown)
    context = resource_tags(found.tags, ENTITY_TAGS) | _bounded(call, found)
    return Target(arn=entities.user_arn(call.account, found), context=context | requested, shown=shown)


def role(
    call: Call,
    *,
    role_name: str,
    policy_arn: str | None = None,
    permissions_boundary: str | None = None,
    **_: Any,
) -> Target:
    """The role that is named."""
    requested = _requested(policy_arn, permissions_boundary)
    found, shown = entities.role_in(call.account, role_name), f"role {role_name}"
    if found is None:
        return Target(arn=_pathless(call, "role", role_name), context=requested, shown=shown)
    context = resource_tags(found.tags, ENTITY_TAGS) | _bounded(call, found)
    return Target(arn=entities.role_arn(call.account, found), context=context | requested, shown=shown)


def group(call: Call, *, group_name: str, policy_arn: str | None = None, **_: Any) -> Target:
    """The group that is named; groups have no tags and no boundary."""
    found = entities.group_in(call.account, group_name)
    resource = _pathless(call, "group", group_name) if found is None else entities.group_arn(call.account, found)
    return Target(arn=resource, context=_requested(policy_arn, None), shown=f"group {group_name}")


def policy(call: Call, *, policy_arn: str, **_: Any) -> Target:
    """The managed policy of this ARN, AWS's or the customer's."""
    found = call.account.one(ManagedPolicy, "arn", policy_arn)
    context = {} if found is None else resource_tags(found.tags)
    return Target(arn=policy_arn, context=context, shown=f"policy {policy_arn}")


def changed_policy(call: Call, *, policy_arn: str, **_: Any) -> Target:
    """The managed policy that the request would change, with the account that owns it.

    SECURITY: AWS's own belong to the account `aws`, so whatever a caller's policies say, they stay as they are.
    """
    named = arn.parse(policy_arn)
    owner = call.account.id if named is None else named.account
    return replace(policy(call, policy_arn=policy_arn), account=owner)


def instance_profile(call: Call, *, instance_profile_name: str, **_: Any) -> Target:
    """The instance profile that is named."""
    found = entities.instance_profile_in(call.account, instance_profile_name)
    shown = f"instance profile {instance_profile_name}"
    if found is None:
        return Target(arn=_pathless(call, "instance-profile", instance_profile_name), shown=shown)
    context = resource_tags(found.tags)
    return Target(arn=entities.instance_profile_arn(call.account, found), context=context, shown=shown)


def server_certificate(call: Call, *, server_certificate_name: str, **_: Any) -> Target:
    """The server certificate that is named."""
    found = entities.server_certificate_in(call.account, server_certificate_name)
    shown = f"server certificate {server_certificate_name}"
    if found is None:
        return Target(arn=_pathless(call, "server-certificate", server_certificate_name), shown=shown)
    context = resource_tags(found.tags)
    return Target(arn=entities.server_certificate_arn(call.account, found), context=context, shown=shown)


def mfa_device(call: Call, *, serial_number: str, **_: Any) -> Target:
    """The virtual MFA device of this serial number, which is its ARN."""
    found = call.account.get(MFADevice, serial_number)
    return Target(arn=serial_number, context={} if found is None else resource_tags(found.tags))


def openid_connect_provider(call: Call, *, open_id_connect_provider_arn: str, **_: Any) -> Target:
    """The OIDC provider of this ARN."""
    found = entities.openid_connect_provider_in(call.account, open_id_connect_provider_arn)
    return Target(arn=open_id_connect_provider_arn, context={} if found is None else resource_tags(found.tags))


def saml_provider(call: Call, *, saml_provider_arn: str, **_: Any) -> Target:
    """The SAML provider of this ARN."""
    found = entities.saml_provider_in(call.account, saml_provider_arn)
    return Target(arn=saml_provider_arn, context={} if found is None else resource_tags(found.tags))


def new_user(
    call: Call,
    *,
    user_name: str,
    path: str | None = None,
    permissions_boundary: str | None = None,
    tags: GivenTags | None = None,
    **_: Any,
) -> Sequence[Target]:
    """The user that the request would create."""
    return tagged_too("TagUser", tags, _new(call, "user", path, user_name, permissions_boundary))


def new_role(
    call: Call,
    *,
    role_name: str,
    path: str | None = None,
    permissions_boundary: str | None = None,
    tags: GivenTags | None = None,
    **_: Any,
) -> Sequence[Target]:
    """The role that the request would create."""
    return tagged_too("TagRole", tags, _new(call, "role", path, role_name, permissions_boundary))


def new_group(call: Call, *, group_name: str, path: str | None = None, **_: Any) -> Target:
    """The group that the request would create."""
    return _new(call, "group", path, group_name)


def new_policy(
    call: Call, *, policy_name: str, path: str | None = None, tags: GivenTags | None = None, **_: Any
) -> Sequence[Target]:
    """The managed policy that the request would create."""
    made = replace(_new(call, "policy", path, policy_name), shown=f"policy {policy_name}")
    return tagged_too("TagPolicy", tags, made)


def new_instance_profile(
    call: Call, *, instance_profile_name: str, path: str | None = None, tags: GivenTags | None = None, **_: Any
) -> Sequence[Target]:
    """The instance profile that the request would create."""
    return tagged_too("TagInstanceProfile", tags, _new(call, "instance-profile", path, instance_profile_name))


def new_server_certificate(
    call: Call, *, server_certificate_name: str, path: str | None = None, tags: GivenTags | None = None, **_: Any
) -> Sequence[Target]:
    """The server certificate that the request would create."""
    return tagged_too("TagServerCertificate", tags, _new(call, "server-certificate", path, server_certificate_name))


def new_mfa_device(
    call: Call, *, virtual_mfa_device_name: str, path: str | None = None, tags: GivenTags | None = None, **_: Any
) -> Sequence[Target]:
    """The virtual MFA device that the request would create."""
    return tagged_too("TagMFADevice", tags, _new(call, "mfa", path, virtual_mfa_device_name))


def new_openid_connect_provider(call: Call, *, url: str, tags: GivenTags | None = None, **_: Any) -> Sequence[Target]:
    """The OIDC provider that the request would create."""
    return tagged_too("TagOpenIDConnectProvider", tags, _new(call, "oidc-provider", None, url.partition("://")[2]))


def new_saml_provider(call: Call, *, name: str, tags: GivenTags | None = None, **_: Any) -> Sequence[Target]:
    """The SAML provider that the request would create."""
    return tagged_too("TagSAMLProvider", tags, _new(call, "saml-provider", None, name))


def tagged_too(action: str, tags: GivenTags | None, made: Target) -> Sequence[Target]:
    """What a request would make, and again for the action of tagging it when the request gives it tags.

    AWS: creating with tags needs both actions (Service Authorization Reference, "API operations defined by IAM").
    """
    # SECURITY: without this, who may create but not tag could give itself what policies grant by tags. The tagging
    # action has no key but those of the request's tags.
    return (made, replace(made, action=f"iam:{action}", context={})) if tags else (made,)


def updated_user(
    call: Call, *, user_name: str, new_path: str | None = None, new_user_name: str | None = None
) -> Sequence[Target]:
    """The user as it is, and as the request would have it.

    AWS: whoever renames or moves a user needs permission on both (IAM User Guide, "Rename an IAM user").
    """
    found = entities.user_in(call.account, user_name)
    path, name = ("/", user_name) if found is None else (found.path, found.user_name)
    return _both(call, "user", _user(call, user_name), new_path or path, new_user_name or name)


def updated_group(
    call: Call, *, group_name: str, new_path: str | None = None, new_group_name: str | None = None
) -> Sequence[Target]:
    """The group as it is, and as the request would have it, as for users."""
    found = entities.group_in(call.account, group_name)
    path, name = ("/", group_name) if found is None else (found.path, found.group_name)
    return _both(call, "group", group(call, group_name=group_name), new_path or path, new_group_name or name)


def updated_server_certificate(
    call: Call,
    *,
    server_certificate_name: str,
    new_path: str | None = None,
    new_server_certificate_name: str | None = None,
) -> Sequence[Target]:
    """The server certificate as it is, and as the request would have it.

    AWS: permission is needed on the old name and on the new (IAM API Reference, UpdateServerCertificate).
    """
    found = entities.server_certificate_in(call.account, server_certificate_name)
    path = "/" if found is None else found.path
    before = server_certificate(call, server_certificate_name=server_certificate_name)
    name = new_server_certificate_name or server_certificate_name
    return _both(call, "server-certificate", before, new_path or path, name)


def listed(kind: str) -> Callable[..., Target]:
    """The `on` of an operation that lists entities of a kind: the path that it lists, as AWS's denials name it."""

    def on(call: Call, *, path_prefix: str | None = None, **_: Any) -> Target:
        return Target(arn=f"arn:{arn.PARTITION}:iam::{call.account.id}:{kind}{path_prefix or '/'}")

    return on


def listed_policies(call: Call, *, path_prefix: str | None = None, **_: Any) -> Target:
    """The `on` of ListPolicies: AWS's denials name no ARN there, but `policy path /`, which only `*` matches."""
    return Target(arn=f"policy path {path_prefix or '/'}")


def granted_by_password_policy(call: Call, target: Target) -> Target:
    """The target as it is for a user whose account lets users change their own passwords.

    AWS: AllowUsersToChangePassword gives all users of the account iam:ChangePassword for themselves and
    iam:GetAccountPasswordPolicy, without any policy of theirs (IAM API Reference, PasswordPolicy).
    """
    account = call.account.get(AccountRecord, call.account.id)
    calling = entities.calling_user(call)
    rules = None if account is None else account.password_policy
    if calling is None or rules is None or not rules.allow_users_to_change_password:
        return target
    # SECURITY: the grant names this one user, and only the two actions whose operations use this function carry it.
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": entities.user_arn(call.account, calling)},
        "Action": f"iam:{call.operation}",
        "Resource": target.arn,
    }
    return replace(target, policies=(json.dumps({"Version": "2012-10-17", "Statement": statement}),))


def anything(call: Call, **_: Any) -> Target:
    """No resource of its own: only policies for `*` apply."""
    return Target()


def _both(call: Call, kind: str, before: Target, path: str, name: str) -> Sequence[Target]:
    after = Target(arn=arn.iam(call.account.id, kind, path, name), context=before.context)
    return (before,) if after.arn == before.arn else (before, after)


def _new(call: Call, kind: str, path: str | None, name: str, boundary: str | None = None) -> Target:
    return Target(arn=arn.iam(call.account.id, kind, path or "/", name), context=_requested(None, boundary))


def _pathless(call: Call, kind: str, name: str) -> str:
    return arn.iam(call.account.id, kind, "/", name)


def _bounded(call: Call, entity: User | Role) -> Context:
    """The boundary that the entity has, for the actions that know the key; what a request sets takes its place.

    AWS: IAM User Guide, "Permissions boundaries for IAM entities" (access_policies_boundaries).
    """
    if entity.permissions_boundary is None or not _has_boundary_key(call.operation):
        return {}
    return {"iam:permissionsboundary": entity.permissions_boundary}


@cache
def _has_boundary_key(operation: str) -> bool:
    action = service_reference.action("iam", operation)
    return action is not None and "iam:PermissionsBoundary" in action.condition_keys


def _requested(policy_arn: str | None, boundary: str | None) -> Context:
    context: Context = {}
    if policy_arn is not None:
        context["iam:policyarn"] = policy_arn
    if boundary is not None:
        context["iam:permissionsboundary"] = boundary
    return context
