"""Passwords that must be changed before one gets in, that may no more be changed, and that one changes oneself."""

import pytest
from web.conftest import ALIAS, PASSWORD

from iamd.web.pages.passwords import DIFFERENT
from iamd.web.pages.sign_in import EXPIRED

NEW = "Another-horse-2"
DAY = 24 * 60 * 60
CHANGE = "arn:aws:iam::aws:policy/IAMUserChangePassword"


@pytest.fixture
def may_change(iam, ann):
    iam.attach_user_policy(UserName=ann, PolicyArn=CHANGE)


def change(browser, old=PASSWORD, new=NEW, again=None):
    form = browser.document.forms[0]
    return browser.submit(form.action, old_password=old, new_password=new, again=new if again is None else again)


@pytest.mark.usefixtures("may_change")
def test_a_password_that_must_be_reset_is_changed_before_one_gets_in(iam, ann, enter, browser, open_browser):
    iam.update_login_profile(UserName=ann, PasswordResetRequired=True)
    assert enter().path == "/_iamd/signin/password"
    assert not browser.is_signed_in
    assert change(browser).path == "/_iamd/"
    assert iam.get_login_profile(UserName=ann)["LoginProfile"]["PasswordResetRequired"] is False
    assert enter(NEW, into=open_browser()).path == "/_iamd/"
    assert enter(PASSWORD, into=open_browser()).error is not None


def test_who_may_not_change_it_does_not_get_in(iam, ann, enter, browser):
    """AWS: the user must have permission to change it (IAM User Guide, "Manage passwords for IAM users")."""
    iam.update_login_profile(UserName=ann, PasswordResetRequired=True)
    enter()
    assert "is not authorized to perform: iam:ChangePassword" in change(browser).error
    assert not browser.is_signed_in
    iam.update_account_password_policy(AllowUsersToChangePassword=True)
    assert change(browser).path == "/_iamd/"


@pytest.mark.usefixtures("may_change")
@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"old": "wrong"}, "The old password was incorrect."),
        ({"again": "else"}, DIFFERENT),
        ({"new": "short"}, "Password should have a minimum length of 8"),
        ({"new": "x" * 200}, "Member must have length less than or equal to 128"),
        ({"new": ""}, "Member must have length greater than or equal to 1"),
    ],
)
@pytest.mark.parametrize("due", [True, False])
def test_what_is_wrong_is_told_and_nothing_is_changed(iam, ann, enter, browser, open_browser, given, error, due):
    iam.update_login_profile(UserName=ann, PasswordResetRequired=due)
    enter()
    if not due:
        browser.get("/_iamd/password")
    assert error in change(browser, **given).error
    assert browser.is_signed_in is not due
    assert enter(PASSWORD, into=open_browser()).error is None


@pytest.mark.usefixtures("may_change")
def test_an_earlier_password_is_refused_where_the_policy_says_so(iam, ann, enter, browser):
    iam.update_account_password_policy(PasswordReusePrevention=2)
    iam.update_login_profile(UserName=ann, PasswordResetRequired=True)
    enter()
    assert "reuse prevention" in change(browser, new=PASSWORD).error
    assert change(browser).path == "/_iamd/"


@pytest.mark.usefixtures("may_change")
def test_an_expired_password_is_changed_before_one_gets_in(aws, iam, enter, browser, open_browser):
    iam.update_account_password_policy(MaxPasswordAge=10)
    aws.advance(10 * DAY - 60)
    assert enter(into=open_browser()).path == "/_iamd/"
    aws.advance(60)
    assert "has expired" in enter().text
    assert change(browser).path == "/_iamd/"
    assert enter(NEW, into=open_browser()).path == "/_iamd/"


@pytest.mark.usefixtures("may_change")
@pytest.mark.parametrize("reset", [True, False])
def test_after_hard_expiry_only_an_administrator_sets_another(aws, iam, ann, enter, browser, reset):
    """AWS: "Password expiration requires administrator reset" (IAM User Guide, custom password policy options)."""
    iam.update_login_profile(UserName=ann, PasswordResetRequired=reset)
    iam.update_account_password_policy(MaxPasswordAge=10, HardExpiry=True)
    aws.advance(10 * DAY)
    assert enter().error == EXPIRED
    assert not browser.is_signed_in
    iam.update_login_profile(UserName=ann, Password=NEW, PasswordResetRequired=False)
    assert enter(NEW).path == "/_iamd/"


def test_who_does_not_know_the_password_is_not_told_that_it_has_expired(aws, iam, enter):
    iam.update_account_password_policy(MaxPasswordAge=10, HardExpiry=True)
    aws.advance(10 * DAY)
    assert EXPIRED not in enter("wrong").text


@pytest.mark.usefixtures("may_change")
def test_the_step_to_another_password_ends_with_the_old_one(iam, ann, enter, browser, open_browser):
    iam.update_login_profile(UserName=ann, PasswordResetRequired=True)
    enter()
    iam.update_login_profile(UserName=ann, Password="Third-horse-3", PasswordResetRequired=True)
    assert change(browser).path == "/_iamd/signin"
    assert enter("Third-horse-3", into=open_browser()).path == "/_iamd/signin/password"


@pytest.mark.usefixtures("may_change")
def test_a_step_takes_ten_minutes_at_most(aws, iam, ann, enter, browser):
    iam.update_login_profile(UserName=ann, PasswordResetRequired=True)
    enter()
    aws.advance(10 * 60)
    change(browser)
    assert not browser.is_signed_in
    assert browser.sign_in(ALIAS, ann, PASSWORD).path == "/_iamd/signin/password"


@pytest.mark.usefixtures("may_change")
def test_who_changes_the_password_stays_and_every_other_session_ends(enter, browser, open_browser):
    """Invariant WEB-02: another id, and no session of the old password is good any more."""
    other, thief = enter(into=open_browser()), open_browser()
    enter()
    thief.http.cookies.update(browser.http.cookies)
    before = browser.http.cookies["iamd-session"]
    browser.get("/_iamd/password")
    assert change(browser).path == "/_iamd/"
    assert browser.http.cookies["iamd-session"] != before
    assert browser.is_signed_in
    assert not other.is_signed_in
    assert not thief.is_signed_in


@pytest.mark.usefixtures("may_change")
def test_a_change_is_the_event_of_change_password(aws, enter, browser):
    enter()
    browser.get("/_iamd/password")
    change(browser, old="wrong")
    change(browser)
    done, refused = aws.events("ChangePassword")
    assert done["eventSource"] == refused["eventSource"] == "iam.amazonaws.com"
    assert refused["errorCode"] == "AccessDenied"
    assert "errorCode" not in done
    who = done["userIdentity"]
    assert (who["type"], who["userName"]) == ("IAMUser", "ann")
    assert who["accessKeyId"].startswith("ASIA")
    assert who["sessionContext"]["attributes"]["mfaAuthenticated"] == "false"
    assert NEW not in str(done)


def test_a_deny_of_change_password_holds_on_the_page(iam, ann, enter, browser):
    iam.update_account_password_policy(AllowUsersToChangePassword=True)
    iam.attach_user_policy(UserName=ann, PolicyArn="arn:aws:iam::aws:policy/AWSDenyAll")
    enter()
    browser.get("/_iamd/password")
    assert "with an explicit deny" in change(browser).error


def test_the_root_user_changes_its_own_password(aws, root, browser, open_browser):
    browser.sign_in_as_root(root, PASSWORD)
    other = open_browser().sign_in_as_root(root, PASSWORD)
    browser.get("/_iamd/password")
    assert change(browser, old="wrong").error == "The old password was incorrect."
    assert change(browser, new="short").error == "Password should have a minimum length of 8"
    assert change(browser).path == "/_iamd/"
    assert not other.is_signed_in
    assert open_browser().sign_in_as_root(root, PASSWORD).error is not None
    assert open_browser().sign_in_as_root(root, NEW).path == "/_iamd/"


def test_the_accounts_password_policy_is_not_for_the_root_user(aws, iam, root, browser):
    """AWS: it applies to IAM users only (IAM User Guide, "Set an account password policy for IAM users")."""
    iam.update_account_password_policy(MinimumPasswordLength=40, MaxPasswordAge=1, HardExpiry=True)
    aws.advance(2 * DAY)
    assert browser.sign_in_as_root(root, PASSWORD).path == "/_iamd/"
    browser.get("/_iamd/password")
    assert change(browser).path == "/_iamd/"


def test_five_wrong_old_passwords_of_the_root_user_and_the_right_one_is_refused(root, browser):
    browser.sign_in_as_root(root, PASSWORD).get("/_iamd/password")
    for _ in range(5):
        change(browser, old="wrong")
    assert change(browser).error == "The old password was incorrect."


def test_the_root_users_change_is_told_as_cloudtrail_tells_it(aws, root, browser):
    """CloudTrail User Guide, "AWS Management Console sign-in events": PasswordUpdated."""
    browser.sign_in_as_root(root, PASSWORD).get("/_iamd/password")
    change(browser, old="wrong")
    change(browser)
    done, refused = aws.events("PasswordUpdated")
    for event in (done, refused):
        assert (event["eventType"], event["eventSource"]) == ("AwsConsoleSignIn", "signin.amazonaws.com")
        assert event["userIdentity"]["type"] == "Root"
        assert event["requestParameters"] is None
    assert done["responseElements"] == {"PasswordUpdated": "Success"}
    assert refused["responseElements"] == {"PasswordUpdated": "Failure"}
    assert "errorMessage" in refused
