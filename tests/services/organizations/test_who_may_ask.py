"""Only the management account changes an organization; members and outsiders are refused whatever their policies say."""

import pytest
from botocore.exceptions import ClientError
from running import Credentials

from iamd.services import registry

registry.load()
UNIT, ROOT, POLICY, ACCOUNT = "ou-aaaa-aaaaaaaa", "r-aaaa", "p-aaaaaaaa", "999999999999"
SCP = "SERVICE_CONTROL_POLICY"
BACKUP = "backup.amazonaws.com"

WELL_FORMED = {
    "attach_policy": {"PolicyId": POLICY, "TargetId": ROOT},
    "close_account": {"AccountId": ACCOUNT},
    "create_account": {"AccountName": "new", "Email": "new@example.com"},
    "create_organizational_unit": {"ParentId": ROOT, "Name": "new"},
    "create_policy": {"Name": "new", "Description": "", "Type": SCP, "Content": "{}"},
    "delete_organization": {},
    "delete_organizational_unit": {"OrganizationalUnitId": UNIT},
    "delete_policy": {"PolicyId": POLICY},
    "deregister_delegated_administrator": {"AccountId": ACCOUNT, "ServicePrincipal": BACKUP},
    "describe_account": {"AccountId": ACCOUNT},
    "describe_create_account_status": {"CreateAccountRequestId": "car-aaaaaaaa"},
    "describe_organizational_unit": {"OrganizationalUnitId": UNIT},
    "describe_policy": {"PolicyId": POLICY},
    "detach_policy": {"PolicyId": POLICY, "TargetId": ROOT},
    "disable_aws_service_access": {"ServicePrincipal": BACKUP},
    "disable_policy_type": {"RootId": ROOT, "PolicyType": SCP},
    "enable_all_features": {},
    "enable_aws_service_access": {"ServicePrincipal": BACKUP},
    "enable_policy_type": {"RootId": ROOT, "PolicyType": SCP},
    "list_accounts": {},
    "list_accounts_for_parent": {"ParentId": ROOT},
    "list_aws_service_access_for_organization": {},
    "list_children": {"ParentId": ROOT, "ChildType": "ACCOUNT"},
    "list_create_account_status": {},
    "list_delegated_administrators": {},
    "list_delegated_services_for_account": {"AccountId": ACCOUNT},
    "invite_account_to_organization": {"Target": {"Type": "ACCOUNT", "Id": ACCOUNT}},
    "list_handshakes_for_organization": {},
    "list_organizational_units_for_parent": {"ParentId": ROOT},
    "list_parents": {"ChildId": ACCOUNT},
    "list_policies": {"Filter": SCP},
    "list_policies_for_target": {"TargetId": ROOT, "Filter": SCP},
    "list_roots": {},
    "list_tags_for_resource": {"ResourceId": ROOT},
    "list_targets_for_policy": {"PolicyId": POLICY},
    "move_account": {"AccountId": ACCOUNT, "SourceParentId": ROOT, "DestinationParentId": UNIT},
    "register_delegated_administrator": {"AccountId": ACCOUNT, "ServicePrincipal": BACKUP},
    "remove_account_from_organization": {"AccountId": ACCOUNT},
    "tag_resource": {"ResourceId": ROOT, "Tags": [{"Key": "a", "Value": "b"}]},
    "untag_resource": {"ResourceId": ROOT, "TagKeys": ["a"]},
    "update_organizational_unit": {"OrganizationalUnitId": UNIT, "Name": "new"},
    "update_policy": {"PolicyId": POLICY, "Name": "new"},
}
"""Parameters that the model takes, of things that are not there."""

OF_EVERY_MEMBER = frozenset({"describe_organization", "leave_organization"})
"""What has no parameters, and is for every account of the organization."""

OF_EVERY_ACCOUNT = frozenset(
    {"accept_handshake", "cancel_handshake", "decline_handshake", "describe_handshake", "list_handshakes_for_account"}
)
"""What accounts of no organization may ask, too."""

READING = sorted(name for name in WELL_FORMED if name.startswith(("describe_", "list_")))
WRITING = sorted(WELL_FORMED.keys() - READING)

ILL_FORMED = {
    "attach_policy": ({"PolicyId": "policy", "TargetId": ROOT}, "INVALID_PATTERN"),
    "close_account": ({"AccountId": "1"}, "INVALID_PATTERN"),
    "create_account": ({"AccountName": "new"}, "INPUT_REQUIRED"),
    "create_organization": ({"FeatureSet": "SOME"}, "INVALID_ENUM"),
    "create_organizational_unit": ({"ParentId": ROOT, "Name": ""}, "MIN_LENGTH_EXCEEDED"),
    "create_policy": ({"Name": "new", "Description": "", "Type": "SCP", "Content": "{}"}, "INVALID_ENUM"),
    "delete_organizational_unit": ({"OrganizationalUnitId": ROOT}, "INVALID_PATTERN"),
    "delete_policy": ({"PolicyId": "policy"}, "INVALID_PATTERN"),
    "deregister_delegated_administrator": ({"AccountId": ACCOUNT, "ServicePrincipal": ""}, "MIN_LENGTH_EXCEEDED"),
    "describe_account": ({"AccountId": "1"}, "INVALID_PATTERN"),
    "describe_create_account_status": ({"CreateAccountRequestId": "request"}, "INVALID_PATTERN"),
    "describe_organizational_unit": ({"OrganizationalUnitId": ROOT}, "INVALID_PATTERN"),
    "describe_policy": ({"PolicyId": "policy"}, "INVALID_PATTERN"),
    "detach_policy": ({"PolicyId": POLICY, "TargetId": "target"}, "INVALID_PATTERN"),
    "disable_aws_service_access": ({"ServicePrincipal": "a" * 129}, "MAX_LENGTH_EXCEEDED"),
    "disable_policy_type": ({"RootId": UNIT, "PolicyType": SCP}, "INVALID_PATTERN"),
    "enable_aws_service_access": ({"ServicePrincipal": "nobody.amazonaws.com"}, "UNRECOGNIZED_SERVICE_PRINCIPAL"),
    "enable_policy_type": ({"RootId": ROOT, "PolicyType": "SCP"}, "INVALID_ENUM"),
    "list_accounts": ({"MaxResults": 21}, "MAX_VALUE_EXCEEDED"),
    "list_accounts_for_parent": ({"ParentId": ROOT, "MaxResults": 0}, "MIN_VALUE_EXCEEDED"),
    "list_aws_service_access_for_organization": ({"NextToken": "another"}, "INVALID_NEXT_TOKEN"),
    "list_children": ({"ParentId": ROOT, "ChildType": "UNIT"}, "INVALID_ENUM"),
    "list_create_account_status": ({"States": ["LOST"]}, "INVALID_LIST_MEMBER"),
    "list_delegated_administrators": ({"ServicePrincipal": "nobody.example"}, "UNRECOGNIZED_SERVICE_PRINCIPAL"),
    "list_delegated_services_for_account": ({"AccountId": "1"}, "INVALID_PATTERN"),
    "accept_handshake": ({"HandshakeId": "bad"}, "INVALID_PATTERN"),
    "cancel_handshake": ({"HandshakeId": "bad"}, "INVALID_PATTERN"),
    "decline_handshake": ({"HandshakeId": "bad"}, "INVALID_PATTERN"),
    "describe_handshake": ({"HandshakeId": "bad"}, "INVALID_PATTERN"),
    "invite_account_to_organization": (
        {"Target": {"Type": "ORGANIZATION", "Id": ACCOUNT}},
        "INVALID_PARTY_TYPE_TARGET",
    ),
    "list_handshakes_for_account": ({"NextToken": "another"}, "INVALID_NEXT_TOKEN"),
    "list_handshakes_for_organization": ({"Filter": {"ActionType": "LOST"}}, "INVALID_ENUM"),
    "list_organizational_units_for_parent": ({"ParentId": "root"}, "INVALID_PATTERN"),
    "list_parents": ({"ChildId": ROOT}, "INVALID_PATTERN"),
    "list_policies": ({"Filter": "SCP"}, "INVALID_ENUM"),
    "list_policies_for_target": ({"TargetId": ROOT, "Filter": "SCP"}, "INVALID_ENUM"),
    "list_roots": ({"NextToken": "another"}, "INVALID_NEXT_TOKEN"),
    "list_tags_for_resource": ({"ResourceId": "resource"}, "INVALID_PATTERN"),
    "list_targets_for_policy": ({"PolicyId": "policy"}, "INVALID_PATTERN"),
    "move_account": (
        {"AccountId": ACCOUNT, "SourceParentId": "root", "DestinationParentId": ROOT},
        "INVALID_PATTERN",
    ),
    "register_delegated_administrator": ({"AccountId": "1", "ServicePrincipal": BACKUP}, "INVALID_PATTERN"),
    "remove_account_from_organization": ({"AccountId": "1"}, "INVALID_PATTERN"),
    "tag_resource": ({"ResourceId": ROOT, "Tags": [{"Key": "a!", "Value": ""}]}, "INVALID_PATTERN"),
    "untag_resource": ({"ResourceId": ROOT, "TagKeys": ["a!"]}, "INVALID_LIST_MEMBER"),
    "update_organizational_unit": ({"OrganizationalUnitId": UNIT, "Name": "n" * 129}, "MAX_LENGTH_EXCEEDED"),
    "update_policy": ({"PolicyId": POLICY, "Name": ""}, "MIN_LENGTH_EXCEEDED"),
}
"""Parameters that are refused, and Organizations' name for what is wrong with them."""


@pytest.fixture
def outsider(aws):
    """Organizations as the administrator of an account in no organization calls it."""
    added = aws.iamd("CreateAccount", Name="alone")
    return aws.client("organizations", Credentials(added["AccessKeyId"], added["SecretAccessKey"]))


def test_every_operation_is_in_the_tables():
    names = {one.function.__name__ for one in registry.registered() if one.service == "organizations"}
    assert WELL_FORMED.keys() == names - {"create_organization", *OF_EVERY_MEMBER, *OF_EVERY_ACCOUNT}
    assert ILL_FORMED.keys() == names - {"delete_organization", "enable_all_features", *OF_EVERY_MEMBER}


def test_an_account_in_no_organization_is_told_so(outsider, refused):
    for name, parameters in WELL_FORMED.items():
        with refused("AWSOrganizationsNotInUseException", "Your account is not a member of an organization."):
            getattr(outsider, name)(**parameters)
    with refused("AWSOrganizationsNotInUseException"):
        outsider.describe_organization()


def test_a_member_changes_nothing_and_sees_its_organization_alone(organizations, member, refused):
    client = member().client("organizations")
    before = organizations.list_accounts()["Accounts"]
    for name, parameters in WELL_FORMED.items():
        with refused("AccessDeniedException", "You don't have permissions to access this resource."):
            getattr(client, name)(**parameters)
    assert organizations.list_accounts()["Accounts"] == before
    described = client.describe_organization()["Organization"]
    assert described == organizations.describe_organization()["Organization"]


def test_a_delegated_administrator_reads_and_changes_nothing(organizations, member, refused):
    delegated = member()
    client = delegated.client("organizations")
    organizations.enable_aws_service_access(ServicePrincipal=BACKUP)
    organizations.register_delegated_administrator(AccountId=delegated.account_id, ServicePrincipal=BACKUP)
    assert client.list_accounts()["Accounts"] == organizations.list_accounts()["Accounts"]
    for name in READING:
        try:
            getattr(client, name)(**WELL_FORMED[name])
        except ClientError as error:
            # What is not there is not there for it either.
            assert error.response["Error"]["Code"].endswith(("NotFoundException", "NotRegisteredException"))  # noqa: PT017
    for name in WRITING:
        with refused("AccessDeniedException", "You don't have permissions to access this resource."):
            getattr(client, name)(**WELL_FORMED[name])
    organizations.deregister_delegated_administrator(AccountId=delegated.account_id, ServicePrincipal=BACKUP)
    with refused("AccessDeniedException"):
        client.list_accounts()


def test_another_organizations_parts_are_not_there(aws, organizations, outsider, member, policy, refused):
    foreign = {
        "unit": organizations.create_organizational_unit(
            ParentId=organizations.list_roots()["Roots"][0]["Id"], Name="unit"
        )["OrganizationalUnit"]["Id"],
        "account": member().account_id,
        "policy": policy({"Effect": "Allow", "Action": "*", "Resource": "*"}),
        "creation": organizations.list_create_account_status()["CreateAccountStatuses"][0]["Id"],
    }
    outsider.create_organization()
    own_root = outsider.list_roots()["Roots"][0]["Id"]
    with refused("OrganizationalUnitNotFoundException"):
        outsider.describe_organizational_unit(OrganizationalUnitId=foreign["unit"])
    with refused("AccountNotFoundException"):
        outsider.describe_account(AccountId=foreign["account"])
    with refused("PolicyNotFoundException"):
        outsider.attach_policy(PolicyId=foreign["policy"], TargetId=own_root)
    with refused("CreateAccountStatusNotFoundException"):
        outsider.describe_create_account_status(CreateAccountRequestId=foreign["creation"])
    assert len(outsider.list_accounts()["Accounts"]) == 1


def test_ill_formed_parameters_are_organizations_own_error(organizations, refused):
    with refused("InvalidInputException", "You specified an invalid value.", Reason="INVALID_ENUM"):
        organizations.create_organization(FeatureSet="SOME")
    organizations.create_organization()
    for name, (parameters, reason) in ILL_FORMED.items():
        with refused("InvalidInputException", Reason=reason):
            getattr(organizations, name)(**parameters)
    assert len(organizations.list_accounts()["Accounts"]) == 1
