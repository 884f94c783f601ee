"""What partners are told of their delegation requests, through the topic of each.

AWS: IAM API Reference, CreateDelegationRequest: the topic's policy lets the principal iam.amazonaws.com publish.
"""

from typing import Any, Final

import msgspec

from iamd import arn
from iamd.auth.sealing import Keyring
from iamd.call import Call
from iamd.notices import Notice
from iamd.services.iam.errors import InvalidInput
from iamd.services.sts.delegated_access import trade_in_token
from iamd.store.delegation_records import DelegationRequest

SERVICE: Final = "iam.amazonaws.com"


def check_channel(call: Call, channel: str) -> None:
    """Raise InvalidInput for what is no topic of the caller's account that IAM may publish to."""
    parsed, account_id = arn.parse(channel), call.identity.account_id
    if parsed is None or parsed.service != "sns" or parsed.account != account_id:
        raise InvalidInput("NotificationChannel must be the ARN of an SNS topic of the requesting account.")
    if parsed.resource.endswith(".fifo"):
        raise InvalidInput("NotificationChannel must be a standard topic; FIFO topics are not supported.")
    refusal = call.refused_topic(Notice(channel, SERVICE, account_id, ""))
    if refusal is not None:
        raise InvalidInput(f"NotificationChannel can't be published to: {refusal}")


def told(keyring: Keyring, request: DelegationRequest, state: str) -> dict[str, Any]:
    """How a request stands, with its token once that was sent."""
    shown = {
        "DelegationRequestId": request.request_id,
        "NotificationChannel": request.notification_channel,
        "State": state,
    }
    return shown if request.finalized is None else shown | {"TradeInToken": trade_in_token(keyring, request)}


def notify(call: Call, request: DelegationRequest) -> None:
    """Tell the partner of a request's new state when the change is durable."""
    content = {
        "RequestorWorkflowId": request.workflow_id,
        **told(call.keyring, request, request.state),
        "OwnerAccountId": request.owner_account,
        "RejectionReason": request.rejection_reason,
        "UpdatedTime": request.updated,
    }
    message = msgspec.json.encode({name: value for name, value in content.items() if value is not None}).decode()
    call.notices.append(Notice(request.notification_channel, SERVICE, request.requestor_account, message))
