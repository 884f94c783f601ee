"""The services whose principal goes by the name of its Region too: `states.us-east-1.amazonaws.com`.

AWS: IAM User Guide, reference_policies_condition-keys, aws:PrincipalServiceNamesList: all names of a service's
principal, a Region's among them. Which services have one is in their own pages:

codedeploy  CodeDeploy User Guide, getting-started-create-service-role
dms         Database Migration Service User Guide, security_iam_secretsmanager
logs        CloudWatch Logs User Guide, encrypt-log-data-kms, S3Export and, before 2022, SubscriptionFilters
rds         Aurora User Guide, Aurora.Authorizing.AWSServices.Regions
redshift    Redshift Management Guide, authorizing-redshift-service-regions
states      Step Functions Developer Guide, procedure-create-iam-role, and its error for a role that can't be assumed
sns         SNS Developer Guide, sns-cross-region-delivery and lambda-prereq: that of a Region which has to be enabled
"""

import re
from typing import Final

_EVERYWHERE: Final = frozenset({"codedeploy", "dms", "logs", "rds", "redshift", "states"})
_WHERE_ENABLED: Final = frozenset({"sns"})
# AWS: Account Management Reference Guide, manage-acct-regions: those of before 2019-03-20, and no others.
_ENABLED_BY_DEFAULT: Final = frozenset(
    {
        "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
        "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1",
        "us-east-2", "us-west-1", "us-west-2",
    }
)  # fmt: skip
_PRINCIPAL: Final = re.compile(r"(?P<service>[a-z]+)(?:\.(?P<region>[a-z]{2}(?:-[a-z]+)+-[0-9]))?\.amazonaws\.com")


def names(principal: str, region: str) -> tuple[str, ...]:
    """Every name of a service's principal in a Region, the given one first."""
    match = _PRINCIPAL.fullmatch(principal)
    if match is None or not _has_one(match["service"], region) or match["region"] not in {None, region}:
        return (principal,)
    other = f".{region}" if match["region"] is None else ""
    return principal, f"{match['service']}{other}.amazonaws.com"


def _has_one(service: str, region: str) -> bool:
    return bool(region) and (
        service in _EVERYWHERE or (service in _WHERE_ENABLED and region not in _ENABLED_BY_DEFAULT)
    )
