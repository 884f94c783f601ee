"""What the record of a request to S3 says of the bucket that it names, and of its object.

AWS: S3 User Guide, "CloudTrail log file entries" (cloudtrail-logging-understanding-s3-entries): an object is told
without an account, its bucket with its owner's.
"""

from iamd.gateway.actions.asked import Asked, partition_of
from iamd.gateway.resources import Facts
from iamd.services.cloudtrail.resources import BUCKET


def of_bucket(asked: Asked, facts: Facts) -> tuple[dict[str, str], ...]:
    """The object, where the request names one, and the bucket; its owner where iamd knows of one."""
    key = asked.parameters.get("Key")
    arn = f"arn:{partition_of(asked.region)}:s3:::{asked.parameters['Bucket']}"
    record = facts.bucket(arn).record
    if record is not None:
        owner: str | None = record.owner
    else:
        owner = asked.account if asked.operation.name == "CreateBucket" else facts.account
    bucket = {"accountId": owner, "type": BUCKET, "ARN": arn} if owner else {"type": BUCKET, "ARN": arn}
    return (bucket,) if key is None else ({"type": "AWS::S3::Object", "ARN": f"{arn}/{key}"}, bucket)
