"""What CloudTrail is told of people who sign in (CloudTrail User Guide, "AWS Management Console sign-in events").

They are no API calls: `eventType` is AwsConsoleSignIn, and what came of them stands in `responseElements`.
"""

from typing import Any

from iamd import ids
from iamd.call import Call
from iamd.clock import iso_of
from iamd.services.cloudtrail.events import EVENT_VERSION
from iamd.services.cloudtrail.shown import HIDDEN, cut
from iamd.services.cloudtrail.user_identity import user_identity
from iamd.services.signin.people import Asked, Person, account_of
from iamd.store.events import Event

SOURCE = "signin.amazonaws.com"
FAILED = "Failed authentication"
NO_USER = "No username found in supplied account"


def signed_in(call: Call, person: Person, *, login_to: str, mfa_serial_number: str | None) -> None:
    """A person has signed in, with the MFA device that is named, or without one."""
    _record(call, person.account.id, "ConsoleLogin", _who(call, person), added=_login(login_to, mfa_serial_number))


def failed(call: Call, person: Person, *, login_to: str, mfa_serial_number: str | None = None) -> None:
    """Somebody who is not the person, as far as can be told, tried to sign in."""
    _record(
        call,
        person.account.id,
        "ConsoleLogin",
        _unproven(call, person),
        added=_login(login_to, mfa_serial_number),
        error=FAILED,
    )


def unknown(call: Call, asked: Asked, *, login_to: str) -> None:
    """Somebody tried to sign in as a user whom the account does not have; an account that is none is told nothing."""
    account = None if asked.email is not None else account_of(call.view, asked.account)
    if account is None:
        return
    # SECURITY: people type a password where the name belongs, so a name that is nobody's is not kept.
    who = {"type": "IAMUser", "principalId": "", "accountId": account.id, "accessKeyId": "", "userName": HIDDEN}
    _record(call, account.id, "ConsoleLogin", who, added=_login(login_to, None), error=NO_USER)


def mfa_asked(call: Call, person: Person, mfa_type: str) -> None:
    """The password was right, and an MFA device is asked for."""
    _record(call, person.account.id, "CheckMfa", _unproven(call, person), added={"MfaType": mfa_type})


def password_updated(call: Call, person: Person, *, error: str | None = None) -> None:
    """The root user has changed its password, or tried to; a user's change is the event of ChangePassword."""
    _record(call, person.account.id, "PasswordUpdated", _who(call, person), added=None, error=error)


def _login(login_to: str, mfa_serial_number: str | None) -> dict[str, str]:
    used = {"MFAUsed": "No"} if mfa_serial_number is None else {"MFAIdentifier": mfa_serial_number, "MFAUsed": "Yes"}
    return {"LoginTo": login_to, "MobileVersion": "No", **used}


def _who(call: Call, person: Person) -> dict[str, Any]:
    found = user_identity(person.identity(), call.view)
    return found | ({"accessKeyId": ""} if person.user is None else {})


def _unproven(call: Call, person: Person) -> dict[str, Any]:
    """The person as records name it whose proof failed: without ARN for a user, and with an empty key id."""
    found = user_identity(person.identity(), call.view) | {"accessKeyId": ""}
    return found if person.user is None else {name: value for name, value in found.items() if name != "arn"}


def _record(
    call: Call,
    account_id: str,
    name: str,
    who: dict[str, Any],
    *,
    added: dict[str, str] | None,
    error: str | None = None,
) -> None:
    event_id, request = ids.request_id(), call.request
    document = {
        "eventVersion": EVENT_VERSION,
        "userIdentity": who,
        "eventTime": iso_of(call.now),
        "eventSource": SOURCE,
        "eventName": name,
        "awsRegion": call.region,
        "sourceIPAddress": request.source_ip,
        "userAgent": cut(request.header(b"user-agent") or ""),
        **({"errorMessage": error} if error is not None else {}),
        "requestParameters": None,
        "responseElements": {name: "Success" if error is None else "Failure"},
        **({"additionalEventData": added} if added is not None else {}),
        "eventID": event_id,
        "readOnly": False,
        "eventType": "AwsConsoleSignIn",
        "managementEvent": True,
        "recipientAccountId": account_id,
        "eventCategory": "Management",
    }
    user_name = "root" if who["type"] == "Root" else who["userName"]
    call.change.record_event(
        Event(
            event_id=event_id,
            request_id=request.id,
            time=call.now,
            account=account_id,
            name=name,
            source=SOURCE,
            user_name=None if user_name == HIDDEN else user_name,
            document=document,
        )
    )
