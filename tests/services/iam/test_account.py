"""The account: password policy, alias, summary."""

import json

import pytest

DEFAULTS = {
    "MinimumPasswordLength": 6,
    "RequireSymbols": False,
    "RequireNumbers": False,
    "RequireUppercaseCharacters": False,
    "RequireLowercaseCharacters": False,
    "AllowUsersToChangePassword": False,
    "ExpirePasswords": False,
}


def test_without_a_password_policy_there_is_none_to_show_or_delete(aws, iam, refused):
    message = f"The Password Policy with domain name {aws.account_id} cannot be found."
    with refused("NoSuchEntity", message):
        iam.get_account_password_policy()
    # AWS Tools for PowerShell, Remove-IAMAccountPasswordPolicy, shows other words for this one.
    with refused("NoSuchEntity", "The account policy with name PasswordPolicy cannot be found."):
        iam.delete_account_password_policy()


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({}, {}),
        ({"MinimumPasswordLength": 20}, {"MinimumPasswordLength": 20}),
        ({"RequireSymbols": True}, {"RequireSymbols": True}),
        ({"RequireNumbers": True}, {"RequireNumbers": True}),
        ({"RequireUppercaseCharacters": True}, {"RequireUppercaseCharacters": True}),
        ({"RequireLowercaseCharacters": True}, {"RequireLowercaseCharacters": True}),
        ({"AllowUsersToChangePassword": True}, {"AllowUsersToChangePassword": True}),
        ({"MaxPasswordAge": 90}, {"MaxPasswordAge": 90, "ExpirePasswords": True}),
        ({"PasswordReusePrevention": 24}, {"PasswordReusePrevention": 24}),
        ({"HardExpiry": True}, {"HardExpiry": True}),
    ],
)
def test_a_password_policy_is_what_was_given_and_defaults(iam, given, shown):
    iam.update_account_password_policy(
        MinimumPasswordLength=100, MaxPasswordAge=3, HardExpiry=False, RequireSymbols=True
    )
    iam.update_account_password_policy(**given)
    assert iam.get_account_password_policy()["PasswordPolicy"] == DEFAULTS | shown


def test_booleans_may_be_numbers(aws):
    """AWS: XML Schema's booleans; SDKs send the words."""
    iam = aws.client("iam")

    def send(params, **_):
        params["body"].update(RequireSymbols="1", RequireNumbers="0", HardExpiry="true")

    iam.meta.events.register_last("before-call.iam.UpdateAccountPasswordPolicy", send)
    try:
        iam.update_account_password_policy()
    finally:
        iam.meta.events.unregister("before-call.iam.UpdateAccountPasswordPolicy", send)
    found = iam.get_account_password_policy()["PasswordPolicy"]
    assert (found["RequireSymbols"], found["RequireNumbers"], found["HardExpiry"]) == (True, False, True)


def test_a_deleted_password_policy_is_gone(iam, refused):
    iam.update_account_password_policy()
    iam.delete_account_password_policy()
    with refused("NoSuchEntity"):
        iam.get_account_password_policy()


@pytest.mark.parametrize(
    "parameters",
    [
        {"MinimumPasswordLength": 5},
        {"MinimumPasswordLength": 129},
        {"MaxPasswordAge": 0},
        {"MaxPasswordAge": 1096},
        {"PasswordReusePrevention": 0},
        {"PasswordReusePrevention": 25},
    ],
)
def test_a_password_policy_stays_in_awss_bounds(aws, refused, parameters):
    with refused("ValidationError"):
        aws.client("iam", parameter_validation=False).update_account_password_policy(**parameters)


def test_an_account_has_one_alias(iam, refused):
    assert iam.list_account_aliases()["AccountAliases"] == []
    iam.create_account_alias(AccountAlias="first-name")
    iam.create_account_alias(AccountAlias="second-name")
    assert iam.list_account_aliases()["AccountAliases"] == ["second-name"]
    assert iam.list_account_aliases(MaxItems=1)["IsTruncated"] is False
    with refused("EntityAlreadyExists", "The account alias second-name already exists."):
        iam.create_account_alias(AccountAlias="second-name")
    with refused("NoSuchEntity", "The account alias first-name cannot be found."):
        iam.delete_account_alias(AccountAlias="first-name")
    iam.delete_account_alias(AccountAlias="second-name")
    assert iam.list_account_aliases()["AccountAliases"] == []
    iam.create_account_alias(AccountAlias="first-name")


def test_an_alias_is_no_account_number(iam, refused):
    with refused("ValidationError"):
        iam.create_account_alias(AccountAlias="123456789012")


def test_the_summary_counts_what_there_is(iam, world):
    before = iam.get_account_summary()["SummaryMap"]
    iam.create_user(UserName="cid")
    iam.create_group(GroupName="g")
    iam.create_virtual_mfa_device(VirtualMFADeviceName="tablet")
    iam.attach_user_policy(UserName="cid", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    iam.put_user_permissions_boundary(UserName="cid", PermissionsBoundary="arn:aws:iam::aws:policy/ReadOnlyAccess")
    document = iam.get_policy_version(PolicyArn=world.policy_arn, VersionId="v1")["PolicyVersion"]["Document"]
    iam.create_policy_version(PolicyArn=world.policy_arn, PolicyDocument=json.dumps(document))
    iam.create_policy(PolicyName="nobodys", PolicyDocument=json.dumps(document))
    after = iam.get_account_summary()["SummaryMap"]
    changed = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    assert changed == {"Users": 1, "Groups": 1, "MFADevices": 1, "Policies": 1, "PolicyVersionsInUse": 1}
    assert (after["Users"], before["Groups"], before["Roles"]) == (len(iam.list_users()["Users"]), 1, 1)
    assert (before["Policies"], before["InstanceProfiles"]) == (1, 1)
    assert (before["MFADevices"], before["MFADevicesInUse"], before["AccountMFAEnabled"]) == (2, 1, 0)
    assert (before["AccountAccessKeysPresent"], before["AccountPasswordPresent"], before["Providers"]) == (0, 0, 2)


def test_the_summary_says_which_version_of_tokens_is_preferred(iam, refused):
    def version():
        return iam.get_account_summary()["SummaryMap"]["GlobalEndpointTokenVersion"]

    assert version() == 1
    iam.set_security_token_service_preferences(GlobalEndpointTokenVersion="v2Token")
    assert version() == 2
    message = (
        "1 validation error detected: Value at 'globalEndpointTokenVersion' failed to satisfy constraint: "
        "Member must satisfy enum value set: [v1Token, v2Token]"
    )
    with refused("ValidationError", message):
        iam.set_security_token_service_preferences(GlobalEndpointTokenVersion="v3Token")
    assert version() == 2
    iam.set_security_token_service_preferences(GlobalEndpointTokenVersion="v1Token")
    assert version() == 1


def test_the_summary_has_every_key_that_aws_names(iam):
    """All values of summaryKeyType, and the quotas page's numbers."""
    summary = iam.get_account_summary()["SummaryMap"]
    named = iam.meta.service_model.shape_for("summaryKeyType").enum
    assert summary.keys() == set(named)
    quotas = {name: value for name, value in summary.items() if name.endswith("Quota")}
    assert quotas == {
        "AccessKeysPerUserQuota": 2,
        "AssumeRolePolicySizeQuota": 2048,
        "AttachedPoliciesPerGroupQuota": 10,
        "AttachedPoliciesPerRoleQuota": 10,
        "AttachedPoliciesPerUserQuota": 10,
        "GroupPolicySizeQuota": 5120,
        "GroupsPerUserQuota": 10,
        "GroupsQuota": 300,
        "InstanceProfilesQuota": 1000,
        "PoliciesQuota": 1500,
        "PolicySizeQuota": 6144,
        "PolicyVersionsInUseQuota": 10000,
        "RolePolicySizeQuota": 10240,
        "RolesQuota": 1000,
        "ServerCertificatesQuota": 20,
        "SigningCertificatesPerUserQuota": 2,
        "UserPolicySizeQuota": 2048,
        "UsersQuota": 5000,
        "VersionsPerPolicyQuota": 5,
    }
