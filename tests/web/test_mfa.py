"""The MFA device that is asked for after the password: codes of virtual devices and hardware tokens."""

import base64

import pytest
from running import allow
from services.iam.world import Devices
from web.conftest import PASSWORD

from iamd.web.pages.sign_in import WRONG_CODE


@pytest.fixture
def phone(devices, ann):
    serial, seed = devices.new("phone")
    devices.enable(ann, serial, seed)
    return serial, seed


def code(seed, ahead=1):
    """What the device shows next."""
    return Devices.codes(seed, ahead=ahead)["AuthenticationCode2"]


def enter_code(browser, given, **fields):
    return browser.submit("/_iamd/signin/mfa", code=given, **fields)


def test_who_has_a_device_is_asked_for_its_code(phone, enter, browser):
    assert enter().path == "/_iamd/signin/mfa"
    assert not browser.is_signed_in
    assert enter_code(browser, code(phone[1])).path == "/_iamd/"
    assert "MFA used" in browser.text


@pytest.mark.parametrize("given", ["", "000000", " 12345", "١٢٣٤٥٦", "1234567", "12345a", "+12345"])
def test_a_code_that_the_device_does_not_show_is_refused(phone, enter, browser, given):
    """Invariant WEB-03."""
    enter()
    assert enter_code(browser, given).error == WRONG_CODE
    assert not browser.is_signed_in
    assert enter_code(browser, code(phone[1])).path == "/_iamd/"


def test_a_code_with_blanks_around_it_is_refused(phone, enter, browser):
    """Invariant WEB-03: six digits and nothing else."""
    enter()
    assert enter_code(browser, f" {code(phone[1])}").error == WRONG_CODE


def test_the_codes_that_enabled_a_device_sign_in_too(iam, devices, ann, enter, open_browser):
    """AWS's recorded answers: what enables a device is not used up for signing in."""
    serial, seed = devices.new("phone")
    codes = devices.codes(seed, ahead=1)
    iam.enable_mfa_device(UserName=ann, SerialNumber=serial, **codes)
    for shown in codes.values():
        assert enter_code(enter(into=open_browser()), shown).path == "/_iamd/"
        again = enter(into=open_browser())
        assert enter_code(again, shown).error == WRONG_CODE


def test_a_code_is_taken_once(phone, enter, open_browser):
    shown = code(phone[1])
    enter_code(enter(into=open_browser()), shown)
    again = enter(into=open_browser())
    assert enter_code(again, shown).error == WRONG_CODE


def test_a_code_that_sts_has_taken_is_used_up_here_too(aws, phone, enter, browser, iam):
    """Invariant WEB-03 (bug class B35): one count for all ways to sign in."""
    from running import Credentials

    iam.put_user_policy(
        UserName="ann",
        PolicyName="sts",
        PolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:*","Resource":"*"}]}',
    )
    key = Credentials.of(iam.create_access_key(UserName="ann")["AccessKey"])
    shown = code(phone[1])
    aws.client("sts", key).get_session_token(SerialNumber=phone[0], TokenCode=shown)
    enter()
    assert enter_code(browser, shown).error == WRONG_CODE


def test_after_five_wrong_codes_even_the_right_one_is_refused_for_a_while(aws, phone, enter, browser):
    """Invariant WEB-04."""
    enter()
    for _ in range(5):
        enter_code(browser, "000000")
    assert enter_code(browser, code(phone[1])).error == WRONG_CODE
    aws.advance(15 * 60)
    enter()
    assert enter_code(browser, code(phone[1])).path == "/_iamd/"


def test_the_password_is_asked_for_anew_after_ten_minutes(aws, phone, enter, browser):
    enter()
    aws.advance(10 * 60)
    enter_code(browser, code(phone[1]))
    assert not browser.is_signed_in


def test_what_was_asked_is_answered_once(phone, enter, browser):
    """Invariant WEB-06: of two answers to one step the second counts for nothing, right or wrong."""
    second = enter().copy()
    second.answer = browser.answer
    enter_code(browser, "000000")
    assert enter_code(second, code(phone[1])).path == "/_iamd/signin"
    assert not second.is_signed_in


def test_a_step_ends_with_the_password(iam, phone, enter, browser):
    enter()
    iam.update_login_profile(UserName="ann", Password="Another-horse-2")
    assert enter_code(browser, code(phone[1])).path == "/_iamd/signin"


def test_one_of_several_devices_is_chosen(devices, phone, enter, browser):
    watch, seed = devices.new("watch")
    devices.enable("ann", watch, seed)
    enter()
    [chooser] = browser.document.xpath("//select[@name='serial_number']")
    assert sorted(chooser.value_options) == sorted([phone[0], watch])
    assert enter_code(browser, code(seed), serial_number=phone[0]).error == WRONG_CODE
    assert enter_code(browser, code(seed), serial_number=watch).path == "/_iamd/"


def test_a_device_of_somebody_else_proves_nothing(iam, devices, phone, enter, browser):
    iam.create_user(UserName="bob")
    serial, seed = devices.new("bobs")
    devices.enable("bob", serial, seed)
    enter()
    assert enter_code(browser, code(seed), serial_number=serial).error == WRONG_CODE


def test_without_a_right_password_nobody_is_asked_for_a_code(phone, enter, browser):
    assert enter("wrong").path == "/_iamd/signin"
    assert browser.get("/_iamd/signin/mfa").path == "/_iamd/signin"


def test_a_device_comes_before_the_password_that_is_due(iam, phone, enter, browser, ann):
    iam.attach_user_policy(UserName=ann, PolicyArn="arn:aws:iam::aws:policy/IAMUserChangePassword")
    iam.update_login_profile(UserName=ann, PasswordResetRequired=True)
    enter()
    enter_code(browser, code(phone[1]))
    assert browser.path == "/_iamd/signin/password"
    new = "Another-horse-2"
    browser.submit("/_iamd/signin/password", old_password=PASSWORD, new_password=new, again=new)
    assert "MFA used" in browser.text


def test_a_policy_that_asks_for_mfa_sees_it_in_the_session(iam, phone, enter, browser, ann):
    """IAM User Guide, "AWS global condition context keys", aws:MultiFactorAuthPresent."""
    iam.put_user_policy(
        UserName=ann,
        PolicyName="own",
        PolicyDocument=str(
            {
                "Version": "2012-10-17",
                "Statement": [
                    allow("iam:DeactivateMFADevice", Bool={"aws:MultiFactorAuthPresent": "true"}),
                ],
            }
        ).replace("'", '"'),
    )
    enter()
    enter_code(browser, code(phone[1]))
    browser.get("/_iamd/mfa").submit("/_iamd/mfa/deactivate", serial_number=phone[0])
    assert iam.list_mfa_devices(UserName=ann)["MFADevices"] == []


TOKEN = "GAHT12345678"
SEED = base64.b32encode(b"12345678901234567890").decode()


@pytest.fixture
def token(aws):
    aws.iamd("RegisterHardwareToken", SerialNumber=TOKEN, Base32StringSeed=SEED)
    return TOKEN


def test_a_hardware_tokens_code_lets_in(iam, devices, token, ann, enter, browser):
    devices.enable(ann, token, SEED)
    enter()
    assert TOKEN in browser.text
    assert enter_code(browser, "000000").error == WRONG_CODE
    assert enter_code(browser, code(SEED)).path == "/_iamd/"


def test_the_root_user_gets_a_device_at_the_page_and_is_asked_for_it(aws, iam, devices, root, browser, open_browser):
    serial, seed = devices.new("root-phone")
    browser.sign_in_as_root(root, PASSWORD).get("/_iamd/mfa")
    codes = devices.codes(seed)
    given = {"code1": codes["AuthenticationCode1"], "code2": codes["AuthenticationCode2"]}
    browser.submit("/_iamd/mfa/assign", serial_number=serial, code1="000000", code2="111111")
    assert browser.error == "Authentication code for device is not valid."
    browser.submit("/_iamd/mfa/assign", serial_number=serial, **given)
    assert serial in browser.text
    assert iam.get_account_summary()["SummaryMap"]["AccountMFAEnabled"] == 1
    [event] = [event for event in aws.events("EnableMFADevice") if "errorCode" not in event]
    assert event["userIdentity"]["type"] == "Root"
    other = open_browser().sign_in_as_root(root, PASSWORD)
    assert other.path == "/_iamd/signin/mfa"
    assert enter_code(other, code(seed)).path == "/_iamd/"
    other.get("/_iamd/mfa").submit("/_iamd/mfa/deactivate", serial_number=serial)
    assert other.error is None
    assert iam.get_account_summary()["SummaryMap"]["AccountMFAEnabled"] == 0


def test_a_user_assigns_a_device_at_the_page_if_its_policies_allow(iam, devices, ann, enter, browser):
    serial, seed = devices.new("phone")
    codes = devices.codes(seed)
    given = {"code1": codes["AuthenticationCode1"], "code2": codes["AuthenticationCode2"]}
    enter().get("/_iamd/mfa").submit("/_iamd/mfa/assign", serial_number=serial, **given)
    assert "not authorized to perform: iam:EnableMFADevice on resource:" in browser.error
    iam.attach_user_policy(UserName=ann, PolicyArn="arn:aws:iam::aws:policy/IAMFullAccess")
    browser.submit("/_iamd/mfa/assign", serial_number=serial, **given)
    assert [device["SerialNumber"] for device in iam.list_mfa_devices(UserName=ann)["MFADevices"]] == [serial]
