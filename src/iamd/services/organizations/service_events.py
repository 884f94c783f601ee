"""The events that Organizations itself records in the management account: what became of its accounts.

AWS: CloudTrail User Guide, "Non-API events captured by CloudTrail"; Organizations User Guide, "Logging and monitoring
in AWS Organizations" (orgs_security_incident-response), which shows CreateAccountResult.
"""

from typing import Any

from iamd import ids
from iamd.call import Call
from iamd.clock import iso_of
from iamd.services.cloudtrail.events import EVENT_VERSION
from iamd.services.cloudtrail.shown import MASKED, moment
from iamd.services.organizations import answers
from iamd.store.events import Event
from iamd.store.organization_records import AccountCreation, Membership, Organization

SOURCE = "organizations.amazonaws.com"
INTERNAL = "AWS Internal"


def account_joined(call: Call, organization: Organization, membership: Membership) -> None:
    """An account is in the organization now."""
    details = {
        "joinedMethod": membership.joined_method,
        "joinedTime": moment(answers.moment(membership.joined)),
        "accountId": membership.account_id,
    }
    _record(call, organization, "AccountJoinedOrganization", details)


def account_departed(call: Call, organization: Organization, account_id: str, method: str) -> None:
    """An account is in the organization no longer: it was removed, or the organization was deleted ("LEFT")."""
    details = {
        "departureMethod": method,
        "departureTime": moment(answers.moment(call.now)),
        "accountId": account_id,
    }
    _record(call, organization, "AccountDepartedOrganization", details)


def account_created(call: Call, organization: Organization, creation: AccountCreation) -> None:
    """What became of a request to create an account."""
    status: dict[str, Any] = {
        "id": creation.request_id,
        "state": creation.state,
        "accountName": MASKED,
        "requestedTimestamp": moment(answers.moment(creation.requested)),
        "completedTimestamp": moment(answers.moment(call.now)),
    }
    found = {"accountId": creation.account_id, "failureReason": creation.failure_reason}
    status |= {name: value for name, value in found.items() if value is not None}
    _record(call, organization, "CreateAccountResult", {"createAccountStatus": status})


def account_closed(call: Call, organization: Organization, membership: Membership) -> None:
    """An account has been closed."""
    status = {"accountId": membership.account_id, "state": "SUCCEEDED"}
    _record(call, organization, "CloseAccountResult", {"closeAccountStatus": status})


def _record(call: Call, organization: Organization, name: str, details: dict[str, Any]) -> None:
    account_id, event_id = organization.management_account_id, ids.request_id()
    document = {
        "eventVersion": EVENT_VERSION,
        "userIdentity": {"accountId": account_id, "invokedBy": INTERNAL},
        "eventTime": iso_of(call.now),
        "eventSource": SOURCE,
        "eventName": name,
        "awsRegion": call.region,
        "sourceIPAddress": INTERNAL,
        "userAgent": INTERNAL,
        "requestParameters": None,
        "responseElements": None,
        "eventID": event_id,
        "readOnly": False,
        "eventType": "AwsServiceEvent",
        "managementEvent": True,
        "recipientAccountId": account_id,
        "serviceEventDetails": details,
        "eventCategory": "Management",
    }
    # The id of the request that brought it about stays that request's own: `iamd explain` finds decisions by it.
    event = Event(
        event_id=event_id, request_id="", time=call.now, account=account_id, name=name, source=SOURCE, document=document
    )
    call.change.record_event(event)
