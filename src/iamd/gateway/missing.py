"""Objects that are not there: who may not list their bucket is not told so.

AWS: S3 API Reference, GetObject, HeadObject and GetObjectAttributes, "Permissions": for an object that does not exist
the answer is 404 with s3:ListBucket on the bucket, and 403 without.
"""

from typing import Final

from iamd.authz.target import Target
from iamd.gateway.actions.asked import Asked
from iamd.gateway.answer import Answer
from iamd.gateway.resources import Facts

_READS: Final = frozenset({"GetObject", "GetObjectAttributes", "HeadObject"})


def listing(asked: Asked, answer: Answer, facts: Facts) -> Target | None:
    """What must be allowed for the backend's answer to be passed on; None for nearly all answers."""
    operation = asked.operation
    if answer.status != 404 or operation.service != "s3" or operation.name not in _READS:
        return None
    bucket = f"arn:{asked.partition}:s3:::{asked.parameters['Bucket']}"
    if operation.name == "HeadObject":
        # A HEAD's answer has no words; of a bucket that iamd knows, it is the object that is not there.
        is_object = facts.get(bucket) is not None or not facts.forgets
    else:
        is_object = b"<Code>NoSuchKey</Code>" in (answer.whole or b"")
    return Target(arn=bucket, action="s3:ListBucket") if is_object else None
