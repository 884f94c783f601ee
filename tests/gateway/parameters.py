"""Parameters of any operation of any service: what a model requires, with sensible values for names that mean things."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

from botocore.loaders import create_loader
from botocore.model import ServiceModel

ACCOUNT = "123456789012"
REGION = "us-east-1"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:fn"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/tbl"
STREAM = f"{TABLE}/stream/2026-01-31T12:00:00.000"
LOGS = f"arn:aws:logs:{REGION}:{ACCOUNT}"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:que"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:sec-AbCdEf"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
EVENTS = f"arn:aws:events:{REGION}:{ACCOUNT}"
STATES = f"arn:aws:states:{REGION}:{ACCOUNT}"
KINESIS = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/str"
SSM = f"arn:aws:ssm:{REGION}:{ACCOUNT}"
KEY_ID = "01234567-89ab-cdef-0123-456789abcdef"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{KEY_ID}"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:top"
ZONE = "Z0123456789ABC"
CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/{KEY_ID}"
ACME = f"arn:aws:acm:{REGION}:{ACCOUNT}:acme-endpoint/{KEY_ID}"
BATCH = f"arn:aws:batch:{REGION}:{ACCOUNT}"
GLUE = f"arn:aws:glue:{REGION}:{ACCOUNT}"
KEYSPACE = f"arn:aws:cassandra:{REGION}:{ACCOUNT}:/keyspace/ks/"
BEDROCK = f"arn:aws:bedrock:{REGION}:{ACCOUNT}"
TITAN = f"arn:aws:bedrock:{REGION}::foundation-model/amazon.titan-text-express-v1"
CONTROL = f"arn:aws:s3:{REGION}:{ACCOUNT}"
POLICY = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"*",'
    '"Resource":"%s"}]}'
)
ELB = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}"
BALANCER = f"{ELB}:loadbalancer/app/lb/50dc6c495c0c9188"
LISTENER = f"{ELB}:listener/app/lb/50dc6c495c0c9188/f2f7dc8efc522ab2"
RULE = f"{ELB}:listener-rule/app/lb/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee"
TARGETS = f"{ELB}:targetgroup/tg/943f017f100becff"
STORE = f"{ELB}:truststore/ts/73e2d6bc24d8a067"
RDS = f"arn:aws:rds:{REGION}:{ACCOUNT}"
LATTICE = f"arn:aws:vpc-lattice:{REGION}:{ACCOUNT}:targetgroup/tg-0123456789abcdef0"
ECS = f"arn:aws:ecs:{REGION}:{ACCOUNT}"
MOMENT = datetime(2030, 1, 31, 12, 0, 0, tzinfo=UTC)

# Members by service ("*" is every one) and name; what is not here is made up from the shape.
NAMED: dict[str, dict[str, Any]] = {
    "*": {"RoleArn": ROLE, "roleArn": ROLE, "Role": ROLE, "executionRoleArn": ROLE, "importRoleArn": ROLE},
    "s3": {
        "ACL": "bucket-owner-full-control",  # which every bucket takes
        "AbacStatus": {"Status": "Disabled"},  # with ABAC a bucket is tagged by S3 Control alone
        "Bucket": "bkt", "Key": "dir/key", "CopySource": "src/dir/old", "UploadId": "upl", "PartNumber": 1,
        "Policy": POLICY % "arn:aws:s3:::bkt", "MFA": "123456", "RequestRoute": "route",
    },
    "sqs": {
        "QueueUrl": f"https://queue.example/{ACCOUNT}/que", "QueueName": "que", "SourceArn": QUEUE,
        "DestinationArn": f"{QUEUE}-2",
        "TaskHandle": "eyJ0YXNrSWQiOiJ0Iiwic291cmNlQXJuIjoiYXJuOmF3czpzcXM6dXMtZWFzdC0xOjEyMzQ1Njc4OTAxMjpxdWUifQ==",
        "AWSAccountIds": [ACCOUNT], "Actions": ["SendMessage"],
    },
    "cloudwatch": {
        "AlarmName": "alm", "AlarmNames": ["alm"], "DashboardName": "das", "DashboardNames": ["das"], "RuleName": "rul",
        "RuleNames": ["rul"], "Name": "nam", "Names": ["nam"], "AlarmMuteRuleName": "mut", "DatasetIdentifier": "dat",
        "ResourceARN": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:alm", "ResourceArn": QUEUE,
        "RuleDefinition": '{"LogGroupNames":["/grp"]}', "FirehoseArn": QUEUE,
    },
    "dynamodb": {
        "TableName": "tbl", "IndexName": "idx", "GlobalTableName": "tbl", "TargetTableName": "new",
        "SourceTableName": "tbl", "BackupName": "bck", "TableArn": TABLE, "ResourceArn": TABLE, "SourceTableArn": TABLE,
        "BackupArn": f"{TABLE}/backup/01", "ExportArn": f"{TABLE}/export/01", "ImportArn": f"{TABLE}/import/01",
        "Key": {"pk": {"S": "me"}}, "Item": {"pk": {"S": "me"}}, "Statement": "SELECT * FROM tbl WHERE pk = 'me'",
        "Policy": POLICY % TABLE,
        "StreamArn": f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/str", "S3Bucket": "bkt",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}], "ReturnConsumedCapacity": "NONE",
    },
    "dynamodbstreams": {"StreamArn": STREAM, "ShardIterator": f"{STREAM}|1|AAAA"},
    "glue": {
        "Name": "nam", "DatabaseName": "db", "databaseName": "db", "TableName": "tbl", "tableName": "tbl",
        "CatalogId": ACCOUNT, "catalogId": ACCOUNT, "RegistryId": {"RegistryName": "reg"}, "RegistryName": "reg",
        "SchemaId": {"SchemaName": "sch", "RegistryName": "reg"}, "SchemaName": "sch", "SchemaVersionId": KEY_ID,
        "ResourceArn": f"{GLUE}:connection/con", "IntegrationIdentifier": "int", "SourceArn": f"{GLUE}:connection/con",
        "TargetArn": f"{GLUE}:database/db", "ConnectionName": "con", "ConnectionNameList": ["con"], "Names": ["nam"],
        "CrawlerNames": ["cra"], "DevEndpointNames": ["dev"], "JobNames": ["job"], "TriggerNames": ["tri"],
        "TablesToDelete": ["tbl"], "RulesetNames": ["rul"], "FunctionName": "fun", "ResourceType": "SESSION",
        "PolicyInJson": POLICY % f"{GLUE}:catalog", "Region": REGION,
    },
    "lambda": {
        "FunctionName": "fn", "Qualifier": "live", "LayerName": "lay", "VersionNumber": 3, "UUID": "01234567-89ab-cdef-0123-456789abcdef",
        "Name": "live", "CapacityProviderName": "cap", "Resource": FUNCTION, "ResourceArn": FUNCTION,
        "Arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:lay:3", "Principal": "s3.amazonaws.com",
        "Action": "lambda:InvokeFunction", "FunctionVersion": "1", "CallbackId": "callback",
        "CodeSigningConfigArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:code-signing-config:csc-0123456789abcdef0",
        "DurableExecutionArn": f"{FUNCTION}:1/durable-execution/run/id", "EventSourceArn": QUEUE,
        "CapacityProviderArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:capacity-provider:cap",
        "CapacityProviderOperatorRoleArn": ROLE, "Policy": POLICY % FUNCTION,
        "AllowedPublishers": {
            "SigningProfileVersionArns": [f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-profiles/p/1234567890"]
        },
    },
    "acm": {
        "CertificateArn": CERTIFICATE, "AcmeEndpointArn": ACME, "ResourceArn": ACME,
        "AcmeDomainValidationArn": f"{ACME}/acme-domain-validation/{KEY_ID}",
        "AcmeExternalAccountBindingArn": f"{ACME}/acme-external-account-binding/{KEY_ID}",
    },
    "athena": {
        "WorkGroup": "wg", "Name": "nam", "NamedQueryId": KEY_ID, "NamedQueryIds": [KEY_ID], "QueryExecutionId": KEY_ID,
        "QueryExecutionIds": [KEY_ID], "NotebookId": KEY_ID, "SessionId": KEY_ID, "CalculationExecutionId": KEY_ID,
        "CatalogName": "cat", "CapacityReservationName": "res", "WorkGroupNames": ["wg"],
        "ResourceARN": f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/wg",
    },
    "batch": {
        "computeEnvironment": "env", "computeEnvironmentName": "env", "consumableResource": "con",
        "consumableResourceName": "con", "jobQueue": "que", "jobQueueName": "que", "jobDefinition": "def:1",
        "jobDefinitionName": "def", "serviceEnvironment": "sen", "serviceEnvironmentName": "sen", "name": "pol",
        "jobId": KEY_ID, "jobs": [KEY_ID], "quotaShareName": "qsh", "jobName": "job", "resourceArn": f"{BATCH}:job-queue/que",
        "arn": f"{BATCH}:scheduling-policy/pol", "quotaShareArn": f"{BATCH}:job-queue/que/quota-share/qsh",
    },
    "bedrock": {
        "jobIdentifier": "abc123", "jobIdentifiers": ["abc123"], "modelIdentifier": TITAN, "modelId": TITAN,
        "desiredModelId": TITAN, "baseModelIdentifier": TITAN, "modelArn": f"{BEDROCK}:custom-model/a.b/abc",
        "sourceModelArn": f"{BEDROCK}:custom-model/a.b/abc", "guardrailIdentifier": "abc123",
        "policyArn": f"{BEDROCK}:automated-reasoning-policy/abc", "resourceARN": f"{BEDROCK}:guardrail/abc",
        "resourceArn": f"{BEDROCK}:guardrail/abc", "resourcePolicy": POLICY % f"{BEDROCK}:guardrail/abc",
        "inferenceProfileIdentifier": f"{BEDROCK}:application-inference-profile/abc", "copyFrom": TITAN,
        "provisionedModelId": f"{BEDROCK}:provisioned-model/abc", "jobArn": f"{BEDROCK}:model-copy-job/abc",
        "customModelDeploymentIdentifier": f"{BEDROCK}:custom-model-deployment/abc",
        "promptRouterArn": f"{BEDROCK}:prompt-router/abc", "endpointArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/e",
    },
    "codecommit": {
        "repositoryName": "rep", "repositoryNames": ["rep"], "oldName": "rep", "newName": "new", "pullRequestId": "7",
        "commentId": "c0", "inReplyTo": "c0", "resourceArn": f"arn:aws:codecommit:{REGION}:{ACCOUNT}:rep",
    },
    "events": {
        "Name": "nam", "Rule": "rul", "EventBusName": "bus", "ResourceARN": f"{EVENTS}:rule/bus/rul",
        "ConnectionArn": f"{EVENTS}:connection/con/0123-ab", "EventSourceArn": f"{EVENTS}:event-bus/bus",
        "EventBusArn": f"{EVENTS}:event-bus/bus", "Arn": f"{EVENTS}:event-bus/bus", "EventPattern": '{"source":["a"]}',
        "EventSourceName": "aws.partner/example.com/acct/src", "Principal": ACCOUNT, "Action": "events:PutEvents",
        "StatementId": "sid", "Account": ACCOUNT,
    },
    "kinesis": {
        "StreamName": "str", "StreamARN": KINESIS, "ResourceARN": KINESIS, "ConsumerARN": f"{KINESIS}/consumer/con:1",
        "ConsumerName": "con", "ChannelARN": KINESIS.replace("stream/str", "channel/cha"), "Policy": POLICY % KINESIS,
        "ServiceExecutionRoleARN": ROLE,
    },
    "keyspaces": {
        "keyspaceName": "ks", "tableName": "tbl", "typeName": "typ", "sourceKeyspaceName": "ks", "sourceTableName": "tbl",
        "targetKeyspaceName": "ks", "targetTableName": "new", "resourceArn": f"{KEYSPACE}table/tbl",
    },
    "kms": {
        "KeyId": KEY_ID, "TargetKeyId": KEY_ID, "SourceKeyId": KEY_ID, "DestinationKeyId": KEY, "AliasName": "alias/ali",
        "Policy": POLICY % "*", "GranteePrincipal": ROLE, "RetiringPrincipal": ROLE, "ReplicaRegion": "eu-west-1",
        "GrantId": "0" * 64,
    },
    "s3vectors": {
        "vectorBucketName": "bkt", "indexName": "idx", "resourceArn": f"arn:aws:s3vectors:{REGION}:{ACCOUNT}:bucket/bkt",
        "indexArn": f"arn:aws:s3vectors:{REGION}:{ACCOUNT}:bucket/bkt/index/idx",
        "policy": POLICY % "*",
    },
    "scheduler": {
        "Name": "nam", "GroupName": "grp", "ResourceArn": f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/grp",
    },
    "ssm": {
        "Name": "nam", "Names": ["/a/b"], "Path": "/a", "InstanceId": "i-0123456789abcdef0", "Target": "mi-0123",
        "InstanceIds": ["i-0123456789abcdef0"], "DocumentName": "doc", "AssociationIds": ["0123-ab"],
        "AssociationId": "0123-ab", "BaselineId": "pb-0123456789abcdef0", "WindowId": "mw-0123456789abcdef0",
        "OpsItemId": "oi-0123456789ab", "OpsMetadataArn": f"{SSM}:opsmetadata/aws/ssm/app/appmanager",
        "ResourceId": "mi-0123", "ResourceType": "ManagedInstance", "ResourceArn": f"{SSM}:parameter/a/b",
        "IamRole": "app", "ServiceRoleArn": ROLE, "CalendarNames": ["cal"], "SettingId": "/ssm/a/b",
        "Policy": POLICY % "*",
    },
    "stepfunctions": {
        "name": "nam", "stateMachineArn": f"{STATES}:stateMachine:mac", "activityArn": f"{STATES}:activity:act",
        "stateMachineAliasArn": f"{STATES}:stateMachine:mac:PROD", "executionArn": f"{STATES}:execution:mac:run",
        "stateMachineVersionArn": f"{STATES}:stateMachine:mac:1", "mapRunArn": f"{STATES}:mapRun:mac/lab:run",
        "resourceArn": f"{STATES}:stateMachine:mac",
    },
    "route53": {
        "HostedZoneId": ZONE, "Id": ZONE, "ResourceId": ZONE, "ResourceIds": [ZONE], "ResourceType": "hostedzone",
        "HealthCheckId": KEY_ID, "TrafficPolicyId": KEY_ID, "CollectionId": KEY_ID, "DelegationSetId": "N0123",
        "VPC": {"VPCId": "vpc-1", "VPCRegion": REGION},
    },
    "sns": {
        "TopicArn": TOPIC, "ResourceArn": TOPIC, "Name": "top", "SubscriptionArn": f"{TOPIC}:0123-ab", "TargetArn": TOPIC,
        "AWSAccountId": [ACCOUNT], "ActionName": ["Publish"], "AttributeName": "DisplayName",
    },
    "s3control": {
        "AccountId": ACCOUNT, "Name": "nam", "AccessGrantId": "gra", "AccessGrantsLocationId": "loc", "JobId": "job-1",
        "ConfigId": "lens", "ResourceArn": f"{CONTROL}:accesspoint/nam", "IAMRoleArn": ROLE, "Bucket": "bkt",
        "RequestTokenARN": f"{CONTROL}:async-request/mrap/create/tok",
        "Mrap": f"arn:aws:s3::{ACCOUNT}:accesspoint/alias.mrap", "Policy": POLICY % f"{CONTROL}:accesspoint/nam",
    },
    "secretsmanager": {
        "SecretId": SECRET, "Name": "sec", "ResourcePolicy": POLICY % SECRET,
        "SecretIdList": [SECRET], "RotationLambdaARN": FUNCTION,
    },
    "autoscaling": {
        "AutoScalingGroupName": "grp", "LaunchConfigurationName": "cfg", "PolicyName": "pol",
        "LaunchTemplate": {"LaunchTemplateId": "lt-0123456789abcdef0", "Version": "1"},
        "Tags": [{"ResourceId": "grp", "ResourceType": "auto-scaling-group", "Key": "team", "Value": "blue"}],
        "TrafficSources": [{"Identifier": LATTICE, "Type": "vpc-lattice"}],
        "ServiceLinkedRoleARN": ROLE, "RoleARN": ROLE, "VPCZoneIdentifier": "subnet-0123456789abcdef0",
    },
    "apigateway": {
        "resourceArn": f"arn:aws:apigateway:{REGION}::/restapis/abc", "body": b"{}", "httpMethod": "GET",
        "domainNameArn": f"arn:aws:apigateway:{REGION}:{ACCOUNT}:/domainnames/api.example+id", "statusCode": "200",
        "domainNameAccessAssociationArn":
            f"arn:aws:apigateway:{REGION}:{ACCOUNT}:/domainnameaccessassociations/domainname/api.example/vpcesource/vpce-1",
    },
    "apigatewayv2": {"ResourceArn": f"arn:aws:apigateway:{REGION}::/apis/abc", "Body": "{}"},
    "cognito-idp": {
        "UserPoolId": "us-east-1_abc", "ResourceArn": f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/us-east-1_abc",
        "CloudWatchLogsRoleArn": ROLE,
    },
    "cognito-identity": {
        "IdentityPoolId": "us-east-1:0-1", "IdentityId": "us-east-1:0-2",
        "ResourceArn": f"arn:aws:cognito-identity:{REGION}:{ACCOUNT}:identitypool/us-east-1:0-1",
    },
    "ec2": {
        "IamFleetRole": ROLE, "SourceRegion": REGION,
        "IamInstanceProfile": {"Name": "app"}, "DeliverLogsPermissionArn": ROLE,
        "Resources": ["i-0123456789abcdef0"], "LaunchTemplateId": "lt-0123456789abcdef0", "GatewayId": "igw-1",
        "CertificateArn": f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/0-1", "InstanceSpecification": {"InstanceId": "i-1"},
    },
    "elbv2": {
        "Name": "lb", "LoadBalancerArn": BALANCER, "ListenerArn": LISTENER, "RuleArn": RULE,
        "TargetGroupArn": TARGETS, "TrustStoreArn": STORE, "ResourceArns": [BALANCER], "ResourceArn": STORE,
        "RulePriorities": [{"RuleArn": RULE, "Priority": 1}],
        "CaCertificatesBundleS3Bucket": "bkt", "CaCertificatesBundleS3Key": "ca.pem",
    },
    "ecr": {
        "repositoryName": "app/repo", "repositoryNames": ["app/repo"],
        "resourceArn": f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/app/repo", "registryId": ACCOUNT,
        "policyText": '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"ecr:ListImages"}]}',
    },
    "ecs": {
        "cluster": "cls", "clusterName": "cls", "clusters": ["cls"], "service": "svc", "serviceName": "svc",
        "services": ["svc"], "serviceArn": f"{ECS}:service/cls/svc", "task": "tsk", "tasks": ["tsk"],
        "containerInstance": "inst", "containerInstances": ["inst"], "taskSet": "ecs-svc-1", "taskSets": ["ecs-svc-1"],
        "primaryTaskSet": "ecs-svc-1", "taskDefinition": "fam:3", "taskDefinitions": ["fam:3"], "family": "fam",
        "capacityProvider": "cap", "capacityProviders": ["cap"], "daemonName": "dmn", "gateway": "gtw",
        "daemonArn": f"{ECS}:daemon/cls/dmn", "clusterArn": f"{ECS}:cluster/cls", "names": ["gtw"], "name": "cap",
        "daemonDeploymentArns": [f"{ECS}:daemon-deployment/cls/dmn/dep"],
        "daemonRevisionArns": [f"{ECS}:daemon-revision/cls/dmn/rev"],
        "daemonTaskDefinition": "fam:3", "daemonTaskDefinitionArn": f"{ECS}:daemon-task-definition/fam:3",
        "capacityProviderArns": [f"{ECS}:capacity-provider/cap"],
        "serviceDeploymentArn": f"{ECS}:service-deployment/cls/svc/dep",
        "serviceDeploymentArns": [f"{ECS}:service-deployment/cls/svc/dep"],
        "serviceRevisionArns": [f"{ECS}:service-revision/cls/svc/rev"],
        "gatewayRouteArn": f"{ECS}:gateway-route/gtw/id/route", "resourceArn": f"{ECS}:cluster/cls",
        "infrastructureRoleArn": ROLE, "taskRoleArn": ROLE,
        "attributes": [{"name": "a", "value": "b", "targetType": "container-instance", "targetId": "inst"}],
    },
    "rds": {
        "ResourceName": f"{RDS}:db:value", "ResourceIdentifier": f"{RDS}:db:value", "ResourceArn": f"{RDS}:cluster:value",
        "SourceArn": f"{RDS}:cluster:value", "Source": f"{RDS}:db:value", "SourceDBInstanceArn": f"{RDS}:db:value",
        "DBInstanceAutomatedBackupsArn": f"{RDS}:auto-backup:ab-1", "IamRoleArn": ROLE, "S3IngestionRoleArn": ROLE,
        "DomainIAMRoleName": "app", "CustomIamInstanceProfile": "app",
        "SourceDBInstanceAutomatedBackupsArn": f"{RDS}:auto-backup:ab-1", "TargetDbClusterIdentifier": f"{RDS}:cluster:value",
        "DbClusterIdentifier": f"{RDS}:cluster:value", "MonitoringRoleArn": ROLE,
    },
    "logs": {
        "logGroupName": "/grp", "logStreamName": "str", "destinationName": "dst", "id": "deliv", "name": "nam",
        "deliverySourceName": "dsrc", "deliveryDestinationName": "ddst", "lookupTableName": "lut",
        "deliveryDestinationArn": f"{LOGS}:delivery-destination:ddst", "lookupTableArn": f"{LOGS}:lookup-table:lut",
        "anomalyDetectorArn": f"{LOGS}:anomaly-detector:det", "identifier": f"{LOGS}:scheduled-query:sq",
        "logGroupIdentifier": "/grp", "logGroupIdentifiers": ["/grp"], "logGroupNames": ["/grp"],
        "logGroupArnList": [f"{LOGS}:log-group:/grp"], "resourceArn": f"{LOGS}:log-group:/grp",
        "resourceIdentifier": f"{LOGS}:query-result:*", "destinationArn": FUNCTION, "queryString": "fields @message",
        "scheduledQueryArn": f"{LOGS}:scheduled-query:sq", "tableBucketArn": f"arn:aws:s3tables:{REGION}:{ACCOUNT}:bucket/b",
        "accessPolicy": POLICY % f"{LOGS}:destination:dst",
        "deliveryDestinationPolicy": POLICY % f"{LOGS}:delivery-destination:ddst",
        "policyName": "pol", "policyDocument": '{"Fields":["a"]}', "logObjectPointer": "pointer", "logRecordPointer": "pointer",
    },
}  # fmt: skip

LOG_POLICY = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"route53.amazonaws.com"},'
    f'"Action":"logs:PutLogEvents","Resource":"{LOGS}:log-group:/grp:*"}}]}}'
)

# What an operation is about, though its model does not require it.
ALSO: dict[tuple[str, str], tuple[str, ...]] = {
    ("s3", "PutBucketAcl"): ("ACL",),
    ("s3", "PutObjectAcl"): ("ACL",),
    **{
        ("s3vectors", name): ("vectorBucketName",)
        for name in (
            "CreateIndex",
            "DeleteVectorBucket",
            "DeleteVectorBucketPolicy",
            "GetVectorBucket",
            "GetVectorBucketPolicy",
            "ListIndexes",
            "PutVectorBucketDefaultIndexMode",
            "PutVectorBucketPolicy",
        )
    },
    **{
        ("s3vectors", name): ("indexArn",)
        for name in (
            "DeleteIndex",
            "DeleteVectors",
            "GetIndex",
            "GetVectors",
            "ListVectors",
            "PutVectors",
            "QueryVectors",
            "UpdateIndexMode",
        )
    },
    ("cognito-idp", "UpdateManagedLoginBranding"): ("UserPoolId",),
    ("autoscaling", "CreateAutoScalingGroup"): ("LaunchTemplate", "VPCZoneIdentifier"),
    **{
        ("ec2", name): ("LaunchTemplateId",)
        for name in (
            "CreateLaunchTemplateVersion",
            "DeleteLaunchTemplate",
            "DeleteLaunchTemplateVersions",
            "ModifyLaunchTemplate",
        )
    },
    **dict.fromkeys(
        (
            ("glue", "GetSchemaVersion"),
            ("glue", "PutSchemaVersionMetadata"),
            ("glue", "QuerySchemaVersionMetadata"),
            ("glue", "RemoveSchemaVersionMetadata"),
        ),
        ("SchemaId",),
    ),
    ("glue", "CreateTable"): ("TableInput",),
    ("glue", "UpdateTable"): ("TableInput",),
    ("glue", "UpdateJobFromSourceControl"): ("JobName",),
    ("glue", "UpdateSourceControlFromJob"): ("JobName",),
    ("codecommit", "GetBranch"): ("repositoryName",),
    ("dynamodb", "RestoreTableToPointInTime"): ("SourceTableName",),
    ("events", "PutPermission"): ("Action", "Principal", "StatementId"),
    **{
        ("kinesis", name): ("StreamName",)
        for name in (
            "AddTagsToStream",
            "DecreaseStreamRetentionPeriod",
            "DeleteStream",
            "DescribeStream",
            "DescribeStreamSummary",
            "GetShardIterator",
            "IncreaseStreamRetentionPeriod",
            "ListShards",
            "ListTagsForStream",
            "MergeShards",
            "PutRecord",
            "PutRecords",
            "RemoveTagsFromStream",
            "SplitShard",
            "StartStreamEncryption",
            "StopStreamEncryption",
            "UpdateStreamWarmThroughput",
        )
    },
    ("kinesis", "DeregisterStreamConsumer"): ("ConsumerARN",),
    ("kinesis", "DescribeStreamConsumer"): ("ConsumerARN",),
    ("kinesis", "UpdateMaxRecordSize"): ("StreamARN",),
    ("kms", "CreateGrant"): ("GranteePrincipal",),
    ("kms", "Decrypt"): ("KeyId", "CiphertextBlob"),
    ("kms", "ListRetirableGrants"): ("RetiringPrincipal",),
    ("kms", "ReEncrypt"): ("SourceKeyId", "CiphertextBlob"),
    ("kms", "RetireGrant"): ("KeyId", "GrantId"),
    ("logs", "AssociateKmsKey"): ("logGroupName",),
    ("logs", "DescribeLogStreams"): ("logGroupName",),
    ("logs", "DisassociateKmsKey"): ("logGroupName",),
    ("logs", "FilterLogEvents"): ("logGroupName",),
    ("logs", "GetLogEvents"): ("logGroupName",),
    ("logs", "GetLogGroupFields"): ("logGroupName",),
    ("logs", "StartQuery"): ("logGroupName",),
    ("logs", "DeleteResourcePolicy"): ("policyName",),
    ("logs", "PutResourcePolicy"): ("policyName", "policyDocument"),
    ("stepfunctions", "ListExecutions"): ("stateMachineArn",),
    ("ssm", "DeleteAssociation"): ("AssociationId",),
    ("ssm", "DescribeAssociation"): ("AssociationId",),
    ("ssm", "SendCommand"): ("InstanceIds",),
    ("sns", "Publish"): ("TargetArn",),
}

# Members that hold something else in one operation than in the others of its service.
SPECIAL: dict[tuple[str, str], dict[str, Any]] = {
    ("logs", "PutResourcePolicy"): {"policyName": "pol", "policyDocument": LOG_POLICY},
    # Of a function it is decided too whether logs may invoke it (test_exact_logs.py).
    ("logs", "PutSubscriptionFilter"): {"destinationArn": f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/str"},
    **{
        ("events", name): {"Name": "aws.partner/example.com/acct/src"}
        for name in (
            "ActivateEventSource", "CreatePartnerEventSource", "DeactivateEventSource", "DeletePartnerEventSource",
            "DescribeEventSource", "DescribePartnerEventSource",
        )
    },
    ("ssm", "DeregisterManagedInstance"): {"InstanceId": "mi-0123456789abcdef0"},
    ("ssm", "UpdateManagedInstanceRole"): {"InstanceId": "mi-0123456789abcdef0"},
    ("glue", "BatchGetTableOptimizer"): {
        "Entries": [{"catalogId": ACCOUNT, "databaseName": "db", "tableName": "tbl", "type": "compaction"}]
    },
    ("bedrock", "DeleteCustomModel"): {"modelIdentifier": f"{BEDROCK}:custom-model/a.b/abc"},
    ("bedrock", "GetCustomModel"): {"modelIdentifier": f"{BEDROCK}:custom-model/a.b/abc"},
    ("bedrock", "DeleteImportedModel"): {"modelIdentifier": f"{BEDROCK}:imported-model/abc"},
    ("bedrock", "GetImportedModel"): {"modelIdentifier": f"{BEDROCK}:imported-model/abc"},
    ("bedrock", "GetModelCustomizationJob"): {"jobIdentifier": f"{BEDROCK}:model-customization-job/a.b/abc"},
    ("bedrock", "StopModelCustomizationJob"): {"jobIdentifier": f"{BEDROCK}:model-customization-job/a.b/abc"},
    ("bedrock", "GetModelImportJob"): {"jobIdentifier": f"{BEDROCK}:model-import-job/abc"},
    ("bedrock", "CreatePromptRouter"): {"models": [{"modelArn": TITAN}], "fallbackModel": {"modelArn": TITAN}},
    ("bedrock", "CreateEvaluationJob"): {"inferenceConfig": {"models": [{"bedrockModel": {"modelIdentifier": TITAN}}]}},
    ("events", "StartReplay"): {"EventSourceArn": f"{EVENTS}:archive/arc"},
}  # fmt: skip


@cache
def model(service: str) -> ServiceModel:
    """botocore's model of a service."""
    return ServiceModel(create_loader().load_service_model(service, "service-2"), service)


def operations(service: str) -> list[str]:
    """Every operation of a service."""
    return sorted(model(service).operation_names)


def of(service: str, operation: str, *wanted: str) -> dict[str, Any]:
    """What the operation requires, and the members that are wanted beside that (dotted ones within structures)."""
    shape = model(service).operation_model(operation).input_shape
    found = _structure(service, shape, wanted, 6) if shape is not None else {}
    special = SPECIAL.get((service, operation), {})
    return found | {name: value for name, value in special.items() if name in found}


def whole(service: str, operation: str) -> dict[str, Any]:
    """What the operation requires, and what it is about."""
    return of(service, operation, *ALSO.get((service, operation), ()))


def _structure(service: str, shape: Any, wanted: tuple[str, ...], depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    asked = {path.partition(".")[0] for path in wanted}
    names = [name for name in shape.members if name in shape.required_members or name in asked]
    if not names and depth < 6 and shape.members:
        # A structure without a member says nothing, and a union has to have one.
        names = [next(iter(shape.members))]
    for name in names:
        inner = tuple(path.partition(".")[2] for path in wanted if path.startswith(name + "."))
        found[name] = value(service, name, shape.members[name], inner, depth - 1)
    return found


def value(service: str, name: str, shape: Any, wanted: tuple[str, ...] = (), depth: int = 6) -> Any:
    """A value for one member."""
    for known in (NAMED.get(service, {}), NAMED["*"]):
        if known.get(name) is not None and not wanted and _fits(known[name], shape):
            return known[name]
    if depth < 0 and shape.type_name in {"structure", "list", "map"}:
        return {"structure": {}, "list": [], "map": {}}[shape.type_name]
    match shape.type_name:
        case "structure":
            return _structure(service, shape, wanted, depth)
        case "list":
            return [
                value(service, name, shape.member, wanted, depth - 1) for _ in range(shape.metadata.get("min", 1) or 1)
            ]
        case "map":
            key = shape.key.enum[0] if getattr(shape.key, "enum", None) else "key"
            return {key: value(service, name, shape.value, wanted, depth - 1)}
        case "string":
            return _string(shape)
        case other:
            return _SCALARS[other](shape)


def _fits(known: Any, shape: Any) -> bool:
    kinds = {"string": str, "list": list, "map": dict, "structure": dict, "integer": int, "long": int, "blob": bytes}
    return isinstance(known, kinds.get(shape.type_name, ()))


def _string(shape: Any) -> str:
    if getattr(shape, "enum", None):
        return str(shape.enum[0])
    length = shape.metadata.get("min", 0)
    return "value"[: shape.metadata.get("max", 5)].ljust(length, "x")


_SCALARS: dict[str, Callable[[Any], Any]] = {
    "integer": lambda shape: max(1, shape.metadata.get("min", 1)),
    "long": lambda shape: max(1, shape.metadata.get("min", 1)),
    "float": lambda _: 1.5,
    "double": lambda _: 1.5,
    "boolean": lambda _: True,
    "timestamp": lambda _: MOMENT,
    "blob": lambda _: b"data",
}
