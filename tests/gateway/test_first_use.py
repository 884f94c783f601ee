"""Service-linked roles that appear when their service is first used, before the embedded backend."""

import pytest
from botocore.exceptions import ClientError
from gateway.parameters import ACCOUNT, model
from running import allow

from iamd.data.service_linked_roles import service_linked_role
from iamd.gateway import first_use

AUTO_SCALING = "AWSServiceRoleForAutoScaling"
MAKING = "iam:CreateServiceLinkedRole"
GROUP = {
    "AutoScalingGroupName": "web",
    "LaunchConfigurationName": "cfg",
    "MinSize": 0,
    "MaxSize": 0,
    "AvailabilityZones": ["us-east-1a"],
}


def roles(cloud):
    found = cloud.client("iam").list_roles(PathPrefix="/aws-service-role/")["Roles"]
    return [role["RoleName"] for role in found]


def arn_of(service):
    role = service_linked_role(service)
    return f"arn:aws:iam::{ACCOUNT}:role{role.path}{role.role_name}"


@pytest.fixture
def scaling(cloud):
    """A launch configuration to make groups with."""
    client = cloud.client("autoscaling")
    client.create_launch_configuration(LaunchConfigurationName="cfg", ImageId="ami-12c6146b", InstanceType="t2.micro")
    return client


def test_the_first_group_brings_the_role_with_it_and_no_other_does(cloud, scaling):
    scaling.create_auto_scaling_group(**GROUP)
    role = cloud.client("iam").get_role(RoleName=AUTO_SCALING)["Role"]
    assert role["Arn"] == arn_of("autoscaling.amazonaws.com")
    [attached] = cloud.client("iam").list_attached_role_policies(RoleName=AUTO_SCALING)["AttachedPolicies"]
    assert attached["PolicyName"] == "AutoScalingServiceRolePolicy"
    scaling.create_auto_scaling_group(**GROUP | {"AutoScalingGroupName": "two"})
    assert roles(cloud) == [AUTO_SCALING]
    assert len(cloud.events("CreateServiceLinkedRole")) == 1


def test_it_is_recorded_as_the_callers_request_invoked_by_the_service(cloud, scaling):
    scaling.create_auto_scaling_group(**GROUP)
    [event] = cloud.events("CreateServiceLinkedRole")
    identity = event["userIdentity"]
    assert (identity["type"], identity["userName"]) == ("IAMUser", "admin")
    assert identity["invokedBy"] == event["sourceIPAddress"] == event["userAgent"] == "autoscaling.amazonaws.com"
    assert (event["eventSource"], event["awsRegion"]) == ("iam.amazonaws.com", "us-east-1")
    assert event["requestParameters"] == {"aWSServiceName": "autoscaling.amazonaws.com"}
    assert event["responseElements"]["role"]["roleName"] == AUTO_SCALING


def test_whoever_may_not_make_the_role_is_refused_in_the_services_words_and_nothing_is_made(cloud, scaling):
    user = cloud.user("james", allow("autoscaling:*"))
    with pytest.raises(ClientError) as refused:
        cloud.client("autoscaling", user).create_auto_scaling_group(**GROUP)
    error = refused.value.response["Error"]
    assert error["Code"] == "AccessDenied"
    assert error["Message"] == (
        "The default Service-Linked Role for Auto Scaling could not be created. "
        f"User: arn:aws:iam::{ACCOUNT}:user/james is not authorized to perform: {MAKING} on resource: "
        f"{arn_of('autoscaling.amazonaws.com')} because no identity-based policy allows the {MAKING} action"
    )
    assert roles(cloud) == []
    assert scaling.describe_auto_scaling_groups()["AutoScalingGroups"] == []


def test_the_role_of_that_service_through_that_service_is_all_that_is_needed(cloud, scaling):
    condition = {
        "StringEquals": {"iam:AWSServiceName": "autoscaling.amazonaws.com"},
        "Bool": {"aws:ViaAWSService": "true"},
    }
    user = cloud.user("james", allow("autoscaling:*"), allow(MAKING, arn_of("autoscaling.amazonaws.com"), **condition))
    with pytest.raises(ClientError, match="AccessDenied"):
        cloud.client("iam", user).create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")
    cloud.client("autoscaling", user).create_auto_scaling_group(**GROUP)
    assert roles(cloud) == [AUTO_SCALING]


def test_where_the_role_is_nobody_needs_to_be_allowed_to_make_it(cloud, scaling):
    scaling.create_auto_scaling_group(**GROUP)
    user = cloud.user("james", allow("autoscaling:*"))
    cloud.client("autoscaling", user).create_auto_scaling_group(**GROUP | {"AutoScalingGroupName": "two"})
    assert len(scaling.describe_auto_scaling_groups()["AutoScalingGroups"]) == 2


def test_a_group_with_a_role_of_its_own_does_not_bring_the_default_one(cloud, scaling):
    made = cloud.client("iam").create_service_linked_role(
        AWSServiceName="autoscaling.amazonaws.com", CustomSuffix="blue"
    )
    scaling.create_auto_scaling_group(**GROUP, ServiceLinkedRoleARN=made["Role"]["Arn"])
    assert roles(cloud) == [f"{AUTO_SCALING}_blue"]


def test_what_the_backend_refuses_brings_no_role(cloud, scaling):
    with pytest.raises(ClientError):
        scaling.create_auto_scaling_group(**GROUP | {"LaunchConfigurationName": "absent"})
    assert roles(cloud) == []


def test_a_role_that_was_deleted_comes_back_with_the_next_use(cloud, scaling):
    scaling.create_auto_scaling_group(**GROUP)
    scaling.delete_auto_scaling_group(AutoScalingGroupName="web")
    cloud.client("iam").delete_service_linked_role(RoleName=AUTO_SCALING)
    assert roles(cloud) == []
    scaling.create_auto_scaling_group(**GROUP)
    assert roles(cloud) == [AUTO_SCALING]


def test_a_cluster_is_made_without_the_role_by_whoever_may_not_make_it(cloud):
    user = cloud.user("james", allow("ecs:*"))
    assert cloud.client("ecs", user).create_cluster(clusterName="one")["cluster"]["status"] == "ACTIVE"
    assert roles(cloud) == []
    [event] = cloud.events("CreateServiceLinkedRole")
    assert (event["errorCode"], event["userIdentity"]["userName"]) == ("AccessDenied", "james")
    assert event["userIdentity"]["invokedBy"] == "ecs.amazonaws.com"
    cloud.client("ecs").create_cluster(clusterName="two")
    assert roles(cloud) == ["AWSServiceRoleForECS"]


def test_spot_instances_need_the_role_and_others_do_not(cloud):
    user = cloud.user("james", allow("ec2:*"))
    given = {"ImageId": "ami-12c6146b", "MinCount": 1, "MaxCount": 1, "InstanceType": "t2.micro"}
    cloud.client("ec2", user).run_instances(**given)
    with pytest.raises(ClientError) as refused:
        cloud.client("ec2", user).run_instances(**given, InstanceMarketOptions={"MarketType": "spot"})
    assert refused.value.response["Error"] == {
        "Code": "AuthFailure.ServiceLinkedRoleCreationNotPermitted",
        "Message": "The provided credentials do not have permission to create the service-linked role for EC2 Spot "
        "Instances.",
    }
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    cloud.client("ec2").run_instances(**given, InstanceMarketOptions={"MarketType": "spot"})
    assert roles(cloud) == ["AWSServiceRoleForEC2Spot"]


def test_a_load_balancer_brings_its_role(cloud):
    ec2 = cloud.client("ec2")
    subnets = [one["SubnetId"] for one in ec2.describe_subnets()["Subnets"][:2]]
    cloud.client("elbv2").create_load_balancer(Name="web", Subnets=subnets)
    assert roles(cloud) == ["AWSServiceRoleForElasticLoadBalancing"]


def test_a_database_brings_its_role_and_says_in_its_own_words_who_may_not_make_it(cloud):
    given = {"DBInstanceIdentifier": "db", "DBInstanceClass": "db.t3.micro", "Engine": "mysql", "AllocatedStorage": 20}
    given |= {"MasterUsername": "admin", "MasterUserPassword": "correct-horse"}
    user = cloud.user("james", allow("rds:*"))
    with pytest.raises(ClientError, match=r"InvalidParameterValue.*permission to create service linked role"):
        cloud.client("rds", user).create_db_instance(**given)
    cloud.client("rds").create_db_instance(**given)
    assert roles(cloud) == ["AWSServiceRoleForRDS"]


def test_a_key_brings_the_role_when_it_is_for_several_regions(cloud):
    cloud.client("kms").create_key()
    assert roles(cloud) == []
    cloud.client("kms").create_key(MultiRegion=True)
    assert roles(cloud) == ["AWSServiceRoleForKeyManagementServiceMultiRegionKeys"]


def test_the_role_of_application_auto_scaling_is_the_namespaces(cloud):
    dynamodb = cloud.client("dynamodb")
    dynamodb.create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    )
    cloud.client("application-autoscaling").register_scalable_target(
        ServiceNamespace="dynamodb",
        ResourceId="table/orders",
        ScalableDimension="dynamodb:table:ReadCapacityUnits",
        MinCapacity=1,
        MaxCapacity=2,
    )
    assert roles(cloud) == ["AWSServiceRoleForApplicationAutoScaling_DynamoDBTable"]


ROWS = [
    (service, operation, row)
    for service, operations in first_use.table().items()
    for operation, rows in operations.items()
    for row in rows
]


@pytest.mark.parametrize(("service", "operation", "row"), ROWS, ids=[f"{s}-{o}-{r.service}" for s, o, r in ROWS])
def test_every_row_is_of_a_known_role_and_of_members_that_the_operation_has(service, operation, row):
    assert service_linked_role(row.service) is not None
    shape = model(service).operation_model(operation).input_shape
    for member in (*row.unless, *row.given, *row.when):
        inner = shape
        for name in member.split("."):
            inner = inner.members[name.removesuffix("[]")]
            inner = inner.member if name.endswith("[]") else inner
