"""Users: made, shown, listed, renamed, moved and deleted."""

import json

import pytest
from running import Credentials, allow


def test_a_created_user_is_shown_as_it_was_made(iam, arn_of):
    """The answer of CreateUser and that of GetUser are the same."""
    tags = [{"Key": "Team", "Value": "blue"}]
    boundary = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    made = iam.create_user(UserName="ann", Path="/team/", PermissionsBoundary=boundary, Tags=tags)["User"]
    shown = iam.get_user(UserName="ann")["User"]
    assert shown == made
    assert shown["Arn"] == arn_of("user/team/ann")
    assert (shown["Path"], shown["UserName"], shown["Tags"]) == ("/team/", "ann", tags)
    assert shown["PermissionsBoundary"] == {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary}
    assert shown["UserId"].startswith("AIDA")
    assert len(shown["UserId"]) == 21
    assert "PasswordLastUsed" not in shown


def test_a_plain_user_has_the_root_path_and_nothing_else(iam, arn_of):
    user = iam.create_user(UserName="ann")["User"]
    assert user.keys() == {"Path", "UserName", "UserId", "Arn", "CreateDate"}
    assert (user["Path"], user["Arn"]) == ("/", arn_of("user/ann"))


def test_get_user_without_a_name_shows_the_caller(aws):
    ann = aws.user("ann", {"Effect": "Allow", "Action": "iam:GetUser", "Resource": "*"})
    assert aws.client("iam", ann).get_user()["User"]["UserName"] == "ann"


def test_a_role_session_has_no_name_to_leave_out(aws, iam, refused):
    """A session's key tells no user."""
    session = role_session(aws, iam)
    for call in (session.get_user, session.list_access_keys, session.create_access_key, session.list_mfa_devices):
        with refused("ValidationError", "Must specify userName when calling with non-User credentials"):
            call()
    assert session.get_user(UserName="ann")["User"]["UserName"] == "ann"
    with refused("InvalidUserType"):
        session.change_password(OldPassword="Correct-Horse-1", NewPassword="Correct-Horse-2")


def role_session(aws, iam):
    """IAM as a role session with every permission calls it; the user ann may assume the role."""
    ann = aws.user("ann", allow("sts:AssumeRole"))
    trust = {"Version": "2012-10-17", "Statement": {**allow("sts:AssumeRole"), "Principal": {"AWS": aws.account_id}}}
    del trust["Statement"]["Resource"]
    role = iam.create_role(RoleName="app", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    iam.attach_role_policy(RoleName="app", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    answer = aws.client("sts", ann).assume_role(RoleArn=role["Arn"], RoleSessionName="work")
    return aws.client("iam", Credentials.of(answer["Credentials"]))


@pytest.mark.parametrize("name", ["Ann", "ANN", "ann"])
def test_names_collide_without_regard_to_case(iam, refused, name):
    iam.create_user(UserName="ann")
    with refused("EntityAlreadyExists", f"User with name {name} already exists."):
        iam.create_user(UserName=name, Path="/other/")


@pytest.mark.parametrize("name", ["an", "ann2", "Ann2"])
def test_other_names_name_nobody(iam, refused, name):
    iam.create_user(UserName="ann")
    with refused("NoSuchEntity", f"The user with name {name} cannot be found."):
        iam.get_user(UserName=name)


def test_list_users_gives_those_under_a_path_in_the_order_of_their_names(iam):
    for name, path in (("cid", "/team/"), ("ann", "/team/blue/"), ("bob", "/other/")):
        iam.create_user(UserName=name, Path=path, Tags=[{"Key": "a", "Value": "b"}])
    listed = iam.list_users(PathPrefix="/team/")
    assert [user["UserName"] for user in listed["Users"]] == ["ann", "cid"]
    assert listed["IsTruncated"] is False
    assert all("Tags" not in user for user in listed["Users"])
    names = {user["UserName"] for user in iam.list_users()["Users"]}
    assert {"ann", "bob", "cid"} <= names


def test_list_users_goes_on_where_a_page_ended(iam, paged):
    for name in ("cid", "ann", "bob"):
        iam.create_user(UserName=name, Path="/team/")
    assert [user["UserName"] for user in paged(iam.list_users, "Users", PathPrefix="/team/")] == ["ann", "bob", "cid"]


def test_a_marker_of_another_listing_is_refused(iam, refused):
    for name in ("ann", "bob"):
        iam.create_user(UserName=name, Path="/team/")
    marker = iam.list_users(PathPrefix="/team/", MaxItems=1)["Marker"]
    with refused("ValidationError"):
        iam.list_users(PathPrefix="/other/", Marker=marker)


def test_a_renamed_user_keeps_its_id_groups_policies_and_keys(iam, world, refused, arn_of):
    iam.add_user_to_group(GroupName="devs", UserName="ann")
    before = iam.get_user(UserName="ann")["User"]
    iam.update_user(UserName="ann", NewUserName="anna", NewPath="/lead/")
    after = iam.get_user(UserName="anna")["User"]
    assert (after["Arn"], after["UserId"]) == (arn_of("user/lead/anna"), before["UserId"])
    assert [user["UserName"] for user in iam.get_group(GroupName="devs")["Users"]] == ["anna"]
    assert iam.list_attached_user_policies(UserName="anna")["AttachedPolicies"][0]["PolicyArn"] == world.policy_arn
    assert iam.list_access_keys(UserName="anna")["AccessKeyMetadata"][0]["AccessKeyId"] == world.access_key_id
    assert iam.get_access_key_last_used(AccessKeyId=world.access_key_id)["UserName"] == "anna"
    with refused("NoSuchEntity"):
        iam.get_user(UserName="ann")


@pytest.mark.parametrize(
    ("change", "resource"),
    [({"NewUserName": "anna"}, "user/team/anna"), ({"NewPath": "/lead/"}, "user/lead/ann"), ({}, "user/team/ann")],
)
def test_update_user_changes_only_what_is_given(iam, arn_of, change, resource):
    iam.create_user(UserName="ann", Path="/team/")
    iam.update_user(UserName="ann", **change)
    name = change.get("NewUserName", "ann")
    assert iam.get_user(UserName=name)["User"]["Arn"] == arn_of(resource)


def test_a_user_may_change_the_case_of_its_name_but_not_take_anothers(iam, refused):
    iam.create_user(UserName="ann")
    iam.create_user(UserName="bob")
    iam.update_user(UserName="ann", NewUserName="Ann")
    assert iam.get_user(UserName="Ann")["User"]["UserName"] == "Ann"
    with refused("EntityAlreadyExists", "User with name BOB already exists."):
        iam.update_user(UserName="Ann", NewUserName="BOB")


def test_a_rename_needs_permission_on_both_names(aws, iam, refused):
    """IAM User Guide, "Rename an IAM user": permission on the source and on the target."""
    iam.create_user(UserName="bob")
    allow = {"Effect": "Allow", "Action": "iam:UpdateUser", "Resource": f"arn:aws:iam::{aws.account_id}:user/bob"}
    client = aws.client("iam", aws.user("ann", allow))
    client.update_user(UserName="bob", NewUserName="bob")
    with refused(
        "AccessDenied",
        f"User: arn:aws:iam::{aws.account_id}:user/ann is not authorized to perform: iam:UpdateUser on resource:"
        f" arn:aws:iam::{aws.account_id}:user/robert because no identity-based policy allows the iam:UpdateUser action",
    ):
        client.update_user(UserName="bob", NewUserName="robert")


def test_a_deleted_user_is_gone_and_its_namesake_is_another(iam, refused):
    first = iam.create_user(UserName="ann")["User"]
    iam.delete_user(UserName="ann")
    with refused("NoSuchEntity"):
        iam.get_user(UserName="ann")
    assert iam.create_user(UserName="ann")["User"]["UserId"] != first["UserId"]


@pytest.mark.parametrize(
    ("give", "take", "message"),
    [
        (
            lambda iam: iam.create_access_key(UserName="ann"),
            lambda iam, key: iam.delete_access_key(UserName="ann", AccessKeyId=key["AccessKey"]["AccessKeyId"]),
            "Cannot delete entity, must delete access keys first.",
        ),
        (
            lambda iam: iam.create_login_profile(UserName="ann", Password="Correct-Horse-1"),
            lambda iam, _: iam.delete_login_profile(UserName="ann"),
            "Cannot delete entity, must delete login profile first.",
        ),
        (
            lambda iam: iam.create_group(GroupName="g") and iam.add_user_to_group(GroupName="g", UserName="ann"),
            lambda iam, _: iam.remove_user_from_group(GroupName="g", UserName="ann"),
            "Cannot delete entity, must remove users from group first.",
        ),
        (
            lambda iam: iam.attach_user_policy(UserName="ann", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess"),
            lambda iam, _: iam.detach_user_policy(UserName="ann", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess"),
            "Cannot delete entity, must detach all policies first.",
        ),
        (
            lambda iam: iam.put_user_policy(
                UserName="ann",
                PolicyName="p",
                PolicyDocument='{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}',
            ),
            lambda iam, _: iam.delete_user_policy(UserName="ann", PolicyName="p"),
            "Cannot delete entity, must delete policies first.",
        ),
    ],
    ids=["access key", "login profile", "group", "attached policy", "inline policy"],
)
def test_a_user_that_still_has_something_is_not_deleted(iam, refused, give, take, message):
    iam.create_user(UserName="ann")
    given = give(iam)
    with refused("DeleteConflict", message):
        iam.delete_user(UserName="ann")
    take(iam, given)
    iam.delete_user(UserName="ann")


def test_a_user_with_an_mfa_device_is_not_deleted(iam, refused, devices):
    iam.create_user(UserName="ann")
    serial, seed = devices.new("phone")
    devices.enable("ann", serial, seed)
    with refused("DeleteConflict", "Cannot delete entity, must remove tokens from principal first."):
        iam.delete_user(UserName="ann")
    iam.deactivate_mfa_device(UserName="ann", SerialNumber=serial)
    iam.delete_user(UserName="ann")


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [("get_user", {}), ("update_user", {"NewPath": "/x/"}), ("delete_user", {})],
)
def test_a_user_that_is_missing_is_named(iam, refused, operation, parameters):
    with refused("NoSuchEntity", "The user with name nobody cannot be found."):
        getattr(iam, operation)(UserName="nobody", **parameters)


@pytest.mark.parametrize(
    ("boundary", "code", "message"),
    [
        (
            "arn:aws:iam::aws:policy/NoSuchPolicy",
            "NoSuchEntity",
            "Scope ARN: arn:aws:iam::aws:policy/NoSuchPolicy does not exist or is not attachable.",
        ),
        ("this-is-not-an-arn-at-all", "InvalidInput", "ARN this-is-not-an-arn-at-all is not valid."),
    ],
)
def test_a_user_is_not_made_with_a_boundary_that_is_none(iam, refused, boundary, code, message):
    with refused(code, message):
        iam.create_user(UserName="ann", PermissionsBoundary=boundary)
    with refused("NoSuchEntity"):
        iam.get_user(UserName="ann")


@pytest.mark.parametrize("name", ["", "a" * 65, "änn", "ann bob", "ann/bob", "ann*", "ann\n"])
def test_a_name_that_aws_does_not_take_is_refused(aws, refused, name):
    """Invariant PRN-02: ASCII letters, digits and `_+=,.@-` only."""
    with refused("ValidationError"):
        aws.client("iam", parameter_validation=False).create_user(UserName=name)


@pytest.mark.parametrize("path", ["team", "/team", "team/", "/te am/", "/té/", "/" + "a" * 511 + "/"])
def test_a_path_that_aws_does_not_take_is_refused(iam, refused, path):
    with refused("ValidationError"):
        iam.create_user(UserName="ann", Path=path)
