"""AssumeRole with a one-time code: which device, whose, right, and used once."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from running import ACCOUNT, allow
from services.iam.world import Devices
from services.sts.conftest import trusting
from services.sts.phone import Phone

ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
WITH_MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
BOTH = "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."
UNKNOWN = (
    "MultiFactorAuthentication failed, unable to validate MFA code.  "
    "Please verify your MFA serial number is valid and associated with this user."
)
WRONG = "MultiFactorAuthentication failed with invalid MFA one time pass code. "


@pytest.fixture
def ann(aws):
    """A user whom the role trusts by name."""
    return aws.user("ann")


@pytest.fixture
def phone(aws, ann):
    """Ann's device."""
    return Phone.of(aws.client("iam"), aws.client("sts", ann).get_caller_identity()["Arn"].rpartition("/")[2])


@pytest.fixture
def app(aws, ann, role):
    """A role that wants a code of ann."""
    return role("app", trusting(aws.client("iam").get_user(UserName="ann")["User"]["Arn"], **WITH_MFA))


def test_a_right_code_opens_a_role_that_wants_one(aws, app, ann, phone, assume, refused):
    with refused("AccessDenied", "because no role trust policy allows the sts:AssumeRole action"):
        assume(ann, app)
    assume(ann, app, **phone.codes())
    record = aws.events("AssumeRole")[0]
    assert record["requestParameters"]["serialNumber"] == phone.serial
    assert record["requestParameters"]["tokenCode"] == "HIDDEN_DUE_TO_SECURITY_REASONS"


def test_the_age_of_a_code_is_nothing(role, phone, ann, assume):
    fresh = {"NumericLessThan": {"aws:MultiFactorAuthAge": "1"}}
    assume(ann, role("app", trusting(ANN, **fresh)), **phone.codes())


def test_sig_11_a_code_is_taken_once(app, ann, phone, assume, refused):
    codes = phone.codes()
    assume(ann, app, **codes)
    with refused("AccessDenied", WRONG):
        assume(ann, app, **codes)


def test_a_code_stays_used_when_what_it_was_for_is_refused(role, ann, phone, assume, refused):
    codes = phone.codes()
    with refused("AccessDenied", "because no role trust policy allows"):
        assume(ann, f"arn:aws:iam::{ACCOUNT}:role/none", **codes)
    with refused("AccessDenied", WRONG):
        assume(ann, role("app", trusting(ANN, **WITH_MFA)), **codes)


def test_serial_number_and_code_belong_together(app, ann, phone, assume, refused):
    codes = phone.codes()
    for name in codes:
        with refused("AccessDenied", BOTH):
            assume(ann, app, **{name: codes[name]})
    assume(ann, app, **codes)


@pytest.mark.parametrize("ahead", [-20, -3, 3, 20])
def test_a_code_of_another_time_is_refused(app, ann, phone, assume, refused, ahead):
    with refused("AccessDenied", WRONG):
        assume(ann, app, **phone.codes(ahead=ahead))


@pytest.mark.parametrize("code", ["97531", "9753197", "97531x", "٩٧٥٣١٩", " 97531", "97531\n"])
def test_what_is_no_code_is_refused_unrepeated(aws, app, ann, phone, refused, code):
    sts = aws.client("sts", ann, parameter_validation=False)
    with refused("ValidationError", "at 'tokenCode' failed to satisfy constraint") as error:
        sts.assume_role(RoleArn=app, RoleSessionName="test", SerialNumber=phone.serial, TokenCode=code)
    assert code not in error["Message"]
    assert code not in json.dumps(aws.events("AssumeRole")[0])


def test_only_the_callers_own_device_counts(aws, app, ann, phone, assume, refused):
    iam, bob = aws.client("iam"), aws.user("bob", allow("sts:AssumeRole"))
    bobs, nobodys = Phone.of(iam, "bob"), Devices(iam).new("nobodys")[0]
    for given in (bobs.codes(), {"SerialNumber": nobodys, "TokenCode": "123456"}):
        with refused("AccessDenied", UNKNOWN):
            assume(ann, app, **given)
    with refused("AccessDenied", UNKNOWN):
        assume(bob, app, **phone.codes())
    with refused("AccessDenied", UNKNOWN):
        assume(ann, app, SerialNumber=phone.serial + "x", TokenCode="123456")
    iam.deactivate_mfa_device(UserName="ann", SerialNumber=phone.serial)
    with refused("AccessDenied", UNKNOWN):
        assume(ann, app, **phone.codes())


def test_a_session_has_no_device(role, ann, phone, assume, refused):
    one = role("one", trusting(ANN))
    two = role("two", trusting(one, **WITH_MFA))
    with refused("AccessDenied", UNKNOWN):
        assume(assume(ann, one), two, **phone.codes())


def test_sts_12_the_session_does_not_inherit_it(aws, role, ann, phone, assume, refused):
    app = role("app", trusting(ANN, **WITH_MFA), allow("iam:ListUsers", **WITH_MFA))
    session = assume(ann, app, **phone.codes())
    with refused("AccessDenied"):
        aws.client("iam", session).list_users()
    [record] = [event for event in aws.events("ListUsers") if "errorCode" in event]
    assert record["userIdentity"]["sessionContext"]["attributes"]["mfaAuthenticated"] == "false"


def test_a_code_of_another_accounts_role_is_checked_with_the_callers_own_device(aws, other, role, assume, refused):
    ann = aws.user("ann", allow("sts:AssumeRole"))
    phone = Phone.of(aws.client("iam"), "ann")
    shared = role("shared", trusting(ACCOUNT, **WITH_MFA), credentials=other)
    with refused("AccessDenied", "because no role trust policy allows"):
        assume(ann, shared)
    assume(ann, shared, **phone.codes())


def test_b35_codes_are_guessed_five_times_in_a_quarter_of_an_hour(aws, app, ann, phone, assume, refused):
    sts = aws.client("sts", ann)

    def guess(_):
        with pytest.raises(ClientError, match="invalid MFA one time pass code"):
            sts.assume_role(RoleArn=app, RoleSessionName="test", **phone.wrong())

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(guess, range(16)))
    with refused("AccessDenied", WRONG):
        assume(ann, app, **phone.codes())
    aws.advance(15 * 60)
    assume(ann, app, **phone.codes())


def test_a_right_code_makes_wrong_ones_forgotten(aws, app, ann, phone, assume, refused):
    for _ in range(4):
        with refused("AccessDenied", WRONG):
            assume(ann, app, **phone.wrong())
    assume(ann, app, **phone.codes())
    for _ in range(4):
        with refused("AccessDenied", WRONG):
            assume(ann, app, **phone.wrong())
