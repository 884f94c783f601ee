"""Sessions at the pages: when they end, and what is remembered of them."""

import pytest
from running import ACCOUNT
from services.iam.world import Devices
from web.conftest import ALIAS, PASSWORD

HOUR = 60 * 60
DAY = 24 * HOUR


def test_a_session_that_was_signed_out_of_is_over_wherever_its_cookie_is(enter, browser):
    """Invariant WEB-02."""
    thief = enter().copy()
    assert thief.is_signed_in
    browser.submit("/_iamd/signout")
    assert browser.path == "/_iamd/signin"
    assert "iamd-session" not in browser.http.cookies
    assert not thief.is_signed_in


def test_signing_out_ends_one_session_only(enter, browser, open_browser):
    other = enter(into=open_browser())
    enter().submit("/_iamd/signout")
    assert other.is_signed_in


def recreate(iam):
    iam.delete_login_profile(UserName="ann")
    iam.delete_user(UserName="ann")
    iam.create_user(UserName="ann", Path="/team/")
    iam.create_login_profile(UserName="ann", Password=PASSWORD)


ENDS = {
    "the password was changed": lambda iam: iam.update_login_profile(UserName="ann", Password="Another-horse-2"),
    "the same password was set": lambda iam: iam.update_login_profile(UserName="ann", Password=PASSWORD),
    "the password was deleted": lambda iam: iam.delete_login_profile(UserName="ann"),
    "the user was made anew": recreate,
}


@pytest.mark.parametrize("what", ENDS)
def test_a_session_ends_when(iam, enter, browser, what):
    """Invariant WEB-02."""
    enter()
    assert browser.is_signed_in
    ENDS[what](iam)
    assert not browser.is_signed_in


def test_a_session_does_not_end_when_its_user_gets_another_name_or_path(iam, enter, browser):
    enter()
    iam.update_user(UserName="ann", NewUserName="anna", NewPath="/other/")
    assert "arn:aws:iam::123456789012:user/other/anna" in browser.get("/_iamd/").text


def test_a_session_ends_after_an_hour_without_use(aws, enter, browser):
    enter()
    for _ in range(3):
        aws.advance(HOUR - 1)
        assert browser.is_signed_in
    aws.advance(HOUR + 2)
    assert not browser.is_signed_in


def test_a_session_ends_after_twelve_hours(aws, enter, browser):
    enter()
    for _ in range(12):
        assert browser.is_signed_in
        aws.advance(HOUR - 60)
    aws.advance(12 * 60)
    assert not browser.is_signed_in


def test_a_cookie_that_was_taken_ends_without_use_though_its_owner_goes_on(aws, enter, browser):
    thief = enter().copy()
    for _ in range(3):
        aws.advance(HOUR / 2)
        assert browser.is_signed_in
    assert not thief.is_signed_in


def test_a_person_has_so_many_sessions_and_no_more(enter, browser, open_browser):
    enter()
    for _ in range(24):
        last = enter(into=open_browser())
    assert not browser.is_signed_in
    assert last.is_signed_in


def test_a_reset_ends_every_session(aws, enter, browser):
    enter()
    aws.server.post("/_iamd/reset")
    assert not browser.is_signed_in


@pytest.mark.parametrize("target", ["user", "session"])
def test_quarantine_ends_a_session(aws, enter, browser, target):
    enter()
    [event] = aws.events("ConsoleLogin")
    assert event["userIdentity"]["userName"] == "ann"
    # Whatever the session asks for names its access key.
    browser.get("/_iamd/password")
    browser.submit("/_iamd/password", old_password="x", new_password="Another-horse-2", again="Another-horse-2")
    [asked] = aws.events("ChangePassword")
    key_id = asked["userIdentity"]["accessKeyId"]
    aws.iamd("Quarantine", Target=key_id if target == "session" else f"arn:aws:iam::{ACCOUNT}:user/team/ann")
    assert not browser.is_signed_in


def test_a_password_of_before_a_quarantine_lets_nobody_in_until_it_is_set_anew(aws, iam, enter):
    aws.iamd("Quarantine", Target=f"arn:aws:iam::{ACCOUNT}:user/team/ann")
    assert enter().error is not None
    aws.advance(1)
    iam.update_login_profile(UserName="ann", Password=PASSWORD)
    assert enter().path == "/_iamd/"


def test_quarantine_keeps_the_root_user_out_too(aws, root, browser, open_browser):
    browser.sign_in_as_root(root, PASSWORD)
    aws.iamd("Quarantine", Target=f"arn:aws:iam::{ACCOUNT}:root")
    assert not browser.is_signed_in
    assert open_browser().sign_in_as_root(root, PASSWORD).error is not None


def test_another_worker_knows_the_session_and_its_end(start, open_browser):
    server = start("--backend", "none", "--workers", "2")
    from running import AWS

    iam = AWS(server).client("iam")
    iam.create_user(UserName="ann")
    iam.create_login_profile(UserName="ann", Password=PASSWORD)
    browser = open_browser(server.endpoint).sign_in(ACCOUNT, "ann", PASSWORD)
    # Each has a connection of its own, so that both workers are asked.
    copies = []
    for _ in range(8):
        copy = browser.copy()
        copies.append(copy)
        assert copy.is_signed_in
    browser.submit("/_iamd/signout")
    assert not any(copy.is_signed_in for copy in copies)


def last_used(iam):
    return iam.get_user(UserName="ann")["User"].get("PasswordLastUsed")


def test_when_the_password_was_last_used_is_remembered(aws, iam, enter, open_browser):
    assert last_used(iam) is None
    enter("wrong", into=open_browser())
    assert last_used(iam) is None
    enter(into=open_browser())
    first = last_used(iam)
    [listed] = [user for user in iam.list_users()["Users"] if user["UserName"] == "ann"]
    assert listed["PasswordLastUsed"] == first
    # AWS: of uses within five minutes the first is told (IAM User Guide, "Generate credential reports").
    aws.advance(4 * 60)
    enter(into=open_browser())
    assert last_used(iam) == first
    aws.advance(60)
    enter(into=open_browser())
    assert (last_used(iam) - first).total_seconds() >= 300


def report(iam):
    iam.generate_credential_report()
    lines = [line.split(",") for line in iam.get_credential_report()["Content"].decode().splitlines()]
    return {line[0]: dict(zip(lines[0], line, strict=True)) for line in lines[1:]}


def test_the_credential_report_tells_when_passwords_were_used(aws, iam, enter, root, open_browser):
    iam.create_user(UserName="bob")
    iam.create_login_profile(UserName="bob", Password=PASSWORD)
    enter()
    open_browser().sign_in_as_root(root, PASSWORD)
    found = report(iam)
    used = last_used(iam)
    assert found["ann"]["password_last_used"] == f"{used:%Y-%m-%dT%H:%M:%SZ}"
    assert found["bob"]["password_last_used"] == "no_information"
    line = found["<root_account>"]
    assert (line["password_enabled"], line["password_next_rotation"]) == ("true", "not_supported")
    assert line["password_last_used"].endswith("Z")
    assert line["password_last_changed"].endswith("Z")
    assert iam.get_account_summary()["SummaryMap"]["AccountPasswordPresent"] == 1


def test_a_user_with_sessions_is_deleted_with_them(iam, enter, browser):
    enter()
    iam.delete_login_profile(UserName="ann")
    iam.delete_user(UserName="ann")
    assert not browser.is_signed_in


def test_a_session_with_mfa_manages_devices_and_one_without_does_not(iam, enter, browser, ann):
    """Invariant PRN-08, for whoever got a device while signed in."""
    iam.attach_user_policy(UserName=ann, PolicyArn="arn:aws:iam::aws:policy/IAMFullAccess")
    devices = Devices(iam)
    enter()
    serial, seed = devices.new("phone")
    devices.enable(ann, serial, seed)
    browser.get("/_iamd/mfa")
    browser.submit("/_iamd/mfa/deactivate", serial_number=serial)
    assert "authenticated with an MFA device" in browser.error
    assert ALIAS in browser.get("/_iamd/").text
