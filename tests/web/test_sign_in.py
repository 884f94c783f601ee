"""Signing in with a password: who gets in, what everybody else is told, and how often one may try."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import pytest
from running import AWS, Credentials
from services.iam.world import Devices
from web.browser import Browser
from web.conftest import ALIAS, PASSWORD

from iamd.auth import passwords
from iamd.services.signin import sign_in
from iamd.services.signin.people import Asked
from iamd.store.account import Snapshot
from iamd.web.pages.sign_in import BUSY, WRONG


@pytest.mark.parametrize("account", [ALIAS, "123456789012"])
def test_a_user_signs_in_with_the_accounts_number_or_alias(browser, ann, account):
    browser.sign_in(account, ann, PASSWORD)
    assert (browser.path, browser.title) == ("/_iamd/", "ann")
    assert "arn:aws:iam::123456789012:user/team/ann" in browser.text
    assert "123456789012 (acme)" in browser.text


def test_who_is_signed_in_is_not_asked_again_and_who_is_not_is(browser, enter):
    assert browser.get("/_iamd/").path == "/_iamd/signin"
    enter()
    assert browser.get("/_iamd/signin").path == "/_iamd/"


def test_a_link_may_name_the_account(browser, aws):
    page = browser.get("/_iamd/signin?account=acme")
    assert page.document.forms[0].fields["account"] == "acme"


def test_what_a_link_says_is_text_and_no_markup(browser, aws):
    """Invariant WEB-06."""
    page = browser.get('/_iamd/signin?account="><script>alert(1)</script>')
    assert page.document.forms[0].fields["account"] == '"><script>alert(1)</script>'
    assert not page.document.xpath("//script")


def answers(browser: Browser, account: str, user_name: str, password: str) -> tuple[int, str]:
    browser.sign_in(account, user_name, password)
    text = browser.answer.text
    typed = f'value="{account}"', f'value="{user_name}"'
    for one in typed:
        assert one in text
        text = text.replace(one, 'value=""')
    token = browser.document.forms[0].fields["csrf"]
    return browser.answer.status_code, text.replace(token, "")


def test_whatever_is_wrong_the_answer_is_the_same(aws, iam, open_browser, ann):
    """Invariant WEB-05 (bug class B36): unknown user, wrong password, no password, unknown account, suspended account, locked."""
    iam.create_user(UserName="nopass")
    iam.create_user(UserName="locked")
    iam.create_login_profile(UserName="locked", Password=PASSWORD)
    browser = open_browser()
    for _ in range(5):
        browser.sign_in(ALIAS, "locked", "wrong")
    asked = [
        (ALIAS, "ann", "wrong"),
        (ALIAS, "ann", ""),
        (ALIAS, "ann", PASSWORD + "x" * 200),
        (ALIAS, "Ann", PASSWORD),
        (ALIAS, "nobody", PASSWORD),
        (ALIAS, "nopass", PASSWORD),
        ("ACME", "ann", PASSWORD),
        ("999999999999", "ann", PASSWORD),
        ("global", "ann", PASSWORD),
        ("nowhere", "ann", PASSWORD),
        (ALIAS, "locked", PASSWORD),
    ]
    found = {answers(open_browser(), *one) for one in asked}
    assert len(found) == 1
    status, text = found.pop()
    assert status == 403
    assert WRONG in text


def test_one_password_is_compared_whoever_is_asked_for():
    """Invariant WEB-05: the work is the same, and nearly all of it is this."""
    with mock.patch.object(passwords, "_HASHER") as hasher:
        hasher.verify.return_value = True
        compared = sign_in.compare(Snapshot(0, {}, {}), Asked(account="nowhere", user_name="nobody"), "x")
    assert hasher.verify.call_count == 1
    assert not compared.is_right


def test_a_person_of_another_account_is_another_person(aws, browser, ann):
    other = aws.iamd("CreateAccount", Name="other", AccountId="210987654321")
    iam = aws.client("iam", Credentials.of(other))
    iam.create_user(UserName="ann")
    iam.create_login_profile(UserName="ann", Password="Other-password-2")
    assert browser.sign_in("210987654321", "ann", PASSWORD).error == WRONG
    browser.sign_in("210987654321", "ann", "Other-password-2")
    assert "arn:aws:iam::210987654321:user/ann" in browser.text


def test_after_five_wrong_passwords_even_the_right_one_is_refused_for_a_while(aws, browser, enter, open_browser):
    """Invariant WEB-04 (bug class B35)."""
    for _ in range(5):
        assert enter("wrong").error == WRONG
    assert enter(PASSWORD, into=open_browser()).error == WRONG
    aws.advance(15 * 60)
    assert enter(PASSWORD, into=open_browser()).path == "/_iamd/"


def test_at_no_time_are_there_more_than_five_guesses_in_a_quarter_of_an_hour(aws, enter, open_browser):
    """Invariant WEB-04: not about the end of one either; each guess counts for as long, and a refused one not anew."""
    for seconds in (0, 300, 300):
        aws.advance(seconds)
        enter("wrong")
    enter("wrong"), enter("wrong")
    for seconds in (0, 240):
        aws.advance(seconds)
        assert enter(PASSWORD, into=open_browser()).error == WRONG
    aws.advance(60)
    assert enter("wrong").error == WRONG  # the first one's place
    assert enter(PASSWORD, into=open_browser()).error == WRONG
    aws.advance(300)
    assert enter(PASSWORD, into=open_browser()).path == "/_iamd/"


def test_a_right_password_takes_the_wrong_ones_back(enter, open_browser):
    for _ in range(2):
        for _ in range(4):
            enter("wrong", into=open_browser())
        assert enter(PASSWORD, into=open_browser()).path == "/_iamd/"


def test_passwords_that_are_tried_at_once_are_all_counted(enter, open_browser):
    """Invariant WEB-04: of many guesses at once no more count."""
    browsers = [open_browser().get("/_iamd/signin") for _ in range(16)]

    def guess(browser):
        browser.submit("/_iamd/signin", account=ALIAS, user_name="ann", password="wrong")

    threads = [threading.Thread(target=guess, args=(browser,)) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert enter(PASSWORD, into=open_browser()).error == WRONG


def test_the_old_password_of_change_password_is_guessed_no_oftener(aws, iam, enter, ann):
    """Invariant WEB-04: one count for every way a password is asked for."""
    iam.attach_user_policy(UserName=ann, PolicyArn="arn:aws:iam::aws:policy/IAMUserChangePassword")
    own = aws.client("iam", Credentials.of(iam.create_access_key(UserName=ann)["AccessKey"]))
    for _ in range(5):
        with pytest.raises(own.exceptions.ClientError, match="old password was incorrect"):
            own.change_password(OldPassword="wrong", NewPassword="Another-horse-2")
    assert enter().error == WRONG


def test_one_address_may_not_try_everybody(start, open_browser):
    """Invariant WEB-04: per source as well; another address is not concerned."""
    server = start("--backend", "none", "--trusted-proxies", "127.0.0.1")
    aws = AWS(server)
    aws.client("iam").create_user(UserName="ann")
    aws.client("iam").create_login_profile(UserName="ann", Password=PASSWORD)

    def browser(address):
        return open_browser(server.endpoint, headers={"X-Forwarded-For": address})

    guessing = browser("198.51.100.7")
    for number in range(50):
        guessing.sign_in("123456789012", f"user{number}", "wrong")
    assert browser("198.51.100.7").sign_in("123456789012", "ann", PASSWORD).error == WRONG
    for _ in range(6):
        assert guessing.sign_in("123456789012", "ann", "wrong").error == WRONG
    told = [event["userIdentity"]["userName"] for event in aws.events("ConsoleLogin")]
    assert told.count("ann") == 1 + 6, "each is recorded, and takes none of ann's attempts"
    assert browser("198.51.100.8").sign_in("123456789012", "ann", PASSWORD).path == "/_iamd/"


def test_of_one_address_few_passwords_wait_to_be_compared(start, open_browser):
    """Invariant WEB-04: who tries many at once does not have the others wait."""
    server = start("--backend", "none", "--trusted-proxies", "127.0.0.1")
    aws = AWS(server)
    aws.client("iam").create_user(UserName="ann")
    aws.client("iam").create_login_profile(UserName="ann", Password=PASSWORD)
    guessing = [open_browser(server.endpoint, headers={"X-Forwarded-For": "198.51.100.7"}) for _ in range(40)]
    other = open_browser(server.endpoint, headers={"X-Forwarded-For": "198.51.100.8"})
    ready = threading.Barrier(len(guessing))

    def guess(number):
        guessing[number].get("/_iamd/signin")
        ready.wait()
        guessing[number].submit("/_iamd/signin", account="123456789012", user_name=f"user{number}", password="wrong")

    with ThreadPoolExecutor(len(guessing)) as pool:
        list(pool.map(guess, range(len(guessing))))
    statuses = Counter(browser.answer.status_code for browser in guessing)
    assert statuses.keys() == {403, 429}
    assert statuses[429] == sum(browser.error == BUSY for browser in guessing)
    assert other.sign_in("123456789012", "ann", PASSWORD).path == "/_iamd/"


def test_the_root_user_signs_in_with_its_address_in_any_case(browser, root):
    assert browser.sign_in_as_root(root, "wrong").error == WRONG
    assert browser.sign_in_as_root(root.upper(), PASSWORD).title == root
    assert "arn:aws:iam::123456789012:root" in browser.text


def test_a_root_user_without_a_password_does_not_sign_in(aws, browser):
    aws.iamd("CreateAccount", Name="other", Email="root@other.example")
    assert browser.sign_in_as_root("root@other.example", "").error == WRONG
    assert browser.sign_in_as_root("", "").error == WRONG


def test_a_suspended_account_lets_nobody_in(aws, iam, browser, open_browser):
    organizations = aws.client("organizations")
    organizations.create_organization()
    organizations.create_account(AccountName="member", Email="member@example.com")
    [member] = [one for one in organizations.list_accounts()["Accounts"] if one["Name"] == "member"]
    aws.iamd("SetRootPassword", AccountId=member["Id"], Password=PASSWORD)
    assert browser.sign_in_as_root("member@example.com", PASSWORD).path == "/_iamd/"
    organizations.close_account(AccountId=member["Id"])
    assert not browser.is_signed_in
    assert open_browser().sign_in_as_root("member@example.com", PASSWORD).error == WRONG


def test_devices_of_others_are_not_asked_for(iam, enter, ann):
    devices = Devices(iam)
    iam.create_user(UserName="bob")
    devices.enable("bob", *devices.new("phone"))
    assert enter().path == "/_iamd/"
