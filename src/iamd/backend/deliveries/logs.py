"""What log groups send by their subscription filters, and what is exported of them to buckets.

AWS: CloudWatch Logs User Guide, "Log group-level subscription filters" (SubscriptionFilters) and "Exporting log data to
Amazon S3" (S3Export).
"""

import base64
import gzip
import json
import logging
import uuid
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, Final

from moto.logs import models
from moto.logs.models import LogsBackend, LogStream
from moto.logs.utils import EventMessageFilter
from moto.s3.models import s3_backends

from iamd import arn as arns
from iamd import senders
from iamd.arn import PARTITION, Arn
from iamd.backend import handover
from iamd.backend.replacement import always, replace
from iamd.delivery import Delivery
from iamd.senders import Sending

log = logging.getLogger(__name__)

PRINCIPAL: Final = "logs.amazonaws.com"


def install() -> None:
    """Hand over what is sent and exported."""
    replace(LogStream, "_send_log_events", always(_send))
    replace(LogsBackend, "create_export_task", _exported)
    replace(models, "s3_backends", always(_Accounts()))


def _send(stream: Any, service: str, destination_arn: str, filter_name: str, log_events: Sequence[Any]) -> None:
    arn, found = arns.parse(destination_arn), stream.log_group.subscription_filters.get(filter_name)
    if arn is None or found is None:
        return
    matched = EventMessageFilter(found.filter_pattern or "")
    events = [one for one in log_events if matched.matches(one["message"])]
    if not events:
        return
    sending = _sending(stream, arn, filter_name, events)
    if sending is None:
        log.error("a log group sends nothing to %s: iamd does not send to %s", destination_arn, service)
        return
    group = stream.log_group
    name, operation, parameters = sending
    handover.put(
        Delivery(
            principal=PRINCIPAL,
            account=stream.account_id,
            # AWS: aws:SourceArn is the log group's ARN with `:*` (SubscriptionFilters, "Subscription filters with
            # AWS Lambda").
            source=f"arn:{PARTITION}:logs:{stream.region}:{stream.account_id}:log-group:{group.name}:*",
            service=name,
            operation=operation,
            region=arn.region,
            parameters=parameters,
            target=destination_arn,
            role=None if service == "lambda" else found.role_arn,
        )
    )


def _sending(stream: Any, arn: Arn, filter_name: str, events: Sequence[Any]) -> Sending | None:
    data = {
        "messageType": "DATA_MESSAGE",
        "owner": stream.account_id,
        "logGroup": stream.log_group.name,
        "logStream": stream.log_stream_name,
        "subscriptionFilters": [filter_name],
        "logEvents": events,
    }
    packed = gzip.compress(json.dumps(data).encode())
    if arn.service == "lambda":
        return senders.to_function(arn, json.dumps({"awslogs": {"data": base64.b64encode(packed).decode()}}))
    if arn.service == "kinesis":
        return senders.to_stream(arn, packed, uuid.uuid4().hex)
    if arn.service == "firehose":
        service, operation, parameters = senders.to_firehose(arn, "")
        return service, operation, {**parameters, "Record": {"Data": packed}}
    return None


_EXPORTED: ContextVar[str] = ContextVar("exported")
"""The log group of which moto makes an export."""


def _exported(original: Callable[..., str]) -> Callable[..., str]:
    def create_export_task(backend: Any, **given: Any) -> str:
        place, group = f"{backend.region_name}:{backend.account_id}", given["logGroupName"]
        _EXPORTED.set(f"arn:{PARTITION}:logs:{place}:log-group:{group}:*")
        return original(backend, **given)

    return create_export_task


class _Accounts:
    """moto's buckets as exports see them: they are there, and what is written goes to iamd."""

    def __getitem__(self, account_id: str) -> Any:
        return _Partitions(account_id)


class _Partitions:
    def __init__(self, account_id: str) -> None:
        self._account_id = account_id

    def __getitem__(self, partition: str) -> Any:
        return _Buckets(self._account_id, s3_backends[self._account_id][partition])


class _Buckets:
    def __init__(self, account_id: str, backend: Any) -> None:
        self._account_id = account_id
        self._backend = backend

    def get_bucket(self, name: str) -> Any:
        return self._backend.get_bucket(name)

    def put_object(self, bucket_name: str, key_name: str, value: bytes) -> None:
        region = _EXPORTED.get().split(":")[3]
        handover.put(
            Delivery(
                principal=f"logs.{region}.amazonaws.com",
                account=self._account_id,
                source=_EXPORTED.get(),
                service="s3",
                operation="PutObject",
                region=region,
                parameters={"Bucket": bucket_name, "Key": key_name, "Body": value},
                target=f"arn:{PARTITION}:s3:::{bucket_name}",
            )
        )
