"""GetAccountAuthorizationDetails through boto3."""

import json
from typing import Any

import pytest

DOCUMENT = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
POWER_USER = "arn:aws:iam::aws:policy/PowerUserAccess"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
TAGS = [{"Key": "Team", "Value": "blue"}]
INLINE = [{"PolicyName": "inline", "PolicyDocument": DOCUMENT}]
LIMITED = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": POWER_USER}


@pytest.fixture
def send(iam: Any) -> str:
    """The ARN of a policy that a user, a group and a role have; they also have a policy of AWS's and an inline one."""
    arn: str = iam.create_policy(PolicyName="send", PolicyDocument=json.dumps(DOCUMENT), Description="sends")["Policy"][
        "Arn"
    ]
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(TRUST | DOCUMENT), SetAsDefault=True)
    iam.create_user(UserName="ann", Path="/team/", Tags=TAGS, PermissionsBoundary=POWER_USER)
    iam.create_group(GroupName="devs", Path="/team/")
    iam.add_user_to_group(UserName="ann", GroupName="devs")
    iam.create_role(
        RoleName="app",
        Path="/team/",
        AssumeRolePolicyDocument=json.dumps(TRUST),
        Tags=TAGS,
        PermissionsBoundary=POWER_USER,
    )
    iam.create_instance_profile(InstanceProfileName="box")
    iam.add_role_to_instance_profile(InstanceProfileName="box", RoleName="app")
    for kind, name in (("user", "ann"), ("group", "devs"), ("role", "app")):
        member = {f"{kind.capitalize()}Name": name}
        getattr(iam, f"put_{kind}_policy")(**member, PolicyName="inline", PolicyDocument=json.dumps(DOCUMENT))
        getattr(iam, f"attach_{kind}_policy")(**member, PolicyArn=arn)
        getattr(iam, f"attach_{kind}_policy")(**member, PolicyArn=READ_ONLY)
    return arn


def named(details: Any, member: str, name: str) -> Any:
    [found] = [detail for detail in details if detail[member] == name]
    return found


def attached(send: str) -> list[dict[str, str]]:
    return [
        {"PolicyName": "send", "PolicyArn": send},
        {"PolicyName": "ReadOnlyAccess", "PolicyArn": READ_ONLY},
    ]


def test_a_user_has_groups_policies_boundary_and_tags(iam, send):
    user = named(iam.get_account_authorization_details()["UserDetailList"], "UserName", "ann")
    shown = iam.get_user(UserName="ann")["User"]
    assert user == shown | {
        "UserPolicyList": INLINE,
        "GroupList": ["devs"],
        "AttachedManagedPolicies": attached(send),
        "PermissionsBoundary": LIMITED,
        "Tags": TAGS,
    }


def test_of_lists_that_are_empty_a_users_inline_policies_alone_are_left_out(iam):
    iam.create_user(UserName="bob")
    iam.create_group(GroupName="none")
    details = iam.get_account_authorization_details()
    bob = named(details["UserDetailList"], "UserName", "bob")
    assert (bob["GroupList"], bob["AttachedManagedPolicies"], "UserPolicyList" in bob) == ([], [], False)
    [group] = details["GroupDetailList"]
    assert (group["GroupPolicyList"], group["AttachedManagedPolicies"]) == ([], [])


def test_a_group_has_policies(iam, send):
    [group] = iam.get_account_authorization_details()["GroupDetailList"]
    shown = iam.get_group(GroupName="devs")["Group"]
    assert group == shown | {"GroupPolicyList": INLINE, "AttachedManagedPolicies": attached(send)}


def test_a_role_has_trust_profiles_policies_boundary_and_tags(iam, send):
    shown = iam.get_role(RoleName="app")["Role"]
    iam.tag_instance_profile(InstanceProfileName="box", Tags=TAGS)
    [role] = iam.get_account_authorization_details()["RoleDetailList"]
    [profile] = iam.list_instance_profiles()["InstanceProfiles"]
    del shown["MaxSessionDuration"]
    assert role == shown | {
        "InstanceProfileList": [profile],
        "RolePolicyList": INLINE,
        "AttachedManagedPolicies": attached(send),
        "RoleLastUsed": {},
    }
    assert (role["AssumeRolePolicyDocument"], role["PermissionsBoundary"], role["Tags"]) == (TRUST, LIMITED, TAGS)


def test_a_policy_has_all_its_versions_with_their_documents(iam, send):
    policy = named(iam.get_account_authorization_details()["Policies"], "Arn", send)
    versions = policy.pop("PolicyVersionList")
    shown = iam.get_policy(PolicyArn=send)["Policy"]
    assert (shown.pop("Tags"), shown.pop("Description")) == ([], "sends")
    assert policy == shown
    assert policy["AttachmentCount"] == 3
    for version in versions:
        one = iam.get_policy_version(PolicyArn=send, VersionId=version["VersionId"])["PolicyVersion"]
        assert version == one
    assert [(version["VersionId"], version["IsDefaultVersion"]) for version in versions] == [
        ("v2", True),
        ("v1", False),
    ]


def test_awss_policies_are_those_that_somebody_has(iam, send):
    details = iam.get_account_authorization_details(Filter=["AWSManagedPolicy"])
    assert {policy["Arn"] for policy in details["Policies"]} == {READ_ONLY, POWER_USER, ADMINISTRATOR}
    limiting = named(details["Policies"], "Arn", POWER_USER)
    assert (limiting["AttachmentCount"], limiting["PermissionsBoundaryUsageCount"]) == (0, 2)


LISTS = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")


@pytest.mark.parametrize(
    ("filters", "counts"),
    [
        (["User"], (2, 0, 0, 0)),
        (["Group"], (0, 1, 0, 0)),
        (["Role"], (0, 0, 1, 0)),
        (["LocalManagedPolicy"], (0, 0, 0, 1)),
        (["AWSManagedPolicy"], (0, 0, 0, 3)),
        (["Role", "User"], (2, 0, 1, 0)),
        ([], (2, 1, 1, 4)),
    ],
)
def test_a_filter_chooses_the_kinds(iam, send, filters, counts):
    details = iam.get_account_authorization_details(Filter=filters)
    assert tuple(len(details[name]) for name in LISTS) == counts
    assert details["IsTruncated"] is False


def test_pages_run_through_all_four_lists(iam, send):
    whole = iam.get_account_authorization_details()
    pages = list(iam.get_paginator("get_account_authorization_details").paginate(PaginationConfig={"PageSize": 3}))
    assert [sum(len(page[name]) for name in LISTS) for page in pages] == [3, 3, 2]
    for name in LISTS:
        assert [detail for page in pages for detail in page[name]] == whole[name]


def test_a_marker_fits_only_the_filter_it_came_with(iam, send, refused):
    marker = iam.get_account_authorization_details(Filter=["User"], MaxItems=1)["Marker"]
    for other in (marker, "no-marker-at-all"):
        with refused("ValidationError", "Marker and Filter do not match"):
            iam.get_account_authorization_details(Filter=["Role"], Marker=other)
        with refused("ValidationError", "Invalid Marker."):
            iam.get_account_authorization_details(Marker=other)


def test_the_operation_has_no_resource(denied):
    denied("GetAccountAuthorizationDetails", "*")


def test_the_operation_is_recorded_with_its_parameters(iam, parameters_of):
    iam.get_account_authorization_details(Filter=["User"], MaxItems=5)
    assert parameters_of("GetAccountAuthorizationDetails") == {"filter": ["User"], "maxItems": 5}
