"""Event notifications of S3's buckets, to queues, topics, functions and EventBridge; and access logs of buckets.

AWS: S3 User Guide, "Amazon S3 Event Notifications" (EventNotifications), "Event message structure"
(notification-content-structure), "EventBridge event message structure" (ev-events) and "Logging requests with server
access logging" (ServerLogs).
"""

import base64
import hashlib
import json
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Final
from urllib.parse import quote_plus

from moto.events import notifications as from_events
from moto.s3 import models, notifications
from moto.s3.models import S3Backend

from iamd import arn as arns
from iamd import senders
from iamd.backend import handover
from iamd.backend.deliveries import eventbridge
from iamd.backend.dispatch import CURRENT
from iamd.backend.replacement import always, replace
from iamd.backend.verdict import Origin
from iamd.delivery import Delivery

PRINCIPAL: Final = "s3.amazonaws.com"
LOGGING: Final = "logging.s3.amazonaws.com"
_LOG_DELIVERY: Final = "http://acs.amazonaws.com/groups/s3/LogDelivery"
_REMOVED: Final = "s3:ObjectRemoved:"
_EXTENDED: Final = ("s3:ObjectAcl:", "s3:ObjectTagging:", "s3:ObjectRestore:Delete", "s3:LifecycleExpiration:")
"""AWS: these come in version 2.3 of the structure, all others of moto's in 2.1."""


def install() -> None:
    """Hand over notifications, test events and access logs."""
    replace(notifications, "send_event", always(_send))
    replace(notifications, "send_test_event", always(_send_test))
    replace(S3Backend, "delete_object", _deleted)
    replace(S3Backend, "log_incoming_request", _logged)
    # SECURITY: moto would have the rules of every account fire at the making of a bucket of any.
    replace(from_events, "send_notification", always(_nothing))
    replace(models, "events_send_notification", always(_nothing))


def _nothing(*_: Any, **__: Any) -> None:
    return


def _send(account_id: str, event_name: Any, bucket: Any, key: Any) -> None:
    config, name = bucket.notification_configuration, str(getattr(event_name, "value", event_name))
    if config is None or _is_beside(name):
        return
    origin = CURRENT.get().origin or Origin()
    if origin.form and name == "s3:ObjectCreated:Put":
        name = "s3:ObjectCreated:Post"
    for notification in (*config.cloud_function, *config.queue, *config.topic):
        if notification.matches(name, key.name):
            record = _record(name, bucket, key, notification.id, account_id, origin)
            _put(account_id, bucket, notification.arn, json.dumps({"Records": [record]}))
    if config.event_bridge is not None:
        eventbridge.receive(_bus_event(name, bucket, key, account_id, origin), account_id, bucket.region_name)


def _is_beside(name: str) -> bool:
    """Whether moto tells of a step that is none of the client's: it tags and lets in whoever makes an object."""
    operation = _OPERATIONS.get(name)
    return operation is not None and CURRENT.get().operation != operation


_OPERATIONS: Final = {
    "s3:ObjectTagging:Put": "PutObjectTagging",
    "s3:ObjectTagging:Delete": "DeleteObjectTagging",
    "s3:ObjectAcl:Put": "PutObjectAcl",
}


def _send_test(account_id: str, bucket: Any) -> None:
    config = bucket.notification_configuration
    for arn in dict.fromkeys(one.arn for one in (*config.queue, *config.topic)):
        event = {
            "Service": "Amazon S3",
            "Event": "s3:TestEvent",
            "Time": _now(),
            "Bucket": bucket.name,
            "RequestId": (CURRENT.get().origin or Origin()).request_id,
            "HostId": _host_id(),
        }
        _put(account_id, bucket, arn, json.dumps(event))


def _put(account_id: str, bucket: Any, target: str, text: str) -> None:
    parsed = arns.parse(target)
    sender = senders.TEXTS.get(parsed.service) if parsed is not None else None
    if parsed is None or sender is None:
        return
    service, operation, parameters = sender(parsed, text)
    if operation == "Publish":
        parameters["Subject"] = "Amazon S3 Notification"
    handover.put(
        Delivery(
            principal=PRINCIPAL,
            account=account_id,
            source=bucket.arn,
            service=service,
            operation=operation,
            region=parsed.region,
            parameters=parameters,
            target=target,
        )
    )


def _record(name: str, bucket: Any, key: Any, configuration: str, account_id: str, origin: Origin) -> dict[str, Any]:
    return {
        "eventVersion": "2.3" if name.startswith(_EXTENDED) else "2.1",
        "eventSource": "aws:s3",
        "awsRegion": bucket.region_name,
        "eventTime": _now(),
        "eventName": name.removeprefix("s3:"),
        "userIdentity": {"principalId": f"AWS:{origin.user_id}"},
        "requestParameters": {"sourceIPAddress": origin.source_ip},
        "responseElements": {"x-amz-request-id": origin.request_id, "x-amz-id-2": _host_id()},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": configuration,
            "bucket": {
                "name": bucket.name,
                "ownerIdentity": {"principalId": _customer(account_id)},
                "arn": bucket.arn,
            },
            "object": {"key": quote_plus(key.name, safe="/"), **_object(name, bucket, key, "eTag", "versionId")},
        },
    }


def _object(name: str, bucket: Any, key: Any, etag: str, version: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if not name.startswith(_REMOVED):
        found |= {"size": key.size, etag: key.etag.replace('"', "")}
    if bucket.versioning_status == "Enabled":
        found[version] = key.version_id
    return found | {"sequencer": f"{time.time_ns():018X}"}


_DETAIL_TYPES: Final = {
    "ObjectCreated": "Object Created",
    "ObjectRemoved": "Object Deleted",
    "LifecycleExpiration": "Object Deleted",
    "LifecycleTransition": "Object Storage Class Changed",
    "IntelligentTiering": "Object Access Tier Changed",
    "ObjectAcl": "Object ACL Updated",
}
_EXACT_DETAIL_TYPES: Final = {
    "s3:ObjectRestore:Post": "Object Restore Initiated",
    "s3:ObjectRestore:Completed": "Object Restore Completed",
    "s3:ObjectRestore:Delete": "Object Restore Expired",
    "s3:ObjectTagging:Put": "Object Tags Added",
    "s3:ObjectTagging:Delete": "Object Tags Deleted",
}
_REASONS: Final = {
    "s3:ObjectCreated:Put": "PutObject",
    "s3:ObjectCreated:Post": "POST Object",
    "s3:ObjectCreated:Copy": "CopyObject",
    "s3:ObjectCreated:CompleteMultipartUpload": "CompleteMultipartUpload",
    "s3:ObjectRemoved:Delete": "DeleteObject",
    "s3:ObjectRemoved:DeleteMarkerCreated": "DeleteObject",
}


def _bus_event(name: str, bucket: Any, key: Any, account_id: str, origin: Origin) -> dict[str, Any]:
    detail: dict[str, Any] = {
        "version": "0",
        "bucket": {"name": bucket.name},
        "object": {"key": key.name, **_object(name, bucket, key, "etag", "version-id")},
        "request-id": origin.request_id,
        "requester": origin.account_id,
        "source-ip-address": origin.source_ip,
    }
    if name in _REASONS:
        detail["reason"] = _REASONS[name]
    if name.startswith(_REMOVED):
        is_marker = name.endswith(":DeleteMarkerCreated")
        detail["deletion-type"] = "Delete Marker Created" if is_marker else "Permanently Deleted"
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": _EXACT_DETAIL_TYPES.get(name) or _DETAIL_TYPES[name.split(":")[1]],
        "source": "aws.s3",
        "account": account_id,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": bucket.region_name,
        "resources": [bucket.arn],
        "detail": detail,
    }


def _deleted(original: Callable[..., Any]) -> Callable[..., Any]:
    """Tell of each deletion: moto tells of that of the last version alone, S3 of each and of delete markers."""

    def delete_object(backend: Any, bucket_name: str, key_name: str, version_id: str | None = None, **more: Any) -> Any:
        bucket = backend.get_bucket(bucket_name)
        versions = _versions(bucket, key_name)
        found = original(backend, bucket_name, key_name, version_id=version_id, **more)
        left = _versions(bucket, key_name)
        for marker in left if version_id is None else ():
            if not any(marker is one for one in versions):
                _send(backend.account_id, "s3:ObjectRemoved:DeleteMarkerCreated", bucket, marker)
        for version in versions if left else ():
            if not any(version is one for one in left):
                _send(backend.account_id, "s3:ObjectRemoved:Delete", bucket, version)
        return found

    return delete_object


def _versions(bucket: Any, key_name: str) -> list[Any]:
    return list(bucket.keys.getlist(key_name)) if bucket.is_versioned and key_name in bucket.keys else []


def _logged(original: Callable[..., None]) -> Callable[..., None]:
    def log_incoming_request(backend: Any, request: Any, bucket_name: str) -> None:
        origin = CURRENT.get().origin
        if origin is not None and origin.user_id == LOGGING:
            # AWS: a bucket that logs to itself logs that too, without end; here it ends.
            return

        def put_object(target: str, key: str, value: str) -> None:
            # AWS: both buckets are one account's (ServerLogs); another's ACL lets nothing in.
            own = backend.buckets.get(target)
            if own is not None and _lets_logs_in(own):
                backend.put_object(target, key, value=value)
                return
            bucket = backend.get_bucket(bucket_name)
            handover.put(
                Delivery(
                    principal=LOGGING,
                    account=backend.account_id,
                    source=bucket.arn,
                    service="s3",
                    operation="PutObject",
                    region=bucket.region_name,
                    parameters={"Bucket": target, "Key": key, "Body": value.encode()},
                    target=f"arn:{arns.PARTITION}:s3:::{target}",
                )
            )

        original(SimpleNamespace(get_bucket=backend.get_bucket, put_object=put_object), request, bucket_name)

    return log_incoming_request


def _lets_logs_in(bucket: Any) -> bool:
    """Whether a bucket's ACL lets logs be delivered, and no policy says otherwise (S3 User Guide, ACL overview)."""
    # AWS: ACLs of a bucket count where its object ownership says so, and do not by default (about-object-ownership).
    has_acls = bucket.ownership_rule is not None and "BucketOwnerEnforced" not in str(bucket.ownership_rule)
    grants = bucket.acl.grants if has_acls and bucket.acl is not None else ()
    return bucket.policy is None and any(
        grantee.uri == _LOG_DELIVERY and permission in {"WRITE", "FULL_CONTROL"}
        for grant in grants
        for grantee in grant.grantees
        for permission in grant.permissions
    )


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _host_id() -> str:
    return base64.b64encode(uuid.uuid4().bytes * 4).decode()


def _customer(account_id: str) -> str:
    """A stand-in for the id that the retail shop knows an account's owner by."""
    return "A" + hashlib.sha256(account_id.encode()).hexdigest()[:13].upper()
