"""Nothing is made in the place of what has its name: who may make something may not end what is another's."""

import json

import pytest
from gateway import parameters
from gateway.counting import TRUSTED
from gateway.two_accounts import error_of

SERVICES = (*TRUSTED, "backup.amazonaws.com", "kinesisanalytics.amazonaws.com", "sagemaker.amazonaws.com")
MORE = ("synthetics.amazonaws.com", "iot.amazonaws.com", "events.amazonaws.com")
TAKEN = [
    ("apigateway", "CreateDomainName", "ConflictException"),
    ("appmesh", "CreateMesh", "ConflictException"),
    ("backup", "CreateReportPlan", "AlreadyExistsException"),
    ("events", "CreateApiDestination", "ResourceAlreadyExistsException"),
    ("events", "CreateConnection", "ResourceAlreadyExistsException"),
    ("glue", "CreateJob", "AlreadyExistsException"),
    ("glue", "CreateTrigger", "AlreadyExistsException"),
    ("glue", "CreateWorkflow", "AlreadyExistsException"),
    ("iot", "CreateJob", "ResourceAlreadyExistsException"),
    ("kinesisanalyticsv2", "CreateApplication", "ResourceInUseException"),
    ("mediapackage", "CreateChannel", "UnprocessableEntityException"),
    ("mediapackage", "CreateOriginEndpoint", "UnprocessableEntityException"),
    ("mediapackagev2", "CreateChannelGroup", "ConflictException"),
    ("mediastore", "CreateContainer", "ContainerInUseException"),
    ("opensearch", "CreateDomain", "ResourceAlreadyExistsException"),
    ("rds", "CreateDBSecurityGroup", "DBSecurityGroupAlreadyExists"),
    ("redshift", "CreateClusterParameterGroup", "ClusterParameterGroupAlreadyExists"),
    ("redshift", "CreateClusterSecurityGroup", "ClusterSecurityGroupAlreadyExists"),
    ("sagemaker", "CreateExperiment", "ValidationException"),
    ("sagemaker", "CreateModel", "ValidationException"),
    ("sagemaker", "CreateModelPackageGroup", "ValidationException"),
    ("sagemaker", "CreateProcessingJob", "ResourceInUse"),
    ("sagemaker", "CreateTransformJob", "ResourceInUse"),
    ("sagemaker", "CreateTrialComponent", "ValidationException"),
    ("synthetics", "CreateCanary", "ConflictException"),
    ("timestream-write", "CreateDatabase", "ConflictException"),
]


@pytest.fixture(scope="module")
def made(shared_cloud):
    """An iamd with the role that what is made is handed; it is not reset between these tests."""
    with shared_cloud.reset() as cloud:
        trust = {"Effect": "Allow", "Principal": {"Service": [*SERVICES, *MORE]}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        cloud.client("iam").create_role(RoleName="app", AssumeRolePolicyDocument=document)
        yield cloud


@pytest.mark.parametrize(("service", "operation", "code"), TAKEN)
def test_a_name_that_is_taken_is_refused(made, service, operation, code):
    client = made.client(service, inject_host_prefix=False)
    given = parameters.of(service, operation)
    client._make_api_call(operation, dict(given))
    assert error_of(client._make_api_call, operation_name=operation, api_params=dict(given))["Code"] == code


def test_a_domain_of_a_user_pool_stays_that_pools(cloud):
    cognito = cloud.client("cognito-idp")
    mine, other = (cognito.create_user_pool(PoolName=name)["UserPool"]["Id"] for name in ("mine", "other"))
    cognito.create_user_pool_domain(UserPoolId=other, Domain="login")
    error = error_of(cognito.create_user_pool_domain, UserPoolId=mine, Domain="login")
    assert error["Code"] == "InvalidParameterException"
    assert cognito.describe_user_pool_domain(Domain="login")["DomainDescription"]["UserPoolId"] == other


def test_a_table_of_timestream_keeps_its_place(cloud):
    timestream = cloud.client("timestream-write", inject_host_prefix=False)
    for name in ("one", "two"):
        timestream.create_database(DatabaseName=name)
        timestream.create_table(DatabaseName=name, TableName="table")
    error = error_of(timestream.create_table, DatabaseName="one", TableName="table")
    assert error["Code"] == "ConflictException"


def test_groups_of_auto_scaling_and_databases_keep_their_place(cloud):
    scaling, rds = cloud.client("autoscaling"), cloud.client("rds")
    configuration = {"LaunchConfigurationName": "lc", "ImageId": "ami-03cf127a", "InstanceType": "t2.micro"}
    group = {"AutoScalingGroupName": "grp", "LaunchConfigurationName": "lc", "MinSize": 0, "MaxSize": 0}
    group["AvailabilityZones"] = ["us-east-1a"]
    subnets = [one["SubnetId"] for one in cloud.client("ec2").describe_subnets()["Subnets"]][:2]
    for call, given, code in (
        (scaling.create_launch_configuration, configuration, "AlreadyExists"),
        (scaling.create_auto_scaling_group, group, "AlreadyExists"),
        (
            rds.create_db_subnet_group,
            {"DBSubnetGroupName": "grp", "DBSubnetGroupDescription": "d", "SubnetIds": subnets},
            "DBSubnetGroupAlreadyExists",
        ),
        (
            rds.create_global_cluster,
            {"GlobalClusterIdentifier": "all", "Engine": "aurora-mysql"},
            "GlobalClusterAlreadyExistsFault",
        ),
    ):
        call(**given)
        assert error_of(call, **given)["Code"] == code
