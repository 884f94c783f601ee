"""The stream, consumer or channel that a request to Kinesis Data Streams is for: by name, ARN or a shard iterator.

AWS: Kinesis Data Streams Developer Guide, "Controlling access to Amazon Kinesis Data Streams resources using IAM".
"""

import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from iamd.authz.target import Target
from iamd.errors import AWSError
from iamd.gateway.actions import tags
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.given_arn import given, own

_NAME: Final = re.compile(r"[a-zA-Z0-9_.-]{1,128}", re.ASCII)
_STREAM: Final = re.compile(r"stream/[a-zA-Z0-9_.-]{1,128}", re.ASCII)
_CONSUMER: Final = re.compile(r"stream/[a-zA-Z0-9_.-]{1,128}/consumer/[a-zA-Z0-9_.-]{1,128}(?::[0-9]{1,20})?", re.ASCII)
_CHANNEL: Final = re.compile(r"channel/[a-zA-Z0-9_.:-]{1,128}", re.ASCII)
_ITERATOR: Final = re.compile(rb"(?P<name>[a-zA-Z0-9_.-]{1,128}):[^:]*:[^:]*", re.DOTALL)
_TIME: Final = re.compile(r"(?<=[^:]):[0-9]+\Z")
UNKNOWN_TIME: Final = ":??????????"
"""What holds the place of a consumer's creation time, which `*` in a policy matches and nothing narrower does."""


class InvalidArgument(AWSError):
    """A parameter that names nothing that Kinesis can have (Kinesis API Reference)."""

    code = "InvalidArgumentException"
    status = 400


def values(asked: Asked) -> Mapping[str, Any]:
    """The ARNs of stream, consumer, channel, or of what is tagged or has a policy."""
    parameters, name = asked.parameters, asked.operation.name
    if parameters.get("StreamId"):
        # AWS: "Not Implemented. Reserved for future use."
        raise InvalidArgument("StreamId is not supported.")
    if "ResourceARN" in parameters:
        patterns = (_STREAM, _CONSUMER) if name.endswith("Policy") else (_STREAM, _CONSUMER, _CHANNEL)
        return {"named": _arn(parameters["ResourceARN"], *patterns, asked=asked)}
    if "ChannelARN" in parameters:
        return {"channel": _arn(parameters["ChannelARN"], _CHANNEL, asked=asked)}
    if "ConsumerARN" in parameters or "ConsumerName" in parameters:
        return _consumer(asked)
    return {"stream": _stream(asked)}


def _stream(asked: Asked) -> str:
    """The stream by name, ARN or iterator; all of them when nothing names it."""
    parameters = asked.parameters
    named = (
        [own("kinesis", f"stream/{_checked(parameters['StreamName'])}", asked)] if "StreamName" in parameters else []
    )
    if "StreamARN" in parameters:
        named.append(_arn(parameters["StreamARN"], _STREAM, asked=asked))
    iterator = _of_iterator(parameters.get("ShardIterator"), asked)
    if iterator is not None and (not named or iterator.partition("/")[2] != named[0].partition("/")[2]):
        named.append(iterator)
    if len(set(named)) > 1:
        # SECURITY: the backend might take the other one.
        raise InvalidArgument("The stream's name, its ARN and the shard iterator are not of the same stream.")
    # A token or an iterator that can't be read might be any stream's.
    return named[0] if named else own("kinesis", "stream/*", asked)


def _of_iterator(iterator: Any, asked: Asked) -> str | None:
    """The stream in an iterator of the embedded backend; AWS's are opaque."""
    # SECURITY: read as loosely as the backend reads it, so that none is opaque here and plain there.
    try:
        match = _ITERATOR.fullmatch(binascii.a2b_base64(str(iterator), strict_mode=False))
    except (binascii.Error, ValueError):
        return None
    return own("kinesis", f"stream/{match['name'].decode()}", asked) if match is not None else None


def _consumer(asked: Asked) -> dict[str, Any]:
    """The consumer by its ARN, or by its stream's and its name; the time in the ARN is learned from the backend."""
    parameters = asked.parameters
    if "ConsumerARN" in parameters:
        if "ConsumerName" in parameters or "StreamARN" in parameters:
            raise InvalidArgument("Either ConsumerARN, or StreamARN and ConsumerName, must be given.")
        return {"consumer": _arn(parameters["ConsumerARN"], _CONSUMER, asked=asked)}
    stream = _arn(parameters["StreamARN"], _STREAM, asked=asked)
    name = f"{stream}/consumer/{_checked(parameters['ConsumerName'])}"
    return {"stream": stream, "consumer": asked.named(known_name(name)) or name + UNKNOWN_TIME}


def known_name(consumer: str) -> str:
    """The name by which a consumer is remembered, of its ARN with or without the time."""
    return f"kinesis:{_TIME.sub('', consumer)}"


def _checked(name: Any) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidArgument(f"{name} is not a valid name.")
    return name


def _arn(value: Any, *patterns: re.Pattern[str], asked: Asked) -> str:
    found = given(value, "kinesis", asked)
    if found is None or not any(pattern.fullmatch(found.resource) for pattern in patterns):
        raise InvalidArgument(f"{value} is not the ARN of a resource here.")
    return str(found)


def create_channel(asked: Asked) -> list[Target]:
    """`CreateChannel` on the channel, `AssociateStreamsWithChannel` on it and its streams, `TagResource` with tags."""
    parameters, new = asked.parameters, own("kinesis", "channel/*", asked)
    streams = [_arn(one.get("StreamARN"), _STREAM, asked=asked) for one in parameters["StreamConfigurationList"]]
    wanted = [("CreateChannel", new), *(("AssociateStreamsWithChannel", arn) for arn in (new, *dict.fromkeys(streams)))]
    if parameters.get("Tags"):
        wanted.append(("TagResource", new))
    context = tags.of(parameters)
    return [Target(arn=arn, action=f"kinesis:{action}", context=context) for action, arn in wanted]


COMPUTED: Final[Mapping[str, Callable[[Asked], list[Target]]]] = {"create_channel": create_channel}
