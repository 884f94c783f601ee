"""Requests that a row of a table counts for: its operation's parameters, with what its template and condition want."""

import re

from gateway import parameters

from iamd.authz.target import Target
from iamd.gateway.actions import keys, mapping, rows
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.table import Row
from iamd.wire.models import service as model_of

# What stands for a computed value in a request.
COMPUTED = {
    "s3": {"source_bucket": "CopySource", "source_key": "CopySource", "source_version": "CopySource",
           "annotations": "AnnotationDirective", "current_annotations": "AnnotationDirective",
           "version_annotations": "AnnotationDirective"},
    "sqs": {"destination": "DestinationArn", "queue_name": "QueueUrl", "queue_account": "QueueUrl", "queue_region": "QueueUrl"},
    "dynamodb": {
        "table": "TableName", "index": "IndexName", "target_table": "TargetTableName", "named": "ResourceArn",
        "creates_replica": "ReplicaUpdates", "deletes_replica": "ReplicaUpdates",
        "disassociates_replica": "ReplicaUpdates",
    },
    "dynamodbstreams": {"stream": "StreamArn"},
    "lambda": {
        "function": "FunctionName", "whole_function": "FunctionName", "layer": "LayerName", "named": "Resource",
        "provider": "CapacityProviderName", "code_bucket": "S3Bucket", "code_key": "S3Key", "plain_code": "S3Key",
        "versioned_code": "S3ObjectVersion", "function_of_key": "FunctionName", "auth_type": "AuthType",
    },
    "apigateway": {"encoded_arn": "resourceArn", "sets_policy": "policy"},
    "apigatewayv2": {"encoded_arn": "ResourceArn"},
    "autoscaling": {"group": "AutoScalingGroupName", "lattice": "TrafficSources"},
    "elbv2": {
        "kind": "Type", "in_balancer": "LoadBalancerArn", "in_listener": "ListenerArn", "rules": "RulePriorities",
        "bundle_bucket": "CaCertificatesBundleS3Bucket", "plain_bundle": "CaCertificatesBundleS3Bucket",
        "versioned_bundle": "CaCertificatesBundleS3ObjectVersion",
    },
    "ec2": {
        "InternetGatewayId": "GatewayId", "VpnGatewayId": "GatewayId", "launch_template": "LaunchTemplateId",
        "specified_instance": "InstanceSpecification", "flow_resources": "ResourceIds",
    },
    "ecr": {"registry": "registryId"},
    "ecs": {
        "cluster_arn": "cluster", "cluster_name": "cluster", "clusters_arn": "clusters", "service_arn": "service",
        "services_arn": "services", "task_arn": "task", "tasks_arn": "tasks", "container_instance_arn": "containerInstance",
        "container_instances_arn": "containerInstances", "task_set_arn": "taskSet", "task_sets_arn": "taskSets",
        "task_set_place": "service", "definition": "taskDefinition", "definitions": "taskDefinitions",
        "capacity_provider_arn": "capacityProvider", "capacity_providers_arn": "capacityProviders",
        "daemon_arn": "daemonArn", "daemon_of_it": "daemonRevisionArns", "daemon_deployment_arns": "daemonDeploymentArns",
        "daemon_revision_arns": "daemonRevisionArns", "daemon_definition": "daemonTaskDefinition",
        "gateway_arn": "gateway", "names_arn": "names", "gateway_of_it": "gatewayRouteArn",
        "gateway_route_arn": "gatewayRouteArn", "resource_arn": "resourceArn", "service_of_it": "serviceDeploymentArn",
        "service_deployment_arn": "serviceDeploymentArn", "service_deployment_arns": "serviceDeploymentArns",
        "service_revision_arns": "serviceRevisionArns", "attribute_targets": "attributes",
        "roles_are_unknown": "taskDefinition",
    },
    "logs": {"subscription_role": "policyDocument", "group": "logGroupName", "resource": "resourceArn", "to_destination": "destinationArn"},
    "rds": {
        "final_cluster_snapshot": "FinalDBSnapshotIdentifier",
        "DBClusterIdentifier": "DBClusterIdentifier",
    },
    "secretsmanager": {"secret_arn": "SecretId", "rotation_function": "RotationLambdaARN"},
    "events": {
        "bus": "Name", "rule": "Rule", "named": "Name", "archive": "ArchiveName", "replay": "ReplayName",
        "event_source": "Name", "tagged": "ResourceARN", "connection": "ConnectionArn", "from_bus": "EventSourceArn",
        "from_archive": "EventSourceArn", "to_bus": "Destination",
    },
    "kms": {"key": "KeyId", "alias": "AliasName", "new_key": "Tags"},
    "kinesis": {
        "stream": "StreamName", "consumer": "ConsumerARN", "channel": "ChannelARN", "named": "ResourceARN",
    },
    "cloudwatch": {
        "alarm": "AlarmName", "dashboard": "DashboardName", "dataset": "DatasetIdentifier", "insight_rule": "RuleName",
        "metric_stream": "Name", "mute_rule": "AlarmMuteRuleName", "tagged": "ResourceARN",
    },
    "ssm": {
        "parameter": "Name", "path": "Path", "document": "Name", "node": "InstanceId", "association": "AssociationId",
        "automation": "AutomationExecutionId", "baseline": "BaselineId", "connector": "CloudConnectorId",
        "opsitem": "OpsItemId", "opsmetadata": "OpsMetadataArn", "session": "SessionId", "setting": "SettingId",
        "sync": "SyncName", "window": "WindowId", "window_target": "WindowTargetId", "window_task": "WindowTaskId",
        "role": "IamRole", "tagged": "ResourceId", "shared": "ResourceArn",
    },
    "firehose": {"stream": "DeliveryStreamName"},
    "s3vectors": {
        "bucket": "vectorBucketName", "index": "indexArn", "tagged": "resourceArn", "tells_more": "returnMetadata",
    },
    "scheduler": {"schedule": "Name", "group": "Name"},
    "stepfunctions": {
        "machine": "stateMachineArn", "execution": "executionArn", "map_run": "mapRunArn", "activity": "activityArn",
        "tagged": "resourceArn",
    },
    "sns": {"topic": "TopicArn", "target": "TargetArn"},
    "acm": {
        "certificate": "CertificateArn", "endpoint": "AcmeEndpointArn", "validation": "AcmeDomainValidationArn",
        "binding": "AcmeExternalAccountBindingArn", "tagged": "ResourceArn",
    },
    "athena": {
        "workgroup": "WorkGroup", "catalog": "CatalogName", "reservation": "CapacityReservationName",
        "tagged": "ResourceARN",
    },
    "batch": {
        "environment": "computeEnvironment", "consumable": "consumableResource", "queue": "jobQueue", "job": "jobId",
        "quota_share": "quotaShareArn", "policy": "arn", "service_environment": "serviceEnvironment",
        "definition": "jobDefinition", "tagged": "resourceArn",
    },
    "codecommit": {"repository": "repositoryName", "tagged": "resourceArn"},
    "glue": {
        "name": "Name", "root": "CatalogId", "connection": "ConnectionName", "resource": "ResourceArn", "session": "ResourceId",
        "registry": "RegistryId", "schema": "SchemaId", "integration": "IntegrationIdentifier",
    },
    "keyspaces": {
        "keyspace": "keyspaceName", "table": "tableName", "source_keyspace": "sourceKeyspaceName",
        "source_table": "sourceTableName", "target_keyspace": "targetKeyspaceName", "target_table": "targetTableName",
        "tagged": "resourceArn", "tagged_in_regions": "tags",
    },
    "bedrock": {"subject": "jobIdentifier", "model": "modelId", "policy": "policyArn", "resource": "resourceARN"},
    "s3control": {
        "access_point": "Name", "name": "Name", "grant": "AccessGrantId", "location": "AccessGrantsLocationId",
        "job": "JobId", "lens": "ConfigId", "new_lens_group": "StorageLensGroup", "routed": "Mrap",
        "request": "RequestTokenARN", "tagged": "ResourceArn",
    },
    "route53": {
        "zone": "HostedZoneId", "check": "HealthCheckId", "collection": "CollectionId", "policy": "TrafficPolicyId",
        "delegation_set": "DelegationSetId", "id": "Id", "tagged": "ResourceId",
    },
}  # fmt: skip


# Other members by which an operation may name the same thing.
ALTERNATIVES = {
    "QueueUrl": ("SourceArn", "TaskHandle", "QueueName"),
    "TableName": ("SourceTableName", "SourceTableArn"),
    "TargetTableName": ("TableCreationParameters",),
    "ResourceArn": ("TableArn", "BackupArn", "ExportArn", "ImportArn", "SourceTableArn"),
    "StreamArn": ("ShardIterator",),
    "Resource": ("ResourceArn", "Arn"),
    "S3Bucket": ("Content",),
    "S3Key": ("Content",),
    "S3ObjectVersion": ("Content",),
    "SecretId": ("Name",),
    "modelId": ("desiredModelId", "baseModelIdentifier", "modelArn", "sourceModelArn"),
    "resourceARN": ("resourceArn",),
    "jobIdentifier": (
        "jobArn", "customModelDeploymentIdentifier", "modelIdentifier", "inferenceProfileIdentifier",
        "provisionedModelId", "promptRouterArn", "guardrailIdentifier",
    ),
    "RegistryId": ("SchemaId",),
    "Name": (
        "SessionId", "TransformId", "JobName", "jobName", "BlueprintName", "CrawlerName", "EndpointName",
        "ConnectionType", "Id",
    ),
    "repositoryName": ("oldName", "commentId", "inReplyTo"),
    "arn": ("name",),
    "quotaShareArn": ("quotaShareName",),
    **{name: (f"{name}Name",) for name in ("computeEnvironment", "consumableResource", "serviceEnvironment")},
    **dict.fromkeys(("CatalogName", "CapacityReservationName"), ("Name",)),
    "WorkGroup": (
        "NamedQueryId", "QueryExecutionId", "NotebookId", "SessionId", "CalculationExecutionId", "Name",
    ),
    **dict.fromkeys(("HostedZoneId", "CollectionId", "TrafficPolicyId", "DelegationSetId"), ("Id",)),
    "indexArn": ("vectorBucketName",),
    "KeyId": ("TargetKeyId",),
    "InstanceId": ("Target", "ResourceId"),
    "OpsItemId": ("AccessRequestId",),
    "StreamName": ("StreamARN", "ShardIterator"),
    "ConsumerARN": ("ConsumerName",),
    "stateMachineArn": ("stateMachineAliasArn", "stateMachineVersionArn", "name"),
    "activityArn": ("name",),
    "TopicArn": ("ResourceArn", "SubscriptionArn", "Name"),
    "logGroupName": ("logGroupIdentifier",),
    "cluster": ("clusterName",),
    "DBClusterIdentifier": ("DbClusterIdentifier",),
    "GatewayId": ("InternetGatewayId", "VpnGatewayId"),
    "LaunchTemplateId": ("LaunchTemplate",),
    "service": ("serviceName", "serviceArn"),
    "daemonArn": ("daemonName",),
    "daemonRevisionArns": ("daemonDeploymentArns",),
    "serviceDeploymentArn": ("serviceDeploymentArns", "serviceRevisionArns"),
    "daemonTaskDefinition": ("family",),
    "taskDefinition": ("family",),
    "resourceArn": (
        "resourceIdentifier", "anomalyDetectorArn", "lookupTableArn", "deliveryDestinationArn", "identifier",
    ),
}  # fmt: skip
PLACE = {"S3Bucket": "bkt", "S3Key": "code.zip"}
# What a request holds for which this computed value is there.
COUNTING = {
    "annotations": {"AnnotationDirective": "COPY"},
    "current_annotations": {"AnnotationDirective": "COPY"},
    "version_annotations": {"AnnotationDirective": "COPY", "CopySource": "src/dir/old?versionId=ver"},
    "source_version": {"CopySource": "src/dir/old?versionId=ver"},
    "VpnGatewayId": {"GatewayId": "vgw-1"},
    "sets_policy": {
        "policy": "{}",
        "body": b'{"x-amazon-apigateway-policy":{}}',
        "patchOperations": [{"op": "replace", "path": "/policy", "value": "{}"}],
    },
    "lattice": {"TrafficSources": [{"Identifier": parameters.LATTICE, "Type": "vpc-lattice"}]},
    "plain_bundle": {},
    "final_cluster_snapshot": {"FinalDBSnapshotIdentifier": "final"},
    "versioned_bundle": {"CaCertificatesBundleS3ObjectVersion": "v"},
    "roles_are_unknown": {"taskDefinition": "fam:3"},
    "to_destination": {"destinationArn": f"{parameters.LOGS}:destination:dst"},
    "plain_code": PLACE,
    "tagged_in_regions": {
        "tags": [{"key": "a", "value": "b"}],
        "replicaSpecifications": [{"region": "eu-west-1"}],
        "replicationSpecification": {"replicationStrategy": "MULTI_REGION"},
    },
    "replicationSpecification.replicationStrategy": {
        "replicationSpecification": {"replicationStrategy": "MULTI_REGION"}
    },
    "versioned_code": {**PLACE, "S3ObjectVersion": "v"},
    "subscription_role": {"policyDocument": f'{{"RoleArn":"{parameters.ROLE}"}}'},
    "creates_replica": {"ReplicaUpdates": [{"Create": {"RegionName": "eu-west-1"}}]},
    "deletes_replica": {"ReplicaUpdates": [{"Delete": {"RegionName": "eu-west-1"}}]},
    "disassociates_replica": {"ReplicaUpdates": [{"Disassociate": {"RegionName": "eu-west-1"}}]},
}


# What the backend tells of the ids in requests, by operation (gateway/handles.py).
_IN_GROUP = {"WorkGroup": "wg"}
TOLD = {
    "athena": {
        "GetNamedQuery": {"NamedQuery": _IN_GROUP}, "GetQueryExecution": {"QueryExecution": _IN_GROUP},
        "GetNotebookMetadata": {"NotebookMetadata": _IN_GROUP}, "GetSession": _IN_GROUP,
        "GetCalculationExecution": {"SessionId": parameters.KEY_ID}, "GetWorkGroup": {"WorkGroup": {"Name": "wg"}},
        "BatchGetNamedQuery": {"NamedQueries": [_IN_GROUP]}, "BatchGetQueryExecution": {"QueryExecutions": [_IN_GROUP]},
    },
    "glue": {
        "GetSchemaVersion": {
            "SchemaArn": f"arn:aws:glue:{parameters.REGION}:{parameters.ACCOUNT}:schema/reg/sch",
        }
    },
    "secretsmanager": {"DescribeSecret": {"Name": "app/db"}},
    "codecommit": {
        "GetPullRequest": {
            "pullRequest": {"pullRequestTargets": [{"repositoryName": "rep", "destinationReference": "refs/heads/main"}]}
        }
    },
}  # fmt: skip
# What iamd has to know of a resource beforehand.
KNOWN = {
    f"arn:aws:codecommit:{parameters.REGION}:{parameters.ACCOUNT}:comment/c0": {"repository": "rep"},
    f"arn:aws:kms:{parameters.REGION}:{parameters.ACCOUNT}:alias/ali": {"key": parameters.KEY},
}


def questions(service: str, name: str, given: dict) -> list[str]:
    """The operations by which the backend is asked about the ids in a request, before it is decided."""
    found: list[str] = []
    if service not in mapping.QUESTIONS:
        return found
    place = (parameters.ACCOUNT, parameters.REGION)
    while True:
        told = {one: TOLD[service][one] for one in found}
        asked = mapping.QUESTIONS[service](Asked(model_of(service).operation(name), given, *place, told=told))
        if asked is None:
            return found
        found.append(asked.operation)


def target_of(service: str, name: str, row: Row) -> Target:
    """The target that this row makes of a request for which it counts."""
    given = parameters_of(service, name, row)
    asked = Asked(
        model_of(service).operation(name),
        given,
        parameters.ACCOUNT,
        parameters.REGION,
        known=lambda arn: KNOWN.get(arn, {}),
        told=TOLD.get(service, {}),
    )
    values = {**given, **asked.place, **(mapping.VALUES[service](asked) if service in mapping.VALUES else {})}
    assert row.condition is None or row.condition.holds(values), given
    counting = rows.step(service, row, values)
    arn = next(iter(counting.template.arns(values)))
    return Target(
        arn=arn, action=row.action, context=keys.found(row.action, counting.key_rows, values, arn), makes=row.makes
    )


def parameters_of(service: str, name: str, row: Row) -> dict:
    """Parameters for which the row counts."""
    shape = parameters.model(service).operation_model(name).input_shape
    members = set(shape.members) if shape is not None else set()
    wanted = []
    for path in _named(row):
        standing = COMPUTED.get(service, {}).get(path, path)
        options = [standing, *ALTERNATIVES.get(standing, ())]
        wanted += [option for option in options if option.partition(".")[0] in members][:1]
    if row.condition is None:
        wanted += parameters.ALSO.get((service, name), ())
    return _counting(row, parameters.of(service, name, *wanted))


def _named(row: Row) -> list[str]:
    """The members that must be given for a row to count, and those that its template names."""
    given = re.findall(r"\{([A-Za-z0-9_]+)\}", row.template)
    if row.condition is not None and not row.condition.inverted:
        given.append(row.condition.members[0][0])
    return given


def _counting(row: Row, given: dict) -> dict:
    if row.condition is None:
        return given
    path, value = row.condition.members[0]
    if row.condition.inverted:
        return {name: item for name, item in given.items() if name not in {p for p, _ in row.condition.members}}
    if path in COUNTING:
        wanted = COUNTING[path]
        return {**given, "Content": wanted} if "Content" in given else {**given, **wanted}
    if value not in {None, "true"}:
        return {**given, path: value}
    return given
