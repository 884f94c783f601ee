"""Service-linked roles that are still used for something: their deletion fails, and says by what."""

import pytest
from botocore.loaders import create_loader
from botocore.model import ServiceModel
from gateway.parameters import ACCOUNT
from running import Credentials

from iamd.data.service_linked_roles import service_linked_role
from iamd.gateway import role_usages

OTHER = "222233334444"
GROUP = {
    "AutoScalingGroupName": "web",
    "LaunchConfigurationName": "cfg",
    "MinSize": 0,
    "MaxSize": 0,
    "AvailabilityZones": ["us-east-1a"],
}
TARGET = {
    "ServiceNamespace": "dynamodb",
    "ResourceId": "table/orders",
    "ScalableDimension": "dynamodb:table:ReadCapacityUnits",
}
DATABASE = {"DBInstanceIdentifier": "orders", "DBInstanceClass": "db.t3.micro", "Engine": "postgres"}
LISTENER = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 80}


def deleted(cloud, service, caller=None):
    """How the deletion of a service's role ended."""
    iam = cloud.client("iam", caller)
    task = iam.delete_service_linked_role(RoleName=service_linked_role(service).role_name)["DeletionTaskId"]
    told = iam.get_service_linked_role_deletion_status(DeletionTaskId=task)
    return {name: told[name] for name in told.keys() - {"ResponseMetadata"}}


def used(status):
    """The resources that a failed deletion names, by Region."""
    assert status["Status"] == "FAILED"
    return {usage["Region"]: usage["Resources"] for usage in status["Reason"]["RoleUsageList"]}


def make_group(cloud, region="us-east-1", caller=None):
    scaling = cloud.client("autoscaling", caller, region)
    scaling.create_launch_configuration(LaunchConfigurationName="cfg", ImageId="ami-12c6146b", InstanceType="t2.micro")
    scaling.create_auto_scaling_group(**GROUP | {"AvailabilityZones": [f"{region}a"]})
    [group] = scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    return scaling, group["AutoScalingGroupARN"]


def test_the_role_stays_until_the_groups_of_all_regions_are_gone(cloud):
    made = {region: make_group(cloud, region) for region in ("us-east-1", "eu-west-1")}
    status = deleted(cloud, "autoscaling.amazonaws.com")
    assert used(status) == {region: [arn] for region, (_, arn) in made.items()}
    assert "still used" in status["Reason"]["Reason"]
    assert cloud.client("iam").get_role(RoleName="AWSServiceRoleForAutoScaling")
    made["us-east-1"][0].delete_auto_scaling_group(AutoScalingGroupName="web")
    assert used(deleted(cloud, "autoscaling.amazonaws.com")) == {"eu-west-1": [made["eu-west-1"][1]]}
    made["eu-west-1"][0].delete_auto_scaling_group(AutoScalingGroupName="web")
    assert deleted(cloud, "autoscaling.amazonaws.com") == {"Status": "SUCCEEDED"}


def test_another_accounts_resources_do_not_count(cloud):
    other = Credentials.of(cloud.iamd("CreateAccount", Name="other", AccountId=OTHER))
    make_group(cloud, caller=other)
    cloud.client("iam").create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")
    assert deleted(cloud, "autoscaling.amazonaws.com") == {"Status": "SUCCEEDED"}
    assert deleted(cloud, "autoscaling.amazonaws.com", other)["Status"] == "FAILED"


def _balancers(cloud):
    cloud.client("elb").create_load_balancer(
        LoadBalancerName="old", Listeners=[LISTENER], AvailabilityZones=["us-east-1a"]
    )
    subnets = [one["SubnetId"] for one in cloud.client("ec2").describe_subnets()["Subnets"][:2]]
    [new] = cloud.client("elbv2").create_load_balancer(Name="new", Subnets=subnets)["LoadBalancers"]
    return [f"arn:aws:elasticloadbalancing:us-east-1:{ACCOUNT}:loadbalancer/old", new["LoadBalancerArn"]]


def _cluster(cloud):
    return [cloud.client("ecs").create_cluster(clusterName="web")["cluster"]["clusterArn"]]


def _database(cloud):
    return [cloud.client("rds").create_db_instance(**DATABASE)["DBInstance"]["DBInstanceArn"]]


def _table(cloud):
    cloud.client("dynamodb").create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    )
    scaling = cloud.client("application-autoscaling")
    scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=2)
    [found] = scaling.describe_scalable_targets(ServiceNamespace="dynamodb")["ScalableTargets"]
    return [found["ScalableTargetARN"]]


@pytest.mark.parametrize(
    ("service", "make"),
    [
        ("elasticloadbalancing.amazonaws.com", _balancers),
        ("ecs.amazonaws.com", _cluster),
        ("rds.amazonaws.com", _database),
        ("dynamodb.application-autoscaling.amazonaws.com", _table),
    ],
)
def test_what_a_service_has_is_named(cloud, service, make):
    made = make(cloud)
    assert used(deleted(cloud, service)) == {"us-east-1": made}


def test_a_cluster_that_was_deleted_does_not_count(cloud):
    _cluster(cloud)
    ecs = cloud.client("ecs")
    ecs.delete_cluster(cluster="web")
    assert ecs.list_clusters()["clusterArns"] == []
    assert deleted(cloud, "ecs.amazonaws.com") == {"Status": "SUCCEEDED"}


def test_a_cache_that_is_being_deleted_does_not_count(cloud):
    caches, place = cloud.client("elasticache"), {"CacheClusterId": "cache"}
    made = caches.create_cache_cluster(**place, CacheNodeType="cache.t3.micro", Engine="redis", NumCacheNodes=1)
    service = "elasticache.amazonaws.com"
    cloud.client("iam").create_service_linked_role(AWSServiceName=service)
    assert used(deleted(cloud, service)) == {"us-east-1": [made["CacheCluster"]["ARN"]]}
    caches.delete_cache_cluster(**place)
    assert deleted(cloud, service) == {"Status": "SUCCEEDED"}


def test_only_open_requests_for_spot_instances_count(cloud):
    ec2 = cloud.client("ec2")
    launch = {"ImageId": "ami-12c6146b", "InstanceType": "t2.micro"}
    [made] = ec2.request_spot_instances(SpotPrice="1", LaunchSpecification=launch)["SpotInstanceRequests"]
    name = made["SpotInstanceRequestId"]
    arn = f"arn:aws:ec2:us-east-1:{ACCOUNT}:spot-instances-request/{name}"
    assert used(deleted(cloud, "spot.amazonaws.com")) == {"us-east-1": [arn]}
    ec2.cancel_spot_instance_requests(SpotInstanceRequestIds=[name])
    assert deleted(cloud, "spot.amazonaws.com") == {"Status": "SUCCEEDED"}


@pytest.mark.parametrize("service", role_usages.table())
def test_each_row_asks_what_its_service_has(service):
    assert service_linked_role(service) is not None
    for row in role_usages.table()[service]:
        operation = ServiceModel(create_loader().load_service_model(row.service, "service-2")).operation_model(
            row.operation
        )
        taken, told = operation.input_shape.members, operation.output_shape.members
        assert not operation.input_shape.required_members or set(operation.input_shape.required_members) == set(
            row.given
        )
        assert row.more[0] in told
        assert row.more[1] in taken
        assert any(row.resources.startswith(name) for name in told)
