"""Where the bucket is that a request names."""

from collections.abc import Mapping
from typing import Any, Final

from iamd.gateway.bucket_tags import REGION
from iamd.store.account import Snapshot
from iamd.store.records import Resource


def region_of(service: str, parameters: Mapping[str, Any], view: Snapshot) -> str | None:
    """The Region of the bucket that a request is for, as far as iamd knows it; None for all other requests.

    SECURITY: whoever signs for another Region reaches the bucket all the same, and must not get round what is between
    them by that.
    """
    if service != "s3" or "Bucket" not in parameters:
        return None
    for partition in _PARTITIONS:
        found = view.shared.get(Resource, f"arn:{partition}:s3:::{parameters['Bucket']}")
        if found is not None:
            return found.facts.get(REGION)
    return None


_PARTITIONS: Final = ("aws", "aws-cn", "aws-us-gov")
