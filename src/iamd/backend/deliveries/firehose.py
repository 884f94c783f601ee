"""What Firehose's streams write to buckets.

AWS: Firehose Developer Guide, "Grant Firehose access to an Amazon S3 destination" (controlling-access): as the
destination's role, whose trust policy may ask for the account as external id.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from moto.firehose.models import FirehoseBackend

from iamd.arn import PARTITION
from iamd.backend import handover
from iamd.backend.replacement import always, replace
from iamd.delivery import Delivery

PRINCIPAL: Final = "firehose.amazonaws.com"


def install() -> None:
    """Hand over what is written."""
    replace(FirehoseBackend, "put_s3_records", always(_put))


def _put(
    backend: Any,
    delivery_stream_name: str,
    version_id: str,
    s3_destination: Mapping[str, Any],
    records: Sequence[Mapping[str, bytes]],
) -> list[dict[str, str]]:
    bucket = s3_destination["BucketARN"]
    key = backend._format_s3_object_path(  # noqa: SLF001 - moto has no other way
        delivery_stream_name, version_id, s3_destination.get("Prefix", "")
    )
    account, region = backend.account_id, backend.region_name
    handover.put(
        Delivery(
            principal=PRINCIPAL,
            account=account,
            source=f"arn:{PARTITION}:firehose:{region}:{account}:deliverystream/{delivery_stream_name}",
            service="s3",
            operation="PutObject",
            region=region,
            parameters={
                "Bucket": bucket.rpartition(":")[2],
                "Key": key,
                "Body": b"".join(record["Data"] for record in records),
            },
            target=bucket,
            role=s3_destination["RoleARN"],
            external_id=account,
        )
    )
    return [{"RecordId": str(uuid.uuid4())} for _ in records]
