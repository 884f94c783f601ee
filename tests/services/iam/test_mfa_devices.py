"""Virtual MFA devices: made, enabled by two codes, resynchronised, taken away; and who may not."""

import base64
import json
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from running import Credentials, allow

from iamd.auth.identity import Identity
from iamd.policy.request import PrincipalKind
from iamd.services.iam import mfa_devices
from iamd.services.iam.errors import AccessDenied

NO_MFA = "To complete this action, please ensure that you are authenticated with an MFA device that is enabled for this user."
WRONG_CODE = "Authentication code for device is not valid."


@pytest.fixture
def ann(iam):
    """A user without anything."""
    iam.create_user(UserName="ann", Path="/team/")


def test_a_new_device_shows_its_seed_and_is_nobodys(iam, arn_of):
    tags = [{"Key": "Team", "Value": "blue"}]
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="phone", Path="/team/", Tags=tags)["VirtualMFADevice"]
    assert device["SerialNumber"] == arn_of("mfa/team/phone")
    assert len(device["Base32StringSeed"]) == 64
    assert device["QRCodePNG"].startswith(b"\x89PNG")
    assert device["Tags"] == tags
    assert iam.list_virtual_mfa_devices()["VirtualMFADevices"] == [{"SerialNumber": device["SerialNumber"]}]
    assert iam.list_mfa_device_tags(SerialNumber=device["SerialNumber"])["Tags"] == tags


def test_two_devices_do_not_share_path_and_name(iam, refused):
    iam.create_virtual_mfa_device(VirtualMFADeviceName="phone")
    with refused("EntityAlreadyExists", "MFA device already exists."):
        iam.create_virtual_mfa_device(VirtualMFADeviceName="phone")
    iam.create_virtual_mfa_device(VirtualMFADeviceName="phone", Path="/other/")


@pytest.mark.usefixtures("ann")
def test_two_codes_in_a_row_enable_a_device(iam, devices, arn_of):
    serial, seed = devices.new("phone")
    devices.enable("ann", serial, seed)
    [listed] = iam.list_mfa_devices(UserName="ann")["MFADevices"]
    assert (listed["UserName"], listed["SerialNumber"]) == ("ann", serial)
    [virtual] = iam.list_virtual_mfa_devices(AssignmentStatus="Assigned")["VirtualMFADevices"]
    assert (virtual["User"]["Arn"], virtual["EnableDate"]) == (arn_of("user/team/ann"), listed["EnableDate"])
    assert "Base32StringSeed" not in virtual


@pytest.mark.usefixtures("ann")
def test_devices_are_listed_by_whether_they_are_somebodys(iam, devices, paged):
    phone, seed = devices.new("phone")
    watch, _ = devices.new("watch")
    devices.enable("ann", phone, seed)

    def serials(**parameters):
        return [device["SerialNumber"] for device in iam.list_virtual_mfa_devices(**parameters)["VirtualMFADevices"]]

    assert serials() == serials(AssignmentStatus="Any") == [phone, watch]
    assert serials(AssignmentStatus="Assigned") == [phone]
    assert serials(AssignmentStatus="Unassigned") == [watch]
    assert [device["SerialNumber"] for device in paged(iam.list_virtual_mfa_devices, "VirtualMFADevices")] == [
        phone,
        watch,
    ]


@pytest.mark.usefixtures("ann")
def test_a_users_devices_are_listed_in_pages(iam, devices, paged):
    for name in ("watch", "phone"):
        devices.enable("ann", *devices.new(name))
    listed = paged(iam.list_mfa_devices, "MFADevices", UserName="ann")
    assert listed == iam.list_mfa_devices(UserName="ann")["MFADevices"]
    assert len(listed) == 2


@pytest.mark.usefixtures("ann")
@pytest.mark.parametrize("wrong", ["same", "reversed", "first", "second", "old"])
def test_codes_that_the_device_did_not_show_in_a_row_are_refused(iam, devices, refused, wrong):
    serial, seed = devices.new("phone")
    right = devices.codes(seed)
    first, second = right["AuthenticationCode1"], right["AuthenticationCode2"]
    other = f"{(int(first) + 1) % 10**6:06d}"
    old = devices.codes(seed, ahead=-100)
    given = {
        "same": (second, second),
        "reversed": (second, first),
        "first": (other, second),
        "second": (first, other),
        "old": tuple(old.values()),
    }[wrong]
    with refused("InvalidAuthenticationCode", WRONG_CODE):
        iam.enable_mfa_device(
            UserName="ann", SerialNumber=serial, AuthenticationCode1=given[0], AuthenticationCode2=given[1]
        )
    assert iam.list_mfa_devices(UserName="ann")["MFADevices"] == []


@pytest.mark.usefixtures("ann")
def test_codes_are_taken_once(iam, devices, refused):
    """RFC 6238, 5.2."""
    serial, seed = devices.new("phone")
    codes = devices.codes(seed)
    iam.enable_mfa_device(UserName="ann", SerialNumber=serial, **codes)
    with refused("InvalidAuthenticationCode", WRONG_CODE):
        iam.resync_mfa_device(UserName="ann", SerialNumber=serial, **codes)


def test_codes_that_enable_a_device_are_its_users_to_use(aws, iam, devices, refused):
    """AWS's recorded answers: STS takes each of them, once."""
    carl = aws.client("sts", aws.user("carl", allow("sts:GetSessionToken")))
    serial, seed = devices.new("phone")
    codes = devices.codes(seed, ahead=1)
    iam.enable_mfa_device(UserName="carl", SerialNumber=serial, **codes)
    for code in reversed(codes.values()):
        carl.get_session_token(SerialNumber=serial, TokenCode=code)
        with refused("AccessDenied"):
            carl.get_session_token(SerialNumber=serial, TokenCode=code)


def test_a_resync_gives_no_code_back_that_sts_has_taken(aws, iam, devices, refused):
    """AWS's recorded answers: such a code may be one of the two."""
    carl = aws.client("sts", aws.user("carl", allow("sts:GetSessionToken")))
    serial, seed = devices.new("phone")
    first, second = devices.codes(seed, ahead=-1), devices.codes(seed, ahead=1)
    iam.enable_mfa_device(UserName="carl", SerialNumber=serial, **first)
    taken, other = second.values()
    carl.get_session_token(SerialNumber=serial, TokenCode=taken)
    iam.resync_mfa_device(UserName="carl", SerialNumber=serial, **second)
    with refused("AccessDenied"):
        carl.get_session_token(SerialNumber=serial, TokenCode=taken)
    carl.get_session_token(SerialNumber=serial, TokenCode=other)


@pytest.mark.usefixtures("ann")
def test_only_security_keys_are_shown(iam, devices, arn_of, refused):
    words = (
        "The MFA device serial number sent in the request is invalid or not supported by this API. Currently, only "
        "hardware FIDO security keys are supported. Please use the compatible device or API."
    )
    serial, seed = devices.new("phone")
    devices.enable("ann", serial, seed)
    for other in (serial, arn_of("mfa/none"), "GAHT12345678"):
        with refused("ValidationError", words):
            iam.get_mfa_device(UserName="ann", SerialNumber=other)
    with refused("NoSuchEntity", "MFA Device invalid for user."):
        iam.get_mfa_device(UserName="ann", SerialNumber=arn_of("u2f/user/ann/none"))


@pytest.mark.usefixtures("ann")
def test_a_device_whose_clock_is_off_is_resynchronised(iam, devices, refused):
    serial, seed = devices.new("phone")
    devices.enable("ann", serial, seed)
    iam.resync_mfa_device(UserName="ann", SerialNumber=serial, **devices.codes(seed, ahead=10))
    with refused("InvalidAuthenticationCode", WRONG_CODE):
        iam.resync_mfa_device(UserName="ann", SerialNumber=serial, **devices.codes(seed, ahead=100))


@pytest.mark.parametrize("ahead", [10, -7])
def test_after_a_resync_a_devices_codes_are_right_by_its_own_clock(aws, iam, devices, refused, ahead):
    """A role that asks for MFA is assumed with the code that the device shows, once, and not with a right clock's."""
    carl = aws.client("sts", aws.user("carl", allow("sts:AssumeRole")))
    serial, seed = devices.new("phone")
    devices.enable("carl", serial, seed)
    iam.resync_mfa_device(UserName="carl", SerialNumber=serial, **devices.codes(seed, ahead=ahead))
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": aws.account_id},
        "Action": "sts:AssumeRole",
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    role = iam.create_role(RoleName="admin", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    asked = {"RoleArn": role, "RoleSessionName": "work", "SerialNumber": serial}
    shown = devices.codes(seed, ahead=ahead + 1)["AuthenticationCode2"]
    with refused("AccessDenied"):
        carl.assume_role(**asked, TokenCode=devices.codes(seed, ahead=1)["AuthenticationCode2"])
    carl.assume_role(**asked, TokenCode=shown)
    with refused("AccessDenied"):
        carl.assume_role(**asked, TokenCode=shown)


@pytest.mark.usefixtures("ann")
def test_a_deactivated_device_is_nobodys_and_can_be_deleted(iam, devices, refused):
    serial, seed = devices.new("phone")
    devices.enable("ann", serial, seed)
    with refused("DeleteConflict", "MFA VirtualDevice in use. Must deactivate first."):
        iam.delete_virtual_mfa_device(SerialNumber=serial)
    iam.deactivate_mfa_device(UserName="ann", SerialNumber=serial)
    assert iam.list_mfa_devices(UserName="ann")["MFADevices"] == []
    assert iam.list_virtual_mfa_devices(AssignmentStatus="Unassigned")["VirtualMFADevices"] == [
        {"SerialNumber": serial}
    ]
    iam.delete_virtual_mfa_device(SerialNumber=serial)
    assert iam.list_virtual_mfa_devices()["VirtualMFADevices"] == []
    with refused("NoSuchEntity", f"MFA Device with serial number {serial} does not exist."):
        iam.delete_virtual_mfa_device(SerialNumber=serial)


@pytest.mark.usefixtures("ann")
def test_a_device_is_one_users(iam, devices, refused):
    iam.create_user(UserName="bob")
    serial, seed = devices.new("phone")
    devices.enable("ann", serial, seed)
    with refused("EntityAlreadyExists", "MFA Device is already in use."):
        devices.enable("bob", serial, seed, ahead=2)
    with refused("EntityAlreadyExists", "MFA Device for user ann already exists."):
        devices.enable("ann", serial, seed, ahead=2)
    with refused("NoSuchEntity", "MFA Device invalid for user."):
        iam.deactivate_mfa_device(UserName="bob", SerialNumber=serial)
    with refused("NoSuchEntity", "MFA Device invalid for user."):
        iam.resync_mfa_device(UserName="bob", SerialNumber=serial, **devices.codes(seed, ahead=2))


@pytest.mark.usefixtures("ann")
def test_a_user_has_eight_devices_at_most(iam, devices, refused):
    """IAM User Guide, "AWS Multi-factor authentication in IAM": up to eight devices."""
    for number in range(8):
        devices.enable("ann", *devices.new(f"phone{number}"))
    serial, seed = devices.new("ninth")
    with refused("LimitExceeded", "Cannot exceed quota for MFADevicesPerUser: 8"):
        devices.enable("ann", serial, seed)


def test_long_term_keys_alone_do_not_change_the_devices_of_who_has_one(aws, iam, devices, arn_of, refused):
    """AWS Security Bulletin AWS-2023-001 (invariant PRN-08)."""
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    own = aws.client("iam", aws.user("carl", everything))
    phone, phone_seed = devices.new("phone")
    watch, watch_seed = devices.new("watch")
    own.enable_mfa_device(UserName="carl", SerialNumber=phone, **devices.codes(phone_seed))
    with refused("AccessDenied", NO_MFA):
        own.enable_mfa_device(UserName="carl", SerialNumber=watch, **devices.codes(watch_seed))
    with refused("AccessDenied", NO_MFA):
        own.enable_mfa_device(UserName="carl", SerialNumber=arn_of("mfa/none"), **devices.codes(watch_seed))
    for serial in (phone, arn_of("mfa/none")):
        for named in ({"UserName": "carl"}, {}):
            with refused("AccessDenied", NO_MFA):
                own.deactivate_mfa_device(SerialNumber=serial, **named)
    # AWS's recorded answer: it neither adds a device nor takes one away.
    own.resync_mfa_device(UserName="carl", SerialNumber=phone, **devices.codes(phone_seed, ahead=5))
    assert [device["SerialNumber"] for device in own.list_mfa_devices()["MFADevices"]] == [phone]
    iam.deactivate_mfa_device(UserName="carl", SerialNumber=phone)


@pytest.mark.parametrize(
    ("session", "user_id", "is_refused"),
    [
        (None, "AIDAEXAMPLE", True),
        ({"mfa_time": None}, "AIDAEXAMPLE", True),
        ({"mfa_time": 1}, "AIDAEXAMPLE", False),
        (None, "AIDAOTHER", False),
    ],
    ids=["long-term key", "session without MFA", "session with MFA", "somebody else's device"],
)
def test_only_a_session_with_mfa_changes_the_devices_of_its_user(session, user_id, is_refused):
    """The session of a user begins at GetSessionToken, so this asks the rule itself."""
    own = None if session is None else SimpleNamespace(**session)
    caller = Identity(PrincipalKind.USER, "123456789012", "arn", "AIDAEXAMPLE", "AIDAEXAMPLE", session=own)
    has_a_device = SimpleNamespace(find=lambda *_: ["a device"])
    call = SimpleNamespace(identity=caller, account=has_a_device)
    user = SimpleNamespace(user_id=user_id)
    with pytest.raises(AccessDenied, match="authenticated with an MFA device") if is_refused else nullcontext():
        mfa_devices.refuse_without_mfa(call, user)


def test_a_session_that_was_obtained_with_mfa_changes_its_users_devices(aws, iam, devices):
    """AWS Security Bulletin AWS-2023-001: GetSessionToken with a code of the device that is enabled."""
    key = aws.user("carl", {"Effect": "Allow", "Action": "*", "Resource": "*"})
    phone, seed = devices.new("phone")
    watch, watch_seed = devices.new("watch")
    devices.enable("carl", phone, seed)
    code = devices.codes(seed, ahead=1)["AuthenticationCode2"]
    session = aws.client("sts", key).get_session_token(SerialNumber=phone, TokenCode=code)["Credentials"]
    own = aws.client("iam", Credentials.of(session))
    own.enable_mfa_device(UserName="carl", SerialNumber=watch, **devices.codes(watch_seed))
    own.deactivate_mfa_device(SerialNumber=phone, UserName="carl")
    assert [device["SerialNumber"] for device in own.list_mfa_devices(UserName="carl")["MFADevices"]] == [watch]


def test_who_has_a_device_may_change_those_of_others(aws, iam, devices):
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    own = aws.client("iam", aws.user("carl", everything))
    iam.create_user(UserName="ann")
    devices.enable("carl", *devices.new("phone"))
    watch, seed = devices.new("watch")
    own.enable_mfa_device(UserName="ann", SerialNumber=watch, **devices.codes(seed))
    assert [device["SerialNumber"] for device in iam.list_mfa_devices(UserName="ann")["MFADevices"]] == [watch]
    own.deactivate_mfa_device(UserName="ann", SerialNumber=watch)
    assert iam.list_mfa_devices(UserName="ann")["MFADevices"] == []


@pytest.mark.usefixtures("ann")
def test_what_is_missing_is_named(iam, arn_of, refused):
    serial = arn_of("mfa/none")
    codes = {"AuthenticationCode1": "000000", "AuthenticationCode2": "000001"}
    with refused("NoSuchEntity", f"VirtualMFADevice with serial number {serial} doesn't exist."):
        iam.enable_mfa_device(UserName="ann", SerialNumber=serial, **codes)
    for call in (iam.enable_mfa_device, iam.resync_mfa_device):
        with refused("NoSuchEntity", "The user with name nobody cannot be found."):
            call(UserName="nobody", SerialNumber=serial, **codes)
    with refused("NoSuchEntity", f"MFA Device with serial number {serial} does not exist."):
        iam.deactivate_mfa_device(UserName="ann", SerialNumber=serial)
    with refused("NoSuchEntity", "The user with name nobody cannot be found."):
        iam.list_mfa_devices(UserName="nobody")


def test_a_serial_number_that_no_operation_takes_is_not_given(iam, refused):
    """AWS: a serial number has 256 characters at most, a path 512 (IAM API Reference)."""
    longest = 256 - len("arn:aws:iam::123456789012:mfa/")
    serial = iam.create_virtual_mfa_device(VirtualMFADeviceName="n" * longest)["VirtualMFADevice"]["SerialNumber"]
    iam.delete_virtual_mfa_device(SerialNumber=serial)
    with refused("InvalidInput", "The serial number of a virtual MFA device has 256 characters at most."):
        iam.create_virtual_mfa_device(VirtualMFADeviceName="n", Path=f"/{'p' * longest}/")
    assert iam.list_virtual_mfa_devices()["VirtualMFADevices"] == []


def test_no_event_holds_a_seed(iam, event_of):
    answer = iam.create_virtual_mfa_device(VirtualMFADeviceName="phone")
    event = str(event_of(answer))
    device = answer["VirtualMFADevice"]
    assert device["SerialNumber"] in event
    assert device["Base32StringSeed"].decode() not in event
    assert base64.b64encode(device["Base32StringSeed"]).decode() not in event
    assert base64.b64encode(device["QRCodePNG"]).decode()[:40] not in event
