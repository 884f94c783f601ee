"""Roles whose trust a service looks at when it assumes them, and not when it is handed them.

AWS: IAM User Guide, "Troubleshoot IAM and Amazon EC2" (troubleshoot_iam-ec2); ECS Developer Guide, "Viewing Amazon ECS
service event messages"; Batch User Guide, "Troubleshooting AWS Batch"; API Gateway says it of a request to the API.
"""

import pytest
from botocore.exceptions import ClientError
from gateway.counting import trusting
from running import ACCOUNT, IMAGE, Refusal, allow

ROLE = f"arn:aws:iam::{ACCOUNT}:role/worker"
NO_TRUST = (
    f"ECS was unable to assume the role '{ROLE}' that was provided for this task. Please verify that the role being "
    "passed has the proper trust relationship and permissions and that your IAM user has permissions to pass this role."
)
TASK = {"family": "f", "taskRoleArn": ROLE, "containerDefinitions": [{"name": "a", "image": "x", "memory": 128}]}
FARGATE = {
    "launchType": "FARGATE",
    "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}},
}


def error_of(call, **given):
    with pytest.raises(ClientError) as caught:
        call(**given)
    return caught.value.response["Error"]


@pytest.fixture
def iam(cloud):
    """A role that trusts Lambda alone, in an instance profile."""
    client = cloud.client("iam")
    client.create_role(RoleName="worker", AssumeRolePolicyDocument=trusting("lambda.amazonaws.com"))
    client.create_instance_profile(InstanceProfileName="worker")
    client.add_role_to_instance_profile(InstanceProfileName="worker", RoleName="worker")
    return client


@pytest.fixture
def may_pass(cloud):
    """`may_pass(service, actions)` is somebody who may do these, and pass the role to that service alone."""

    def make(service, actions, name="passing"):
        passing = allow("iam:PassRole", ROLE, StringEquals={"iam:PassedToService": service})
        return cloud.user(name, allow(actions), passing)

    return make


def test_an_instance_may_have_a_role_that_ec2_cannot_assume(cloud, iam, may_pass):
    given = {"ImageId": IMAGE, "MinCount": 1, "MaxCount": 1, "IamInstanceProfile": {"Name": "worker"}}
    passing = cloud.client("ec2", may_pass("ec2.amazonaws.com", "ec2:*"))
    [told] = passing.run_instances(**given)["Instances"]
    assert told["IamInstanceProfile"]["Arn"] == f"arn:aws:iam::{ACCOUNT}:instance-profile/worker"
    [plain] = cloud.client("ec2").run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1)["Instances"]
    associate = {"InstanceId": plain["InstanceId"], "IamInstanceProfile": {"Name": "worker"}}
    passing.associate_iam_instance_profile(**associate)
    elsewhere = cloud.client("ec2", may_pass("lambda.amazonaws.com", "ec2:*", "elsewhere"))
    for refused in (
        error_of(elsewhere.run_instances, **given),
        error_of(elsewhere.associate_iam_instance_profile, **associate),
    ):
        assert f"iam:PassRole on resource: {ROLE}" in refused["Message"]


def test_a_task_definition_may_have_roles_that_ecs_cannot_assume_and_no_task_runs_with_them(cloud, iam, may_pass):
    admin, passing = cloud.client("ecs"), cloud.client("ecs", may_pass("ecs-tasks.amazonaws.com", "ecs:*"))
    passing.register_task_definition(**TASK)
    elsewhere = cloud.client("ecs", may_pass("lambda.amazonaws.com", "ecs:*", "elsewhere"))
    assert "iam:PassRole" in error_of(elsewhere.register_task_definition, **TASK)["Message"]
    admin.create_cluster(clusterName="default")
    for run in (admin.run_task, passing.run_task):
        assert error_of(run, taskDefinition="f:1", **FARGATE) == {"Code": "ClientException", "Message": NO_TRUST}
    asked = {"Service": "ecs-tasks.amazonaws.com", "RoleArn": ROLE, "ClientToken": "0123456789abcdef"}
    with pytest.raises(Refusal, match="sts:AssumeRole"):
        cloud.iamd("GetWorkloadCredentials", **asked)
    # AWS: the service's events tell of tasks that can't be placed.
    passing.create_service(serviceName="s", taskDefinition="f:1", desiredCount=0)
    assert "iam:PassRole" in error_of(elsewhere.create_service, serviceName="t", taskDefinition="f:1")["Message"]
    iam.update_assume_role_policy(RoleName="worker", PolicyDocument=trusting("ecs-tasks.amazonaws.com"))
    assert cloud.iamd("GetWorkloadCredentials", **asked)["RoleArn"] == ROLE


def test_a_task_is_not_run_with_another_role_that_ecs_cannot_assume(counted):
    counted.aws.client("iam").create_role(
        RoleName="not-for-tasks", AssumeRolePolicyDocument=trusting("lambda.amazonaws.com")
    )
    role = ROLE.replace("worker", "not-for-tasks")
    given = {"taskDefinition": "unknown:1", "overrides": {"taskRoleArn": role}}
    for name, more in (("RunTask", {}), ("StartTask", {"containerInstances": ["c"]})):
        told = counted.call("ecs", name, {**given, **more})
        assert (told.code, told.message, told.sent) == ("ClientException", NO_TRUST.replace(ROLE, role), 0)


def test_an_integration_may_have_a_role_that_api_gateway_cannot_assume(cloud, iam, may_pass):
    client = cloud.client("apigateway")
    api = client.create_rest_api(name="api")
    root = {"restApiId": api["id"], "resourceId": client.get_resources(restApiId=api["id"])["items"][0]["id"]}
    client.put_method(**root, httpMethod="GET", authorizationType="NONE")
    given = {
        **root,
        "httpMethod": "GET",
        "type": "AWS",
        "integrationHttpMethod": "POST",
        "uri": "arn:aws:apigateway:us-east-1:sqs:path/1/q",
        "credentials": ROLE,
    }
    passing = cloud.client("apigateway", may_pass("apigateway.amazonaws.com", "apigateway:*"))
    assert passing.put_integration(**given)["credentials"] == ROLE
    elsewhere = cloud.client("apigateway", may_pass("lambda.amazonaws.com", "apigateway:*", "elsewhere"))
    assert "iam:PassRole" in error_of(elsewhere.put_integration, **given)["Message"]


def test_batch_finds_out_later(cloud, iam, may_pass):
    container = {"image": "x", "jobRoleArn": ROLE, "vcpus": 1, "memory": 128}
    job = {"jobDefinitionName": "j", "type": "container", "containerProperties": container}
    passing = cloud.client("batch", may_pass("ecs-tasks.amazonaws.com", "batch:*"))
    assert passing.register_job_definition(**job)["revision"] == 1
    environment = {"computeEnvironmentName": "env", "type": "UNMANAGED", "serviceRole": ROLE}
    assert "iam:PassRole" in error_of(passing.create_compute_environment, **environment)["Message"]
    of_batch = cloud.client("batch", may_pass("batch.amazonaws.com", "batch:*", "of-batch"))
    of_batch.create_compute_environment(**environment)
