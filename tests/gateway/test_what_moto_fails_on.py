"""Ordinary requests on which the embedded moto fails, answered as AWS answers them."""

import json

import pytest
from gateway.two_accounts import refused
from running import ACCOUNT, REGION, allow

QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:jobs"


@pytest.mark.parametrize("several", [True, False])
def test_a_permission_is_added_beside_statements_without_names(cloud, several):
    """SQS API Reference, AddPermission and RemovePermission."""
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    statement = allow("sqs:GetQueueUrl", QUEUE) | {"Principal": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement] if several else statement}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(document)})
    sqs.add_permission(QueueUrl=url, Label="ours", AWSAccountIds=[ACCOUNT], Actions=["SendMessage"])

    def statements():
        told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
        return json.loads(told)["Statement"]

    first, added = statements()
    assert first == statement
    assert (added["Sid"], added["Action"]) == ("ours", "SQS:SendMessage")
    assert refused(sqs.remove_permission, QueueUrl=url, Label="theirs")[0] == "InvalidParameterValue"
    sqs.remove_permission(QueueUrl=url, Label="ours")
    assert statements() == [statement]


def test_a_cluster_without_instances_runs_no_task_on_one(cloud):
    """ECS API Reference, RunTask and StartTask; Developer Guide, "API failure reasons"."""
    ecs = cloud.client("ecs")
    cluster = ecs.create_cluster(clusterName="c")["cluster"]["clusterArn"]
    ecs.register_task_definition(family="f", containerDefinitions=[{"name": "a", "image": "b", "memory": 100}])
    wanted = ("InvalidParameterException", "No Container Instances were found in your cluster.")
    assert refused(ecs.run_task, cluster="c", taskDefinition="f") == wanted
    assert refused(ecs.run_task, cluster="c", taskDefinition="f", launchType="EC2") == wanted
    told = ecs.start_task(cluster="c", taskDefinition="f", containerInstances=["0123456789abcdef"])
    missing = cluster.replace(":cluster/", ":container-instance/") + "/0123456789abcdef"
    assert (told["tasks"], told["failures"]) == ([], [{"arn": missing, "reason": "MISSING"}])


@pytest.fixture
def fargate(cloud):
    """The cluster `c`, and the definition `f` of a task whose container has no memory of its own."""
    ecs = cloud.client("ecs")
    ecs.create_cluster(clusterName="c")
    define(ecs, "f", networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu="256", memory="512")
    return ecs


def define(ecs, family, container=None, **more):
    containers = [{"name": "a", "image": "b", **(container or {})}]
    ecs.register_task_definition(family=family, containerDefinitions=containers, **more)


def network(subnet, **more):
    return {"networkConfiguration": {"awsvpcConfiguration": {"subnets": [subnet], **more}}}


def groups(ec2, task):
    """The security groups of a task's network interface."""
    [attached] = task["attachments"]
    details = {one["name"]: one["value"] for one in attached["details"]}
    told = ec2.describe_network_interfaces(NetworkInterfaceIds=[details["networkInterfaceId"]])
    return details["subnetId"], [one["GroupId"] for one in told["NetworkInterfaces"][0]["Groups"]]


RUNS = {"launchType": "FARGATE"}, {"capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]}


@pytest.mark.parametrize("how", RUNS, ids=["launch type", "capacity provider"])
def test_a_task_of_fargate_runs_in_the_default_security_group_or_its_own(cloud, fargate, how):
    """ECS API Reference, AwsVpcConfiguration, securityGroups; ContainerDefinition, memory."""
    ec2 = cloud.client("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]
    within = [{"Name": "vpc-id", "Values": [subnet["VpcId"]]}, {"Name": "group-name", "Values": ["default"]}]
    default = ec2.describe_security_groups(Filters=within)["SecurityGroups"][0]["GroupId"]
    own = ec2.create_security_group(GroupName="own", Description="d", VpcId=subnet["VpcId"])["GroupId"]
    for given, wanted in (({}, default), ({"securityGroups": []}, default), ({"securityGroups": [own]}, own)):
        told = fargate.run_task(cluster="c", taskDefinition="f", **how, **network(subnet["SubnetId"], **given))
        [task] = told["tasks"]
        assert (told["failures"], task["lastStatus"]) == ([], "RUNNING")
        assert groups(ec2, task) == (subnet["SubnetId"], [wanted])


def test_a_service_of_fargate_needs_no_security_group(cloud, fargate):
    subnet = cloud.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    given = {"cluster": "c", "taskDefinition": "f", "desiredCount": 1, "launchType": "FARGATE"}
    fargate.create_service(serviceName="s", **given, **network(subnet, assignPublicIp="ENABLED"))
    [shown] = fargate.describe_services(cluster="c", services=["s"])["services"]
    wanted = {"subnets": [subnet], "assignPublicIp": "ENABLED"}
    assert shown["networkConfiguration"]["awsvpcConfiguration"] == wanted
    assert (shown["launchType"], shown["desiredCount"]) == ("FARGATE", 1)


def test_a_network_that_can_not_be_is_refused_in_words_of_ecs(cloud, fargate):
    subnet = cloud.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    none = "Network Configuration must be provided when networkMode 'awsvpc' is specified."
    no_subnet = (
        "Error retrieving subnet information for [subnet-0]: The subnet ID 'subnet-0' does not exist "
        "(ErrorCode: InvalidSubnetID.NotFound)"
    )
    no_group = (
        "Error retrieving security group information for [sg-0]: The security group 'sg-0' does not exist "
        "(ErrorCode: InvalidGroup.NotFound)"
    )
    both = {"cluster": "c", "taskDefinition": "f", "launchType": "FARGATE"}
    for given, words in (
        ({}, none),
        ({"networkConfiguration": {}}, none),
        ({"networkConfiguration": {"awsvpcConfiguration": {"subnets": []}}}, "subnets can not be empty."),
        (network("subnet-0"), no_subnet),
        (network(subnet, securityGroups=["sg-0"]), no_group),
    ):
        wanted = ("InvalidParameterException", words)
        assert refused(fargate.run_task, **both, **given) == wanted
        assert refused(fargate.create_service, **both, serviceName="s", desiredCount=1, **given) == wanted
    assert fargate.list_services(cluster="c")["serviceArns"] == []
    assert fargate.list_tasks(cluster="c")["taskArns"] == []


def test_what_fargate_runs_follows_from_the_definition(cloud, fargate):
    """ECS API Reference, TaskDefinition, compatibilities."""
    subnet = cloud.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    define(fargate, "bridge", {"memory": 64})
    define(fargate, "unsized", {"memory": 64}, networkMode="awsvpc")
    define(fargate, "fits", networkMode="awsvpc", cpu="256", memory="512")
    given = {"cluster": "c", "launchType": "FARGATE", **network(subnet)}
    wanted = ("InvalidParameterException", "Task definition does not support launch_type FARGATE.")
    for family in ("bridge", "unsized"):
        assert refused(fargate.run_task, taskDefinition=family, **given) == wanted
        assert refused(fargate.create_service, taskDefinition=family, serviceName="s", **given) == wanted
    [task] = fargate.run_task(taskDefinition="fits", **given)["tasks"]
    assert task["launchType"] == "FARGATE"


def test_a_launch_configuration_that_is_not_there_is_named(cloud):
    autoscaling = cloud.client("autoscaling")
    wanted = ("ValidationError", "Launch configuration name not found - Launch configuration none not found")
    sizes = {"MinSize": 0, "MaxSize": 1, "AvailabilityZones": [f"{REGION}a"]}
    group = {"AutoScalingGroupName": "g", "LaunchConfigurationName": "none"}
    assert refused(autoscaling.create_auto_scaling_group, **group, **sizes) == wanted
    autoscaling.create_launch_configuration(
        LaunchConfigurationName="there", ImageId="ami-12c6146b", InstanceType="t2.micro"
    )
    autoscaling.create_auto_scaling_group(**group | {"LaunchConfigurationName": "there"}, **sizes)
    assert refused(autoscaling.update_auto_scaling_group, **group, MaxSize=5) == wanted
    [shown] = autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    assert (shown["MaxSize"], shown["LaunchConfigurationName"]) == (1, "there")
    assert refused(autoscaling.delete_launch_configuration, LaunchConfigurationName="none") == wanted


def test_versions_and_aliases_of_a_state_machine_are_started(cloud):
    """Step Functions Developer Guide, "How Step Functions associates executions with a version or alias"."""
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    role = cloud.client("iam").create_role(RoleName="states", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    states = cloud.client("stepfunctions")
    definition = json.dumps({"StartAt": "a", "States": {"a": {"Type": "Pass", "End": True}}})
    made = states.create_state_machine(name="m", definition=definition, roleArn=role, publish=True)
    machine, version = made["stateMachineArn"], made["stateMachineVersionArn"]
    alias = states.create_state_machine_alias(
        name="live", routingConfiguration=[{"stateMachineVersionArn": version, "weight": 100}]
    )["stateMachineAliasArn"]
    assert states.list_executions(stateMachineArn=version)["executions"] == []
    started = {arn: states.start_execution(stateMachineArn=arn)["executionArn"] for arn in (machine, version, alias)}
    keys = ("stateMachineArn", "stateMachineVersionArn", "stateMachineAliasArn")
    for arn, told in (
        (machine, (machine, None, None)),
        (version, (machine, version, None)),
        (alias, (machine, version, alias)),
    ):
        shown = states.describe_execution(executionArn=started[arn])
        assert tuple(map(shown.get, keys)) == told
    listed = states.list_executions(stateMachineArn=version)["executions"]
    assert {one["executionArn"] for one in listed} == {started[version], started[alias]}
    assert {one["stateMachineVersionArn"] for one in listed} == {version}
    assert len(states.list_executions(stateMachineArn=machine)["executions"]) == 3
    assert refused(states.start_execution, stateMachineArn=f"{machine}:9")[0] == "StateMachineDoesNotExist"


def test_a_mesh_is_described(cloud):
    """App Mesh API Reference, DescribeMesh; moto takes none for the mesh of an account, but says so."""
    appmesh = cloud.client("appmesh")
    appmesh.create_mesh(meshName="m")
    assert appmesh.describe_mesh(meshName="m")["mesh"]["meshName"] == "m"
    assert refused(appmesh.describe_mesh, meshName="m", meshOwner="111122223333")[0] == "MeshOwnerDoesNotMatch"
    assert refused(appmesh.describe_mesh, meshName="none")[0] == "MeshNotFound"


def test_a_cluster_of_msk_that_is_not_there_is_not_found(cloud):
    """MSK API Reference, DescribeCluster, DescribeClusterV2, DeleteCluster."""
    kafka, arn = cloud.client("kafka"), f"arn:aws:kafka:{REGION}:{ACCOUNT}:cluster/none/abc-1"
    for call in (kafka.describe_cluster, kafka.describe_cluster_v2, kafka.delete_cluster):
        assert refused(call, ClusterArn=arn) == ("NotFoundException", f"The cluster {arn} does not exist.")
    serverless = {"VpcConfigs": [{"SubnetIds": ["subnet-1"]}]}
    made = kafka.create_cluster_v2(ClusterName="c", Serverless=serverless)["ClusterArn"]
    assert kafka.describe_cluster_v2(ClusterArn=made)["ClusterInfo"]["ClusterName"] == "c"


def test_what_moto_says_that_it_does_not_implement_is_said_to_be_so(cloud):
    ram = cloud.client("ram")
    assert ram.get_resource_shares(resourceOwner="SELF")["resourceShares"] == []
    assert refused(ram.get_resource_shares, resourceOwner="OTHER-ACCOUNTS")[0] == "NotImplemented"


def test_nothing_is_renamed_in_a_general_purpose_bucket(cloud, other):
    """S3 API Reference, RenameObject: it is of directory buckets."""
    cloud.client("s3").create_bucket(Bucket="files")
    for of in (None, other):
        s3 = cloud.client("s3", of)
        assert refused(s3.rename_object, Bucket="files", Key="b", RenameSource="/files/a")[0] == "NotImplemented"
