"""What Textract tells a topic of a job, in a session of the role that it is given.

AWS: Textract Developer Guide, "Configuring Amazon Textract for asynchronous operations" (api-async-roles); API
Reference, NotificationChannel.
"""

import json
import time
from collections.abc import Mapping
from typing import Any, Final

from moto.textract.models import TextractJob

from iamd import arn as arns
from iamd import senders
from iamd.arn import PARTITION
from iamd.backend import handover
from iamd.backend.replacement import always, replace
from iamd.delivery import Delivery

PRINCIPAL: Final = "textract.amazonaws.com"


def install() -> None:
    """Hand over what is told."""
    replace(TextractJob, "send_completion_notification", always(_told))


def _told(job: Any, account_id: str, region_name: str, document_location: Mapping[str, Any]) -> None:
    channel = job.notification_channel or {}
    topic, role = arns.parse(channel.get("SNSTopicArn") or ""), channel.get("RoleArn")
    if topic is None or not role:
        return
    document = document_location.get("S3Object") or {}
    message = {
        "JobId": job.job_id,
        "Status": job.job["JobStatus"],
        "API": "StartDocumentTextDetection",
        "Timestamp": int(time.time() * 1000),
        "DocumentLocation": {"S3ObjectName": document.get("Name"), "S3Bucket": document.get("Bucket")},
    }
    service, operation, parameters = senders.to_topic(topic, json.dumps(message))
    handover.put(
        Delivery(
            principal=PRINCIPAL,
            account=account_id,
            source=f"arn:{PARTITION}:textract:{region_name}:{account_id}:{job.job_id}",
            service=service,
            operation=operation,
            region=topic.region,
            parameters=parameters,
            target=str(topic),
            role=role,
        )
    )
