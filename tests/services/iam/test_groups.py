"""Groups: made, shown, listed, renamed, deleted; and who is in them."""

import pytest


@pytest.fixture
def members(iam):
    """The group `devs` with the users ann and bob."""
    iam.create_group(GroupName="devs", Path="/team/")
    for name in ("bob", "ann"):
        iam.create_user(UserName=name)
        iam.add_user_to_group(GroupName="devs", UserName=name)


def test_a_created_group_is_shown_as_it_was_made(iam, arn_of):
    made = iam.create_group(GroupName="devs", Path="/team/")["Group"]
    shown = iam.get_group(GroupName="devs")
    assert shown["Group"] == made
    assert (made["Arn"], made["Path"], made["GroupName"]) == (arn_of("group/team/devs"), "/team/", "devs")
    assert made["GroupId"].startswith("AGPA")
    assert shown["Users"] == []


def test_names_collide_without_regard_to_case(iam, refused):
    iam.create_group(GroupName="devs")
    with refused("EntityAlreadyExists", "Group with name DEVS already exists."):
        iam.create_group(GroupName="DEVS")


def test_list_groups_gives_those_under_a_path(iam, paged):
    for name, path in (("c", "/team/"), ("a", "/team/blue/"), ("b", "/other/")):
        iam.create_group(GroupName=name, Path=path)
    assert [group["GroupName"] for group in iam.list_groups(PathPrefix="/team/")["Groups"]] == ["a", "c"]
    assert [group["GroupName"] for group in paged(iam.list_groups, "Groups")] == ["a", "b", "c"]


@pytest.mark.usefixtures("members")
def test_members_are_listed_from_both_sides(iam, paged):
    assert [user["UserName"] for user in iam.get_group(GroupName="devs")["Users"]] == ["ann", "bob"]
    assert [user["UserName"] for user in paged(iam.get_group, "Users", GroupName="devs")] == ["ann", "bob"]
    iam.create_group(GroupName="admins")
    iam.add_user_to_group(GroupName="admins", UserName="ann")
    assert [group["GroupName"] for group in iam.list_groups_for_user(UserName="ann")["Groups"]] == ["admins", "devs"]
    assert [g["GroupName"] for g in paged(iam.list_groups_for_user, "Groups", UserName="ann")] == ["admins", "devs"]
    assert [group["GroupName"] for group in iam.list_groups_for_user(UserName="bob")["Groups"]] == ["devs"]


@pytest.mark.usefixtures("members")
def test_adding_a_member_again_changes_nothing(iam):
    iam.add_user_to_group(GroupName="devs", UserName="ann")
    assert len(iam.list_groups_for_user(UserName="ann")["Groups"]) == 1


@pytest.mark.usefixtures("members")
def test_who_leaves_a_group_is_in_it_no_longer(iam):
    iam.remove_user_from_group(GroupName="devs", UserName="ann")
    assert [user["UserName"] for user in iam.get_group(GroupName="devs")["Users"]] == ["bob"]
    iam.remove_user_from_group(GroupName="devs", UserName="ann")


@pytest.mark.usefixtures("members")
def test_a_renamed_group_keeps_its_id_and_members(iam, arn_of, refused):
    before = iam.get_group(GroupName="devs")["Group"]
    iam.update_group(GroupName="devs", NewGroupName="makers", NewPath="/lead/")
    after = iam.get_group(GroupName="makers")
    assert (after["Group"]["Arn"], after["Group"]["GroupId"]) == (arn_of("group/lead/makers"), before["GroupId"])
    assert len(after["Users"]) == 2
    iam.create_group(GroupName="others")
    with refused("EntityAlreadyExists", "Group with name Others already exists."):
        iam.update_group(GroupName="makers", NewGroupName="Others")


def test_a_group_gives_its_members_permissions_until_they_leave(aws, iam, refused):
    client = aws.client("iam", aws.user("ann"))
    iam.create_group(GroupName="viewers")
    iam.attach_group_policy(GroupName="viewers", PolicyArn="arn:aws:iam::aws:policy/IAMReadOnlyAccess")
    iam.add_user_to_group(GroupName="viewers", UserName="ann")
    assert client.get_user()["User"]["UserName"] == "ann"
    iam.remove_user_from_group(GroupName="viewers", UserName="ann")
    with refused("AccessDenied"):
        client.get_user()


@pytest.mark.usefixtures("members")
def test_a_group_that_still_has_something_is_not_deleted(iam, refused):
    policy = '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}'
    iam.put_group_policy(GroupName="devs", PolicyName="p", PolicyDocument=policy)
    iam.attach_group_policy(GroupName="devs", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    with refused("DeleteConflict", "Cannot delete entity, must remove users from group first."):
        iam.delete_group(GroupName="devs")
    for name in ("ann", "bob"):
        iam.remove_user_from_group(GroupName="devs", UserName=name)
    with refused("DeleteConflict", "Cannot delete entity, must detach all policies first."):
        iam.delete_group(GroupName="devs")
    iam.detach_group_policy(GroupName="devs", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    with refused("DeleteConflict", "Cannot delete entity, must delete policies first."):
        iam.delete_group(GroupName="devs")
    iam.delete_group_policy(GroupName="devs", PolicyName="p")
    iam.delete_group(GroupName="devs")
    with refused("NoSuchEntity", "The group with name devs cannot be found."):
        iam.get_group(GroupName="devs")


def test_a_user_is_in_ten_groups_at_most(iam, refused):
    iam.create_user(UserName="ann")
    for number in range(11):
        iam.create_group(GroupName=f"g{number}")
    for number in range(10):
        iam.add_user_to_group(GroupName=f"g{number}", UserName="ann")
    with refused("LimitExceeded", "Cannot exceed quota for GroupsPerUser: 10"):
        iam.add_user_to_group(GroupName="g10", UserName="ann")


@pytest.mark.parametrize("operation", ["add_user_to_group", "remove_user_from_group"])
def test_group_and_user_must_exist(iam, refused, operation):
    iam.create_group(GroupName="devs")
    with refused("NoSuchEntity", "The user with name ann cannot be found."):
        getattr(iam, operation)(GroupName="devs", UserName="ann")
    iam.create_user(UserName="ann")
    with refused("NoSuchEntity", "The group with name none cannot be found."):
        getattr(iam, operation)(GroupName="none", UserName="ann")


def test_of_two_unknown_names_removing_tells_the_users(iam, refused):
    """AWS's recorded answer (February 2026)."""
    with refused("NoSuchEntity", "The user with name nobody cannot be found."):
        iam.remove_user_from_group(GroupName="none", UserName="nobody")


def test_an_account_has_three_hundred_groups_at_most(iam, refused):
    for number in range(300):
        iam.create_group(GroupName=f"g{number}")
    with refused("LimitExceeded", "Cannot exceed quota for GroupsPerAccount: 300"):
        iam.create_group(GroupName="one-more")
