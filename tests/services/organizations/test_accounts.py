"""The accounts of an organization: listed, moved, closed, removed."""

import pytest
from running import ACCOUNT, Credentials, allow

from iamd.services.organizations import quotas

DAY = 24 * 3600
BACKUP = "backup.amazonaws.com"


@pytest.fixture
def unit_id(organizations, root_id):
    return organizations.create_organizational_unit(ParentId=root_id, Name="unit")["OrganizationalUnit"]["Id"]


def test_accounts_are_listed_in_pages(organizations, member, paged):
    ids = {ACCOUNT, member().account_id, member().account_id}
    assert {one["Id"] for one in paged(organizations.list_accounts, "Accounts")} == ids
    assert {one["Id"] for one in organizations.list_accounts(MaxResults=3)["Accounts"]} == ids


def test_a_token_fits_its_own_list_only(organizations, root_id, member, refused):
    member()
    token = organizations.list_accounts(MaxResults=1)["NextToken"]
    with refused("InvalidInputException", Reason="INVALID_NEXT_TOKEN"):
        organizations.list_accounts_for_parent(ParentId=root_id, NextToken=token)


def test_an_account_is_moved(organizations, root_id, unit_id, member):
    account_id = member().account_id
    organizations.move_account(AccountId=account_id, SourceParentId=root_id, DestinationParentId=unit_id)
    assert organizations.list_parents(ChildId=account_id)["Parents"] == [{"Id": unit_id, "Type": "ORGANIZATIONAL_UNIT"}]
    [path] = organizations.describe_account(AccountId=account_id)["Account"]["Paths"]
    organization_id = organizations.describe_organization()["Organization"]["Id"]
    assert path == f"{organization_id}/{root_id}/{unit_id}/{account_id}/"
    assert [one["Id"] for one in organizations.list_accounts_for_parent(ParentId=root_id)["Accounts"]] == [ACCOUNT]


def test_an_account_is_moved_from_where_it_is_to_what_is_there(organizations, root_id, unit_id, member, refused):
    account_id = member().account_id
    absent = f"{unit_id[:-8]}aaaaaaaa"
    with refused("SourceParentNotFoundException"):
        organizations.move_account(AccountId=account_id, SourceParentId=unit_id, DestinationParentId=root_id)
    with refused("DestinationParentNotFoundException"):
        organizations.move_account(AccountId=account_id, SourceParentId=root_id, DestinationParentId=absent)
    with refused("DuplicateAccountException"):
        organizations.move_account(AccountId=account_id, SourceParentId=root_id, DestinationParentId=root_id)
    with refused("AccountNotFoundException", "You specified an account that doesn't exist."):
        organizations.move_account(AccountId="999999999999", SourceParentId=root_id, DestinationParentId=unit_id)
    [parent] = organizations.list_parents(ChildId=account_id)["Parents"]
    assert parent == {"Id": root_id, "Type": "ROOT"}


def test_moving_needs_the_account_and_both_places(aws, organizations, root_id, unit_id, member, refused):
    moving = member().account_id
    arns = [
        organizations.describe_account(AccountId=moving)["Account"]["Arn"],
        organizations.list_roots()["Roots"][0]["Arn"],
        organizations.describe_organizational_unit(OrganizationalUnitId=unit_id)["OrganizationalUnit"]["Arn"],
    ]
    places = {"AccountId": moving, "SourceParentId": root_id, "DestinationParentId": unit_id}
    for number, arn in enumerate(arns):
        statement = allow("organizations:MoveAccount", [other for other in arns if other != arn])
        mover = aws.client("organizations", aws.user(f"mover-{number}", statement))
        with refused(
            "AccessDeniedException",
            f"User: arn:aws:iam::{ACCOUNT}:user/mover-{number} is not authorized to perform: organizations:MoveAccount "
            f"on resource: {arn} because no identity-based policy allows the organizations:MoveAccount action",
        ):
            mover.move_account(**places)
    whole = aws.client("organizations", aws.user("whole", allow("organizations:MoveAccount", arns)))
    whole.move_account(**places)
    assert organizations.list_parents(ChildId=moving)["Parents"][0]["Id"] == unit_id


def test_an_unknown_account_is_not_found(organizations, root_id, refused):
    with refused("AccountNotFoundException"):
        organizations.describe_account(AccountId="999999999999")


def test_nothing_counts_in_a_closed_account(aws, organizations, member, refused):
    closing = member()
    user = closing.user("ann", "arn:aws:iam::aws:policy/AdministratorAccess")
    assert aws.client("sts", user).get_caller_identity()["Account"] == closing.account_id
    organizations.close_account(AccountId=closing.account_id)
    account = organizations.describe_account(AccountId=closing.account_id)["Account"]
    assert (account["Status"], account["State"]) == ("SUSPENDED", "CLOSED")
    for credentials in (user, closing.credentials):
        with refused("InvalidClientTokenId"):
            aws.client("sts", credentials).get_caller_identity()
    role = f"arn:aws:iam::{closing.account_id}:role/OrganizationAccountAccessRole"
    with refused("AccessDenied"):
        aws.client("sts").assume_role(RoleArn=role, RoleSessionName="test")
    [result] = aws.events("CloseAccountResult")
    assert result["serviceEventDetails"]["closeAccountStatus"]["accountId"] == closing.account_id
    with refused("AccountAlreadyClosedException"):
        organizations.close_account(AccountId=closing.account_id)


def test_the_management_account_is_not_closed(organizations, root_id, refused):
    with refused("ConstraintViolationException", Reason="CANNOT_CLOSE_MANAGEMENT_ACCOUNT"):
        organizations.close_account(AccountId=ACCOUNT)
    with refused("AccountNotFoundException"):
        organizations.close_account(AccountId="999999999999")
    assert organizations.describe_account(AccountId=ACCOUNT)["Account"]["Status"] == "ACTIVE"


def test_an_account_of_a_billing_organization_is_not_closed(organizations, refused):
    organizations.create_organization(FeatureSet="CONSOLIDATED_BILLING")
    started = organizations.create_account(AccountName="dev", Email="dev@example.com")["CreateAccountStatus"]
    status = organizations.describe_create_account_status(CreateAccountRequestId=started["Id"])
    with refused("ConstraintViolationException", Reason="ORGANIZATION_NOT_IN_ALL_FEATURES_MODE"):
        organizations.close_account(AccountId=status["CreateAccountStatus"]["AccountId"])


def test_a_delegated_administrator_is_neither_closed_nor_removed(aws, organizations, member, refused):
    account_id = member().account_id
    organizations.enable_aws_service_access(ServicePrincipal=BACKUP)
    organizations.register_delegated_administrator(AccountId=account_id, ServicePrincipal=BACKUP)
    aws.advance(8 * DAY)
    for operation in (organizations.close_account, organizations.remove_account_from_organization):
        with refused("ConstraintViolationException", Reason="CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG"):
            operation(AccountId=account_id)
    organizations.deregister_delegated_administrator(AccountId=account_id, ServicePrincipal=BACKUP)
    organizations.remove_account_from_organization(AccountId=account_id)
    assert len(organizations.list_accounts()["Accounts"]) == 1


@pytest.mark.parametrize(("members", "closable"), [(1, 250), (1250, 250), (2000, 400), (50_000, 1000)])
def test_closing_has_a_quota(members, closable):
    assert quotas.closable(members) == closable


def test_a_removed_account_stands_alone(aws, organizations, member, policy, root_id, refused):
    leaving = member()
    user = leaving.user("ann", "arn:aws:iam::aws:policy/AdministratorAccess")
    organizations.attach_policy(
        PolicyId=policy({"Effect": "Deny", "Action": "iam:ListUsers", "Resource": "*"}), TargetId=root_id
    )
    with refused("AccessDenied"):
        aws.client("iam", user).list_users()
    with refused("ConstraintViolationException", Reason="WAIT_PERIOD_ACTIVE"):
        organizations.remove_account_from_organization(AccountId=leaving.account_id)
    aws.advance(7 * DAY)
    organizations.remove_account_from_organization(AccountId=leaving.account_id)
    assert [one["Id"] for one in organizations.list_accounts()["Accounts"]] == [ACCOUNT]
    with refused("AWSOrganizationsNotInUseException"):
        aws.client("organizations", user).describe_organization()
    assert len(aws.client("iam", user).list_users()["Users"]) == 1
    [departed] = aws.events("AccountDepartedOrganization")
    assert departed["serviceEventDetails"]["departureMethod"] == "REMOVED"
    aws.client("organizations", user).create_organization()


def test_an_account_leaves_by_itself(aws, organizations, member, refused):
    leaving = member()
    user = leaving.user("ann", "arn:aws:iam::aws:policy/AdministratorAccess")
    client = aws.client("organizations", user)
    with refused("ConstraintViolationException", Reason="WAIT_PERIOD_ACTIVE"):
        client.leave_organization()
    aws.advance(7 * DAY)
    client.leave_organization()
    assert [one["Id"] for one in organizations.list_accounts()["Accounts"]] == [ACCOUNT]
    with refused("AWSOrganizationsNotInUseException"):
        client.leave_organization()
    [departed] = aws.events("AccountDepartedOrganization")
    details = departed["serviceEventDetails"]
    assert (details["departureMethod"], details["accountId"]) == ("LEFT", leaving.account_id)


def test_an_scp_keeps_an_account_in(aws, organizations, member, policy, root_id, refused):
    staying = member()
    user = staying.user("ann", "arn:aws:iam::aws:policy/AdministratorAccess")
    statement = {"Effect": "Deny", "Action": "organizations:LeaveOrganization", "Resource": "*"}
    policy_id = policy(statement)
    organizations.attach_policy(PolicyId=policy_id, TargetId=root_id)
    policy_arn = organizations.describe_policy(PolicyId=policy_id)["Policy"]["PolicySummary"]["Arn"]
    aws.advance(7 * DAY)
    with refused(
        "AccessDeniedException",
        f"User: arn:aws:iam::{staying.account_id}:user/ann is not authorized to perform: "
        f"organizations:LeaveOrganization on resource: * with an explicit deny in a service control policy: {policy_arn}",
    ):
        aws.client("organizations", user).leave_organization()
    assert len(organizations.list_accounts()["Accounts"]) == 2


def test_who_can_not_be_removed_is_told(organizations, root_id, refused):
    with refused("MasterCannotLeaveOrganizationException"):
        organizations.leave_organization()
    with refused("MasterCannotLeaveOrganizationException"):
        organizations.remove_account_from_organization(AccountId=ACCOUNT)
    with refused("AccountNotFoundException"):
        organizations.remove_account_from_organization(AccountId="999999999999")
    assert len(organizations.list_accounts()["Accounts"]) == 1


def test_a_session_of_the_role_is_its_accounts(aws, member):
    one = member()
    identity = one.client("sts").get_caller_identity()
    assert identity["Account"] == one.account_id
    assert identity["Arn"] == f"arn:aws:sts::{one.account_id}:assumed-role/OrganizationAccountAccessRole/test"
    assert isinstance(one.credentials, Credentials)
