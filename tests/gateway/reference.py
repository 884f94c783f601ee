"""What AWS's Service Authorization Reference says of one decision: whether its action, ARN and keys belong together.

What AWS's own pages say otherwise than the reference stands here by name, with the page.
"""

import re
from functools import cache

from iamd.data import service_reference

# Operations that the reference has no action for: nothing can be decided about them, so they are refused.
REFUSED = {
    "s3vectors": {"UpdateMetadataConfiguration"},
    "cloudwatch": {
        "AssociateDatasetKmsKey", "DeleteMetricDataQueryDefinition", "DescribeAlarmContributors",
        "DisassociateDatasetKmsKey", "GetMetricDataQueryDefinition", "ListMetricDataQueryDefinitions",
        "PutMetricDataQueryDefinition",
    },
    "dynamodb": {"CancelBulkOperation", "DescribeBulkOperation", "ListBulkOperations", "StartBulkPutItems"},
    "cognito-idp": {
        "AdminListUserSessions",
        "AdminRevokeUserSession",
        "CompleteWebAuthnRegistration",
        "DeleteWebAuthnCredential",
        "DescribeTermsByClient",
        "GetClientToken",
        "GetDerivedToken",
        "GetUserAuthFactors",
        "GetUserPoolClientSessionConfiguration",
        "GetUserPoolSessionConfiguration",
        "ListUserSessions",
        "ListWebAuthnCredentials",
        "RevokeUserSession",
        "SetUserPoolClientSessionConfiguration",
        "SetUserPoolSessionConfiguration",
        "StartWebAuthnRegistration",
    },
    "ec2": {
        "AssociateKmsKeyId",
        "AssociateNetworkingFlexCostAllocationPolicy",
        "CreateCapacityReservationDateChangeQuote",
        "CreateMetricCategory",
        "CreateNetworkingFlexCostAllocationPolicy",
        "CreateTransitGatewayNetworkFunctionAttachment",
        "DeleteClientVpnEndpointAuthorizationPolicy",
        "DeleteMetricCategory",
        "DeleteNetworkingFlexCostAllocationPolicies",
        "DeleteTransitGatewayNetworkFunctionAttachment",
        "DescribeCapacityReservationDateChangeQuotes",
        "DescribeMetricCategories",
        "DescribeNetworkingFlexCostAllocationPolicies",
        "DescribeNetworkingFlexCostAllocationPolicyAssociations",
        "DescribeTransitGatewayNetworkFunctionAttachments",
        "DisassociateKmsKeyId",
        "DisassociateNetworkingFlexCostAllocationPolicy",
        "GetCapacityManagerSupportabilityScores",
        "GetClientVpnEndpointAuthorizationPolicy",
        "GetImageFindings",
        "GetNetworkingFlexCostAllocationPolicyVersions",
        "GetTransitGatewayAttachmentNatConfiguration",
        "ModifyClientVpnEndpointAuthorizationPolicy",
        "ModifyMetricCategory",
        "ModifyNetworkingFlexCostAllocationPolicy",
        "ModifyTransitGatewayAttachmentNatConfiguration",
        "ModifyTransitGatewayNetworkFunctionAttachment",
        "ModifyTransitGatewayPeeringAttachment",
    },
    "ecr": {"ListImageReferrers"},
    "kinesis": {
        "AcknowledgeDeadLetterQueueRecords", "AcknowledgeQueueRecords", "CreateQueue", "DeleteQueue", "DescribeQueue",
        "ListQueues", "ReceiveDeadLetterQueueRecords", "ReceiveQueueRecords", "RestoreDeadLetterQueueRecords",
        "UpdateDeadLetterQueueRecordsVisibility", "UpdateQueue", "UpdateQueueRecordsVisibility",
    },
    "lambda": {"DeleteDurableExecution", "PauseDurableExecution", "ResumeDurableExecution"},
    "logs": {"GetLogObject"},
    "rds": {"DescribeServerlessV2PlatformVersions"},
    "ssm": {"DeregisterDefaultHostManagementConfiguration", "RegisterDefaultHostManagementConfiguration"},
    "athena": {
        "CreateSystemTableConfiguration",
        "DeleteSystemTableConfiguration",
        "GetSystemTableConfiguration",
        "ListSystemTableStatuses",
        "UpdateSystemTableConfiguration",
    },
    "glue": {
        "AssociateGlossaryTerms",
        "BatchGetDataQualityResult",
        "BatchGetDataQualityResultV2",
        "BatchGetDataQualityRulesetEvaluationRun",
        "BatchGetIterableForms",
        "BatchPutDataQualityStatisticAnnotation",
        "CreateDataQualityEvaluationConfig",
        "CreateGlossary",
        "CreateGlossaryTerm",
        "DeleteAsset",
        "DeleteAssetType",
        "DeleteAttachment",
        "DeleteDataQualityEvaluationConfig",
        "DeleteFormType",
        "DeleteGlossary",
        "DeleteGlossaryTerm",
        "DisassociateGlossaryTerms",
        "GetAsset",
        "GetAssetType",
        "GetDataCatalogExportConfiguration",
        "GetDataQualityEvaluationConfig",
        "GetDataQualityResultV2",
        "GetFormType",
        "GetGlossary",
        "GetGlossaryTerm",
        "GetMaterializedViewRefreshTaskRun",
        "ListAssetTypes",
        "ListDataQualityEvaluationConfigs",
        "ListDataQualityResultsV2",
        "ListDataQualityStatisticAnnotations",
        "ListDataQualityStatistics",
        "ListFormTypes",
        "ListGlossaries",
        "ListGlossaryTerms",
        "ListIntegrationTableProperties",
        "ListIterableForms",
        "ListMaterializedViewRefreshTaskRuns",
        "PublishDataQualityResultV2",
        "PutAsset",
        "PutAssetType",
        "PutAttachment",
        "PutDataCatalogExportConfiguration",
        "PutFormType",
        "SearchAssets",
        "StartMaterializedViewRefreshTaskRun",
        "StopMaterializedViewRefreshTaskRun",
        "UpdateAsset",
        "UpdateDataQualityEvaluationConfig",
        "UpdateGlossary",
        "UpdateGlossaryTerm",
    },
    "route53": {
        "CreateResourceRecordSetProtections",
        "DeleteResourceRecordSetProtections",
        "ListResourceRecordSetProtections",
    },
    "s3control": {
        "DeleteAccessPointScope",
        "GetAccessPointScope",
        "ListAccessPointsForDirectoryBuckets",
        "PutAccessPointScope",
    },
    "secretsmanager": {"AssociateCrossAccountReplica", "DisassociateCrossAccountReplica", "ListResourcePolicies"},
}  # fmt: skip
# `*` where the reference has a resource type: nothing in the request names the resource.
WITHOUT_RESOURCE = {
    ("cloudwatch", "GetMetricData"): "its resource type is optional, and no parameter names a dataset",
    ("cloudwatch", "ListMetrics"): "its resource type is optional, and no parameter names a dataset",
    ("cloudwatch", "PutMetricData"): "its resource type is optional, and no parameter names a dataset",
    ("bedrock", "CreateGuardrail"): "a guardrail is made without a profile and without policies (API Reference)",
    ("bedrock", "ListAutomatedReasoningPolicies"): "without policyArn it lists every policy (API Reference)",
    ("bedrock", "ListGuardrails"): "without guardrailIdentifier it lists every guardrail (API Reference)",
    ("dynamodb", "ListExports"): "without TableArn it lists those of every table (API Reference, ListExports)",
    ("dynamodb", "ListImports"): "without TableArn it lists those of every table (API Reference, ListImports)",
    ("lambda", "SendDurableExecutionCallbackFailure"): "a callback's id is opaque (API Reference)",
    ("lambda", "SendDurableExecutionCallbackHeartbeat"): "a callback's id is opaque (API Reference)",
    ("lambda", "SendDurableExecutionCallbackSuccess"): "a callback's id is opaque (API Reference)",
    ("glue", "TestConnection"): "TestConnectionInput describes a connection that has no name (API Reference)",
    ("logs", "ListAnomalies"): "without anomalyDetectorArn it lists every detector's (API Reference, ListAnomalies)",
    ("logs", "ListLogAnomalyDetectors"): "it takes a log group to filter by, and no detector (API Reference)",
    ("route53", "ListQueryLoggingConfigs"): "without HostedZoneId it lists those of every zone (API Reference)",
    ("s3", "WriteGetObjectResponse"): "its route and token are opaque (API Reference, WriteGetObjectResponse)",
    ("secretsmanager", "ValidateResourcePolicy"): "SecretId is optional (API Reference, ValidateResourcePolicy)",
}
# An ARN of another form than the reference's.
OTHER_RESOURCE = {
    # AddTags is on whatever is tagged when it is made (Elastic Load Balancing User Guide, "Elastic Load Balancing API
    # permissions": "Grant permission to tag resources upon creation"); the reference has classic load balancers alone.
    ("elbv2", "CreateListener"): r"arn:aws:elasticloadbalancing:us-east-1:[0-9]{12}:listener/app/lb/[0-9a-f]+/\*",
    ("elbv2", "CreateRule"): r"arn:aws:elasticloadbalancing:us-east-1:[0-9]{12}:listener-rule/app/lb/[0-9a-f/]+/\*",
    ("elbv2", "CreateTargetGroup"): r"arn:aws:elasticloadbalancing:us-east-1:[0-9]{12}:targetgroup/lb/\*",
    ("elbv2", "CreateTrustStore"): r"arn:aws:elasticloadbalancing:us-east-1:[0-9]{12}:truststore/lb/\*",
    # The paths of these requests (API Gateway API Reference), which the reference has no types for.
    ("apigateway", "GetSdkType"): r"arn:aws:apigateway:us-east-1::/sdktypes/value",
    ("apigateway", "GetSdkTypes"): r"arn:aws:apigateway:us-east-1::/sdktypes",
    # The sample of ResourceArn is a cluster; here it is an instance's (API Reference, ModifyActivityStream).
    ("rds", "ModifyActivityStream"): r"arn:aws:rds:us-east-1:[0-9]{12}:cluster:value",
    # The reference has us-west-2, where AWS takes such calls; these tests sign for us-east-1.
    ("s3control", "DescribeMultiRegionAccessPointOperation"): r"arn:aws:s3:us-east-1:[0-9]{12}:async-request/mrap/.+",
    # Access to what is in a catalog needs the catalog as well (Glue Developer Guide, "Specifying AWS Glue resource ARNs").
    ("glue", "GetEntityRecords"): r"arn:aws:glue:us-east-1:[0-9]{12}:catalog",
    # "The authorized resource [...] is the retiring principal" (API Reference, ListRetirableGrants).
    ("kms", "ListRetirableGrants"): r"arn:aws:iam::[0-9]{12}:role/app",
    # "resourceIdentifier": a log group's ARN or this one (API Reference, AssociateKmsKey and DisassociateKmsKey).
    ("logs", "AssociateKmsKey"): r"arn:aws:logs:us-east-1:[0-9]{12}:query-result:\*",
    ("logs", "DisassociateKmsKey"): r"arn:aws:logs:us-east-1:[0-9]{12}:query-result:\*",
    # The reference has a slip here, as GetDeliverySource shows.
    ("logs", "DeleteDeliverySource"): r"arn:aws:logs:us-east-1:[0-9]{12}:delivery-source:nam",
    # CloudWatch Logs User Guide, "CloudWatch Logs permissions reference".
    ("logs", "DescribeLogGroups"): r"arn:aws:logs:us-east-1:[0-9]{12}:log-group::log-stream:",
}
# Named by an API's page, and not by the reference.
WITHOUT_ACTION = {"logs:PutMetricExtractionPolicy"}  # API Reference, PutAccountPolicy

_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")
_KINDS = {"Partition": r"aws[a-z-]*", "Region": r"[a-z0-9-]+", "Account": r"[0-9]{12}"}


def action(name: str) -> service_reference.Action | None:
    """The action of a name such as `s3:GetObject`."""
    prefix, _, short = name.partition(":")
    return service_reference.action(prefix, short)


def arn_forms(name: str) -> list[str]:
    """The ARN forms of an action's resource types."""
    found, prefix = action(name), name.partition(":")[0]
    types = [service_reference.service(prefix).resource_type(resource.name) for resource in found.resources]
    if prefix == "apigateway" and found.name.isupper():
        # HTTP APIs have the actions of REST APIs, which the reference lists with the resource types of these alone.
        types = [*service_reference.service(prefix).resource_types.values()]
    return [form for kind in types if kind is not None for form in kind.arn.split(", ")]


@cache
def _pattern(form: str) -> re.Pattern[str]:
    parts = _PLACEHOLDER.split(form)
    return re.compile("".join(_KINDS.get(p, ".+") if n % 2 else re.escape(p) for n, p in enumerate(parts)), re.DOTALL)


def is_resource_of(name: str, arn: str) -> bool:
    """Whether the ARN is of a form that the reference gives for the action; `*` exactly where it gives none."""
    forms = arn_forms(name)
    return any(_pattern(form).fullmatch(arn) for form in forms) if forms else arn == "*"


def agrees(service: str, operation: str, name: str, arn: str) -> bool:
    """Whether this decision of an operation is on what the reference says, or on what AWS's pages say instead."""
    if name in WITHOUT_ACTION:
        return action(name) is None
    if is_resource_of(name, arn):
        return True
    if arn == "*":
        return (service, operation) in WITHOUT_RESOURCE
    return re.fullmatch(OTHER_RESOURCE.get((service, operation), ""), arn) is not None


def strange_keys(name: str, context: dict) -> list[str]:
    """The service's own condition keys in a context that the reference gives neither this action nor its resources."""
    prefix, known = name.partition(":")[0], action(name)
    if known is None:
        return []
    reference = service_reference.service(prefix)
    types = [reference.resource_type(resource.name) for resource in known.resources]
    of_types = {key for kind in types if kind is not None for key in kind.condition_keys}
    allowed = [reference.condition_key(key) for key in known.every_condition_key | of_types]
    own = [key for key in context if key.startswith(f"{prefix}:")]
    return [key for key in own if not any(one is not None and one.names(key) for one in allowed)]
