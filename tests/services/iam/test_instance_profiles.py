"""Instance profiles through boto3."""

import json
from typing import Any

import pytest

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
BOTH = {"InstanceProfileName": "box", "RoleName": "app"}


def role(iam: Any, name: str = "app") -> Any:
    return iam.create_role(RoleName=name, Path="/team/", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]


def shown(iam: Any) -> Any:
    return iam.get_instance_profile(InstanceProfileName="box")["InstanceProfile"]


def test_a_profile_is_shown_as_it_was_created(iam, arn_of):
    created = iam.create_instance_profile(
        InstanceProfileName="box", Path="/team/", Tags=[{"Key": "Team", "Value": "blue"}]
    )["InstanceProfile"]
    profile = shown(iam)
    assert profile == created
    assert profile["InstanceProfileId"].startswith("AIPA")
    assert profile == {
        "Path": "/team/",
        "InstanceProfileName": "box",
        "InstanceProfileId": profile["InstanceProfileId"],
        "Arn": arn_of("instance-profile/team/box"),
        "CreateDate": profile["CreateDate"],
        "Roles": [],
        "Tags": [{"Key": "Team", "Value": "blue"}],
    }


def test_a_new_profile_is_answered_with_the_tags_that_it_has(iam):
    """AWS's answers, recorded in February 2026."""
    created = iam.create_instance_profile(InstanceProfileName="box")["InstanceProfile"]
    assert ("Tags" in created, shown(iam)["Tags"]) == (False, [])


def test_a_profile_shows_its_role(iam):
    app = role(iam)
    iam.create_instance_profile(InstanceProfileName="box")
    iam.add_role_to_instance_profile(**BOTH)
    [held] = shown(iam)["Roles"]
    assert held == {name: value for name, value in app.items() if name != "MaxSessionDuration"}
    assert held["AssumeRolePolicyDocument"] == TRUST
    iam.remove_role_from_instance_profile(**BOTH)
    assert shown(iam)["Roles"] == []


def test_a_profile_has_one_role(iam, refused):
    role(iam)
    role(iam, "other")
    iam.create_instance_profile(InstanceProfileName="box")
    iam.add_role_to_instance_profile(**BOTH)
    for name in ("app", "other"):
        with refused("LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1"):
            iam.add_role_to_instance_profile(InstanceProfileName="box", RoleName=name)
    assert [held["RoleName"] for held in shown(iam)["Roles"]] == ["app"]


def test_profiles_are_listed_by_path_and_in_pages(iam, paged):
    for name, path in (("b", "/team/"), ("a", "/team/x/"), ("c", "/")):
        iam.create_instance_profile(InstanceProfileName=name, Path=path, Tags=[{"Key": "k", "Value": "v"}])
    listed = paged(iam.list_instance_profiles, "InstanceProfiles", PathPrefix="/team/")
    assert [profile["InstanceProfileName"] for profile in listed] == ["a", "b"]
    assert all("Tags" not in profile for profile in listed)
    assert len(iam.list_instance_profiles()["InstanceProfiles"]) == 3


def test_the_profiles_of_a_role_are_listed_in_pages(iam, paged):
    role(iam)
    for name in ("b", "a", "c"):
        iam.create_instance_profile(InstanceProfileName=name)
    for name in ("b", "a"):
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName="app")
    listed = paged(iam.list_instance_profiles_for_role, "InstanceProfiles", RoleName="app")
    assert [profile["InstanceProfileName"] for profile in listed] == ["a", "b"]


def test_a_profile_with_a_role_is_not_deleted(iam, refused):
    role(iam)
    iam.create_instance_profile(InstanceProfileName="box")
    iam.add_role_to_instance_profile(**BOTH)
    with refused("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first."):
        iam.delete_instance_profile(InstanceProfileName="box")
    iam.remove_role_from_instance_profile(**BOTH)
    iam.delete_instance_profile(InstanceProfileName="box")
    with refused("NoSuchEntity", "Instance Profile box cannot be found."):
        shown(iam)


def test_names_that_differ_in_case_alone_collide(iam, refused):
    iam.create_instance_profile(InstanceProfileName="box")
    with refused("EntityAlreadyExists", "Instance Profile BOX already exists."):
        iam.create_instance_profile(InstanceProfileName="BOX")


def test_what_is_not_there_is_not_found(iam, refused):
    with refused("NoSuchEntity", "Instance Profile box cannot be found."):
        iam.delete_instance_profile(InstanceProfileName="box")
    with refused("NoSuchEntity", "Instance Profile box cannot be found."):
        iam.add_role_to_instance_profile(**BOTH)
    iam.create_instance_profile(InstanceProfileName="box")
    with refused("NoSuchEntity", "The role with name app cannot be found."):
        iam.add_role_to_instance_profile(**BOTH)
    with refused("NoSuchEntity", "The role with name app cannot be found."):
        iam.list_instance_profiles_for_role(RoleName="app")
    role(iam)
    with refused("NoSuchEntity", "Role app in Instance Profile box cannot be found."):
        iam.remove_role_from_instance_profile(**BOTH)


def test_putting_a_role_into_a_profile_passes_it(iam, denied, arn_of):
    """Who may only fill profiles gets no role by it: PassRole is decided on the role."""
    role(iam)
    iam.create_instance_profile(InstanceProfileName="box")
    may_add = {"Effect": "Allow", "Action": "iam:AddRoleToInstanceProfile", "Resource": "*"}
    elsewhere = {
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": "*",
        "Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
    }
    app = arn_of("role/team/app")
    denied("AddRoleToInstanceProfile", app, may_add, elsewhere, action="iam:PassRole", **BOTH)
    assert shown(iam)["Roles"] == []


def test_a_role_is_passed_to_ec2(aws, iam, arn_of):
    role(iam)
    iam.create_instance_profile(InstanceProfileName="box")
    passing = {
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": arn_of("role/team/app"),
        "Condition": {
            "StringEquals": {
                "iam:PassedToService": "ec2.amazonaws.com",
                "iam:AssociatedResourceArn": f"arn:aws:ec2:*:{aws.account_id}:instance/*",
            },
        },
    }
    adding = {
        "Effect": "Allow",
        "Action": "iam:AddRoleToInstanceProfile",
        "Resource": arn_of("instance-profile/box"),
    }
    aws.client("iam", aws.user("ann", passing, adding)).add_role_to_instance_profile(**BOTH)
    assert [held["RoleName"] for held in shown(iam)["Roles"]] == ["app"]


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("GetInstanceProfile", {"InstanceProfileName": "box"}),
        ("DeleteInstanceProfile", {"InstanceProfileName": "box"}),
        ("AddRoleToInstanceProfile", BOTH),
        ("RemoveRoleFromInstanceProfile", BOTH),
    ],
)
def test_operations_on_a_profile_are_denied_on_its_arn(iam, denied, arn_of, operation, parameters):
    iam.create_instance_profile(InstanceProfileName="box", Path="/team/")
    denied(operation, arn_of("instance-profile/team/box"), **parameters)


def test_creating_and_listing_are_denied_on_names_and_paths(iam, denied, arn_of):
    role(iam)
    denied("CreateInstanceProfile", arn_of("instance-profile/x/box"), InstanceProfileName="box", Path="/x/")
    denied("ListInstanceProfiles", arn_of("instance-profile/x/"), PathPrefix="/x/")
    denied("ListInstanceProfilesForRole", arn_of("role/team/app"), RoleName="app")


def test_each_operation_is_recorded_with_its_parameters(iam, parameters_of):
    role(iam)
    iam.create_instance_profile(InstanceProfileName="box", Path="/team/")
    iam.add_role_to_instance_profile(**BOTH)
    iam.get_instance_profile(InstanceProfileName="box")
    iam.list_instance_profiles(PathPrefix="/team/")
    iam.list_instance_profiles_for_role(RoleName="app")
    iam.remove_role_from_instance_profile(**BOTH)
    iam.delete_instance_profile(InstanceProfileName="box")
    both = {"instanceProfileName": "box", "roleName": "app"}
    assert parameters_of("CreateInstanceProfile") == {"instanceProfileName": "box", "path": "/team/"}
    assert parameters_of("AddRoleToInstanceProfile") == both
    assert parameters_of("GetInstanceProfile") == {"instanceProfileName": "box"}
    assert parameters_of("ListInstanceProfiles") == {"pathPrefix": "/team/"}
    assert parameters_of("ListInstanceProfilesForRole") == {"roleName": "app"}
    assert parameters_of("RemoveRoleFromInstanceProfile") == both
    assert parameters_of("DeleteInstanceProfile") == {"instanceProfileName": "box"}
