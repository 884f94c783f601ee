"""What CloudTrail is told of who signs in (CloudTrail User Guide, "AWS Management Console sign-in events")."""

import pytest
from services.iam.world import Devices
from web.conftest import ALIAS, PASSWORD

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"


def the_event(aws, name="ConsoleLogin"):
    [event] = aws.events(name)
    assert event["eventType"] == "AwsConsoleSignIn"
    assert event["eventSource"] == "signin.amazonaws.com"
    assert event["requestParameters"] is None
    assert event["recipientAccountId"] == aws.account_id
    assert event["sourceIPAddress"] == "127.0.0.1"
    return event


def test_a_user_who_signs_in(aws, iam, enter, browser):
    enter()
    event = the_event(aws)
    user = iam.get_user(UserName="ann")["User"]
    assert event["userIdentity"] == {
        "type": "IAMUser",
        "principalId": user["UserId"],
        "arn": user["Arn"],
        "accountId": aws.account_id,
        "userName": "ann",
    }
    assert event["responseElements"] == {"ConsoleLogin": "Success"}
    assert event["additionalEventData"] == {
        "LoginTo": f"{aws.endpoint}/_iamd/",
        "MobileVersion": "No",
        "MFAUsed": "No",
    }
    assert "errorMessage" not in event


def test_a_wrong_password(aws, iam, enter):
    enter("wrong")
    event = the_event(aws)
    assert event["userIdentity"] == {
        "type": "IAMUser",
        "principalId": iam.get_user(UserName="ann")["User"]["UserId"],
        "accountId": aws.account_id,
        "accessKeyId": "",
        "userName": "ann",
    }
    assert event["errorMessage"] == "Failed authentication"
    assert event["responseElements"] == {"ConsoleLogin": "Failure"}


def test_a_name_that_is_nobodys_is_not_written_down(aws, browser, ann):
    """People type their password where the name belongs."""
    browser.sign_in(ALIAS, "my-password", "x")
    event = the_event(aws)
    assert event["userIdentity"]["userName"] == HIDDEN
    assert event["errorMessage"] == "No username found in supplied account"
    assert event["responseElements"] == {"ConsoleLogin": "Failure"}
    assert "my-password" not in str(event)


def test_a_device_that_was_used(aws, iam, devices, enter, browser):
    serial, seed = devices.new("phone")
    devices.enable("ann", serial, seed)
    enter()
    checked = the_event(aws, "CheckMfa")
    assert checked["responseElements"] == {"CheckMfa": "Success"}
    assert checked["additionalEventData"] == {"MfaType": "Virtual MFA"}
    assert "arn" not in checked["userIdentity"]
    browser.submit("/_iamd/signin/mfa", code="000000")
    failed = the_event(aws)
    assert (failed["errorMessage"], failed["responseElements"]) == (
        "Failed authentication",
        {"ConsoleLogin": "Failure"},
    )
    assert failed["additionalEventData"]["MFAUsed"] == "Yes"
    browser.submit("/_iamd/signin/mfa", code=Devices.codes(seed, ahead=1)["AuthenticationCode2"])
    done = next(one for one in aws.events("ConsoleLogin") if one["responseElements"] == {"ConsoleLogin": "Success"})
    assert done["additionalEventData"]["MFAUsed"] == "Yes"
    assert done["additionalEventData"]["MFAIdentifier"] == serial


@pytest.mark.parametrize("password", [PASSWORD, "wrong"])
def test_a_root_user(aws, root, browser, password):
    browser.sign_in_as_root(root, password)
    event = the_event(aws)
    assert event["userIdentity"] == {
        "type": "Root",
        "principalId": aws.account_id,
        "arn": f"arn:aws:iam::{aws.account_id}:root",
        "accountId": aws.account_id,
        "accessKeyId": "",
    }
    wanted = "Success" if password == PASSWORD else "Failure"
    assert event["responseElements"] == {"ConsoleLogin": wanted}


def test_events_of_a_person_are_found_by_the_name(aws, enter):
    enter()
    found = aws.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "Username", "AttributeValue": "ann"}]
    )["Events"]
    assert [event["EventName"] for event in found] == ["ConsoleLogin"]


def test_an_account_that_is_none_is_told_nothing(aws, browser, ann):
    browser.sign_in("nowhere", "ann", PASSWORD)
    browser.sign_in_as_root("nobody@example.com", PASSWORD)
    browser.sign_in(ALIAS, "ann", "wrong")
    assert len(aws.events("ConsoleLogin")) == 1
