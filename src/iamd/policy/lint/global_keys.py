"""The condition keys that belong to no one service, with the type of their values.

AWS: IAM User Guide, "AWS global condition context keys" (reference_policies_condition-keys): names in AWS's spelling,
"Data type" and "Value type" of each; `ArrayOf` marks the multivalued ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from iamd.policy.request import lower


@dataclass(frozen=True, slots=True)
class GlobalKey:
    """A key of the page; of keys that end in `/` every tag makes one."""

    name: str
    type: str


KEYS: Final[Mapping[str, GlobalKey]] = {
    lower(name): GlobalKey(name, type)
    for type, names in {
        "String": (
            "aws:CalledViaAWSMCP", "aws:CalledViaFirst", "aws:CalledViaLast", "aws:Ec2InstanceSourceVpc",
            "aws:FederatedProvider", "aws:PrincipalAccount", "aws:PrincipalOrgID", "aws:PrincipalServiceName",
            "aws:PrincipalTag/", "aws:PrincipalType", "aws:referer", "aws:RequestedRegion", "aws:RequestTag/",
            "aws:ResourceAccount", "aws:ResourceOrgID", "aws:ResourceTag/", "aws:SourceAccount", "aws:SourceIdentity",
            "aws:SourceOrgID", "aws:SourceVpc", "aws:SourceVpce", "aws:UserAgent", "aws:userid", "aws:username",
            "aws:VpceAccount", "aws:VpceOrgID", "glue:CredentialIssuingService", "glue:RoleAssumedBy",
            "identitystore:UserId",
            # Not on the page; SNS writes it into the policy of every new topic (SNS Developer Guide, access policy use
            # cases), and recorded answers have nothing against it.
            "aws:SourceOwner",
            # Not on the page either; AWS's own AWSSSOServiceRolePolicy has it.
            "aws:PrincipalOrgMasterAccountId",
        ),
        "ARN": (
            "aws:ChatbotSourceArn", "aws:PrincipalArn", "aws:SignInSessionArn", "aws:SourceArn", "aws:SourceVpcArn",
            "codebuild:BuildArn", "codebuild:ProjectArn", "ec2:SourceInstanceArn", "lambda:SourceFunctionArn",
            "ssm:SourceInstanceArn",
        ),
        "Bool": (
            "aws:AssumedRoot", "aws:IsMcpServiceAction", "aws:MultiFactorAuthPresent", "aws:PrincipalIsAWSService",
            "aws:SecureTransport", "aws:ViaAWSMCPService", "aws:ViaAWSService",
        ),
        "Numeric": ("aws:MultiFactorAuthAge", "ec2:RoleDelivery"),
        "Date": ("aws:CurrentTime", "aws:EpochTime", "aws:TokenIssueTime"),
        "IPAddress": ("aws:Ec2InstanceSourcePrivateIPv4", "aws:SourceIp", "aws:VpcSourceIp"),
        "ArrayOfString": (
            "aws:CalledVia", "aws:PrincipalOrgPaths", "aws:PrincipalServiceNamesList", "aws:ResourceOrgPaths",
            "aws:SourceOrgPaths", "aws:TagKeys", "aws:VpceOrgPaths",
        ),
    }.items()
    for name in names
}  # fmt: skip

FORMER: Final = "aws:arn"
"""A key that is no more (DEPRECATED_GLOBAL_CONDITION_KEY, UNSUPPORTED_GLOBAL_CONDITION_KEY)."""

SENSITIVE: Final = frozenset(
    {
        "aws:principalaccount", "aws:principalorgid", "aws:resourceaccount", "aws:resourceorgid", "aws:sourceaccount",
        "aws:sourceorgid", "aws:sourcevpc", "aws:sourcevpce", "aws:vpceaccount", "aws:vpceorgid",
    }
)  # fmt: skip
"""Keys in whose values no wildcard has a use (the page's "Sensitive condition keys")."""

_VPCE: Final = frozenset(
    {
        "acm-pca", "applicationinsights", "apprunner", "athena", "cloudformation", "comprehendmedical",
        "compute-optimizer", "datasync", "discovery", "dynamodb", "ebs", "ecr", "ecs", "firehose", "gamelift",
        "healthlake", "iam", "iotfleetwise", "iotwireless", "kinesisanalytics", "kms", "lambda", "medical-imaging",
        "omics", "payment-cryptography", "polly", "rbin", "rekognition", "route53", "s3", "scheduler",
        "servicediscovery", "servicequotas", "shield", "ssm-contacts", "storagegateway", "textract", "transcribe",
        "transfer",
    }
)  # fmt: skip
ONLY_WITH: Final[Mapping[str, frozenset[str]]] = {
    "aws:vpceaccount": _VPCE,
    "aws:vpceorgpaths": _VPCE,
    "aws:vpceorgid": _VPCE
    | {
        "b2bi", "cassandra", "cognito-identity", "dms", "ds-data", "identitystore", "iottwinmaker", "network-firewall",
        "pricing", "ses", "sms-voice", "sqs", "workmail",
    },
}  # fmt: skip
"""The services, by action prefix, that have these keys (the page's "The following services support this key")."""


def global_key(key: str) -> GlobalKey | None:
    """What the page says of a key, which is in lower case, with its tag's name; or None."""
    name, slash, tag = key.partition("/")
    return KEYS.get(f"{name}/" if slash and tag else name)


def spelling(key: str) -> str:
    """A key, in whatever case, as AWS spells it; the name of a tag stays as it is, and so does what is no such key."""
    known = KEYS.get(lower(key))
    if known is not None:
        return known.name
    beginning, slash, rest = key.partition("/")
    of_tags = KEYS.get(lower(beginning) + slash)
    return of_tags.name + rest if of_tags is not None else key
