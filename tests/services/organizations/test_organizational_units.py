"""Organizational units: made, shown, renamed, deleted, and who is above and below whom."""

import re

import pytest
from running import ACCOUNT, allow

from iamd.services.organizations import quotas

TAGS = [{"Key": "team", "Value": "blue"}]


@pytest.fixture
def unit(organizations, root_id):
    """`unit("a")` is the id of a new unit of the root, `unit("a", parent)` of another."""

    def make(name, parent_id=root_id, **parameters):
        made = organizations.create_organizational_unit(ParentId=parent_id, Name=name, **parameters)
        return made["OrganizationalUnit"]["Id"]

    return make


def test_a_unit_has_an_id_of_its_root_and_a_path(organizations, root_id, unit):
    outer = unit("outer")
    made = organizations.create_organizational_unit(ParentId=outer, Name="inner", Tags=TAGS)["OrganizationalUnit"]
    organization_id = organizations.describe_organization()["Organization"]["Id"]
    assert re.fullmatch(rf"ou-{root_id[2:]}-[a-z0-9]{{8,32}}", made["Id"])
    assert made == {
        "Id": made["Id"],
        "Arn": f"arn:aws:organizations::{ACCOUNT}:ou/{organization_id}/{made['Id']}",
        "Name": "inner",
        "Path": f"{organization_id}/{root_id}/{outer}/{made['Id']}/",
    }
    described = organizations.describe_organizational_unit(OrganizationalUnitId=made["Id"])
    assert described["OrganizationalUnit"] == made
    assert organizations.list_tags_for_resource(ResourceId=made["Id"])["Tags"] == TAGS
    [policy] = organizations.list_policies_for_target(TargetId=made["Id"], Filter="SERVICE_CONTROL_POLICY")["Policies"]
    assert policy["Id"] == "p-FullAWSAccess"


def test_what_is_not_there_has_no_units(organizations, root_id, refused):
    absent = f"ou-{root_id[2:]}-aaaaaaaa"
    with refused("ParentNotFoundException", "You specified a parent that doesn't exist."):
        organizations.create_organizational_unit(ParentId=absent, Name="a")
    for operation in (organizations.list_organizational_units_for_parent, organizations.list_accounts_for_parent):
        with refused("ParentNotFoundException"):
            operation(ParentId=absent)
    with refused("ParentNotFoundException"):
        organizations.list_children(ParentId=absent, ChildType="ACCOUNT")
    with refused("ChildNotFoundException"):
        organizations.list_parents(ChildId=absent)
    assert organizations.list_organizational_units_for_parent(ParentId=root_id)["OrganizationalUnits"] == []


def test_an_unknown_unit_is_not_found(organizations, root_id, refused):
    absent = f"ou-{root_id[2:]}-aaaaaaaa"
    with refused("OrganizationalUnitNotFoundException"):
        organizations.describe_organizational_unit(OrganizationalUnitId=absent)
    with refused("OrganizationalUnitNotFoundException"):
        organizations.update_organizational_unit(OrganizationalUnitId=absent, Name="a")
    with refused("OrganizationalUnitNotFoundException"):
        organizations.delete_organizational_unit(OrganizationalUnitId=absent)


def test_units_of_one_parent_have_names_of_their_own(organizations, unit, refused):
    first, second = unit("a"), unit("b")
    with refused("DuplicateOrganizationalUnitException", "An OU with the same name already exists."):
        organizations.create_organizational_unit(ParentId=organizations.list_roots()["Roots"][0]["Id"], Name="a")
    with refused("DuplicateOrganizationalUnitException"):
        organizations.update_organizational_unit(OrganizationalUnitId=second, Name="a")
    assert unit("a", first)
    organizations.update_organizational_unit(OrganizationalUnitId=second, Name="b")
    renamed = organizations.update_organizational_unit(OrganizationalUnitId=second, Name="c")["OrganizationalUnit"]
    assert renamed["Name"] == "c"
    assert organizations.update_organizational_unit(OrganizationalUnitId=second)["OrganizationalUnit"] == renamed
    described = organizations.describe_organizational_unit(OrganizationalUnitId=second)
    assert described["OrganizationalUnit"] == renamed


def test_only_an_empty_unit_is_deleted(organizations, root_id, unit, member, refused):
    outer, full = unit("outer"), unit("full")
    inner = unit("inner", outer)
    account_id = member().account_id
    organizations.move_account(AccountId=account_id, SourceParentId=root_id, DestinationParentId=full)
    for unit_id in (outer, full):
        with refused("OrganizationalUnitNotEmptyException"):
            organizations.delete_organizational_unit(OrganizationalUnitId=unit_id)
    organizations.delete_organizational_unit(OrganizationalUnitId=inner)
    organizations.delete_organizational_unit(OrganizationalUnitId=outer)
    left = organizations.list_organizational_units_for_parent(ParentId=root_id)["OrganizationalUnits"]
    assert [one["Id"] for one in left] == [full]


def test_units_stand_five_deep_at_most(organizations, root_id, unit, refused):
    parent = root_id
    for depth in range(quotas.DEPTH):
        parent = unit(f"level-{depth}", parent)
    with refused("ConstraintViolationException", Reason="OU_DEPTH_LIMIT_EXCEEDED"):
        organizations.create_organizational_unit(ParentId=parent, Name="too-deep")
    path = organizations.describe_organizational_unit(OrganizationalUnitId=parent)["OrganizationalUnit"]["Path"]
    assert path.count("ou-") == 5


def test_an_organization_has_2000_units_at_most():
    with pytest.raises(quotas.ConstraintViolation) as caught:
        quotas.check("OU_NUMBER_LIMIT_EXCEEDED", 2001, quotas.UNITS)
    assert caught.value.members == {"Reason": "OU_NUMBER_LIMIT_EXCEEDED"}


def test_children_and_parents_are_listed_in_pages(organizations, root_id, unit, member, paged):
    first, second = unit("a"), unit("b")
    account_id = member().account_id
    units = paged(organizations.list_organizational_units_for_parent, "OrganizationalUnits", ParentId=root_id)
    assert [one["Id"] for one in units] == [first, second]
    accounts = paged(organizations.list_accounts_for_parent, "Accounts", ParentId=root_id)
    assert {one["Id"] for one in accounts} == {ACCOUNT, account_id}
    children = paged(organizations.list_children, "Children", ParentId=root_id, ChildType="ORGANIZATIONAL_UNIT")
    assert sorted(one["Id"] for one in children) == sorted([first, second])
    assert {one["Type"] for one in children} == {"ORGANIZATIONAL_UNIT"}
    children = paged(organizations.list_children, "Children", ParentId=root_id, ChildType="ACCOUNT")
    assert {(one["Id"], one["Type"]) for one in children} == {(ACCOUNT, "ACCOUNT"), (account_id, "ACCOUNT")}
    for child in (first, account_id):
        assert paged(organizations.list_parents, "Parents", ChildId=child) == [{"Id": root_id, "Type": "ROOT"}]


def test_a_list_of_one_has_no_second_page(organizations, root_id, unit, refused):
    inner = unit("inner", unit("outer"))
    with refused("InvalidInputException", Reason="INVALID_NEXT_TOKEN"):
        organizations.list_parents(ChildId=inner, NextToken="another")
    assert "NextToken" not in organizations.list_parents(ChildId=inner, MaxResults=1)


def test_tags_need_the_permission_to_tag(aws, organizations, root_id, refused):
    maker = aws.client("organizations", aws.user("maker", allow("organizations:CreateOrganizationalUnit")))
    maker.create_organizational_unit(ParentId=root_id, Name="a")
    organization_id = organizations.describe_organization()["Organization"]["Id"]
    with refused(
        "AccessDeniedException",
        f"User: arn:aws:iam::{ACCOUNT}:user/maker is not authorized to perform: organizations:TagResource on "
        f"resource: arn:aws:organizations::{ACCOUNT}:ou/{organization_id}/ou-* "
        "because no identity-based policy allows the organizations:TagResource action",
    ):
        maker.create_organizational_unit(ParentId=root_id, Name="b", Tags=TAGS)


def test_a_right_on_one_unit_is_not_one_on_another(aws, organizations, unit, refused):
    own, other = unit("own"), unit("other")
    arn = organizations.describe_organizational_unit(OrganizationalUnitId=own)["OrganizationalUnit"]["Arn"]
    keeper = aws.client("organizations", aws.user("keeper", allow("organizations:*", arn)))
    keeper.update_organizational_unit(OrganizationalUnitId=own, Name="mine")
    with refused("AccessDeniedException"):
        keeper.update_organizational_unit(OrganizationalUnitId=other, Name="mine-too")


def test_tags_of_a_unit_are_condition_keys(aws, unit, refused):
    blue, red = unit("blue", Tags=TAGS), unit("red", Tags=[{"Key": "team", "Value": "red"}])
    statement = allow("organizations:*", StringEquals={"aws:ResourceTag/team": "blue"})
    keeper = aws.client("organizations", aws.user("keeper", statement))
    keeper.update_organizational_unit(OrganizationalUnitId=blue, Name="mine")
    with refused("AccessDeniedException"):
        keeper.update_organizational_unit(OrganizationalUnitId=red, Name="mine-too")
