"""Virtual MFA devices that people set up, resynchronize and remove on their own page."""

import json

import pyotp
import pytest
import segno
from running import ACCOUNT, allow
from services.iam.world import Devices
from web.conftest import ALIAS, PASSWORD

SERIAL = f"arn:aws:iam::{ACCOUNT}:mfa/ann"
OWN = [
    allow(["iam:CreateVirtualMFADevice", "iam:DeleteVirtualMFADevice"], f"arn:aws:iam::{ACCOUNT}:mfa/*"),
    allow(["iam:EnableMFADevice", "iam:ResyncMFADevice", "iam:DeactivateMFADevice"], "*"),
]


@pytest.fixture
def may(iam, ann):
    """`may(statements)` is all that ann may do."""

    def let(*statements):
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_user_policy(UserName=ann, PolicyName="mfa", PolicyDocument=document)

    return let


def begin(browser, name="ann"):
    """Go as far as the QR code; gives the key that the page shows."""
    browser.get("/_iamd/mfa").submit("/_iamd/mfa/new", device_name=name)
    return key_on(browser)


def key_on(browser):
    found = browser.document.xpath("//*[@id='key']")
    return found[0].text_content().replace(" ", "") if found else None


def fields(seed, ahead=0):
    shown = Devices.codes(seed, ahead=ahead)
    return {"code1": shown["AuthenticationCode1"], "code2": shown["AuthenticationCode2"]}


def serials(iam, **of):
    return [device["SerialNumber"] for device in iam.list_mfa_devices(**of)["MFADevices"]]


def test_a_device_is_created_shown_and_assigned_as_the_person(aws, iam, may, enter, browser):
    may(*OWN)
    enter()
    seed = begin(browser)
    assert serials(iam, UserName="ann") == []
    browser.submit("/_iamd/mfa/assign", **fields(seed))
    assert (browser.path, browser.error) == ("/_iamd/mfa", None)
    assert serials(iam, UserName="ann") == [SERIAL]
    [made], [enabled] = aws.events("CreateVirtualMFADevice"), aws.events("EnableMFADevice")
    assert {made["userIdentity"]["userName"], enabled["userIdentity"]["userName"]} == {"ann"}
    assert seed not in json.dumps(made)


def test_the_picture_is_the_code_that_apps_read(iam, may, enter, browser):
    may(*OWN)
    enter()
    seed = begin(browser, "ann-s.phone+1")
    uri = pyotp.TOTP(seed).provisioning_uri(name=f"ann-s.phone+1@{ALIAS}", issuer_name="Amazon Web Services")
    wanted = segno.make(uri, error="m", micro=False).svg_inline(scale=5)
    [drawn] = browser.document.xpath("//*[name()='path' and @class='qrline']/@d")
    assert drawn in wanted


def test_the_key_is_shown_once_and_kept_by_nobody_on_the_way(iam, may, enter, browser):
    may(*OWN)
    enter()
    seed = begin(browser)
    assert browser.answer.headers["cache-control"] == "no-store"
    for path in ("/_iamd/mfa", "/_iamd/"):
        browser.get(path)
        assert seed not in browser.answer.text.replace(" ", "")


def test_wrong_codes_leave_the_device_to_be_assigned_by_the_next_ones(iam, may, enter, browser):
    may(*OWN)
    enter()
    seed = begin(browser)
    browser.submit("/_iamd/mfa/assign", code1="000000", code2="000001")
    assert browser.error == "Authentication code for device is not valid."
    [form] = [form for form in browser.document.forms if form.action == "/_iamd/mfa/assign"]
    assert form.fields["serial_number"] == SERIAL
    browser.submit("/_iamd/mfa/assign", **fields(seed))
    assert serials(iam, UserName="ann") == [SERIAL]


def test_who_cancels_leaves_nothing_behind(iam, may, enter, browser):
    may(*OWN)
    enter()
    begin(browser)
    browser.submit("/_iamd/mfa/delete")
    assert (browser.path, browser.error) == ("/_iamd/mfa", None)
    assert iam.list_virtual_mfa_devices()["VirtualMFADevices"] == []


def test_what_was_begun_and_left_can_be_deleted_and_begun_anew(iam, may, enter, browser):
    may(*OWN)
    enter()
    first = begin(browser)
    assert begin(browser) is None
    assert browser.error == "MFA device already exists."
    browser.submit("/_iamd/mfa/delete")
    assert begin(browser) not in {None, first}


def test_a_device_that_somebody_has_is_not_offered_for_deletion(iam, may, enter, browser, devices):
    may(*OWN)
    enter()
    made = iam.create_virtual_mfa_device(VirtualMFADeviceName="bobs")["VirtualMFADevice"]
    iam.create_user(UserName="bob")
    devices.enable("bob", made["SerialNumber"], made["Base32StringSeed"].decode())
    assert begin(browser, "bobs") is None
    assert "/_iamd/mfa/delete" not in [form.action for form in browser.document.forms]


@pytest.mark.parametrize("name", ["", "a b", "a/b", "é"])
def test_a_name_that_no_device_can_have_is_refused(iam, may, enter, browser, name):
    may(*OWN)
    enter()
    assert begin(browser, name) is None
    assert browser.error
    assert iam.list_virtual_mfa_devices()["VirtualMFADevices"] == []


def test_who_may_not_create_devices_is_told_so(aws, iam, may, enter, browser):
    may(*OWN[1:])
    enter()
    assert begin(browser) is None
    assert f"iam:CreateVirtualMFADevice on resource: {SERIAL}" in browser.error
    [event] = aws.events("CreateVirtualMFADevice")
    assert event["errorCode"] == "AccessDenied"


def test_who_is_not_signed_in_creates_nothing(iam, ann, browser):
    for path in ("new", "delete", "remove", "resync"):
        browser.get("/_iamd/signin")
        [token] = browser.document.xpath("//form[1]//input[@name='csrf']/@value")
        browser.post(f"/_iamd/mfa/{path}", {"csrf": token, "device_name": "ann", "serial_number": SERIAL})
        assert browser.path == "/_iamd/signin"
    assert iam.list_virtual_mfa_devices()["VirtualMFADevices"] == []


@pytest.fixture
def signed_in_with_mfa(iam, may, enter, browser):
    """Ann has a device, and has signed in with it; gives its seed."""
    may(*OWN)
    enter()
    seed = begin(browser)
    browser.submit("/_iamd/mfa/assign", **fields(seed))
    browser.get("/_iamd/").submit("/_iamd/signout")
    enter()
    browser.submit("/_iamd/signin/mfa", code=Devices.codes(seed, ahead=1)["AuthenticationCode2"])
    assert browser.path == "/_iamd/"
    return seed


def test_one_removes_ones_device_for_good(aws, iam, signed_in_with_mfa, browser):
    browser.get("/_iamd/mfa").submit("/_iamd/mfa/remove")
    assert (browser.path, browser.error) == ("/_iamd/mfa", None)
    assert iam.list_virtual_mfa_devices()["VirtualMFADevices"] == []
    assert len(aws.events("DeactivateMFADevice")) == len(aws.events("DeleteVirtualMFADevice")) == 1


def test_a_device_that_may_not_be_deleted_is_deactivated_all_the_same(iam, may, signed_in_with_mfa, browser):
    may(*OWN[1:])
    browser.get("/_iamd/mfa").submit("/_iamd/mfa/remove")
    assert "iam:DeleteVirtualMFADevice" in browser.error
    assert serials(iam, UserName="ann") == []
    assert len(iam.list_virtual_mfa_devices()["VirtualMFADevices"]) == 1


def test_a_device_whose_clock_is_off_is_resynchronized(aws, iam, signed_in_with_mfa, browser):
    seed = signed_in_with_mfa
    browser.get("/_iamd/mfa").submit("/_iamd/mfa/resync", code1="000000", code2="000001")
    assert browser.error == "Authentication code for device is not valid."
    browser.submit("/_iamd/mfa/resync", **fields(seed, ahead=12))
    assert (browser.path, browser.error) == ("/_iamd/mfa", None)
    browser.get("/_iamd/").submit("/_iamd/signout")
    browser.sign_in(ALIAS, "ann", PASSWORD)
    browser.submit("/_iamd/signin/mfa", code=Devices.codes(seed, ahead=13)["AuthenticationCode2"])
    assert browser.path == "/_iamd/"


def test_who_signed_in_without_a_device_changes_none(iam, may, enter, browser, devices):
    may(*OWN)
    enter()
    seed = begin(browser)
    browser.submit("/_iamd/mfa/assign", **fields(seed))
    browser.get("/_iamd/mfa").submit("/_iamd/mfa/remove")
    assert "authenticated with an MFA device" in browser.error
    assert serials(iam, UserName="ann") == [SERIAL]


def test_the_root_user_sets_one_up_resynchronizes_and_removes_it(aws, iam, root, browser):
    browser.sign_in_as_root(root, PASSWORD)
    browser.get("/_iamd/mfa")
    [form] = [form for form in browser.document.forms if form.action == "/_iamd/mfa/new"]
    name = form.fields["device_name"]
    seed = begin(browser, name)
    browser.submit("/_iamd/mfa/assign", **fields(seed))
    assert browser.error is None
    assert iam.get_account_summary()["SummaryMap"]["AccountMFAEnabled"] == 1
    [made] = aws.events("CreateVirtualMFADevice")
    assert made["userIdentity"]["type"] == "Root"
    assert name == "root-account-mfa-device"
    browser.get("/_iamd/").submit("/_iamd/signout")
    browser.sign_in_as_root(root, PASSWORD)
    browser.submit("/_iamd/signin/mfa", code=Devices.codes(seed, ahead=1)["AuthenticationCode2"])
    browser.get("/_iamd/mfa").submit("/_iamd/mfa/resync", **fields(seed, ahead=12))
    assert browser.error is None
    browser.submit("/_iamd/mfa/remove")
    assert browser.error is None
    assert iam.get_account_summary()["SummaryMap"]["AccountMFAEnabled"] == 0
    assert iam.list_virtual_mfa_devices()["VirtualMFADevices"] == []
