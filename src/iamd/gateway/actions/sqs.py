"""The queue that a request to SQS is for: by its URL, its name, its ARN, or a task's handle."""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from iamd import arn as arns
from iamd.errors import AWSError
from iamd.gateway.actions.asked import Asked

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,80}(?:\.fifo)?", re.ASCII)
_ACCOUNT: Final = re.compile(r"[0-9]{12}", re.ASCII)


class NonExistentQueue(AWSError):
    """A queue URL that names no queue."""

    code = "QueueDoesNotExist"
    status = 400


def values(asked: Asked) -> Mapping[str, Any]:
    """The queue's name, owner and region; nothing for operations without one."""
    given = asked.parameters
    if "QueueUrl" in given:
        return _of_url(given["QueueUrl"], asked)
    if "SourceArn" in given:
        return {**_of_arn(given["SourceArn"]), **_destination(given)}
    if "TaskHandle" in given:
        return _of_arn(_source_of(given["TaskHandle"]))
    if asked.operation.name == "GetQueueUrl" and "QueueName" in given:
        owner = given.get("QueueOwnerAWSAccountId") or asked.account
        return _named(given["QueueName"], owner, asked.region)
    if asked.operation.name == "CreateQueue" and "QueueName" in given:
        return _named(given["QueueName"], asked.account, asked.region)
    return {}


def _of_url(url: str, asked: Asked) -> Mapping[str, Any]:
    """Read `https://host/123456789012/name`; a bare name is the caller's own queue.

    AWS: the URL's account owns the queue (SQS Developer Guide, "Amazon SQS queue and message identifiers").
    """
    # SECURITY: readers of URLs leave blanks and control characters out, and readers of names do not.
    if any(character <= " " or character == "\x7f" for character in url):
        raise _unknown()
    parts = urlsplit(url)
    pieces = [piece for piece in parts.path.split("/") if piece]
    if parts.query or parts.fragment or len(pieces) not in {1, 2}:
        raise _unknown()
    owner = pieces[0] if len(pieces) == 2 else asked.account
    return _named(pieces[-1], owner, asked.region)


def _of_arn(text: str) -> Mapping[str, Any]:
    arn = arns.parse(text)
    if arn is None or arn.service != "sqs":
        raise _unknown()
    return _named(arn.resource, arn.account, arn.region)


def _destination(given: Mapping[str, Any]) -> Mapping[str, Any]:
    text = given.get("DestinationArn")
    if not text:
        return {}
    _of_arn(text)
    return {"destination": text}


def _source_of(handle: str) -> str:
    # A handle is base64 of JSON that names the source (SQS API Reference, StartMessageMoveTask, gives it as opaque).
    try:
        told = msgspec.json.decode(base64.b64decode(handle, validate=True))
    except (msgspec.DecodeError, binascii.Error, ValueError):
        return ""
    source = told.get("sourceArn") if isinstance(told, dict) else None
    return source if isinstance(source, str) else ""


def _named(name: str, owner: str, region: str) -> Mapping[str, Any]:
    if not _NAME.fullmatch(name) or not _ACCOUNT.fullmatch(owner):
        raise _unknown()
    return {"queue_name": name, "queue_account": owner, "queue_region": region}


def _unknown() -> NonExistentQueue:
    return NonExistentQueue("The specified queue does not exist for this wsdl version.")
