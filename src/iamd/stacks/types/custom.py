"""AWS::CloudFormation::CustomResource and Custom::NAME: resources that a function makes, or who listens to a topic.

AWS: CloudFormation User Guide, "Create custom provisioning logic with custom resources" (template-custom-resources),
"CloudFormation custom resource request and response reference" (crpg-ref).
"""

import uuid
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from iamd import arn as arns
from iamd.callbacks import LONGEST
from iamd.stacks import dynamic, shaping
from iamd.stacks.client import Client, Stopped
from iamd.stacks.errors import Failed, InvalidProperties, Unfinished
from iamd.stacks.kinds import Kind
from iamd.stacks.resources import Made, Wanted

_SUBJECT: Final = "AWS CloudFormation custom resource request"
_MOST_SECONDS: Final = 3600
"""AWS: ServiceTimeout is from 1 to 3600 seconds, and 3600 where it is not given."""
_LONGEST_ID: Final = 1024
_DOINGS: Final[Mapping[str, str]] = {"Create": "creation", "Update": "update", "Delete": "deletion"}


class _Answer(msgspec.Struct, rename="pascal"):
    """What was answered, as the reference has it."""

    status: str
    stack_id: str
    request_id: str
    logical_resource_id: str
    physical_resource_id: str | None = None
    reason: str = ""
    no_echo: bool | str | None = None
    data: dict[str, Any] | None = None


class _Refused(Exception):
    """The request was not done; `answer` is what was said to it, where that can be read."""

    def __init__(self, words: str, answer: _Answer | None = None) -> None:
        super().__init__(words)
        self.answer = answer


class CustomResource(Kind):
    """A resource that somebody else makes, changes and removes, when they are asked."""

    type = "AWS::CloudFormation::CustomResource"
    properties = ("ServiceTimeout", "ServiceToken")
    takes_any = True
    is_described = False
    changes_type = False

    def has_attribute(self, name: str) -> bool:
        """Whoever answers says which there are."""
        return bool(name)

    def service_of(self, type: str) -> str | None:
        """It is there as long as who makes it: a function, or whom a topic sends to."""
        return "lambda"

    def check(self, properties: Mapping[str, Any]) -> None:
        """It names whom to ask, and how long they may take."""
        if "ServiceToken" not in properties:
            raise InvalidProperties("#: required key [ServiceToken] not found")
        timeout = properties.get("ServiceTimeout", _MOST_SECONDS)
        if isinstance(timeout, Mapping):
            return
        text = str(timeout)
        if isinstance(timeout, bool) or not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MOST_SECONDS):
            raise InvalidProperties("#/ServiceTimeout: must be a number of seconds from 1 to 3600")

    def replaces(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        """Whoever answers says by another id that something else has taken its place."""
        if old.get("ServiceToken") != new.get("ServiceToken"):
            raise Failed("Modifying service token is not allowed.")
        return False

    async def create(self, wanted: Wanted, client: Client) -> Made:
        """Have it made. What was not made whole is removed by whoever was asked, under the id that they gave."""
        try:
            return _made(await _asked(client, "Create", wanted, {}))
        except _Refused as refused:
            named = _id_of(refused.answer) if refused.answer is not None else None
            made = Made(physical_id=named or wanted.generated_name)
            raise Unfinished(str(refused), made) from refused

    async def update(self, old: Wanted, new: Wanted, made: Made, client: Client) -> Made:
        """Have it changed; with another id it is another one, and the former is removed once all is done."""
        more = {"PhysicalResourceId": made.physical_id, "OldResourceProperties": _texts(old.properties)}
        try:
            return _made(await _asked(client, "Update", new, more))
        except _Refused as refused:
            raise Failed(str(refused)) from refused

    async def delete(self, old: Wanted, made: Made, client: Client) -> None:
        """Have it removed."""
        try:
            await _asked(client, "Delete", old, {"PhysicalResourceId": made.physical_id})
        except _Refused as refused:
            raise Failed(str(refused)) from refused


async def _asked(client: Client, kind: str, wanted: Wanted, more: Mapping[str, Any]) -> _Answer:
    """The answer to a request of this kind; _Refused when it was not done."""
    token, request_id = shaping.text(wanted.properties["ServiceToken"]), str(uuid.uuid4())

    seconds = float(wanted.properties.get("ServiceTimeout", _MOST_SECONDS))
    ends = client.timestamp() + seconds
    callback_id, address = await client.opened(wanted.stack_id, wanted.logical_id, seconds)
    try:
        await _sent(client, token, {**_request(kind, wanted, request_id, address, token), **more})
        content = await _answered(client, wanted.stack_id, callback_id, ends)
    except Stopped as stopped:
        raise _Refused(f"Resource {_DOINGS[kind]} cancelled") from stopped
    finally:
        await client.closed(callback_id)
    if content is None:
        raise _Refused(
            "CloudFormation did not receive a response from your Custom Resource. "
            f"Please check your logs for requestId [{request_id}]."
        )
    return _read(content, wanted, request_id, kind)


async def _answered(client: Client, stack_id: str, callback_id: str, ends: float) -> bytes | None:
    """The answer; None when none comes in time."""
    while not (said := client.messages(stack_id, callback_id)) and client.timestamp() < ends:
        await client.pause(stack_id)
    return said[0] if said else None


def _request(kind: str, wanted: Wanted, request_id: str, address: str, token: str) -> dict[str, Any]:
    return {
        "RequestType": kind,
        "ServiceToken": token,
        "ResponseURL": address,
        "StackId": wanted.stack_id,
        "RequestId": request_id,
        "LogicalResourceId": wanted.logical_id,
        "ResourceType": wanted.type,
        "ResourceProperties": _texts(wanted.properties),
    }


def _texts(value: Any) -> Any:
    """Properties as requests have them: what is no object and no list is a text."""
    if isinstance(value, Mapping):
        return {name: _texts(inner) for name, inner in value.items()}
    return [_texts(inner) for inner in value] if isinstance(value, list) else shaping.text(value)


async def _sent(client: Client, token: str, request: Mapping[str, Any]) -> None:
    parsed, content = arns.parse(token), msgspec.json.encode(request)
    service = parsed.service if parsed is not None and parsed.region == client.region else ""
    # AWS: the service token is from the stack's Region.
    if service == "lambda":
        asked = {"FunctionName": token, "InvocationType": "Event", "Payload": content}
        await client.call("lambda", "Invoke", asked)
    elif service == "sns":
        asked = {"TopicArn": token, "Subject": _SUBJECT, "Message": content.decode()}
        await client.call("sns", "Publish", asked)
    else:
        raise InvalidProperties(
            f"#/ServiceToken: {token} must be the ARN of a Lambda function or SNS topic in the stack's Region"
        )


def _read(content: bytes, wanted: Wanted, request_id: str, kind: str) -> _Answer:
    if len(content) > LONGEST:
        raise _Refused("Response object is too long.")
    try:
        answer = msgspec.json.decode(content, type=_Answer)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _Refused(f"Invalid response object: {error} (RequestId: {request_id})") from error
    said = (answer.stack_id, answer.request_id, answer.logical_resource_id)
    if said != (wanted.stack_id, request_id, wanted.logical_id):
        # SECURITY: an answer to something else decides nothing here.
        raise _Refused(f"Invalid response object: it answers another request (RequestId: {request_id})")
    if answer.status != "SUCCESS":
        raise _Refused(
            f"Received response status [{answer.status}] from custom resource. "
            f"Message returned: {answer.reason} (RequestId: {request_id})",
            answer,
        )
    if dynamic.has_any(answer.physical_resource_id):
        # SECURITY: it would be resolved as whoever works on the stack, where another resource refers to it.
        raise _Refused(f"Invalid PhysicalResourceId (RequestId: {request_id})", answer)
    if kind != "Delete" and _id_of(answer) is None:
        raise _Refused(f"Invalid PhysicalResourceId (RequestId: {request_id})", answer)
    return answer


def _id_of(answer: _Answer) -> str | None:
    """The physical id that was answered, where it can be one."""
    found = answer.physical_resource_id
    return found if found and len(found.encode()) <= _LONGEST_ID else None


def _made(answer: _Answer) -> Made:
    hidden = str(answer.no_echo).lower() == "true"
    return Made(physical_id=answer.physical_resource_id or "", attributes=answer.data or {}, hidden=hidden)
