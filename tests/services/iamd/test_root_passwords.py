"""The root user's password, as the operator sets it; tests/web shows how it is used."""

import pytest
from running import Credentials, Refusal, allow
from web.browser import Browser

OTHER = "210987654321"
PASSWORD = "Correct-horse-1"
EMAIL = "root@example.com"


@pytest.fixture
def other(aws):
    return Credentials.of(aws.iamd("CreateAccount", Name="other", AccountId=OTHER, Email="root@other.example"))


def emails(aws):
    return {one["AccountId"]: one.get("Email") for one in aws.iamd("ListAccounts")["Accounts"]}


def lets_in(aws, email, password=PASSWORD):
    browser = Browser(aws.endpoint).sign_in_as_root(email, password)
    browser.close()
    return browser.path == "/_iamd/"


def refused(aws, code, **parameters):
    with pytest.raises(Refusal) as caught:
        aws.iamd("SetRootPassword", **({"Password": PASSWORD} | parameters))
    assert caught.value.code == code
    return caught.value.message


def test_the_root_user_of_an_account_gets_a_password_and_an_address(aws, other):
    told = aws.iamd("SetRootPassword", AccountId=OTHER, Email="new@other.example", Password=PASSWORD)
    assert told == {"AccountId": OTHER, "Email": "new@other.example"}
    assert emails(aws)[OTHER] == "new@other.example"
    assert lets_in(aws, "new@other.example")
    assert not lets_in(aws, "root@other.example")


def test_without_a_number_it_is_the_callers_account(aws):
    assert aws.iamd("SetRootPassword", Email=EMAIL, Password=PASSWORD)["AccountId"] == aws.account_id
    assert emails(aws)[aws.account_id] == EMAIL
    aws.iamd("SetRootPassword", Password="Another-horse-2")
    assert lets_in(aws, EMAIL, "Another-horse-2")
    assert not lets_in(aws, EMAIL)


def test_another_password_ends_the_sessions_of_the_root_user(aws):
    aws.iamd("SetRootPassword", Email=EMAIL, Password=PASSWORD)
    browser = Browser(aws.endpoint).sign_in_as_root(EMAIL, PASSWORD)
    assert browser.is_signed_in
    aws.iamd("SetRootPassword", Password=PASSWORD)
    assert not browser.is_signed_in
    browser.close()


POWER_USER = "arn:aws:iam::aws:policy/PowerUserAccess"
BUT_IAM = {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*"], "Resource": "*"}


def test_who_may_do_all_but_iam_sets_no_password(aws):
    names = {
        "by-policy": [],
        "by-statement": [BUT_IAM],
        "denied": [allow("iamd:*"), BUT_IAM | {"Effect": "Deny"}],
    }
    keys = {name: aws.user(name, *statements) for name, statements in names.items()}
    aws.client("iam").attach_user_policy(UserName="by-policy", PolicyArn=POWER_USER)
    for key in keys.values():
        with pytest.raises(Refusal) as caught:
            aws.iamd("SetRootPassword", key, Password=PASSWORD)
        assert caught.value.code == "AccessDeniedException"
    told = aws.iamd(
        "Can",
        PrincipalArn=f"arn:aws:iam::{aws.account_id}:user/by-policy",
        Action="iamd:SetRootPassword",
        ResourceArn="*",
    )
    assert not told["Allowed"]
    aws.iamd("SetRootPassword", aws.user("named", allow("iamd:SetRootPassword")), Email=EMAIL, Password=PASSWORD)
    assert lets_in(aws, EMAIL)


def test_what_cannot_be_is_refused(aws, other):
    assert refused(aws, "NoSuchAccount", AccountId="999999999999") == "No account 999999999999 is on this server."
    assert "no e-mail address" in refused(aws, "EmailMissing")
    assert "minimum length" in refused(aws, "PasswordPolicyViolation", Email=EMAIL, Password="short")
    aws.iamd("SetRootPassword", AccountId=OTHER, Password=PASSWORD)
    assert "another account" in refused(aws, "EmailInUse", Email="ROOT@other.example")
    assert emails(aws)[aws.account_id] is None
    for wrong in ({"Email": "nobody"}, {"AccountId": "12"}, {"Password": ""}, {"Password": "x" * 129}):
        assert "validation error" in refused(aws, "ValidationException", **wrong)


def test_only_whom_it_is_allowed_sets_it(aws, other):
    with pytest.raises(Refusal, match="is not authorized to perform: iamd:SetRootPassword"):
        aws.iamd("SetRootPassword", aws.user("nobody"), Email=EMAIL, Password=PASSWORD)
    with pytest.raises(Refusal, match="Accounts are managed from the account"):
        aws.iamd("SetRootPassword", other, AccountId=aws.account_id, Email=EMAIL, Password=PASSWORD)
    somebody = aws.user("somebody", allow("iamd:SetRootPassword"))
    aws.iamd("SetRootPassword", somebody, Email=EMAIL, Password=PASSWORD)
    events = aws.events("SetRootPassword")
    assert {event.get("errorCode") for event in events} == {None, "AccessDeniedException"}
    assert PASSWORD not in str(events)
