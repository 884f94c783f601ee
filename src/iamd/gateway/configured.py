"""What requests have services send to others from then on, and whether the services may.

S3 refuses a bucket's notifications that it may not send, and CloudWatch Logs a subscription of a function that it may
not invoke; Secrets Manager refuses to rotate by such a function. What the embedded backend sends is decided each time;
of other backends nothing is seen of it, so that what SNS and EventBridge are to send through them is decided when it is
configured.

AWS: S3 User Guide, "Granting permissions to publish event notification messages to a destination"
(grant-destinations-permissions-to-s3); CloudWatch Logs API Reference, PutSubscriptionFilter; Secrets Manager User
Guide, "Lambda function rotation permissions" (rotating-secrets-required-permissions-function).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from iamd import arn as arns
from iamd.auth.identity import Service
from iamd.authz.authorize import Denied
from iamd.errors import AWSError, CommonError
from iamd.gateway import as_service
from iamd.gateway.actions import secretsmanager
from iamd.gateway.actions.asked import Asked
from iamd.gateway.backends import Backends, Place
from iamd.gateway.resources import Facts
from iamd.runtime import Runtime


class Configured(msgspec.Struct, frozen=True):
    """One thing that a service is to send: with which action to what, for which resource of its own."""

    principal: str
    source: str
    action: str
    arn: str
    is_always_decided: bool
    """Whether AWS decides it when it is configured."""


class NoDelivery(AWSError):
    """S3 may not send a notification that it is told to send."""

    code = "InvalidArgument"


class NoSubscription(AWSError):
    """CloudWatch Logs may not invoke the function of a subscription."""

    code = "InvalidParameterException"


class NoRotation(AWSError):
    """Secrets Manager may not invoke the function that is to rotate."""

    code = "AccessDeniedException"


class NotLet(AWSError):
    """A service may not send what it is told to send; AWS would find out when it sends."""

    code = "InvalidParameter"


_ACTIONS: Final[Mapping[str, str]] = {
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
    "lambda": "lambda:InvokeFunction",
    "logs": "logs:PutLogEvents",
}
"""What a service asks for of each kind of target, where the target's own policy lets it."""
_NO_DELIVERY: Final = "Unable to validate the following destination configurations"
_NO_SUBSCRIPTION: Final = (
    "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your "
    "function."
)
_NO_ROTATION: Final = (
    "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the "
    "principal secretsmanager.amazonaws.com."
)
_NOUNS: Final[Mapping[str, str]] = {"sqs": "queue", "sns": "topic"}
_NOTIFICATIONS: Final = (
    ("QueueConfigurations", "QueueArn"),
    ("TopicConfigurations", "TopicArn"),
    ("LambdaFunctionConfigurations", "LambdaFunctionArn"),
    ("QueueConfiguration", "Queue"),
    ("TopicConfiguration", "Topic"),
    ("CloudFunctionConfiguration", "CloudFunction"),
)
"""Members of PutBucketNotificationConfiguration, and of its older form."""


def of(asked: Asked, arn: str) -> list[Configured]:
    """What an operation on the resource of this ARN has a service send; nothing for most operations."""
    found = _KINDS.get((asked.operation.service, asked.operation.name))
    return list(found(asked, arn)) if found is not None else []


def may_configure(service: str, name: str) -> bool:
    """Whether an operation has a service send something."""
    return (service, name) in _KINDS


class Configuring:
    """Decides what is configured."""

    def __init__(self, runtime: Runtime, backends: Backends, facts_at: Callable[[Place], Facts | None]) -> None:
        self._runtime = runtime
        self._backends = backends
        self._facts_at = facts_at

    def check(self, asked: Asked, arn: str, place: Place) -> None:
        """Refuse to have the service of the resource of this ARN send from now on what it may not send."""
        is_told = place.backend.embedded is not None
        wanted = [one for one in of(asked, arn) if one.is_always_decided or not is_told]
        denied = [(one, why) for one in wanted if (why := self._why_not(one, asked)) is not None]
        if denied and self._runtime.settings.enforce != "soft":
            raise _refused(asked, denied)

    def _why_not(self, wanted: Configured, asked: Asked) -> str | None:
        """Why a service may not send that; None when it may."""
        target = arns.parse(wanted.arn)
        if target is None:
            return f"{wanted.arn} is no ARN."
        service, noun = Service(wanted.principal, asked.account, wanted.source), _NOUNS.get(target.service)
        try:
            facts = self._facts_at(self._backends.of(target.service, target.account, target.region))
            if noun is not None and facts is not None and facts.forgets and facts.get(wanted.arn) is None:
                return f"The destination {noun} does not exist"
            if facts is None:
                return "The backend of the target is not available."
            as_service.decide(self._runtime, facts, service, wanted.action, wanted.arn, target.region)
        except CommonError as error:
            return _worded(wanted, noun, error) if asked.operation.service == "s3" else error.message
        return None


def _worded(wanted: Configured, noun: str | None, error: CommonError) -> str:
    """What S3 says of what it may not send to."""
    if not isinstance(error, Denied):
        return error.message
    if noun is None:
        return f"Not authorized to invoke function [{wanted.arn}]"
    return f"Permissions on the destination {noun} do not allow S3 to publish notifications from this bucket"


def _refused(asked: Asked, denied: Sequence[tuple[Configured, str]]) -> AWSError:
    """The error of the service for what it may not send, and why."""
    service = asked.operation.service
    if service == "s3":
        told = enumerate(denied, start=1)
        members = [
            pair for n, (one, why) in told for pair in ((f"ArgumentName{n}", one.arn), (f"ArgumentValue{n}", why))
        ]
        return NoDelivery(_NO_DELIVERY, members=dict(members))
    if service == "secretsmanager":
        return NoRotation(_NO_ROTATION)
    return NoSubscription(_NO_SUBSCRIPTION) if service == "logs" else NotLet(denied[0][1])


def _of_bucket(asked: Asked, arn: str) -> Iterator[Configured]:
    if asked.parameters.get("SkipDestinationValidation"):
        return
    given = asked.parameters.get("NotificationConfiguration") or {}
    for name, member in _NOTIFICATIONS:
        told = given.get(name) or ()
        for one in [told] if isinstance(told, Mapping) else told:
            if one.get(member):
                yield from _sent("s3.amazonaws.com", arn, one[member], is_always_decided=True)


def _of_topic(asked: Asked, arn: str) -> Iterator[Configured]:
    if asked.parameters.get("Protocol") in {"sqs", "lambda"}:
        yield from _sent("sns.amazonaws.com", arn, str(asked.parameters.get("Endpoint")))


def _of_rule(asked: Asked, arn: str) -> Iterator[Configured]:
    for target in asked.parameters.get("Targets") or ():
        if not target.get("RoleArn"):
            yield from _sent("events.amazonaws.com", arn, target["Arn"])


def _of_log_group(asked: Asked, arn: str) -> Iterator[Configured]:
    destination = str(asked.parameters.get("destinationArn"))
    if _service_of(destination) == "lambda":
        source = arn if arn.endswith(":*") else f"{arn}:*"
        yield from _sent("logs.amazonaws.com", source, destination, is_always_decided=True)


def _of_secret(asked: Asked, arn: str) -> Iterator[Configured]:
    function = secretsmanager.rotation_function(asked)
    if function:
        yield from _sent("secretsmanager.amazonaws.com", arn, function, is_always_decided=True)


def _sent(principal: str, source: str, target: str, *, is_always_decided: bool = False) -> Iterator[Configured]:
    action = _ACTIONS.get(_service_of(target))
    if action is not None:
        yield Configured(principal, source, action, target, is_always_decided)


def _service_of(arn: str) -> str:
    parsed = arns.parse(arn)
    return parsed.service if parsed is not None else ""


_KINDS: Final[Mapping[tuple[str, str], Callable[[Asked, str], Iterator[Configured]]]] = {
    ("s3", "PutBucketNotificationConfiguration"): _of_bucket,
    ("s3", "PutBucketNotification"): _of_bucket,
    ("sns", "Subscribe"): _of_topic,
    ("events", "PutTargets"): _of_rule,
    ("logs", "PutSubscriptionFilter"): _of_log_group,
    ("secretsmanager", "RotateSecret"): _of_secret,
}
