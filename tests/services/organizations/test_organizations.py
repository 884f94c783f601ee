"""Organizations: made, shown, deleted."""

import re

from running import ACCOUNT, AWS, REGION, allow, deny


def test_an_organization_has_a_root_and_the_account_that_made_it(organizations):
    made = organizations.create_organization()["Organization"]
    assert re.fullmatch(r"o-[a-z0-9]{10,32}", made["Id"])
    assert made == {
        "Id": made["Id"],
        "Arn": f"arn:aws:organizations::{ACCOUNT}:organization/{made['Id']}",
        "FeatureSet": "ALL",
        "MasterAccountArn": f"arn:aws:organizations::{ACCOUNT}:account/{made['Id']}/{ACCOUNT}",
        "MasterAccountId": ACCOUNT,
        "AvailablePolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}],
    }
    assert organizations.describe_organization()["Organization"] == made
    [root] = organizations.list_roots()["Roots"]
    assert re.fullmatch(r"r-[0-9a-z]{4,32}", root["Id"])
    assert root == {
        "Id": root["Id"],
        "Arn": f"arn:aws:organizations::{ACCOUNT}:root/{made['Id']}/{root['Id']}",
        "Name": "Root",
        "PolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}],
    }
    [account] = organizations.list_accounts()["Accounts"]
    assert (account["Id"], account["JoinedMethod"], account["Status"]) == (ACCOUNT, "INVITED", "ACTIVE")


def test_a_billing_organization_has_no_policies(organizations, refused):
    made = organizations.create_organization(FeatureSet="CONSOLIDATED_BILLING")["Organization"]
    assert (made["FeatureSet"], made["AvailablePolicyTypes"]) == ("CONSOLIDATED_BILLING", [])
    assert organizations.describe_organization()["Organization"]["FeatureSet"] == "CONSOLIDATED_BILLING"
    [root] = organizations.list_roots()["Roots"]
    assert root["PolicyTypes"] == []
    with refused("PolicyTypeNotAvailableForOrganizationException"):
        organizations.enable_policy_type(RootId=root["Id"], PolicyType="SERVICE_CONTROL_POLICY")
    with refused("PolicyTypeNotAvailableForOrganizationException"):
        organizations.create_policy(Name="a", Description="", Type="SERVICE_CONTROL_POLICY", Content="{}")
    with refused("ConstraintViolationException", Reason="ORGANIZATION_NOT_IN_ALL_FEATURES_MODE"):
        organizations.enable_aws_service_access(ServicePrincipal="backup.amazonaws.com")


def test_an_account_is_in_one_organization_at_most(organizations, refused):
    organizations.create_organization()
    with refused("AlreadyInOrganizationException", "The AWS account is already a member of an organization."):
        organizations.create_organization()


def test_the_role_of_organizations_is_made_and_needs_its_permission(aws, organizations, refused):
    may_create = allow("organizations:*")
    maker = aws.client("organizations", aws.user("maker", may_create))
    role = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/organizations.amazonaws.com/AWSServiceRoleForOrganizations"
    with refused(
        "AccessDeniedForDependencyException",
        f"User: arn:aws:iam::{ACCOUNT}:user/maker is not authorized to perform: iam:CreateServiceLinkedRole on "
        f"resource: {role} because no identity-based policy allows the iam:CreateServiceLinkedRole action",
        Reason="ACCESS_DENIED_DURING_CREATE_SERVICE_LINKED_ROLE",
    ):
        maker.create_organization()
    with refused("AWSOrganizationsNotInUseException"):
        organizations.describe_organization()
    for_organizations = {"StringEquals": {"iam:AWSServiceName": "organizations.amazonaws.com"}}
    granted = allow("iam:CreateServiceLinkedRole", **for_organizations)
    aws.client("organizations", aws.user("granted", may_create, granted)).create_organization()
    iam = aws.client("iam")
    assert iam.get_role(RoleName="AWSServiceRoleForOrganizations")["Role"]["Arn"] == role
    [attached] = iam.list_attached_role_policies(RoleName="AWSServiceRoleForOrganizations")["AttachedPolicies"]
    assert attached["PolicyName"] == "AWSOrganizationsServiceTrustPolicy"


def test_an_organization_with_members_is_not_deleted(organizations, member, refused):
    member()
    with refused("OrganizationNotEmptyException"):
        organizations.delete_organization()
    assert len(organizations.list_accounts()["Accounts"]) == 2


def test_a_deleted_organization_leaves_nothing(organizations, root_id, policy, refused):
    unit = organizations.create_organizational_unit(ParentId=root_id, Name="a")["OrganizationalUnit"]["Id"]
    policy_id = policy(deny("*"))
    organizations.delete_organization()
    with refused("AWSOrganizationsNotInUseException"):
        organizations.describe_organization()
    organizations.create_organization()
    with refused("OrganizationalUnitNotFoundException"):
        organizations.describe_organizational_unit(OrganizationalUnitId=unit)
    with refused("PolicyNotFoundException"):
        organizations.describe_policy(PolicyId=policy_id)


def test_organizations_are_one_service_for_all_regions(aws, organizations, event_of):
    event = event_of(organizations.create_organization())
    assert (event["awsRegion"], event["eventSource"]) == (REGION, "organizations.amazonaws.com")
    assert event["responseElements"]["organization"]["featureSet"] == "ALL"


def test_joining_and_departing_are_events_of_organizations_own(aws, organizations):
    organizations.create_organization()
    organizations.delete_organization()
    [joined] = aws.events("AccountJoinedOrganization")
    assert joined["eventType"] == "AwsServiceEvent"
    assert joined["userIdentity"] == {"accountId": ACCOUNT, "invokedBy": "AWS Internal"}
    assert joined["serviceEventDetails"]["joinedMethod"] == "INVITED"
    [departed] = aws.events("AccountDepartedOrganization")
    assert departed["serviceEventDetails"]["departureMethod"] == "LEFT"
    assert departed["serviceEventDetails"]["accountId"] == ACCOUNT


def test_an_organization_outlives_a_restart(start, tmp_path):
    first = start("--backend", "none", data=tmp_path / "kept")
    made = AWS(first).client("organizations").create_organization()["Organization"]
    assert first.stop() == 0
    second = start("--backend", "none", data=tmp_path / "kept")
    assert AWS(second).client("organizations").describe_organization()["Organization"] == made
