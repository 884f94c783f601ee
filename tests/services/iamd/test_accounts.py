"""The accounts of a server: added by its first one, each with an administrator of its own."""

import json

import pytest
from running import ACCOUNT, Credentials, Refusal, allow

OTHER = "210987654321"


@pytest.fixture
def refused():
    """`with refused(status, code, words):` holds when iamd's own service refuses so."""

    class Expecting:
        def __init__(self, status, code, message):
            self.wanted = (status, code, message)

        def __enter__(self):
            return self

        def __exit__(self, kind, error, _):
            assert kind is Refusal
            status, code, message = self.wanted
            assert (error.status, error.code) == (status, code)
            assert message in error.message
            return True

    return lambda status, code, message="": Expecting(status, code, message)


def test_an_added_account_has_an_administrator_and_nothing_of_the_first_ones(aws):
    added = aws.iamd("CreateAccount", Name="other", AccountId=OTHER, Email="root@other.example")
    assert (added["AccountId"], added["UserName"]) == (OTHER, "admin")
    admin = Credentials.of(added)
    identity = aws.client("sts", admin).get_caller_identity()
    assert (identity["Account"], identity["Arn"]) == (OTHER, f"arn:aws:iam::{OTHER}:user/admin")
    iam = aws.client("iam", admin)
    assert [user["UserName"] for user in iam.list_users()["Users"]] == ["admin"]
    [policy] = iam.list_attached_user_policies(UserName="admin")["AttachedPolicies"]
    assert policy["PolicyArn"] == "arn:aws:iam::aws:policy/AdministratorAccess"
    accounts = {one["AccountId"]: one for one in aws.iamd("ListAccounts")["Accounts"]}
    assert set(accounts) == {ACCOUNT, OTHER}
    assert (accounts[OTHER]["Name"], accounts[OTHER]["Email"]) == ("other", "root@other.example")


def test_a_number_is_found_when_none_is_given(aws):
    numbers = [aws.iamd("CreateAccount", Name="other")["AccountId"] for _ in range(3)]
    assert len({*numbers, ACCOUNT}) == 4
    assert all(len(number) == 12 and number.isdecimal() for number in numbers)


def test_a_number_is_taken_once(aws, refused):
    aws.iamd("CreateAccount", Name="other", AccountId=OTHER)
    for number in (OTHER, ACCOUNT):
        with refused(400, "AccountAlreadyExists", f"Account {number} is on this server already."):
            aws.iamd("CreateAccount", Name="again", AccountId=number)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"Name": ""},
        {"Name": "x" * 51},
        {"Name": "x", "AccountId": "1234"},
        {"Name": "x", "AccountId": "12345678901２"},
        {"Name": "x", "Email": "nobody"},
    ],
)
def test_what_no_account_has_is_refused(aws, refused, parameters):
    with refused(400, "ValidationException"):
        aws.iamd("CreateAccount", **parameters)


def test_an_added_account_is_a_tenant(aws, refused):
    other = Credentials.of(aws.iamd("CreateAccount", Name="other", AccountId=OTHER))
    words = "Accounts are managed from the account that the server was started with."
    for operation, parameters in (("ListAccounts", {}), ("CreateAccount", {"Name": "third"})):
        with refused(400, "AccessDeniedException", words):
            aws.iamd(operation, other, **parameters)
    assert len(aws.iamd("ListAccounts")["Accounts"]) == 2


@pytest.mark.parametrize(("operation", "parameters"), [("ListAccounts", {}), ("CreateAccount", {"Name": "other"})])
def test_accounts_are_managed_by_whom_it_is_allowed(aws, refused, operation, parameters):
    with refused(400, "AccessDeniedException", f"is not authorized to perform: iamd:{operation}"):
        aws.iamd(operation, aws.user("nobody"), **parameters)
    aws.iamd(operation, aws.user("somebody", allow(f"iamd:{operation}")), **parameters)
    denied, allowed = sorted(aws.events(operation), key=lambda event: "errorCode" not in event)
    assert denied["errorCode"] == "AccessDeniedException"
    assert "errorCode" not in allowed
    assert {event["eventSource"] for event in (denied, allowed)} == {"iamd.amazonaws.com"}


def test_no_event_holds_the_administrators_secret(aws):
    added = aws.iamd("CreateAccount", Name="other")
    [event] = aws.events("CreateAccount")
    assert event["responseElements"]["accessKeyId"] == added["AccessKeyId"]
    assert added["SecretAccessKey"] not in json.dumps(event)
