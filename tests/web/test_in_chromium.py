"""The pages as a browser shows them, and security keys, which only a browser can ask."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial

import pytest
from playwright.sync_api import Browser, Page, expect
from services.iam.world import Devices
from web import chromium
from web.chromium import SecurityKeys
from web.conftest import ALIAS, PASSWORD

from iamd.web.pages.mfa_devices import NOT_REGISTERED
from iamd.web.pages.sign_in import WRONG, WRONG_CODE

Opened = Callable[..., AbstractContextManager[Page]]
FULL = "arn:aws:iam::aws:policy/IAMFullAccess"


@pytest.fixture(scope="module")
def running() -> Iterator[Browser]:
    """One browser for all tests here."""
    with chromium.running() as browser:
        yield browser


@pytest.fixture
def opened(running: Browser) -> Opened:
    """`with opened(endpoint) as page:` is a page with cookies and keys of its own."""
    return partial(chromium.opened, running)


def sign_in(page, password=PASSWORD):
    page.goto("/_iamd/signin")
    page.get_by_label("Account ID or alias").fill(ALIAS)
    page.get_by_label("User name").fill("ann")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def heading(page):
    return page.get_by_role("heading", level=1)


def register(page, name):
    page.goto("/_iamd/mfa")
    page.get_by_label("Name of the key").fill(name)
    page.get_by_role("button", name="Register").click()


def serials(iam):
    return [device["SerialNumber"] for device in iam.list_mfa_devices(UserName="ann")["MFADevices"]]


def test_a_person_signs_in_and_out_again(aws, ann, opened):
    with opened(aws.endpoint) as page:
        sign_in(page, "wrong")
        expect(page.get_by_role("alert")).to_have_text(WRONG)
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(heading(page)).to_have_text("ann")
        assert page.evaluate("document.cookie") == ""
        page.get_by_role("button", name="Sign out").click()
        expect(heading(page)).to_have_text("Sign in")
        page.go_back()
        page.goto("/_iamd/")
        expect(heading(page)).to_have_text("Sign in")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_pages_are_legible_on_a_phone_and_at_night(aws, iam, devices, ann, scheme, width, opened):
    """No page is wider than the screen, and text stands out from its ground (WCAG 2.2, 1.4.3 and 1.4.10)."""
    iam.attach_user_policy(UserName=ann, PolicyArn=FULL)
    with opened(aws.endpoint, color_scheme=scheme, viewport={"width": width, "height": 700}) as page:
        page.goto("/_iamd/signin?root")
        check_legible(page, width)
        sign_in(page, "wrong")
        expect(page.get_by_role("alert")).to_be_visible()
        check_legible(page, width)
        sign_in(page)
        expect(heading(page)).to_have_text("ann")
        SecurityKeys(page).plug_in()
        register(page, "a-key-with-a-rather-long-name-for-a-narrow-screen")
        expect(page.get_by_role("button", name="Deactivate")).to_be_visible()
        for path in ("/_iamd/", "/_iamd/mfa", "/_iamd/password"):
            page.goto(path)
            check_legible(page, width)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_the_picture_for_an_authenticator_app_is_legible_too(aws, iam, ann, scheme, width, opened):
    iam.attach_user_policy(UserName=ann, PolicyArn=FULL)
    with opened(aws.endpoint, color_scheme=scheme, viewport={"width": width, "height": 700}) as page:
        sign_in(page)
        set_up_app(page)
        page.get_by_text("Show the key").click()
        check_legible(page, width)
        drawn = page.locator("svg.qr").bounding_box()
        assert min(drawn["width"], drawn["height"]) >= 190


def test_an_authenticator_app_is_set_up_and_removed_again(aws, iam, ann, opened):
    iam.attach_user_policy(UserName=ann, PolicyArn=FULL)
    with opened(aws.endpoint) as page:
        sign_in(page)
        seed = set_up_app(page)
        assign(page, Devices.codes(seed))
        expect(page.get_by_role("button", name="Deactivate")).to_be_visible()
        assert serials(iam) == ["arn:aws:iam::123456789012:mfa/ann"]
        page.context.clear_cookies()
        sign_in(page)
        page.get_by_label("MFA code").fill(Devices.codes(seed, ahead=1)["AuthenticationCode2"])
        page.get_by_role("button", name="Go on").click()
        expect(heading(page)).to_have_text("ann")
        page.goto("/_iamd/mfa")
        page.get_by_text("Resynchronize or remove").click()
        page.get_by_role("button", name="Remove").click()
        expect(page.get_by_text("You have no MFA device.")).to_be_visible()
    assert iam.list_virtual_mfa_devices()["VirtualMFADevices"] == []


def set_up_app(page):
    """Go to the picture; gives the key that is shown with it."""
    page.goto("/_iamd/mfa")
    page.get_by_role("button", name="Show the QR code").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    return page.locator("#key").text_content().replace(" ", "")


def assign(page, codes):
    page.get_by_label("MFA code 1").fill(codes["AuthenticationCode1"])
    page.get_by_label("MFA code 2").fill(codes["AuthenticationCode2"])
    page.get_by_role("button", name="Assign").click()


CONTRASTS = """() => {
  const channel = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const light = (color) => {
    const [r, g, b] = color.match(/[0-9.]+/g).map(Number).map(channel);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (node) => {
    for (let one = node; one; one = one.parentElement) {
      const color = getComputedStyle(one).backgroundColor;
      if (color !== "rgba(0, 0, 0, 0)") return color;
    }
    return "rgb(255, 255, 255)";
  };
  return [...document.querySelectorAll("h1,h2,p,a,label,dt,dd,button,input:not([type=hidden]),span")]
    .filter((node) => node.offsetParent !== null)
    .map((node) => {
      const [one, two] = [light(getComputedStyle(node).color), light(ground(node))].sort((a, b) => b - a);
      return [node.outerHTML.slice(0, 80), (one + 0.05) / (two + 0.05)];
    });
}"""


def check_legible(page, width):
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 4
    assert [found for found in contrasts if found[1] < 4.5] == []


def test_a_security_key_is_registered_and_asked_for(aws, iam, ann, opened):
    iam.attach_user_policy(UserName=ann, PolicyArn=FULL)
    with opened(aws.endpoint) as page:
        sign_in(page)
        SecurityKeys(page).plug_in()
        register(page, "blue")
        expect(page.get_by_role("button", name="Deactivate")).to_be_visible()
        [serial] = serials(iam)
        assert serial.startswith("arn:aws:iam::123456789012:u2f/user/ann/blue-")
        page.goto("/_iamd/")
        page.get_by_role("button", name="Sign out").click()
        sign_in(page)
        expect(heading(page)).to_have_text("Multi-factor authentication")
        page.get_by_role("button", name="Use a security key").click()
        expect(heading(page)).to_have_text("ann")
        expect(page.get_by_text("used", exact=True)).to_be_visible()
    [event] = aws.events("EnableMFADevice")
    assert event["requestParameters"] == {"userName": "ann", "serialNumber": serial}
    logins = [event["additionalEventData"] for event in aws.events("ConsoleLogin")]
    assert (logins[0]["MFAUsed"], logins[0]["MFAIdentifier"]) == ("Yes", serial)
    [asked] = aws.events("CheckMfa")
    assert asked["additionalEventData"] == {"MfaType": "U2F MFA"}


def test_a_security_key_is_listed_shown_and_taken_away_as_other_devices(aws, iam, ann, devices, opened):
    iam.attach_user_policy(UserName=ann, PolicyArn=FULL)
    with opened(aws.endpoint) as page:
        sign_in(page)
        SecurityKeys(page).plug_in()
        register(page, "blue")
        expect(page.get_by_role("button", name="Deactivate")).to_be_visible()
    [device] = iam.list_mfa_devices(UserName="ann")["MFADevices"]
    shown = iam.get_mfa_device(UserName="ann", SerialNumber=device["SerialNumber"])
    assert {name: shown[name] for name in device} == device
    assert iam.list_virtual_mfa_devices()["VirtualMFADevices"] == []
    summary = iam.get_account_summary()["SummaryMap"]
    assert (summary["MFADevices"], summary["MFADevicesInUse"]) == (1, 1)
    codes = {"AuthenticationCode1": "000000", "AuthenticationCode2": "000001"}
    with pytest.raises(iam.exceptions.InvalidAuthenticationCodeException):
        iam.resync_mfa_device(UserName="ann", SerialNumber=device["SerialNumber"], **codes)
    iam.delete_login_profile(UserName="ann")
    iam.detach_user_policy(UserName=ann, PolicyArn=FULL)
    with pytest.raises(iam.exceptions.DeleteConflictException, match="must remove tokens from principal first"):
        iam.delete_user(UserName="ann")
    iam.deactivate_mfa_device(UserName="ann", SerialNumber=device["SerialNumber"])
    assert iam.list_mfa_devices(UserName="ann")["MFADevices"] == []
    iam.delete_user(UserName="ann")


def test_sts_takes_no_code_for_a_security_key(aws, iam, ann, opened):
    """AWS: security keys are not for the API (IAM User Guide, "Secure API access with MFA")."""
    from running import Credentials

    iam.attach_user_policy(UserName=ann, PolicyArn=FULL)
    with opened(aws.endpoint) as page:
        sign_in(page)
        SecurityKeys(page).plug_in()
        register(page, "blue")
        expect(page.get_by_role("button", name="Deactivate")).to_be_visible()
    sts = aws.client("sts", Credentials.of(iam.create_access_key(UserName=ann)["AccessKey"]))
    [serial] = serials(iam)
    with pytest.raises(sts.exceptions.ClientError, match="MultiFactorAuthentication failed"):
        sts.get_session_token(SerialNumber=serial, TokenCode="000000")


def test_who_may_not_enable_devices_registers_none(aws, iam, ann, opened):
    with opened(aws.endpoint) as page:
        sign_in(page)
        SecurityKeys(page).plug_in()
        register(page, "blue")
        expect(page.get_by_role("alert").first).to_contain_text("iam:EnableMFADevice")
    assert serials(iam) == []


@pytest.mark.parametrize("name", ["with blanks", "a/b", "<b>", "é"])
def test_a_name_that_no_arn_can_have_is_refused(aws, iam, ann, name, opened):
    iam.attach_user_policy(UserName=ann, PolicyArn=FULL)
    with opened(aws.endpoint) as page:
        sign_in(page)
        SecurityKeys(page).plug_in()
        register(page, name)
        expect(page.get_by_role("alert").first).to_contain_text("The name of a security key has letters")
    assert serials(iam) == []


def test_a_copied_security_key_is_found_out(aws, iam, ann, opened):
    """A count of signatures that does not grow (WebAuthn Level 3, 6.1.1)."""
    iam.attach_user_policy(UserName=ann, PolicyArn=FULL)
    with opened(aws.endpoint) as page:
        sign_in(page)
        keys = SecurityKeys(page)
        first = keys.plug_in()
        register(page, "blue")
        expect(page.get_by_role("button", name="Deactivate")).to_be_visible()
        [copied] = keys.credentials(first)
        use_key(page)
        expect(heading(page)).to_have_text("ann")
        keys.pull_out(first)
        keys.put(keys.plug_in(), copied)
        use_key(page)
        expect(page.get_by_role("alert").first).to_have_text(WRONG_CODE)


def use_key(page):
    page.context.clear_cookies()
    sign_in(page)
    page.get_by_role("button", name="Use a security key").click()


def test_an_answer_to_another_question_is_none(aws, iam, ann, opened):
    """Invariant SIG-11: what was answered once does not let in again."""
    iam.attach_user_policy(UserName=ann, PolicyArn=FULL)
    with opened(aws.endpoint) as page:
        sign_in(page)
        SecurityKeys(page).plug_in()
        register(page, "blue")
        expect(page.get_by_role("button", name="Deactivate")).to_be_visible()
        sent = []
        page.on("request", lambda request: sent.append(request.post_data or ""))
        use_key(page)
        expect(heading(page)).to_have_text("ann")
        answer = next(dict_of(one)["credential"] for one in sent if "credential=%7B" in one)
        page.context.clear_cookies()
        sign_in(page)
        expect(page.locator("form.security-key")).to_be_attached()
        page.evaluate(
            """answer => {
                const form = document.querySelector("form.security-key");
                form.elements.credential.value = answer;
                form.submit();
            }""",
            answer,
        )
        expect(page.get_by_role("alert").first).to_have_text(WRONG_CODE)


def dict_of(form):
    from urllib.parse import parse_qsl

    return dict(parse_qsl(form))


@pytest.mark.parametrize("answer", ["", "x", "{}", json.dumps({"id": "AAAA", "rawId": "AAAA", "type": "public-key"})])
def test_what_is_no_answer_of_a_key_registers_nothing(aws, iam, enter, browser, answer):
    iam.attach_user_policy(UserName="ann", PolicyArn=FULL)
    browser.endpoint = aws.endpoint
    browser.http.headers["Host"] = "localhost"
    browser.origin = "http://localhost"
    enter().get("/_iamd/mfa")
    browser.submit("/_iamd/mfa/security-key", name="blue", credential=answer)
    assert browser.error == NOT_REGISTERED
    assert serials(iam) == []


def test_a_code_does_in_place_of_a_security_key(aws, iam, devices, ann, opened):
    iam.attach_user_policy(UserName=ann, PolicyArn=FULL)
    serial, seed = devices.new("phone")
    with opened(aws.endpoint) as page:
        sign_in(page)
        SecurityKeys(page).plug_in()
        register(page, "blue")
        expect(page.get_by_role("button", name="Deactivate")).to_be_visible()
        devices.enable(ann, serial, seed)
        page.context.clear_cookies()
        sign_in(page)
        page.get_by_label("MFA code").fill(Devices.codes(seed, ahead=1)["AuthenticationCode2"])
        page.get_by_role("button", name="Go on").click()
        expect(heading(page)).to_have_text("ann")


def test_the_root_user_has_security_keys_too(aws, iam, root, opened):
    with opened(aws.endpoint) as page:
        sign_in_as_root(page, root)
        SecurityKeys(page).plug_in()
        register(page, "safe")
        expect(page.get_by_role("button", name="Deactivate")).to_be_visible()
        assert iam.get_account_summary()["SummaryMap"]["AccountMFAEnabled"] == 1
        page.context.clear_cookies()
        sign_in_as_root(page, root)
        page.get_by_role("button", name="Use a security key").click()
        expect(heading(page)).to_have_text(root)


def sign_in_as_root(page, email):
    page.goto("/_iamd/signin?root")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_load_state()


def test_at_an_address_the_page_says_where_keys_can_be_registered(enter, browser):
    enter().get("/_iamd/mfa")
    assert "open this page at localhost" in browser.text
