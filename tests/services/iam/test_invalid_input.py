"""Input that is well formed and still wrong, and names that nothing has: refused by each operation that takes them."""

import json

import pytest

NO_ARN = "this-is-not-an-arn-at-all"
DOCUMENT = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}})
OF_AWS = [{"Key": "aws:team", "Value": "blue"}]


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("create_policy_version", {"PolicyDocument": DOCUMENT}),
        ("delete_policy", {}),
        ("delete_policy_version", {"VersionId": "v1"}),
        ("detach_group_policy", {"GroupName": "devs"}),
        ("detach_role_policy", {"RoleName": "app"}),
        ("detach_user_policy", {"UserName": "ann"}),
        ("get_policy_version", {"VersionId": "v1"}),
        ("list_entities_for_policy", {}),
        ("list_policy_tags", {}),
        ("list_policy_versions", {}),
        ("set_default_policy_version", {"VersionId": "v1"}),
        ("untag_policy", {"TagKeys": ["a"]}),
    ],
)
@pytest.mark.usefixtures("world")
def test_a_policy_is_named_by_an_arn(iam, refused, operation, parameters):
    with refused("InvalidInput", f"ARN {NO_ARN} is not valid."):
        getattr(iam, operation)(PolicyArn=NO_ARN, **parameters)


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("create_policy", {"PolicyName": "new", "PolicyDocument": DOCUMENT}),
        ("create_instance_profile", {"InstanceProfileName": "new"}),
        ("create_virtual_mfa_device", {"VirtualMFADeviceName": "new"}),
    ],
)
def test_nothing_is_made_with_a_tag_of_awss(iam, refused, operation, parameters):
    with refused("InvalidInput"):
        getattr(iam, operation)(**parameters, Tags=OF_AWS)
    getattr(iam, operation)(**parameters)


def test_the_group_that_is_changed_must_exist(iam, refused):
    with refused("NoSuchEntity", "The group with name none cannot be found."):
        iam.update_group(GroupName="none", NewPath="/team/")


def test_the_user_whose_groups_are_listed_must_exist(iam, refused):
    with refused("NoSuchEntity", "The user with name none cannot be found."):
        iam.list_groups_for_user(UserName="none")
