"""What the record of a request to S3 says of the bucket that it names, and of its object.

AWS: S3 User Guide, "CloudTrail log file entries" (cloudtrail-logging-understanding-s3-entries): an object is told
without an account, its bucket with its owner's.
"""

from iamd.gateway.actions.asked import Asked
from iamd.gateway.resources import Facts


def of_bucket(asked: Asked, facts: Facts) -> tuple[dict[str, str], ...]:
    """The object, where the request names one, and the bucket; its owner where iamd knows of one."""
    name, key = asked.parameters["Bucket"], asked.parameters.get("Key")
    arn = f"arn:{asked.partition}:s3:::{name}"
    known = facts.get(arn)
    made = asked.account if asked.operation.name == "CreateBucket" else facts.account
    owner = known.owner if known is not None else made
    bucket = {"type": "AWS::S3::Bucket", "ARN": arn}
    if owner:
        bucket = {"accountId": owner, **bucket}
    return (bucket,) if key is None else ({"type": "AWS::S3::Object", "ARN": f"{arn}/{key}"}, bucket)
