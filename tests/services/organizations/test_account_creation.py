"""CreateAccount: the account, its role, what the requests came to, its events."""

import json
import re

import pytest
from running import ACCOUNT, Credentials, allow

from iamd.services.organizations import quotas

TAGS = [{"Key": "team", "Value": "blue"}]


@pytest.fixture
def created(organizations, root_id):
    """`created(**parameters)` is the status of a request to create an account, as it is told afterwards."""

    def create(**parameters):
        given = {"AccountName": "dev", "Email": "dev@example.com", **parameters}
        answer = organizations.create_account(**given)["CreateAccountStatus"]
        assert answer["State"] == "IN_PROGRESS"
        told = organizations.describe_create_account_status(CreateAccountRequestId=answer["Id"])
        return told["CreateAccountStatus"]

    return create


def test_the_answer_is_that_of_a_request_in_progress(organizations, root_id):
    answer = organizations.create_account(AccountName="dev", Email="dev@example.com")["CreateAccountStatus"]
    assert answer.keys() == {"Id", "AccountName", "State", "RequestedTimestamp"}
    assert (answer["AccountName"], answer["State"]) == ("dev", "IN_PROGRESS")
    assert re.fullmatch(r"car-[a-z0-9]{8,32}", answer["Id"])
    assert len(organizations.list_accounts()["Accounts"]) == 2


def test_the_account_is_in_the_root_with_what_it_was_given(organizations, root_id, created):
    status = created(Tags=TAGS, IamUserAccessToBilling="ALLOW")
    assert status["State"] == "SUCCEEDED"
    assert status["CompletedTimestamp"] >= status["RequestedTimestamp"]
    account = organizations.describe_account(AccountId=status["AccountId"])["Account"]
    organization_id = organizations.describe_organization()["Organization"]["Id"]
    joined = account.pop("JoinedTimestamp")
    assert account == {
        "Id": status["AccountId"],
        "Arn": f"arn:aws:organizations::{ACCOUNT}:account/{organization_id}/{status['AccountId']}",
        "Email": "dev@example.com",
        "Name": "dev",
        "Status": "ACTIVE",
        "State": "ACTIVE",
        "JoinedMethod": "CREATED",
        "Paths": [f"{organization_id}/{root_id}/{status['AccountId']}/"],
    }
    assert joined == status["RequestedTimestamp"]
    assert organizations.list_tags_for_resource(ResourceId=status["AccountId"])["Tags"] == TAGS
    [attached] = organizations.list_policies_for_target(TargetId=status["AccountId"], Filter="SERVICE_CONTROL_POLICY")[
        "Policies"
    ]
    assert attached["Id"] == "p-FullAWSAccess"


@pytest.mark.parametrize("role", [{}, {"RoleName": "Doorman"}])
def test_the_management_account_gets_in_by_the_role(aws, created, role):
    account_id = created(**role)["AccountId"]
    name = role.get("RoleName", "OrganizationAccountAccessRole")
    arn = f"arn:aws:iam::{account_id}:role/{name}"
    answer = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")
    iam = aws.client("iam", Credentials.of(answer["Credentials"]))
    shown = iam.get_role(RoleName=name)["Role"]
    assert shown["Arn"] == arn
    [statement] = shown["AssumeRolePolicyDocument"]["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "sts:AssumeRole",
    }
    assert iam.list_role_policies(RoleName=name)["PolicyNames"] == ["AdministratorAccess"]
    assert sorted(role["RoleName"] for role in iam.list_roles()["Roles"]) == sorted(
        ["AWSServiceRoleForOrganizations", name]
    )
    assert iam.list_users()["Users"] == []


def test_only_whom_the_management_account_lets_gets_in(aws, created, refused):
    account_id = created()["AccountId"]
    arn = f"arn:aws:iam::{account_id}:role/OrganizationAccountAccessRole"
    with refused(
        "AccessDenied",
        f"User: arn:aws:iam::{ACCOUNT}:user/ann is not authorized to perform: sts:AssumeRole on resource: {arn} "
        "because no identity-based policy allows the sts:AssumeRole action",
    ):
        aws.client("sts", aws.user("ann")).assume_role(RoleArn=arn, RoleSessionName="test")
    bob = aws.client("sts", aws.user("bob", allow("sts:AssumeRole", arn)))
    assert bob.assume_role(RoleArn=arn, RoleSessionName="test")["AssumedRoleUser"]
    added = aws.iamd("CreateAccount", Name="alone")
    stranger = Credentials(added["AccessKeyId"], added["SecretAccessKey"])
    with refused("AccessDenied"):
        aws.client("sts", stranger).assume_role(RoleArn=arn, RoleSessionName="test")


def test_an_address_is_of_one_account(organizations, created):
    assert created()["State"] == "SUCCEEDED"
    failed = created(AccountName="other", Email="DEV@example.com")
    assert (failed["State"], failed["FailureReason"]) == ("FAILED", "EMAIL_ALREADY_EXISTS")
    assert "AccountId" not in failed
    assert {account["Name"] for account in organizations.list_accounts()["Accounts"]} == {"iamd", "dev"}


def test_requests_are_listed_by_what_they_came_to(organizations, created, paged):
    first, second = created(), created(AccountName="again")
    listed = paged(organizations.list_create_account_status, "CreateAccountStatuses")
    assert sorted(one["Id"] for one in listed) == sorted([first["Id"], second["Id"]])
    failed = organizations.list_create_account_status(States=["FAILED"])["CreateAccountStatuses"]
    assert failed == [second]
    both = organizations.list_create_account_status(States=["FAILED", "SUCCEEDED"])["CreateAccountStatuses"]
    assert len(both) == 2
    assert organizations.list_create_account_status(States=["IN_PROGRESS"])["CreateAccountStatuses"] == []


def test_an_unknown_request_is_not_found(organizations, root_id, refused):
    with refused("CreateAccountStatusNotFoundException"):
        organizations.describe_create_account_status(CreateAccountRequestId="car-12345678")


def test_a_role_is_not_named_like_a_service_linked_one(organizations, root_id, refused):
    with refused("InvalidInputException", Reason="INVALID_ROLE_NAME"):
        organizations.create_account(AccountName="dev", Email="dev@example.com", RoleName="AWSServiceRoleForMe")
    assert len(organizations.list_accounts()["Accounts"]) == 1


def test_there_is_no_billing_to_deny(organizations, root_id, refused):
    with refused("InvalidInputException", Reason="INVALID_ENUM"):
        organizations.create_account(AccountName="a", Email="a@example.com", IamUserAccessToBilling="DENY")
    assert len(organizations.list_accounts()["Accounts"]) == 1


def test_tags_need_the_permission_to_tag(aws, organizations, root_id, refused):
    maker = aws.client("organizations", aws.user("maker", allow("organizations:CreateAccount")))
    maker.create_account(AccountName="a", Email="a@example.com")
    organization_id = organizations.describe_organization()["Organization"]["Id"]
    account = f"arn:aws:organizations::{ACCOUNT}:account/{organization_id}/*"
    with refused(
        "AccessDeniedException",
        f"User: arn:aws:iam::{ACCOUNT}:user/maker is not authorized to perform: organizations:TagResource on "
        f"resource: {account} because no identity-based policy allows the organizations:TagResource action",
    ):
        maker.create_account(AccountName="b", Email="b@example.com", Tags=TAGS)


def test_tags_of_the_request_are_condition_keys(aws, organizations, root_id, refused):
    blue = {"StringEquals": {"aws:RequestTag/team": "blue"}}
    maker = aws.client("organizations", aws.user("maker", allow("organizations:*", **blue)))
    with refused("AccessDeniedException"):
        maker.create_account(AccountName="a", Email="a@example.com", Tags=[{"Key": "team", "Value": "red"}])
    maker.create_account(AccountName="a", Email="a@example.com", Tags=TAGS)
    assert len(organizations.list_accounts()["Accounts"]) == 2


@pytest.mark.parametrize(
    ("tags", "code", "reason"),
    [
        ([*TAGS, *TAGS], "InvalidInputException", "DUPLICATE_TAG_KEY"),
        ([{"Key": "aws:team", "Value": ""}], "InvalidInputException", "INVALID_SYSTEM_TAGS_PARAMETER"),
        (
            [{"Key": str(number), "Value": ""} for number in range(51)],
            "ConstraintViolationException",
            "MAX_TAG_LIMIT_EXCEEDED",
        ),
    ],
)
def test_wrong_tags_make_no_account(organizations, root_id, refused, tags, code, reason):
    with refused(code, Reason=reason):
        organizations.create_account(AccountName="a", Email="a@example.com", Tags=tags)
    assert len(organizations.list_accounts()["Accounts"]) == 1


def test_an_organization_has_a_quota_of_accounts():
    assert quotas.ACCOUNTS == 50_000
    quotas.check("ACCOUNT_NUMBER_LIMIT_EXCEEDED", quotas.ACCOUNTS, quotas.ACCOUNTS)
    with pytest.raises(quotas.ConstraintViolation) as caught:
        quotas.check("ACCOUNT_NUMBER_LIMIT_EXCEEDED", quotas.ACCOUNTS + 1, quotas.ACCOUNTS)
    assert caught.value.members == {"Reason": "ACCOUNT_NUMBER_LIMIT_EXCEEDED"}


def test_events_mask_names_and_addresses(aws, organizations, root_id, event_of):
    event = event_of(organizations.create_account(AccountName="secret-name", Email="secret@example.com"))
    assert event["requestParameters"] == {"accountName": "****", "email": "****"}
    status = event["responseElements"]["createAccountStatus"]
    assert (status["accountName"], status["state"]) == ("****", "IN_PROGRESS")
    [result] = aws.events("CreateAccountResult")
    told = result["serviceEventDetails"]["createAccountStatus"]
    assert (told["id"], told["state"], told["accountName"]) == (status["id"], "SUCCEEDED", "****")
    assert result["eventType"] == "AwsServiceEvent"
    assert "secret" not in json.dumps(aws.events())
