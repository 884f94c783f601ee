"""What Lambda makes sure that a function's execution role may do, before it takes what needs that.

AWS: Lambda Developer Guide, "Giving Lambda functions access to resources in an Amazon VPC" (configuration-vpc),
"Using Lambda with Amazon SQS" (with-sqs), "Using AWS Lambda with Amazon DynamoDB" (with-ddb), "Process Amazon Kinesis
Data Streams records with Lambda" (services-kinesis-create), "Dead-letter queues". The words are those that many met:
aws/aws-cdk 6770 and anomalyco/sst 5737 (SQS), alertlogic/cwe-collector 2 and awsdocs/aws-lambda-developer-guide 237
(streams), justinram11/serverless-aws-batch 16 (VPC), elastic/beats 13963 (dead-letter queues).
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from iamd import arn as arns
from iamd.authz.target import Target
from iamd.errors import AWSError
from iamd.gateway.actions.asked import Asked, at

_TAKES_WHAT_IT_NEEDS: Final = frozenset(
    {
        "CreateEventSourceMapping", "CreateFunction", "PutFunctionEventInvokeConfig", "UpdateEventSourceMapping",
        "UpdateFunctionConfiguration", "UpdateFunctionEventInvokeConfig",
    }
)  # fmt: skip
_SENDING: Final[Mapping[str, tuple[str, str]]] = {
    "events": ("PutEvents", "EventBridge"),
    "lambda": ("InvokeFunction", "Lambda"),
    "s3": ("PutObject", "S3"),
    "sns": ("Publish", "SNS"),
    "sqs": ("SendMessage", "SQS"),
}
"""The action by which each kind of target is sent to, and what the service is called."""
_TARGETS: Final = (
    "DeadLetterConfig.TargetArn",
    "DestinationConfig.OnSuccess.Destination",
    "DestinationConfig.OnFailure.Destination",
)
_POLLING: Final[Mapping[str, tuple[str, ...]]] = {
    "sqs": ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"),
    "kinesis": ("DescribeStream", "GetRecords", "GetShardIterator", "ListShards"),
    "dynamodb": ("DescribeStream", "GetRecords", "GetShardIterator"),
}
_NO_STREAM: Final = (
    "Cannot access stream {}. Please ensure the role can perform the GetRecords, GetShardIterator, DescribeStream, "
    "ListShards, and ListStreams Actions on your stream in IAM."
)


_OBJECTS: Final = "/aws/lambda/*"
"""How the keys of records begin (Lambda Developer Guide, invocation-async-retain-records and kinesis-on-failure)."""
MAPPINGS: Final = frozenset({"CreateEventSourceMapping", "UpdateEventSourceMapping"})
SERVICE: Final = "lambda.amazonaws.com"


class NotAllowed(AWSError):
    """What the role would have to be allowed and is not (Lambda API Reference, CreateEventSourceMapping: Errors)."""

    code = "InvalidParameterValueException"


class Needed(NamedTuple):
    """What the role must be allowed, and what Lambda says when it is not."""

    target: Target
    refusal: str


def may_need(name: str) -> bool:
    """Whether requests for an operation of Lambda may need something of an execution role."""
    return name in _TAKES_WHAT_IT_NEEDS


def needed(asked: Asked) -> list[Needed]:
    """All that the execution role must be allowed for a request of such an operation."""
    given = asked.parameters
    if asked.operation.name in MAPPINGS:
        # What an update leaves as it was has been decided before.
        polled = list(_to_poll(str(given.get("EventSourceArn") or ""), asked)) if given.get("FunctionName") else []
        return [*polled, *(one for path in _TARGETS for one in _to_send(at(given, path)))]
    found = list(_in_vpc(asked)) if at(given, "VpcConfig.SubnetIds") else []
    return [*found, *(one for path in _TARGETS for one in _to_send(at(given, path)))]


def _to_poll(source: str, asked: Asked) -> Iterator[Needed]:
    parsed = arns.parse(source)
    if parsed is None:
        return
    names = _POLLING.get(parsed.service, ())
    if "/consumer/" in parsed.resource:
        # What a consumer needs is decided when it is subscribed; another account's is looked for with that right alone.
        names = () if parsed.account == asked.account else ("SubscribeToShard",)
    for name in names:
        words = f"The function execution role does not have permissions to call {name} on SQS"
        refusal = words if parsed.service == "sqs" else _NO_STREAM.format(source)
        yield Needed(Target(arn=source, action=f"{parsed.service}:{name}"), refusal)


def _to_send(target: Any) -> Iterator[Needed]:
    parsed = arns.parse(target) if isinstance(target, str) else None
    if parsed is not None and parsed.service in _SENDING:
        name, service = _SENDING[parsed.service]
        is_bucket = parsed.service == "s3"
        arn = f"{target}{_OBJECTS}" if is_bucket else str(target)
        yield Needed(Target(arn=arn, action=f"{parsed.service}:{name}", any_of_kind=is_bucket), _words(name, service))


def _in_vpc(asked: Asked) -> Iterator[Needed]:
    """What is needed to give the function its network interfaces; in its conditions nothing of them is known yet."""
    place = f"arn:{asked.partition}:ec2:{asked.region}:{asked.account}"
    config = asked.parameters["VpcConfig"]
    interfaces, subnets = f"{place}:network-interface/*", [f"{place}:subnet/{one}" for one in config["SubnetIds"]]
    groups = [f"{place}:security-group/{one}" for one in config.get("SecurityGroupIds") or ()]
    for arn in (interfaces, *subnets, *groups):
        yield Needed(Target(arn=arn, action="ec2:CreateNetworkInterface"), _words("CreateNetworkInterface", "EC2"))
    for name, arn in (("DescribeNetworkInterfaces", "*"), ("DeleteNetworkInterface", interfaces)):
        yield Needed(Target(arn=arn, action=f"ec2:{name}"), _words(name, "EC2"))


def _words(name: str, service: str) -> str:
    return f"The provided execution role does not have permissions to call {name} on {service}"
