"""Sources of event source mappings in other accounts, which moto looks for among those of the function's own alone.

AWS: Lambda Developer Guide, "Using Lambda with Amazon SQS" (with-sqs): "in the same AWS Region, although they can be in
different AWS accounts".
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from moto.awslambda.models import EventSourceMapping
from moto.core.exceptions import JsonRESTError
from moto.dynamodbstreams.models import dynamodbstreams_backends
from moto.kinesis.models import kinesis_backends
from moto.sqs.models import sqs_backends

from iamd import arn as arns
from iamd.backend.dispatch import CURRENT


def account_of(source: str, backend: Any) -> str:
    """Where a source is looked for: in the function's account, or in its own where that was decided."""
    found = arns.parse(source)
    # SECURITY: what the function's role may not poll is not there for whoever maps it.
    is_decided = found is not None and source in CURRENT.get().reached
    return found.account if found is not None and is_decided else str(backend.account_id)


def mapped(backend: Any, spec: dict[str, Any], account: str) -> Any:
    """A mapping to what another account has in this Region."""
    source, region = spec["EventSourceArn"], backend.region_name
    if source not in _SOURCES[source.split(":")[2]](account, region):
        raise JsonRESTError("ResourceNotFoundException", "Invalid EventSourceArn")
    function = backend._lambdas.get_function_by_name_or_arn_with_qualifier(spec["FunctionName"])  # noqa: SLF001
    place = {"RegionName": region, "AccountId": backend.account_id, "FunctionArn": function.function_arn}
    make: Any = EventSourceMapping
    made = make({**spec, **place})
    backend._event_source_mappings[made.uuid] = made  # noqa: SLF001 - moto has no other way
    return made


def _queues(account: str, region: str) -> Iterator[str]:
    return (queue.queue_arn for queue in sqs_backends[account][region].queues.values())


def _streams(account: str, region: str) -> Iterator[str]:
    return (stream.arn for stream in kinesis_backends[account][region].streams.values())


def _table_streams(account: str, region: str) -> Iterator[str]:
    return (stream["StreamArn"] for stream in dynamodbstreams_backends[account][region].list_streams())


_SOURCES: Final[dict[str, Callable[[str, str], Iterator[str]]]] = {
    "dynamodb": _table_streams,
    "kinesis": _streams,
    "sqs": _queues,
}
