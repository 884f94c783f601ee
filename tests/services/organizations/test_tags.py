"""Tags of roots, units, accounts and policies."""

import pytest
from running import allow, deny

BLUE = [{"Key": "team", "Value": "blue"}]


@pytest.fixture(params=["root", "unit", "account", "policy"])
def resource_id(request, organizations, root_id, member, policy):
    match request.param:
        case "root":
            return root_id
        case "unit":
            made = organizations.create_organizational_unit(ParentId=root_id, Name="a")
            return made["OrganizationalUnit"]["Id"]
        case "account":
            return member().account_id
        case _:
            return policy(deny("s3:*"))


def tags(organizations, resource_id):
    listed = organizations.list_tags_for_resource(ResourceId=resource_id)["Tags"]
    return {tag["Key"]: tag["Value"] for tag in listed}


def test_tags_come_and_go(organizations, resource_id):
    organizations.tag_resource(ResourceId=resource_id, Tags=[*BLUE, {"Key": "Team", "Value": ""}])
    assert tags(organizations, resource_id) == {"team": "blue", "Team": ""}
    organizations.tag_resource(ResourceId=resource_id, Tags=[{"Key": "team", "Value": "red"}])
    assert tags(organizations, resource_id) == {"team": "red", "Team": ""}
    organizations.untag_resource(ResourceId=resource_id, TagKeys=["Team", "absent"])
    assert tags(organizations, resource_id) == {"team": "red"}


def test_a_resource_has_fifty_tags(organizations, root_id, refused):
    many = [{"Key": f"key-{number:02d}", "Value": ""} for number in range(50)]
    organizations.tag_resource(ResourceId=root_id, Tags=many)
    with refused("ConstraintViolationException", Reason="MAX_TAG_LIMIT_EXCEEDED"):
        organizations.tag_resource(ResourceId=root_id, Tags=BLUE)
    first = organizations.list_tags_for_resource(ResourceId=root_id)
    second = organizations.list_tags_for_resource(ResourceId=root_id, NextToken=first["NextToken"])
    third = organizations.list_tags_for_resource(ResourceId=root_id, NextToken=second["NextToken"])
    assert first["Tags"] + second["Tags"] + third["Tags"] == many
    assert "NextToken" not in third


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ([*BLUE, *BLUE], "DUPLICATE_TAG_KEY"),
        ([{"Key": "aws:team", "Value": ""}], "INVALID_SYSTEM_TAGS_PARAMETER"),
    ],
)
def test_wrong_tags_are_refused(organizations, root_id, refused, given, reason):
    with refused("InvalidInputException", Reason=reason):
        organizations.tag_resource(ResourceId=root_id, Tags=given)
    with refused("InvalidInputException", Reason="INVALID_SYSTEM_TAGS_PARAMETER"):
        organizations.untag_resource(ResourceId=root_id, TagKeys=["aws:team"])
    assert tags(organizations, root_id) == {}


@pytest.mark.parametrize("resource_id", ["999999999999", "ou-aaaa-aaaaaaaa", "r-aaaaa", "p-aaaaaaaa", "rp-aaaaaaaa"])
def test_what_is_not_there_has_no_tags(organizations, root_id, refused, resource_id):
    with refused("TargetNotFoundException"):
        organizations.tag_resource(ResourceId=resource_id, Tags=BLUE)
    with refused("TargetNotFoundException"):
        organizations.untag_resource(ResourceId=resource_id, TagKeys=["team"])
    with refused("TargetNotFoundException"):
        organizations.list_tags_for_resource(ResourceId=resource_id)


def test_awss_policies_have_no_tags(organizations, root_id, refused):
    with refused("InvalidInputException", Reason="TARGET_NOT_SUPPORTED"):
        organizations.tag_resource(ResourceId="p-FullAWSAccess", Tags=BLUE)
    assert tags(organizations, root_id) == {}


def test_keys_of_tags_are_condition_keys(aws, organizations, root_id, refused):
    only = {"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}
    tagger = aws.client("organizations", aws.user("tagger", allow("organizations:*", **only)))
    tagger.tag_resource(ResourceId=root_id, Tags=BLUE)
    with refused("AccessDeniedException"):
        tagger.tag_resource(ResourceId=root_id, Tags=[{"Key": "other", "Value": ""}])
    with refused("AccessDeniedException"):
        tagger.untag_resource(ResourceId=root_id, TagKeys=["other"])
    tagger.untag_resource(ResourceId=root_id, TagKeys=["team"])
    assert tags(organizations, root_id) == {}
