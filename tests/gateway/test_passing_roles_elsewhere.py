"""Roles by name, in instance profiles, among settings and within texts need iam:PassRole, and the role's trust."""

import json

import pytest
from gateway.counting import trusting
from running import ACCOUNT, allow

ROLE = f"arn:aws:iam::{ACCOUNT}:role/elsewhere/worker"
PROFILE = f"arn:aws:iam::{ACCOUNT}:instance-profile/worker"
SERVICES = (
    "cognito-idp", "codebuild", "datapipeline", "dms", "ec2", "elasticbeanstalk", "elasticmapreduce", "imagebuilder",
    "logs", "rds", "reveal-samples.macie",
)  # fmt: skip


@pytest.fixture(scope="module")
def roles(counted):
    iam = counted.aws.client("iam")
    services = [f"{one}.amazonaws.com" for one in SERVICES]
    iam.create_role(RoleName="worker", Path="/elsewhere/", AssumeRolePolicyDocument=trusting(*services))
    iam.create_role(RoleName="stranger", AssumeRolePolicyDocument=trusting("lambda.amazonaws.com"))
    iam.create_instance_profile(InstanceProfileName="worker")
    iam.add_role_to_instance_profile(InstanceProfileName="worker", RoleName="worker")
    return counted


def option(namespace, name, value):
    return {"OptionSettings": [{"Namespace": namespace, "OptionName": name, "Value": value}]}


ENVIRONMENT = {"ApplicationName": "app"}
PIPELINE = {
    "pipelineId": "df-1",
    "pipelineObjects": [{"id": "Default", "name": "Default", "fields": [{"key": "role", "stringValue": "worker"}]}],
}
PROVIDER = {
    "name": "provider",
    "managedInstancesProvider": {
        "infrastructureRoleArn": f"arn:aws:iam::{ACCOUNT}:role/app",
        "instanceLaunchTemplate": {
            "ec2InstanceProfileArn": PROFILE,
            "networkConfiguration": {"subnets": ["subnet-1"]},
        },
    },
}
SMS = {"SnsRegion": "us-east-1", "EumsSms": {"CallerArn": ROLE, "OriginationIdentity": "x"}}
OPTIONS = {"OptionName": "SQLSERVER_AUDIT", "OptionSettings": [{"Name": "IAM_ROLE_ARN", "Value": ROLE}]}
NOTEBOOK = {"ExecutionEngine": {"Id": "j-1"}, "ServiceRole": "worker"}
CASES = [
    ("codebuild", "StartBuildBatch", {"projectName": "p", "serviceRoleOverride": "worker"}, "codebuild"),
    ("codebuild", "StartBuild", {"projectName": "p", "serviceRoleOverride": "/elsewhere/worker"}, "codebuild"),
    ("cognito-idp", "CreateUserPool", {"PoolName": "p", "SmsConfiguration": SMS}, "cognito-idp"),
    ("datapipeline", "PutPipelineDefinition", PIPELINE, "datapipeline"),
    (
        "dms",
        "ModifyEndpoint",
        {
            "EndpointArn": f"arn:aws:dms:us-east-1:{ACCOUNT}:endpoint:E",
            "ExtraConnectionAttributes": f"serviceAccessRoleArn={ROLE}",
        },
        "dms",
    ),
    ("ecs", "CreateCapacityProvider", PROVIDER, "ec2"),
    (
        "elasticbeanstalk",
        "CreateEnvironment",
        {**ENVIRONMENT, **option("aws:elasticbeanstalk:environment", "ServiceRole", "worker")},
        "elasticbeanstalk",
    ),
    (
        "elasticbeanstalk",
        "UpdateEnvironment",
        {**ENVIRONMENT, **option("aws:autoscaling:launchconfiguration", "IamInstanceProfile", "worker")},
        "ec2",
    ),
    ("emr", "StartNotebookExecution", NOTEBOOK, "elasticmapreduce"),
    ("imagebuilder", "CreateInfrastructureConfiguration", {"name": "i", "instanceProfileName": "worker"}, "ec2"),
    (
        "logs",
        "PutAccountPolicy",
        {
            "policyName": "p",
            "policyType": "SUBSCRIPTION_FILTER_POLICY",
            "policyDocument": json.dumps({"DestinationArn": "arn:aws:kinesis:us-east-1:1:stream/s", "RoleArn": ROLE}),
        },
        "logs",
    ),
    (
        "macie2",
        "UpdateRevealConfiguration",
        {
            "configuration": {"status": "ENABLED"},
            "retrievalConfiguration": {"retrievalMode": "ASSUME_ROLE", "roleName": "worker"},
        },
        "reveal-samples.macie",
    ),
    (
        "rds",
        "CreateDBInstance",
        {"DBInstanceIdentifier": "d", "DBInstanceClass": "c", "Engine": "e", "DomainIAMRoleName": "worker"},
        "rds",
    ),
    ("rds", "ModifyOptionGroup", {"OptionGroupName": "g", "OptionsToInclude": [OPTIONS]}, "rds"),
]


@pytest.mark.parametrize(("service", "operation", "given", "principal"), CASES)
def test_the_role_is_passed_to_the_service_that_assumes_it(roles, service, operation, given, principal):
    told = roles.call(service, operation, given)
    passed = [one for one in told.decisions if one["Action"] == "iam:PassRole" and one["Resource"] == ROLE]
    assert [one["Context"]["iam:passedtoservice"] for one in passed] == [[f"{principal}.amazonaws.com"]]
    assert told.code == ""
    nobody = roles.user("passes-nothing", allow("*"), {"Effect": "Deny", "Action": "iam:PassRole", "Resource": ROLE})
    refused = roles.call(service, operation, given, nobody)
    assert (refused.sent, "iam:PassRole" in refused.message) == (0, True)


@pytest.mark.parametrize("named", ["stranger", "nobody", "other/worker"])
def test_a_role_by_name_must_be_there_and_trust_the_service(roles, named):
    refused = roles.call("codebuild", "StartBuildBatch", {"projectName": "p", "serviceRoleOverride": named})
    assert refused.sent == 0
    assert "CodeBuild is not authorized to perform: sts:AssumeRole on service role" in refused.message


def test_a_pipeline_whose_role_is_worked_out_later_is_refused(roles):
    fields = [{"key": "role", "stringValue": "#{myRole}"}]
    given = {**PIPELINE, "pipelineObjects": [{"id": "Default", "name": "Default", "fields": fields}]}
    refused = roles.call("datapipeline", "PutPipelineDefinition", given)
    assert (refused.code, refused.sent) == ("InvalidRequestException", 0)


def test_a_finding_that_names_a_role_hands_nothing_over(roles):
    finding = {
        "SchemaVersion": "2018-10-08", "Id": "f", "ProductArn": "arn:aws:securityhub:us-east-1::product/a/b",
        "GeneratorId": "g", "AwsAccountId": ACCOUNT, "CreatedAt": "2026-01-01T00:00:00Z",
        "UpdatedAt": "2026-01-01T00:00:00Z", "Severity": {}, "Title": "t", "Description": "d",
        "Resources": [{"Type": "AwsLambdaFunction", "Id": "i", "Details": {"AwsLambdaFunction": {"Role": ROLE}}}],
    }  # fmt: skip
    told = roles.call("securityhub", "BatchImportFindings", {"Findings": [finding]})
    assert {action for action, _ in told.asked} == {"securityhub:BatchImportFindings"}
