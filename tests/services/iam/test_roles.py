"""Roles through boto3: what each parameter does, who may do it, what is recorded, what is refused."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from running import Credentials

from iamd.services.iam import roles
from iamd.store.log import Use
from iamd.store.records import Role

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
OTHER_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}
DOCUMENT = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}})
BOUNDARY = "arn:aws:iam::aws:policy/PowerUserAccess"


def create(iam: Any, name: str = "app", **parameters: Any) -> Any:
    return iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST), **parameters)["Role"]


def shown(iam: Any, name: str = "app") -> Any:
    return iam.get_role(RoleName=name)["Role"]


def test_a_role_is_shown_as_it_was_created(iam, arn_of):
    created = create(
        iam,
        Path="/team/",
        Description="runs the app",
        MaxSessionDuration=7200,
        PermissionsBoundary=BOUNDARY,
        Tags=[{"Key": "Team", "Value": "blue"}],
    )
    role = shown(iam)
    assert role.pop("RoleLastUsed") == {}
    assert created == {name: value for name, value in role.items() if name not in {"Description", "MaxSessionDuration"}}
    assert role["RoleId"].startswith("AROA")
    assert len(role["RoleId"]) == 21
    assert role.pop("CreateDate").tzinfo is not None
    assert role == {
        "Path": "/team/",
        "RoleName": "app",
        "RoleId": role["RoleId"],
        "Arn": arn_of("role/team/app"),
        "AssumeRolePolicyDocument": TRUST,
        "Description": "runs the app",
        "MaxSessionDuration": 7200,
        "PermissionsBoundary": {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": BOUNDARY},
        "Tags": [{"Key": "Team", "Value": "blue"}],
    }


def test_what_is_not_given_has_awss_defaults(iam, arn_of):
    create(iam)
    role = shown(iam)
    assert (role["Path"], role["Arn"], role["MaxSessionDuration"]) == ("/", arn_of("role/app"), 3600)
    assert not {"Description", "PermissionsBoundary", "Tags"} & role.keys()


def test_listings_leave_out_boundary_tags_and_last_use(iam):
    create(iam, PermissionsBoundary=BOUNDARY, Tags=[{"Key": "a", "Value": "b"}], Description="d")
    [role] = iam.list_roles()["Roles"]
    assert role.keys() == {
        "Path", "RoleName", "RoleId", "Arn", "CreateDate", "AssumeRolePolicyDocument", "Description", "MaxSessionDuration",
    }  # fmt: skip


def test_roles_are_listed_by_path_and_in_pages(iam, paged):
    for name, path in (("c", "/team/"), ("a", "/team/x/"), ("b", "/")):
        create(iam, name, Path=path)
    assert [role["RoleName"] for role in paged(iam.list_roles, "Roles")] == ["a", "b", "c"]
    assert [role["RoleName"] for role in paged(iam.list_roles, "Roles", PathPrefix="/team/")] == ["a", "c"]
    assert [role["RoleName"] for role in iam.list_roles(PathPrefix="/te")["Roles"]] == ["a", "c"]


def test_a_marker_fits_only_the_listing_it_came_from(iam, refused):
    create(iam, "a")
    create(iam, "b")
    marker = iam.list_roles(MaxItems=1)["Marker"]
    with refused("ValidationError"):
        iam.list_roles(Marker=marker, PathPrefix="/x/")


def test_update_role_sets_description_and_duration(iam):
    create(iam, Description="old", MaxSessionDuration=7200)
    iam.update_role(RoleName="app", Description="new", MaxSessionDuration=43200)
    assert (shown(iam)["Description"], shown(iam)["MaxSessionDuration"]) == ("new", 43200)
    iam.update_role(RoleName="app", MaxSessionDuration=3600)
    assert (shown(iam)["Description"], shown(iam)["MaxSessionDuration"]) == ("new", 3600)


def test_update_role_leaves_what_is_not_given(iam):
    """AWS: recorded answers of September 2026, against a sentence of the API Reference."""
    create(iam, MaxSessionDuration=7200)
    for given in ({"Description": "new"}, {}):
        iam.update_role(RoleName="app", **given)
        assert (shown(iam)["Description"], shown(iam)["MaxSessionDuration"]) == ("new", 7200)
    iam.update_role(RoleName="app", Description="")
    assert (shown(iam)["Description"], shown(iam)["MaxSessionDuration"]) == ("", 7200)


def test_update_role_description_answers_with_the_role_and_changes_nothing_else(iam):
    create(iam, MaxSessionDuration=7200, PermissionsBoundary=BOUNDARY, Tags=[{"Key": "a", "Value": "b"}])
    role = iam.update_role_description(RoleName="app", Description="new")["Role"]
    assert role["Description"] == shown(iam)["Description"] == "new"
    assert role.keys() == {"Path", "RoleName", "RoleId", "Arn", "CreateDate", "AssumeRolePolicyDocument", "Description"}
    assert shown(iam)["MaxSessionDuration"] == 7200


def test_update_assume_role_policy_replaces_the_trust_policy(iam):
    create(iam)
    iam.update_assume_role_policy(RoleName="app", PolicyDocument=json.dumps(OTHER_TRUST))
    assert shown(iam)["AssumeRolePolicyDocument"] == OTHER_TRUST


def test_a_deleted_role_is_gone_and_its_namesake_is_another(iam, refused):
    first = create(iam)
    iam.delete_role(RoleName="app")
    with refused("NoSuchEntity", "The role with name app cannot be found."):
        shown(iam)
    assert create(iam)["RoleId"] != first["RoleId"]


def test_a_role_with_policies_or_a_profile_is_not_deleted(iam, refused):
    create(iam)
    iam.create_instance_profile(InstanceProfileName="box")
    iam.add_role_to_instance_profile(InstanceProfileName="box", RoleName="app")
    iam.attach_role_policy(RoleName="app", PolicyArn=BOUNDARY)
    iam.put_role_policy(RoleName="app", PolicyName="inline", PolicyDocument=DOCUMENT)
    with refused("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first."):
        iam.delete_role(RoleName="app")
    iam.remove_role_from_instance_profile(InstanceProfileName="box", RoleName="app")
    with refused("DeleteConflict", "Cannot delete entity, must detach all policies first."):
        iam.delete_role(RoleName="app")
    iam.detach_role_policy(RoleName="app", PolicyArn=BOUNDARY)
    with refused("DeleteConflict", "Cannot delete entity, must delete policies first."):
        iam.delete_role(RoleName="app")
    iam.delete_role_policy(RoleName="app", PolicyName="inline")
    iam.delete_role(RoleName="app")
    assert iam.list_roles()["Roles"] == []


def test_names_that_differ_in_case_alone_collide(iam, refused):
    create(iam)
    with refused("EntityAlreadyExists", "Role with name APP already exists."):
        create(iam, "APP")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (
            "/aws-service-role/ecs.amazonaws.com/",
            "Path prefix '/aws-service-role/' can only be used for AWS Service linked Roles",
        ),
        ("/aws-reserved/sso.amazonaws.com/", "Path prefix '/aws-reserved/' can only be used by AWS"),
    ],
)
def test_reserved_paths_are_not_for_roles_made_by_hand(iam, refused, path, words):
    with refused("InvalidInput", words):
        create(iam, Path=path)


@pytest.mark.parametrize("seconds", [3599, 43201])
def test_sessions_last_from_one_to_twelve_hours(aws, iam, refused, seconds):
    unchecked = aws.client("iam", parameter_validation=False)
    with refused("ValidationError"):
        create(unchecked, MaxSessionDuration=seconds)
    create(iam)
    with refused("ValidationError"):
        unchecked.update_role(RoleName="app", MaxSessionDuration=seconds)


def test_a_role_tells_when_and_where_it_was_last_used(aws, iam):
    """Only sessions of the role count, and only once they ask for something."""
    caller = aws.client("sts").get_caller_identity()["Arn"]
    trust = {"Effect": "Allow", "Principal": {"AWS": caller}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    arn = iam.create_role(RoleName="app", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    answer = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="job")
    assert shown(iam)["RoleLastUsed"] == {}
    aws.client("sts", Credentials.of(answer["Credentials"])).get_caller_identity()
    used = shown(iam)["RoleLastUsed"]
    assert used["Region"] == "us-east-1"
    assert used["LastUsedDate"] >= shown(iam)["CreateDate"]


@pytest.mark.parametrize(("days", "is_shown"), [(0, True), (400, True), (401, False)])
def test_a_use_is_told_for_400_days(days, is_shown):
    use = Use(1_000_000, "eu-west-1", "s3")
    call = SimpleNamespace(now=use.time + days * 86400, last_used=SimpleNamespace(role={"AROA1": use}.get))
    role = Role(role_name="app", role_id="AROA1", created=0, trust_policy="")
    told = {"LastUsedDate": datetime.fromtimestamp(1_000_000, UTC), "Region": "eu-west-1"}
    assert roles.last_used(call, role) == (told if is_shown else {})


def test_a_boundary_must_exist(iam, refused, arn_of):
    with refused("NoSuchEntity"):
        create(iam, PermissionsBoundary=arn_of("policy/none"))
    with refused("NoSuchEntity"):
        shown(iam)


def test_tag_keys_are_unique_whatever_their_case(iam, refused):
    with refused("InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive."):
        create(iam, Tags=[{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}])


def test_a_trust_policy_has_at_most_2048_characters_that_are_not_white_space(iam, refused):
    statement = {**TRUST["Statement"][0], "Sid": ""}
    room = 2048 - len(json.dumps({**TRUST, "Statement": [statement]}, separators=(",", ":")))

    def trust(length: int) -> str:
        return json.dumps({**TRUST, "Statement": [{**statement, "Sid": "s" * length}]}, indent=8)

    create(iam)
    iam.update_assume_role_policy(RoleName="app", PolicyDocument=trust(room))
    with refused("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048"):
        iam.update_assume_role_policy(RoleName="app", PolicyDocument=trust(room + 1))


@pytest.mark.parametrize("document", ["{", json.dumps({"Version": "2012-10-17", "Statement": []}), DOCUMENT])
def test_what_is_no_trust_policy_is_malformed(iam, refused, document):
    create(iam)
    with refused("MalformedPolicyDocument"):
        iam.create_role(RoleName="other", AssumeRolePolicyDocument=document)
    with refused("MalformedPolicyDocument"):
        iam.update_assume_role_policy(RoleName="app", PolicyDocument=document)
    assert shown(iam)["AssumeRolePolicyDocument"] == TRUST


@pytest.mark.parametrize("document", ["not valid json", "{", "[" * 2000, "{'Version': '2012-10-17'}"])
def test_a_trust_policy_that_is_no_json_is_called_so(iam, refused, document):
    """AWS's answer to UpdateAssumeRolePolicy, recorded in February 2026; other policies have syntax errors."""
    create(iam)
    for change in (
        lambda: iam.create_role(RoleName="other", AssumeRolePolicyDocument=document),
        lambda: iam.update_assume_role_policy(RoleName="app", PolicyDocument=document),
    ):
        with refused("MalformedPolicyDocument", "This policy contains invalid Json"):
            change()


CALLS = {
    "GetRole": {},
    "UpdateRole": {"Description": "d"},
    "UpdateRoleDescription": {"Description": "d"},
    "UpdateAssumeRolePolicy": {"PolicyDocument": json.dumps(TRUST)},
    "DeleteRole": {},
}


@pytest.mark.parametrize("operation", CALLS)
def test_operations_on_a_role_are_denied_on_its_arn(iam, denied, arn_of, operation):
    create(iam, Path="/team/")
    denied(operation, arn_of("role/team/app"), RoleName="app", **CALLS[operation])


@pytest.mark.parametrize("operation", CALLS)
def test_operations_on_a_role_that_is_not_there_find_none(iam, refused, operation):
    call = {
        "GetRole": iam.get_role,
        "UpdateRole": iam.update_role,
        "UpdateRoleDescription": iam.update_role_description,
        "UpdateAssumeRolePolicy": iam.update_assume_role_policy,
        "DeleteRole": iam.delete_role,
    }[operation]
    with refused("NoSuchEntity", "The role with name none cannot be found."):
        call(RoleName="none", **CALLS[operation])


def test_creating_a_role_is_denied_on_the_arn_it_would_have(denied, arn_of):
    parameters = {"RoleName": "app", "Path": "/team/", "AssumeRolePolicyDocument": json.dumps(TRUST)}
    denied("CreateRole", arn_of("role/team/app"), **parameters)


def test_listing_roles_is_denied_on_the_path(denied, arn_of):
    denied("ListRoles", arn_of("role/team/"), PathPrefix="/team/")


def test_each_operation_is_recorded_with_its_parameters(iam, parameters_of):
    create(iam, Path="/team/")
    iam.get_role(RoleName="app")
    iam.list_roles(PathPrefix="/team/")
    iam.update_role(RoleName="app", Description="d")
    iam.update_role_description(RoleName="app", Description="e")
    iam.update_assume_role_policy(RoleName="app", PolicyDocument=json.dumps(OTHER_TRUST))
    iam.delete_role(RoleName="app")
    created = {"roleName": "app", "path": "/team/", "assumeRolePolicyDocument": json.dumps(TRUST)}
    assert parameters_of("CreateRole") == created
    assert parameters_of("GetRole") == {"roleName": "app"}
    assert parameters_of("ListRoles") == {"pathPrefix": "/team/"}
    assert parameters_of("UpdateRole") == {"roleName": "app", "description": "d"}
    assert parameters_of("UpdateRoleDescription") == {"roleName": "app", "description": "e"}
    changed = {"roleName": "app", "policyDocument": json.dumps(OTHER_TRUST)}
    assert parameters_of("UpdateAssumeRolePolicy") == changed
    assert parameters_of("DeleteRole") == {"roleName": "app"}
