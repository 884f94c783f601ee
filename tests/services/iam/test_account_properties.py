"""Account properties: what can be set, what enabling Role Manager makes, and who may."""

import json

import pytest
from running import allow, deny

from iamd.store.kinds import decode, encode
from iamd.store.records import AccountRecord

ENABLED = "RoleManager/Enabled"
ROLE = "AWSServiceRoleForIAMRoleManager"
ROLE_ARN = f"role/aws-service-role/role-manager.iam.amazonaws.com/{ROLE}"


def properties(iam):
    return iam.get_account_properties()["Properties"]


def test_role_manager_is_enabled_and_disabled_and_its_role_stays(iam, arn_of):
    assert properties(iam) == {ENABLED: "false"}
    iam.put_account_properties(Properties={ENABLED: "true"})
    assert properties(iam) == {ENABLED: "true"}
    role = iam.get_role(RoleName=ROLE)["Role"]
    assert role["Arn"] == arn_of(ROLE_ARN)
    assert "Description" not in role
    [attached] = iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]
    assert attached["PolicyName"] == "AWSIAMRoleManagerServiceRolePolicy"
    iam.put_account_properties(Properties={ENABLED: "true"})
    iam.put_account_properties(Properties={ENABLED: "false"})
    assert properties(iam) == {ENABLED: "false"}
    assert iam.get_role(RoleName=ROLE)["Role"] == role


def test_disabling_makes_no_role(iam, refused):
    iam.put_account_properties(Properties={ENABLED: "false", "RoleManager/Other": "x"})
    assert properties(iam) == {ENABLED: "false"}
    with refused("NoSuchEntity"):
        iam.get_role(RoleName=ROLE)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"RoleManager": "true"}, "Property key must be in format Namespace/PropertyName: RoleManager"),
        ({"RoleManager/": "true"}, "Property key must be in format Namespace/PropertyName: RoleManager/"),
        ({"RoleManager/Enabled/x": "true"}, "RoleManager namespace requires Enabled property"),
        ({"RoleManager/Other": "true"}, "RoleManager namespace requires Enabled property"),
        ({"Probe/Enabled": "true"}, "Unsupported namespace: Probe"),
        ({ENABLED: "true", "Probe/Enabled": "true"}, "All properties must belong to the same namespace"),
        ({ENABLED: "TRUE"}, "Enabled must be 'true' or 'false'"),
        ({ENABLED: " true"}, "Enabled must be 'true' or 'false'"),
        ({ENABLED: "1"}, "Enabled must be 'true' or 'false'"),
    ],
)
def test_what_is_no_property_is_refused_in_aws_words(iam, refused, given, words):
    with refused("InvalidInput", words):
        iam.put_account_properties(Properties=given)
    assert properties(iam) == {ENABLED: "false"}


def test_they_are_denied_without_permission(denied, arn_of, iam):
    denied("GetAccountProperties", "*")
    denied("PutAccountProperties", "*", Properties={ENABLED: "false"})
    assert properties(iam) == {ENABLED: "false"}


def test_enabling_needs_the_right_to_make_the_role(aws, iam, denied, arn_of, refused):
    user = aws.user("ann", allow("iam:PutAccountProperties"), deny("iam:CreateServiceLinkedRole"))
    own = aws.client("iam", user)
    with refused(
        "AccessDenied",
        f"User: {arn_of('user/ann')} is not authorized to perform: iam:CreateServiceLinkedRole"
        f" on resource: {arn_of(ROLE_ARN)} with an explicit deny in an identity-based policy",
    ):
        own.put_account_properties(Properties={ENABLED: "true"})
    assert properties(iam) == {ENABLED: "false"}
    own.put_account_properties(Properties={ENABLED: "false"})


def test_a_condition_on_namespaces_holds_for_reading_and_writing(aws, refused):
    condition = {"ForAllValues:StringEquals": {"iam:AccountPropertyNamespaces": "RoleManager"}}
    scoped = aws.client("iam", aws.user("ann", allow("iam:*AccountProperties", **condition)))
    scoped.put_account_properties(Properties={ENABLED: "false"})
    assert properties(scoped) == {ENABLED: "false"}
    with refused("AccessDenied"):
        scoped.put_account_properties(Properties={"Other/Enabled": "false"})
    other = {"ForAnyValue:StringEquals": {"iam:AccountPropertyNamespaces": "Other"}}
    stranger = aws.client("iam", aws.user("bob", allow("iam:*AccountProperties", **other)))
    with refused("AccessDenied"):
        stranger.get_account_properties()


def test_they_are_events(iam, parameters_of):
    iam.put_account_properties(Properties={ENABLED: "true"})
    iam.get_account_properties()
    [(key, value)] = parameters_of("PutAccountProperties")["properties"].items()
    assert (key.lower(), value) == (ENABLED.lower(), "true")
    assert parameters_of("GetAccountProperties") is None


def test_an_account_of_before_has_role_manager_disabled():
    record = AccountRecord(account_id="123456789012", name="a", created=1)
    before = json.loads(encode(record))
    assert "role_manager_enabled" not in before
    assert decode(AccountRecord.kind, json.dumps(before).encode()) == record
