"""The account itself: its password policy, its alias, and how much of everything it has."""

from typing import Any

from msgspec.structs import replace

from iamd.call import Call
from iamd.services.iam import arns, quotas
from iamd.services.iam.errors import EntityAlreadyExists, NoSuchEntity, ValidationError
from iamd.services.paging import page
from iamd.services.registry import Target, operation, reading
from iamd.store.federation_records import OpenIDConnectProvider, SAMLProvider
from iamd.store.records import (
    GLOBAL,
    ROOT,
    AccessKey,
    AccountAlias,
    AccountRecord,
    Group,
    InstanceProfile,
    LoginProfile,
    ManagedPolicy,
    MFADevice,
    PasswordPolicy,
    Role,
    ServerCertificate,
    SigningCertificate,
    User,
)
from iamd.store.sign_in_records import SecurityKey

TOKEN_VERSIONS = {"v1Token": 1, "v2Token": 2}
"""GlobalEndpointTokenVersion, as it is set and as the summary counts it."""


def _password_policy_target(call: Call) -> Target:
    return arns.granted_by_password_policy(call, Target())


@reading(on=_password_policy_target)
def get_account_password_policy(call: Call) -> dict[str, Any]:
    """Show the account's own password policy; without one NoSuchEntity, though AWS's default policy holds."""
    return {"PasswordPolicy": _shown(_password_policy(call))}


@operation(on=arns.anything)
def update_account_password_policy(
    call: Call,
    *,
    minimum_password_length: int = 6,
    require_symbols: bool = False,
    require_numbers: bool = False,
    require_uppercase_characters: bool = False,
    require_lowercase_characters: bool = False,
    allow_users_to_change_password: bool = False,
    max_password_age: int | None = None,
    password_reuse_prevention: int | None = None,
    hard_expiry: bool | None = None,
) -> None:
    """Set the account's password policy whole: what is not given goes back to its default."""
    policy = PasswordPolicy(
        minimum_password_length=minimum_password_length,
        require_symbols=require_symbols,
        require_numbers=require_numbers,
        require_uppercase_characters=require_uppercase_characters,
        require_lowercase_characters=require_lowercase_characters,
        allow_users_to_change_password=allow_users_to_change_password,
        max_password_age=max_password_age,
        password_reuse_prevention=password_reuse_prevention,
        hard_expiry=hard_expiry,
    )
    call.put(replace(record_of(call), password_policy=policy))


@operation(on=arns.anything)
def delete_account_password_policy(call: Call) -> None:
    """Delete the account's password policy, so that AWS's default one holds."""
    record = record_of(call)
    if record.password_policy is None:
        raise NoSuchEntity("The account policy with name PasswordPolicy cannot be found.")
    call.put(replace(record, password_policy=None))


@operation(on=arns.anything)
def create_account_alias(call: Call, *, account_alias: str) -> None:
    """Give the account an alias that no other account has, in place of the one it has.

    AWS: "If the account has an alias, the new alias overwrites the previous one" (IAM User Guide, "Create an alias
    for your AWS account ID", account-alias-create).
    """
    # AWS: an alias cannot be a number of 12 digits (IAM User Guide, "IAM and AWS STS quotas").
    if len(account_alias) == 12 and account_alias.isdecimal():
        raise ValidationError(f"The account alias {account_alias} cannot be a 12 digit number.")
    if call.view.shared.get(AccountAlias, account_alias) is not None:
        raise EntityAlreadyExists(f"The account alias {account_alias} already exists.")
    record = record_of(call)
    _release(call, record)
    call.change.put(GLOBAL, AccountAlias(alias=account_alias, account_id=call.account.id))
    call.put(replace(record, alias=account_alias))


@operation(on=arns.anything)
def delete_account_alias(call: Call, *, account_alias: str) -> None:
    """Take the account's alias away; it must be named."""
    record = record_of(call)
    if record.alias != account_alias:
        raise NoSuchEntity(f"The account alias {account_alias} cannot be found.")
    _release(call, record)
    call.put(replace(record, alias=None))


@reading(on=arns.anything)
def list_account_aliases(call: Call, *, marker: str | None = None, max_items: int | None = None) -> dict[str, Any]:
    """List the account's alias, if it has one; AWS lets an account have only one."""
    alias = record_of(call).alias
    cut, more = page(call, [alias] if alias else [], key=str, max_items=max_items, marker=marker)
    return {"AccountAliases": cut, **more}


@reading(on=arns.anything)
def get_account_summary(call: Call) -> dict[str, Any]:
    """Show how many entities the account has, and its quotas."""
    version = {"GlobalEndpointTokenVersion": record_of(call).global_endpoint_token_version}
    return {"SummaryMap": _entities(call) | _root_user(call) | version | QUOTAS}


@operation(on=arns.anything)
def set_security_token_service_preferences(call: Call, *, global_endpoint_token_version: str) -> None:
    """Say of which version the tokens of STS's global endpoint are to be; iamd's are good in every region anyway."""
    version = TOKEN_VERSIONS[global_endpoint_token_version]
    call.put(replace(record_of(call), global_endpoint_token_version=version))


QUOTAS = {
    "AccessKeysPerUserQuota": quotas.ACCESS_KEYS_PER_USER,
    "AssumeRolePolicySizeQuota": quotas.ASSUME_ROLE_POLICY_SIZE,
    "AttachedPoliciesPerGroupQuota": quotas.ATTACHED_POLICIES,
    "AttachedPoliciesPerRoleQuota": quotas.ATTACHED_POLICIES,
    "AttachedPoliciesPerUserQuota": quotas.ATTACHED_POLICIES,
    "GroupPolicySizeQuota": quotas.GROUP_POLICY_SIZE,
    "GroupsPerUserQuota": quotas.GROUPS_PER_USER,
    "GroupsQuota": quotas.GROUPS_PER_ACCOUNT,
    "InstanceProfilesQuota": quotas.INSTANCE_PROFILES_PER_ACCOUNT,
    "PoliciesQuota": quotas.POLICIES_PER_ACCOUNT,
    "PolicySizeQuota": quotas.MANAGED_POLICY_SIZE,
    "PolicyVersionsInUseQuota": quotas.POLICY_VERSIONS_IN_USE,
    "RolePolicySizeQuota": quotas.ROLE_POLICY_SIZE,
    "RolesQuota": quotas.ROLES_PER_ACCOUNT,
    "ServerCertificatesQuota": quotas.SERVER_CERTIFICATES_PER_ACCOUNT,
    "SigningCertificatesPerUserQuota": quotas.SIGNING_CERTIFICATES_PER_USER,
    "UserPolicySizeQuota": quotas.USER_POLICY_SIZE,
    "UsersQuota": quotas.USERS_PER_ACCOUNT,
    "VersionsPerPolicyQuota": quotas.VERSIONS_PER_POLICY,
}
"""The part of an account's summary that is the same for every account."""


def record_of(call: Call) -> AccountRecord:
    """The record of the caller's account; a caller that was identified has one."""
    record = call.account.get(AccountRecord, call.account.id)
    if record is None:
        raise NoSuchEntity(f"The account {call.account.id} cannot be found.")
    return record


def _password_policy(call: Call) -> PasswordPolicy:
    policy = record_of(call).password_policy
    if policy is None:
        raise NoSuchEntity(f"The Password Policy with domain name {call.account.id} cannot be found.")
    return policy


def _shown(policy: PasswordPolicy) -> dict[str, Any]:
    members = {
        "MinimumPasswordLength": policy.minimum_password_length,
        "RequireSymbols": policy.require_symbols,
        "RequireNumbers": policy.require_numbers,
        "RequireUppercaseCharacters": policy.require_uppercase_characters,
        "RequireLowercaseCharacters": policy.require_lowercase_characters,
        "AllowUsersToChangePassword": policy.allow_users_to_change_password,
        "ExpirePasswords": policy.max_password_age is not None,
        "MaxPasswordAge": policy.max_password_age,
        "PasswordReusePrevention": policy.password_reuse_prevention,
        "HardExpiry": policy.hard_expiry,
    }
    return {name: value for name, value in members.items() if value is not None}


def _release(call: Call, record: AccountRecord) -> None:
    held = call.view.shared.get(AccountAlias, record.alias) if record.alias else None
    if held is not None:
        call.change.delete(GLOBAL, held)


def _entities(call: Call) -> dict[str, int]:
    account = call.account
    devices, keys = account.all(MFADevice), account.count(SecurityKey)
    return {
        "Users": account.count(User),
        "Groups": account.count(Group),
        "Roles": account.count(Role),
        "Policies": account.count(ManagedPolicy),
        "PolicyVersionsInUse": _versions_in_use(call),
        "InstanceProfiles": account.count(InstanceProfile),
        "MFADevices": len(devices) + keys,
        "MFADevicesInUse": sum(1 for device in devices if device.user_id is not None) + keys,
        "Providers": account.count(OpenIDConnectProvider) + account.count(SAMLProvider),
        "ServerCertificates": account.count(ServerCertificate),
    }


def _versions_in_use(call: Call) -> int:
    """How many managed policies somebody has, of each of which one version, the default one, is in use.

    AWS: recorded answers (September 2026) count no policy that nobody has, whatever versions it has.
    """
    account = call.account
    bearers: list[User | Role | Group] = [*account.all(User), *account.all(Role), *account.all(Group)]
    used = {policy_arn for bearer in bearers for policy_arn in bearer.attached_policies}
    used |= {b.permissions_boundary for b in bearers if not isinstance(b, Group) and b.permissions_boundary}
    return len(used)


def _root_user(call: Call) -> dict[str, int]:
    """What the root user has."""
    return {
        "AccountMFAEnabled": int(any(call.account.find(kind, "user", ROOT) for kind in (MFADevice, SecurityKey))),
        "AccountAccessKeysPresent": int(bool(call.account.find(AccessKey, "user", ROOT))),
        "AccountPasswordPresent": int(call.account.get(LoginProfile, ROOT) is not None),
        "AccountSigningCertificatesPresent": int(bool(call.account.find(SigningCertificate, "user", ROOT))),
    }
