"""What the record of a request to S3 says of the bucket that it names, and of its object.

AWS: S3 User Guide, "CloudTrail log file entries" (cloudtrail-logging-understanding-s3-entries): an object is told
without an account, its bucket with its owner's. Nearly all are told by their names, which the record has anyway
(`services/cloudtrail/resources.py:of_bucket`).
"""

from typing import Final

from iamd.gateway.actions.asked import Asked
from iamd.gateway.resources import Facts
from iamd.pipeline import Progress
from iamd.services.cloudtrail.resources import of_bucket
from iamd.store.records import Resource

NOT_KNOWN: Final = ""


def note(progress: Progress, asked: Asked, facts: Facts, record: Resource | None) -> None:
    """Note whose bucket a request names; behind an access point its name too, for the request does not tell that.

    `record` is what is known of the bucket.
    """
    if record is not None:
        owner = record.owner
    else:
        owner = (asked.account if asked.operation.name == "CreateBucket" else facts.account) or NOT_KNOWN
    progress.bucket_owner = owner
    if asked.through is not None:
        given = asked.parameters
        listed = of_bucket(asked.partition, given["Bucket"], given.get("Key"), owner)
        progress.notes = {**progress.notes, "resources": listed}
