"""Where the policies of resources are kept: what holds that of a resource, and the names of those that have several.

AWS: SES Developer Guide, "Creating a sending authorization policy in Amazon SES": an identity has zero, one or many.
"""

import re
from collections.abc import Iterator
from typing import Final

from iamd.arn import PARTITION

SEVERAL: Final = frozenset({"rekognition", "ses"})
"""The services, as ARNs name them, whose resources have several policies."""
# No name of a resource has a blank (`holder_of` relies on it); `check` sees to that.
_MARK: Final = " policy "
_PROJECT: Final = re.compile(r"(arn:[^:]*:rekognition:[^:]*:[0-9]{12}:project/[^/]+)/.*", re.DOTALL)


def place(arn: str) -> str:
    """What the policies of a resource are known by: of a project, its name, which those of its models have too.

    AWS: Rekognition Custom Labels Guide, "Attaching a project policy (SDK)": the policy of a project names models.
    """
    found = _PROJECT.fullmatch(arn)
    return found[1] if found is not None else arn


def of_account(service: str, region: str, account: str) -> str:
    """What the policies of an account in a Region are known by."""
    return f"arn:{PARTITION}:{service}:{region}:{account}:resource-policy"


def is_plain(text: str) -> bool:
    """Whether a text can be a part of an ARN: without blanks and what is not printed."""
    return bool(text) and text.isprintable() and " " not in text


def key(holder: str, name: str) -> str:
    """What a policy is kept under."""
    return f"{holder}{_MARK}{name}"


def beginning(holder: str) -> str:
    """How begins what the policies of a resource are kept under."""
    return f"{holder}{_MARK}"


def holder_of(kept: str) -> str:
    """The resource whose policy is kept under this; every other ARN is its own."""
    return kept.partition(_MARK)[0]


def is_s3(arn: str) -> bool:
    """Tell whether the ARN is a bucket's or an object's."""
    return arn.startswith("arn:aws:s3:::") or (":::" in arn and _OF_S3.match(arn) is not None)


_OF_S3: Final = re.compile(r"[^:]*:[^:]*:s3:")


def is_of_point(arn: str) -> bool:
    """Tell whether the ARN is that of an access point of S3, or of an object that is reached through one."""
    return _OF_POINT.match(arn) is not None


_OF_POINT: Final = re.compile(r"arn:[^:]*:s3:[^:]+:[0-9]{12}:accesspoint/")


def bucket_of(arn: str) -> str:
    """The ARN of the bucket in an ARN of S3."""
    return arn.partition("/")[0]


def holder(arn: str) -> str:
    """The ARN of what holds the policy: an object's bucket, an index's table, else the thing itself.

    AWS: a table's policy covers its indexes, its stream has one of its own (DynamoDB Developer Guide, "Using
    resource-based policies for DynamoDB"); a function's versions and aliases have their own (Lambda API Reference,
    AddPermission: Qualifier); an event bus's covers its rules (EventBridge User Guide, "Permissions for event buses");
    an access point's covers the objects that are reached through it (S3 User Guide, access-points-policies);
    the Data Catalog's covers what is in it (Glue Developer Guide, "Resource-based policies within AWS Glue").
    """
    if is_s3(arn):
        return bucket_of(arn)
    if is_of_point(arn):
        return arn.partition("/object/")[0]
    if ":dynamodb:" in arn:
        return arn.partition("/index/")[0]
    if ":events:" in arn and ":rule/" in arn:
        return bus_of_rule(arn)
    if ":glue:" in arn:
        return _IN_CATALOG.sub(r"\1:catalog", arn)
    return arn


_IN_CATALOG: Final = re.compile(
    r"(arn:[^:]*:glue:[^:]*:[0-9]{12}):(?:catalog|connection|database|table|userDefinedFunction)/.*",
    re.DOTALL,
)


def bus_of_rule(arn: str) -> str:
    """The ARN of the bus of a rule, whose policy is in force for its rules."""
    place, _, rule = arn.partition(":rule/")
    return f"{place}:event-bus/{rule.rpartition('/')[0] or 'default'}"


WITH_PARTS: Final = frozenset({"mediastore", "s3tables", "s3vectors"})
"""Services whose policies cover what lies below their resource.

AWS: MediaStore User Guide, "Container policies"; S3 User Guide, "Resource-based policies for S3 Tables" and "S3 Vectors
resource-based policy examples".
"""


def above(arn: str) -> Iterator[str]:
    """The ARNs of what a resource of these services lies below, the highest first."""
    beginning, _, rest = arn.partition("/")
    for name in rest.split("/")[:-1]:
        beginning += f"/{name}"
        yield beginning


DESTINATIONS: Final = ("destination:", "delivery-destination:")
"""What of CloudWatch Logs has a policy of its own."""
