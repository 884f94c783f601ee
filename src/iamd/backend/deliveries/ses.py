"""What SES tells topics of bounces, complaints and deliveries.

AWS: SES Developer Guide, "Configuring Amazon SNS notifications for Amazon SES" (configure-sns-notifications).
"""

import json
from typing import Any, Final

from moto.ses.models import SESBackend

from iamd import arn as arns
from iamd import senders
from iamd.arn import PARTITION
from iamd.backend import handover
from iamd.backend.replacement import always, replace
from iamd.delivery import Delivery

PRINCIPAL: Final = "ses.amazonaws.com"


def install() -> None:
    """Hand over notifications."""
    replace(SESBackend, "__process_sns_feedback__", always(_process))


def _process(backend: Any, source: str, destinations: Any) -> None:
    domain = str(source).rpartition("@")[2]
    kind = backend.__type_of_message__(destinations) if domain in backend.sns_topics else None
    target: str = (backend.sns_topics[domain].get(kind) or "") if kind is not None else ""
    topic = arns.parse(target)
    message = backend.__generate_feedback__(kind) if topic is not None else None
    if topic is None or not message:
        return
    service, operation, parameters = senders.to_topic(topic, json.dumps(message))
    handover.put(
        Delivery(
            principal=PRINCIPAL,
            account=backend.account_id,
            source=f"arn:{PARTITION}:ses:{backend.region_name}:{backend.account_id}:identity/{domain}",
            service=service,
            operation=operation,
            region=topic.region,
            parameters=parameters,
            target=target,
        )
    )
