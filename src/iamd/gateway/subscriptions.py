"""What SNS lets everybody do without a signature: confirm a subscription by its token, and end one that is open so.

AWS: SNS API Reference, ConfirmSubscription and Unsubscribe; GetSubscriptionAttributes tells whether a confirmation was
authenticated.
"""

from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from iamd import arn as arns
from iamd.gateway.actions.asked import Asked
from iamd.gateway.asking import NotToldError, ask
from iamd.gateway.backend import Backend
from iamd.wire.models import Operation

_NAMED_BY: Final = {"ConfirmSubscription": "TopicArn", "Unsubscribe": "SubscriptionArn"}
_QUESTION: Final = "GetSubscriptionAttributes"


def may_be_open(operation: Operation) -> bool:
    """Whether requests of an operation may need no signature."""
    return operation.service == "sns" and operation.name in _NAMED_BY


def region_of(operation: Operation, parameters: Mapping[str, Any]) -> str:
    """The Region of what an unsigned request is for; empty where it does not tell."""
    named = arns.parse(str(parameters.get(_NAMED_BY[operation.name]))) if may_be_open(operation) else None
    return named.region if named is not None else ""


async def told(asked: Asked, backend: Backend) -> Asked:
    """An unsigned request with what the backend tells of its subscription."""
    named = arns.parse(str(asked.parameters.get("SubscriptionArn")))
    if asked.operation.name != "Unsubscribe" or named is None:
        return asked
    given = {"SubscriptionArn": asked.parameters["SubscriptionArn"]}
    try:
        answer = await ask(backend, "sns", _QUESTION, given, account=named.account, region=asked.region, now=asked.now)
    except NotToldError:
        # SECURITY: what is not known to be open is not.
        answer = None
    return replace(asked, told={**asked.told, _QUESTION: answer})


def is_open(asked: Asked, *, embedded: bool) -> bool:
    """Whether an unsigned request is everybody's to make."""
    if not may_be_open(asked.operation):
        return False
    if asked.operation.name == "ConfirmSubscription":
        # The embedded backend has sent no token, and takes any.
        return not embedded and str(asked.parameters.get("AuthenticateOnUnsubscribe", "")).lower() != "true"
    answer = asked.told.get(_QUESTION) or {}
    attributes: Mapping[str, str] = answer.get("Attributes") or {}
    # AWS: Unsubscribe: queues need a signature in any case. Whose confirmation was authenticated may have asked for it.
    return attributes.get("ConfirmationWasAuthenticated") == "false" and attributes.get("Protocol") not in {None, "sqs"}
