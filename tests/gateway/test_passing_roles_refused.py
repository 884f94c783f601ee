"""What each service answers when it is handed a role that it can't assume: its own code and words, where they are known.

The sources stand beside the rows of `iamd/gateway/actions/role_refusals.toml`.
"""

import json

import pytest
from gateway.counting import trusting
from running import ACCOUNT, REGION

from iamd.gateway.actions import role_refusals
from iamd.wire.models import service

ROLE = f"arn:aws:iam::{ACCOUNT}:role/pollys"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"
STREAM = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/s"
FUNCTION = {"FunctionName": "f", "Runtime": "python3.13", "Handler": "i.h", "Code": {"ZipFile": b"x"}, "Role": ROLE}
MACHINE = {"name": "m", "definition": "{}", "roleArn": ROLE}
RULE = {"Name": "r", "ScheduleExpression": "rate(5 minutes)", "RoleArn": ROLE}
PROJECT = {
    "name": "project",
    "source": {"type": "NO_SOURCE"},
    "artifacts": {"type": "NO_ARTIFACTS"},
    "environment": {"type": "LINUX_CONTAINER", "image": "x", "computeType": "BUILD_GENERAL1_SMALL"},
    "serviceRole": ROLE,
}
STEP = {"name": "A", "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"}}
STAGES = [{"name": name, "actions": [STEP]} for name in ("one", "two")]
PIPELINE = {"name": "p", "roleArn": ROLE, "artifactStore": {"type": "S3", "location": "bucket"}, "stages": STAGES}
INSTANCE = {"DBInstanceIdentifier": "d", "DBInstanceClass": "c", "Engine": "mysql", "MonitoringRoleArn": ROLE}
FLOW = {
    "ResourceIds": ["vpc-12345678"], "ResourceType": "VPC", "TrafficType": "ALL", "LogGroupName": "g",
    "DeliverLogsPermissionArn": ROLE,
}  # fmt: skip
SCHEDULE = {
    "Name": "s", "ScheduleExpression": "rate(5 minutes)", "FlexibleTimeWindow": {"Mode": "OFF"},
    "Target": {"Arn": QUEUE, "RoleArn": ROLE},
}  # fmt: skip
FILTER = {"logGroupName": "g", "filterName": "f", "filterPattern": "", "destinationArn": STREAM, "roleArn": ROLE}
DEPLOYED = {"applicationName": "a", "deploymentGroupName": "g", "serviceRoleArn": ROLE}
NODES = {"clusterName": "c", "nodegroupName": "n", "subnets": ["subnet-1"], "nodeRole": ROLE}
POD = {"fargateProfileName": "f", "clusterName": "c", "podExecutionRoleArn": ROLE}
JOB = {"Name": "j", "Role": ROLE, "Command": {"Name": "glueetl", "ScriptLocation": "s3://x/y"}}
ACCOUNT_PATCH = {"patchOperations": [{"op": "replace", "path": "/cloudwatchRoleArn", "value": ROLE}]}
OUT = {
    "DeliveryStreamName": "d",
    "ExtendedS3DestinationConfiguration": {"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::bucket"},
}
HOOK = {"AutoScalingGroupName": "g", "LifecycleHookName": "h"}
SAID = [
    (
        "lambda", "CreateFunction", FUNCTION, "InvalidParameterValueException",
        "The role defined for the function cannot be assumed by Lambda.",
    ),
    (
        "stepfunctions", "CreateStateMachine", MACHINE, "AccessDeniedException",
        ("Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the "
        "provided role."),
    ),
    (
        "events", "PutRule", RULE, "ValidationException",
        f"Provided role '{ROLE}' cannot be assumed by principal 'events.amazonaws.com'.",
    ),
    (
        "firehose", "CreateDeliveryStream", OUT, "InvalidArgumentException",
        f"Firehose is unable to assume role {ROLE}. Please check the role provided.",
    ),
    (
        "glue", "CreateJob", JOB, "InvalidInputException",
        "Service is unable to assume provided role. Please verify role's TrustPolicy.",
    ),
    (
        "codebuild", "CreateProject", PROJECT, "InvalidInputException",
        ("CodeBuild is not authorized to perform: sts:AssumeRole on service role. Please verify that: 1) The provided "
        "service role exists, 2) The role name is case-sensitive and matches exactly, and 3) The role has the necessary "
        "trust policy configured."),
    ),
    (
        "codepipeline", "CreatePipeline", {"pipeline": PIPELINE}, "InvalidStructureException",
        f"CodePipeline is not authorized to perform AssumeRole on role {ROLE}",
    ),
    (
        "codedeploy", "CreateDeploymentGroup", DEPLOYED, "InvalidRoleException",
        f"AWS CodeDeploy does not have the permissions required to assume the role {ROLE}.",
    ),
    (
        "logs", "PutSubscriptionFilter", FILTER, "ValidationException",
        "Make sure you have given CloudWatch Logs permission to assume the provided role.",
    ),
    (
        "rds", "CreateDBInstance", INSTANCE, "InvalidParameterValue",
        "IAM role ARN value is invalid or does not include the required permissions for: ENHANCED_MONITORING",
    ),
    (
        "apigateway", "UpdateAccount", ACCOUNT_PATCH, "BadRequestException",
        ("The role ARN does not have required permissions configured. Please grant trust permission for API Gateway and "
        "add the required role policy."),
    ),
    (
        "eks", "CreateCluster", {"name": "c", "roleArn": ROLE, "resourcesVpcConfig": {}}, "InvalidParameterException",
        f"Role with arn: {ROLE} could not be assumed because it does not exist or the trusted entity is not correct",
    ),
    (
        "eks", "CreateNodegroup", NODES, "InvalidParameterException",
        (f"Following required service principals [ec2.amazonaws.com] were not found in the trust relationships of "
        f"nodeRole {ROLE}"),
    ),
    (
        "eks", "CreateFargateProfile", POD, "InvalidParameterException",
        "Misconfigured PodExecutionRole Trust Policy; Please add the eks-fargate-pods.amazonaws.com Service Principal",
    ),
    ("ec2", "CreateFlowLogs", FLOW, "InvalidParameter", "Unable to assume given IAM role"),
    (
        "scheduler", "CreateSchedule", SCHEDULE, "ValidationException",
        "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
    ),
    (
        "cognito-idp", "CreateUserPool", {"PoolName": "p", "SmsConfiguration": {"SnsCallerArn": ROLE}},
        "InvalidSmsRoleTrustRelationshipException",
        "Role does not have a trust relationship allowing Cognito to assume the role",
    ),
    (
        "sagemaker", "CreateModel", {"ModelName": "m", "ExecutionRoleArn": ROLE}, "ValidationException",
        (f"Could not assume role {ROLE}. Please ensure that the role exists and allows principal "
        "'sagemaker.amazonaws.com' to assume the role."),
    ),
    (
        "ssm", "CreateActivation", {"IamRole": "pollys"}, "ValidationException",
        f"Nonexistent role or missing ssm service principal in trust policy: {ROLE}",
    ),
    (
        "ec2",
        "ImportSnapshot",
        {"RoleName": "pollys"},
        "InvalidParameter",
        "The service role pollys provided does not exist or does not have sufficient permissions",
    ),
    (
        "autoscaling",
        "PutLifecycleHook",
        {**HOOK, "NotificationTargetARN": QUEUE, "RoleARN": ROLE},
        "ValidationError",
        (
            f"Unable to publish test message to notification target {QUEUE} using IAM role {ROLE}. Please check your "
            "target and role configuration and try to put lifecycle hook again."
        ),
    ),
    (
        "ecs",
        "CreateService",
        {"serviceName": "s", "role": "pollys"},
        "InvalidParameterException",
        (
            "Unable to assume role and validate the listeners configured on your load balancer. Please verify that the ECS "
            "service role being passed has the proper permissions."
        ),
    ),
    # The codes of those whose words are not known.
    (
        "athena", "CreateWorkGroup", {"Name": "w", "Configuration": {"ExecutionRole": ROLE}}, "InvalidRequestException",
        f"The role {ROLE} cannot be assumed by athena.amazonaws.com.",
    ),
    (
        "rds", "AddRoleToDBCluster", {"DBClusterIdentifier": "c", "RoleArn": ROLE}, "InvalidParameterValue",
        f"The role {ROLE} cannot be assumed by rds.amazonaws.com.",
    ),
    (
        "pipes", "CreatePipe", {"Name": "p", "RoleArn": ROLE, "Source": QUEUE, "Target": QUEUE}, "ValidationException",
        f"The role {ROLE} cannot be assumed by pipes.amazonaws.com.",
    ),
    (
        "s3", "PutBucketReplication", {"Bucket": "bucket", "ReplicationConfiguration": {"Role": ROLE, "Rules": []}},
        "InvalidRequest", f"The role {ROLE} cannot be assumed by s3.amazonaws.com.",
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def strange(counted):
    counted.aws.client("iam").create_role(RoleName="pollys", AssumeRolePolicyDocument=trusting("polly.amazonaws.com"))
    return counted


@pytest.mark.parametrize(("name", "operation", "given", "code", "words"), SAID)
def test_a_role_that_does_not_trust_the_service_is_refused_in_its_words(strange, name, operation, given, code, words):
    told = strange.call(name, operation, given)
    assert (told.status, told.code, told.message, told.sent) == (400, code, words, 0)


@pytest.mark.parametrize(("name", "operation", "given", "code", "words"), SAID[:4])
def test_a_role_that_is_not_there_is_refused_alike(strange, name, operation, given, code, words):
    other = json.loads(json.dumps(given, default=lambda _: "").replace(ROLE, f"{ROLE}-none"))
    told = strange.call(name, operation, other)
    assert (told.code, told.message, told.sent) == (code, words.replace(ROLE, f"{ROLE}-none"), 0)


def test_every_row_is_of_a_service_and_operations_that_there_are():
    for row in role_refusals.table():
        found = service(row.service)
        assert set(row.operations) <= set(found.operation_names)


def test_a_code_that_the_model_has_only_by_its_shape_is_told_as_it_is_on_the_wire():
    put = service("cloudwatch").operation("PutMetricStream")
    assert role_refusals.neutral_code(put) == "InvalidParameterValue"
