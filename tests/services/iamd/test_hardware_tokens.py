"""Hardware MFA tokens: registered by the operator, enabled by their holders; tests/web shows how they let in."""

import base64

import pytest
from botocore.exceptions import ClientError
from running import Credentials, Refusal, allow
from services.iam.world import Devices
from services.sts.phone import Phone

TOKEN = "GAHT12345678"
SEED = base64.b32encode(b"12345678901234567890").decode()
OPERATIONS = {
    "RegisterHardwareToken": {"SerialNumber": TOKEN, "Base32StringSeed": SEED},
    "ListHardwareTokens": {},
    "DeregisterHardwareToken": {"SerialNumber": TOKEN},
}


@pytest.fixture
def token(aws):
    aws.iamd("RegisterHardwareToken", SerialNumber=TOKEN, Base32StringSeed=SEED)
    return TOKEN


@pytest.fixture
def iam(aws):
    client = aws.client("iam")
    client.create_user(UserName="ann")
    return client


def listed(aws):
    return [(one["SerialNumber"], one.get("AccountId")) for one in aws.iamd("ListHardwareTokens")["Tokens"]]


def refused(aws, operation, code, **parameters):
    with pytest.raises(Refusal) as caught:
        aws.iamd(operation, **parameters)
    assert caught.value.code == code


def test_tokens_are_listed_and_no_seed_is_shown(aws, token):
    aws.iamd("RegisterHardwareToken", SerialNumber="GAHT00000001", Base32StringSeed=SEED.lower())
    assert listed(aws) == [("GAHT00000001", None), (TOKEN, None)]
    assert SEED not in str(aws.iamd("ListHardwareTokens"))
    assert SEED not in str(aws.events("RegisterHardwareToken")).upper()


def test_a_token_is_enabled_by_its_serial_number_and_two_codes(aws, iam, token):
    """AWS: IAM User Guide, "Assign a hardware TOTP token in the AWS Management Console"; EnableMFADevice."""
    Devices(iam).enable("ann", token, SEED)
    [device] = iam.list_mfa_devices(UserName="ann")["MFADevices"]
    assert (device["UserName"], device["SerialNumber"]) == ("ann", token)
    with pytest.raises(ClientError, match="only hardware FIDO security keys are supported"):
        iam.get_mfa_device(UserName="ann", SerialNumber=token)
    assert listed(aws) == [(token, aws.account_id)]
    assert iam.list_virtual_mfa_devices()["VirtualMFADevices"] == []
    summary = iam.get_account_summary()["SummaryMap"]
    assert (summary["MFADevices"], summary["MFADevicesInUse"]) == (1, 1)


def test_wrong_codes_do_not_take_the_token(aws, iam, token):
    with pytest.raises(iam.exceptions.InvalidAuthenticationCodeException):
        Devices(iam).enable("ann", token, SEED, ahead=200)
    assert listed(aws) == [(token, None)]


def test_a_token_is_resynchronised(aws, iam, token):
    devices, own = Devices(iam), aws.client("sts", aws.user("carl"))
    devices.enable("carl", token, SEED)
    iam.resync_mfa_device(UserName="carl", SerialNumber=token, **devices.codes(SEED, ahead=10))
    shown = devices.codes(SEED, ahead=11)["AuthenticationCode2"]
    assert own.get_session_token(SerialNumber=token, TokenCode=shown)["Credentials"]["SessionToken"]


def test_a_token_is_one_persons_on_the_whole_server(aws, iam, token):
    Devices(iam).enable("ann", token, SEED)
    iam.create_user(UserName="bob")
    other = aws.client("iam", Credentials.of(aws.iamd("CreateAccount", Name="other")))
    other.create_user(UserName="bob")
    for client in (iam, other):
        with pytest.raises(client.exceptions.EntityAlreadyExistsException, match="MFA Device is already in use"):
            Devices(client).enable("bob", token, SEED, ahead=2)
    with pytest.raises(iam.exceptions.EntityAlreadyExistsException, match="MFA Device for user ann already exists"):
        Devices(iam).enable("ann", token, SEED, ahead=2)


def test_a_token_that_was_deactivated_is_free_for_anybody(aws, iam, token):
    Devices(iam).enable("ann", token, SEED)
    iam.deactivate_mfa_device(UserName="ann", SerialNumber=token)
    assert listed(aws) == [(token, None)]
    assert iam.list_mfa_devices(UserName="ann")["MFADevices"] == []
    other = aws.client("iam", Credentials.of(aws.iamd("CreateAccount", Name="other", AccountId="210987654321")))
    other.create_user(UserName="bob")
    Devices(other).enable("bob", token, SEED, ahead=2)
    assert listed(aws) == [(token, "210987654321")]


def test_a_token_is_no_virtual_device(iam, token):
    Devices(iam).enable("ann", token, SEED)
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.delete_virtual_mfa_device(SerialNumber=token)
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.tag_mfa_device(SerialNumber=token, Tags=[{"Key": "a", "Value": "b"}])


def test_sts_takes_the_tokens_codes(aws, iam, token):
    Devices(iam).enable("ann", token, SEED)
    key = Credentials.of(iam.create_access_key(UserName="ann")["AccessKey"])
    answer = aws.client("sts", key).get_session_token(**Phone(token, SEED).codes())
    assert answer["Credentials"]["AccessKeyId"].startswith("ASIA")


def test_what_is_no_token_or_is_one_already_is_refused(aws, token):
    refused(aws, "RegisterHardwareToken", "TokenAlreadyExists", SerialNumber=TOKEN, Base32StringSeed=SEED)
    other = {"SerialNumber": "GAHT00000001"}
    refused(aws, "RegisterHardwareToken", "InvalidSeed", **other, Base32StringSeed="1" * 32)
    refused(aws, "RegisterHardwareToken", "InvalidSeed", **other, Base32StringSeed="A" * 8 + " " * 24)
    for wrong in ({"SerialNumber": "short"}, {"SerialNumber": "arn:aws:iam::1:mfa/x"}, {"Base32StringSeed": "A"}):
        refused(aws, "RegisterHardwareToken", "ValidationException", **(OPERATIONS["RegisterHardwareToken"] | wrong))
    assert listed(aws) == [(TOKEN, None)]


def test_a_token_is_forgotten_while_it_is_nobodys(aws, iam, token):
    Devices(iam).enable("ann", token, SEED)
    refused(aws, "DeregisterHardwareToken", "TokenInUse", SerialNumber=TOKEN)
    iam.deactivate_mfa_device(UserName="ann", SerialNumber=token)
    aws.iamd("DeregisterHardwareToken", SerialNumber=TOKEN)
    assert listed(aws) == []
    refused(aws, "DeregisterHardwareToken", "NoSuchToken", SerialNumber=TOKEN)
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        Devices(iam).enable("ann", token, SEED)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_tokens_are_the_operators(aws, operation):
    """Of the operations RegisterHardwareToken, ListHardwareTokens and DeregisterHardwareToken."""
    with pytest.raises(Refusal, match=f"is not authorized to perform: iamd:{operation}"):
        aws.iamd(operation, aws.user("nobody"), **OPERATIONS[operation])
    tenant = Credentials.of(aws.iamd("CreateAccount", Name="other"))
    with pytest.raises(Refusal, match="Accounts are managed from the account"):
        aws.iamd(operation, tenant, **OPERATIONS[operation])
    if operation == "DeregisterHardwareToken":
        aws.iamd("RegisterHardwareToken", **OPERATIONS["RegisterHardwareToken"])
    aws.iamd(operation, aws.user("somebody", allow(f"iamd:{operation}")), **OPERATIONS[operation])
    events = aws.events(operation)
    assert {event.get("errorCode") for event in events} == {None, "AccessDeniedException"}
