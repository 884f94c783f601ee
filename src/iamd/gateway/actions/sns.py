"""The topic that a request to SNS is for: by its name, its ARN, or a subscription's; what Publish sends to."""

import re
from collections.abc import Mapping
from typing import Any, Final

from iamd.errors import AWSError
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.given_arn import formed, given, own

# SNS API Reference, CreateTopic: Name; Publish: PhoneNumber is in E.164 format; CreatePlatformEndpoint.
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,256}(?:\.fifo)?", re.ASCII)
_SUBSCRIPTION: Final = re.compile(r"(?P<topic>[A-Za-z0-9_-]{1,256}(?:\.fifo)?):[0-9a-fA-F-]{1,64}", re.ASCII)
_ENDPOINT: Final = re.compile(r"endpoint/[A-Za-z0-9_]{1,32}/[A-Za-z0-9_.-]{1,256}/[0-9A-Za-z-]{1,64}", re.ASCII)
_PHONE: Final = re.compile(r"\+?[0-9]{1,15}", re.ASCII)
_TO: Final = ("TopicArn", "TargetArn", "PhoneNumber")


class InvalidParameter(AWSError):
    """A parameter that names nothing that SNS can have."""

    code = "InvalidParameter"
    status = 400


def values(asked: Asked) -> Mapping[str, Any]:
    """The topic's ARN, and where a message goes; nothing for operations without them."""
    parameters = asked.parameters
    if asked.operation.name == "Publish":
        return {"target": _target(asked)}
    if asked.operation.name == "CreateTopic":
        return {"topic": _new(parameters["Name"], asked)}
    for member in ("TopicArn", "ResourceArn"):
        if member in parameters:
            return {"topic": _topic(member, asked)}
    # AWS: what is done to a subscription is decided on its topic, as the words of denials show.
    return {"topic": _topic_of_subscription(asked)} if "SubscriptionArn" in parameters else {}


def _new(name: str, asked: Asked) -> str:
    if not _NAME.fullmatch(name):
        raise InvalidParameter("Invalid parameter: Topic Name")
    return own("sns", name, asked)


def _topic(member: str, asked: Asked) -> str:
    return formed(asked.parameters[member], "sns", _NAME, asked, InvalidParameter(f"Invalid parameter: {member}"))


def _topic_of_subscription(asked: Asked) -> str:
    found = given(asked.parameters["SubscriptionArn"], "sns", asked)
    match = _SUBSCRIPTION.fullmatch(found.resource) if found is not None else None
    if found is None or match is None:
        raise InvalidParameter("Invalid parameter: SubscriptionArn")
    return str(found).removesuffix(found.resource) + match["topic"]


def _target(asked: Asked) -> str:
    """A topic, an endpoint of a platform application, or a telephone, whose number is the resource itself.

    AWS: SNS API Reference, Publish: one of the three.
    """
    named = [member for member in _TO if asked.parameters.get(member)]
    if len(named) != 1:
        # SECURITY: of several, the backend might take another than the one that was decided on.
        raise InvalidParameter("Invalid parameter: TopicArn or TargetArn Reason: exactly one target must be given")
    member = named[0]
    if member == "PhoneNumber":
        number = asked.parameters[member]
        if not _PHONE.fullmatch(number):
            raise InvalidParameter(f"Invalid parameter: PhoneNumber Reason: {number} is not valid to publish to")
        return str(number)
    found = given(asked.parameters[member], "sns", asked)
    if member == "TargetArn" and found is not None and _ENDPOINT.fullmatch(found.resource):
        return str(found)
    return _topic(member, asked)
