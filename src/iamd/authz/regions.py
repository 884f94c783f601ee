"""Where a service is: most are in every region, global ones have one place that all requests are made to.

AWS: IAM User Guide, "AWS global condition context keys" (aws:RequestedRegion): a global service has a single endpoint,
and requests to it are always made to that endpoint's region, whatever region the client is set to.
"""

from collections.abc import Mapping
from typing import Final

# By botocore's names; the regions are those of botocore's endpoints for the partition `aws`. S3 and STS have global
# endpoints beside their regional ones, and are where their client is.
_HOMES: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (
            "account", "billingconductor", "budgets", "ce", "chime", "cloudfront", "health", "iam", "importexport",
            "notificationscontacts", "organizations", "route53", "savingsplans", "shield", "support", "taxsettings",
            "waf",
        ),
        "us-east-1",
    ),
    "networkmanager": "us-west-2",
}  # fmt: skip
_OTHER_PARTITIONS: Final = ("cn-", "us-gov-", "us-iso", "eu-iso", "eusc-")


def region_of(service: str, region: str) -> str:
    """The region that a request to a service, signed for `region`, is made to."""
    return region if region.startswith(_OTHER_PARTITIONS) else _HOMES.get(service, region)
