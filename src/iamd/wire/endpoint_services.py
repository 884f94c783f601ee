"""What the services of VPC endpoints are called, and which of AWS's services one is the way to."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from iamd.wire.catalog import CATALOG, OWN

# AWS: PrivateLink Guide, "AWS services that integrate with AWS PrivateLink", where the name is not that of the host.
_NAMES: Final[Mapping[str, str]] = {
    "dynamodbstreams": "dynamodb-streams",
    "firehose": "kinesis-firehose",
    "kinesis": "kinesis-streams",
    # The buckets' endpoint has a name for it (S3 User Guide, "AWS PrivateLink for Amazon S3": `control.vpce-...`).
    "s3control": "s3",
}
# AWS: `com.amazonaws.us-east-1.s3`, `com.amazonaws.iam` (IAM User Guide, "Interface VPC endpoints").
_WHOLE: Final = re.compile(
    r"(?:com\.amazonaws|cn\.com\.amazonaws|aws\.api|api\.aws)\.(?:(?P<region>[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2})\.)?"
    r"(?P<name>[a-z0-9.-]+)",
    re.ASCII,
)

GATEWAYS: Final = frozenset({"dynamodb", "s3"})
"""AWS: the services that gateway endpoints are for (PrivateLink Guide, "Gateway endpoints")."""

WITHOUT_POLICIES: Final = frozenset(
    {"appmesh-envoy-management", "apprunner.requests", "appstream.api", "appstream.streaming", "awsconnector"}
    | {"transfer.server"}
)
"""AWS: services to which every endpoint gives full access (PrivateLink Guide, "View endpoint policy support")."""


def split(given: str) -> tuple[str, str | None]:
    """The name in `com.amazonaws.REGION.NAME` with its Region, or in a name alone."""
    match = _WHOLE.fullmatch(given)
    return (match["name"], match["region"]) if match is not None else (given, None)


@cache
def name_of(service: str) -> str | None:
    """What the endpoints' service of a service is called, which botocore names; None for iamd's own."""
    entry = CATALOG.by_name.get(service)
    if entry is None or entry in OWN:
        return None
    prefix = entry.endpoint_prefix
    # AWS: `ecr.api` is at `api.ecr`, `sagemaker.api` at `api.sagemaker`.
    return _NAMES.get(service) or (f"{prefix.removeprefix('api.')}.api" if prefix.startswith("api.") else prefix)


@cache
def names() -> frozenset[str]:
    """All names of services that iamd knows, those of their SDKs too."""
    known = (name_of(service) for service in CATALOG.by_name)
    return frozenset(name for name in known if name is not None) | WITHOUT_POLICIES


def canonical(name: str) -> str | None:
    """The name of an endpoints' service, given that or a service's in SDKs; None for what is neither."""
    return name if name in names() else name_of(name)
