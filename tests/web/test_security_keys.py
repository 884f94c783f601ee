"""Who may register a security key: `iam:EnableMFADevice` is decided for both steps of it."""

import json

import pytest
from running import allow, deny
from web import authenticator
from web.conftest import ALIAS, PASSWORD

ENABLE = "iam:EnableMFADevice"
LIST = allow("iam:ListMFADevices")


def state(*values):
    return {"StringEquals": {"iam:RegisterSecurityKey": list(values)}}


@pytest.fixture
def registers(aws, iam, ann, open_browser):
    """`registers(statements)`: whether ann, who may do this, gets a security key."""

    def registering(*statements):
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_user_policy(UserName=ann, PolicyName="mfa", PolicyDocument=document)
        origin = f"http://localhost:{aws.endpoint.rpartition(':')[2]}"
        browser = open_browser(origin).sign_in(ALIAS, ann, PASSWORD).get("/_iamd/mfa")
        options = json.loads(browser.document.xpath("//form[@class='security-key']/@data-options")[0])
        answer = authenticator.registered(options, origin)
        browser.submit("/_iamd/mfa/security-key", credential=answer, name="blue")
        [event] = aws.events("EnableMFADevice")
        has = bool(iam.list_mfa_devices(UserName=ann)["MFADevices"])
        assert has == ("errorCode" not in event) == (browser.error is None)
        return has

    return registering


@pytest.mark.parametrize(
    "statements",
    [
        [allow(ENABLE)],
        [allow(ENABLE, **state("Create", "Activate"))],
        [allow(ENABLE, **state("Create")), allow(ENABLE, **state("Activate"))],
        [allow(ENABLE), deny(ENABLE, StringNotEquals={"iam:RegisterSecurityKey": ["Create", "Activate"]})],
    ],
)
def test_who_is_allowed_both_steps_registers_a_key(registers, statements):
    """AWS: `iam:RegisterSecurityKey` (User Guide, "Supported configurations for using passkeys and security keys")."""
    assert registers(LIST, *statements)


@pytest.mark.parametrize(
    "statements",
    [
        [allow(ENABLE, **state("Create"))],
        [allow(ENABLE, **state("Activate"))],
        [allow(ENABLE), deny(ENABLE, **state("Create"))],
        [allow(ENABLE), deny(ENABLE, **state("Activate"))],
        [allow(ENABLE), deny(ENABLE, Null={"iam:RegisterSecurityKey": "false"})],
        [allow(ENABLE, StringEquals={"iam:FIDO-certification": ["L1", "L2"]})],
    ],
)
def test_a_step_that_is_not_allowed_keeps_the_key_out(registers, statements):
    assert not registers(LIST, *statements)


def test_a_security_key_is_shown_as_it_is_listed(aws, iam, ann, registers):
    registers(LIST, allow(ENABLE))
    [device] = iam.list_mfa_devices(UserName=ann)["MFADevices"]
    shown = iam.get_mfa_device(UserName=ann, SerialNumber=device["SerialNumber"])
    assert {name: shown[name] for name in device} == device
    [event] = aws.events("GetMFADevice")
    assert event["requestParameters"] == {"userName": ann, "serialNumber": device["SerialNumber"]}
    iam.create_user(UserName="bob")
    with pytest.raises(iam.exceptions.NoSuchEntityException, match="MFA Device invalid for user"):
        iam.get_mfa_device(UserName="bob", SerialNumber=device["SerialNumber"])


def test_a_virtual_device_is_no_security_key(aws, iam, devices, ann):
    serial, seed = devices.new("phone")
    bob = aws.client("iam", aws.user("bob", allow(ENABLE, Null={"iam:RegisterSecurityKey": "true"})))
    bob.enable_mfa_device(UserName=ann, SerialNumber=serial, **devices.codes(seed))
    assert [device["SerialNumber"] for device in iam.list_mfa_devices(UserName=ann)["MFADevices"]] == [serial]
