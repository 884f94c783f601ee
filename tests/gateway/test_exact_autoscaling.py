"""What requests to Auto Scaling are decided on: groups by name and policy, tags by group, launch templates, roles.

AWS: Amazon EC2 Auto Scaling User Guide, "Amazon EC2 Auto Scaling API permissions" and "Launch template support".
"""

import pytest
from gateway.condition_keys import Caller, Key, check, refused
from gateway.parameters import ACCOUNT, LATTICE, REGION, ROLE
from gateway.two_accounts import code_of
from running import allow

PLACE = f"arn:aws:autoscaling:{REGION}:{ACCOUNT}"
GROUP = f"{PLACE}:autoScalingGroup:*:autoScalingGroupName/web"
ANY = f"{PLACE}:autoScalingGroup:*:autoScalingGroupName/*"
CONFIGURATION = f"{PLACE}:launchConfiguration:*:launchConfigurationName/cfg"
POLICY = f"{PLACE}:scalingPolicy:0d1b-2c:autoScalingGroupName/web:policyName/out"
EC2 = f"arn:aws:ec2:{REGION}:{ACCOUNT}"
TEMPLATE = f"{EC2}:launch-template/lt-0123456789abcdef0"
SUBNET = "subnet-0123456789abcdef0"
ANY_ROLE = f"arn:aws:iam::{ACCOUNT}:role/*"
SIZES = {"AutoScalingGroupName": "web", "MinSize": 1, "MaxSize": 3}
TEMPLATED = {"LaunchTemplate": {"LaunchTemplateId": "lt-0123456789abcdef0", "Version": "2"}}


def on(resource, *actions):
    return [(f"autoscaling:{action}", resource) for action in actions]


def launching(template, subnet):
    """What RunInstances with a template touches, and a role that nobody knows."""
    kinds = ("instance/*", "network-interface/*", "security-group/*", "volume/*", f"subnet/{subnet}")
    touched = [template, f"arn:aws:ec2:{REGION}::image/*", *(f"{EC2}:{kind}" for kind in kinds)]
    tagged = ("instance", "network-interface", "spot-instances-request", "volume")
    tags = [("ec2:CreateTags", f"{EC2}:{kind}/*") for kind in tagged]
    return [*(("ec2:RunInstances", one) for one in touched), *tags, ("iam:PassRole", ANY_ROLE)]


def tag(group, value):
    return {"ResourceId": group, "ResourceType": "auto-scaling-group", "Key": "team", "Value": value}


CASES = [
    ("SetDesiredCapacity", {"AutoScalingGroupName": "web", "DesiredCapacity": 1}, on(GROUP, "SetDesiredCapacity")),
    ("ExecutePolicy", {"PolicyName": POLICY}, on(GROUP, "ExecutePolicy")),
    ("ExecutePolicy", {"PolicyName": "out", "AutoScalingGroupName": "web"}, on(GROUP, "ExecutePolicy")),
    ("DeletePolicy", {"PolicyName": "out"}, on(ANY, "DeletePolicy")),
    ("SetInstanceHealth", {"InstanceId": "i-1", "HealthStatus": "Healthy"}, on(ANY, "SetInstanceHealth")),
    ("DescribeAutoScalingGroups", {"AutoScalingGroupNames": ["web"]}, on("*", "DescribeAutoScalingGroups")),
    ("CreateAutoScalingGroup", {**SIZES, "LaunchConfigurationName": "cfg"}, on(GROUP, "CreateAutoScalingGroup")),
    (
        "CreateAutoScalingGroup",
        {**SIZES, **TEMPLATED, "VPCZoneIdentifier": SUBNET},
        [*on(GROUP, "CreateAutoScalingGroup"), *launching(TEMPLATE, SUBNET)],
    ),
    (
        "UpdateAutoScalingGroup",
        {"AutoScalingGroupName": "web", "LaunchTemplate": {"LaunchTemplateName": "never-seen"}},
        [*on(GROUP, "UpdateAutoScalingGroup"), *launching(f"{EC2}:launch-template/*", "*")],
    ),
    (
        "CreateAutoScalingGroup",
        {**SIZES, "MixedInstancesPolicy": {"LaunchTemplate": {
            "Overrides": [{"InstanceType": "m5.large", "LaunchTemplateSpecification": TEMPLATED["LaunchTemplate"]}]}}},
        [*on(GROUP, "CreateAutoScalingGroup"), *launching(TEMPLATE, "*")],
    ),
    (
        "CreateAutoScalingGroup",
        {**SIZES, "InstanceId": "i-1"},
        [*on(GROUP, "CreateAutoScalingGroup"), ("iam:PassRole", ANY_ROLE)],
    ),
    (
        "CreateLaunchConfiguration",
        {"LaunchConfigurationName": "cfg", "ImageId": "ami-1", "KeyName": "k", "SecurityGroups": ["sg-1"]},
        [*on(CONFIGURATION, "CreateLaunchConfiguration"), ("ec2:DescribeImages", "*"), ("ec2:DescribeKeyPairs", "*"),
         ("ec2:DescribeSecurityGroups", "*")],
    ),
    (
        "AttachTrafficSources",
        {"AutoScalingGroupName": "web", "TrafficSources": [{"Identifier": LATTICE, "Type": "vpc-lattice"}]},
        [*on(GROUP, "AttachTrafficSources"), ("vpc-lattice:RegisterTargets", LATTICE)],
    ),
    (
        "CreateOrUpdateTags",
        {"Tags": [tag("web", "blue"), tag("api", "red")]},
        [*on(GROUP, "CreateOrUpdateTags"), *on(GROUP.replace("/web", "/api"), "CreateOrUpdateTags")],
    ),
    (
        "PutLifecycleHook",
        {"AutoScalingGroupName": "web", "LifecycleHookName": "hook", "RoleARN": ROLE},
        [*on(GROUP, "PutLifecycleHook"), ("iam:PassRole", ROLE)],
    ),
    (
        "CreateAutoScalingGroup",
        {**SIZES, "LaunchConfigurationName": "cfg", "ServiceLinkedRoleARN": ROLE},
        [*on(GROUP, "CreateAutoScalingGroup"), ("iam:PassRole", ROLE)],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "wanted"), CASES)
def test_each_request_is_decided_on_what_it_touches(counted, name, given, wanted):
    told = counted.call("autoscaling", name, given)
    assert told.asked == wanted
    assert told.sent > 0


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("DeleteAutoScalingGroup", {"AutoScalingGroupName": "*"}),
        ("DeleteAutoScalingGroup", {"AutoScalingGroupName": "a:b"}),
        ("DeletePolicy", {"PolicyName": POLICY, "AutoScalingGroupName": "api"}),
        ("DeletePolicy", {"PolicyName": POLICY.replace(ACCOUNT, "111122223333")}),
        ("DeleteTags", {"Tags": [{"ResourceId": "we?", "Key": "team"}]}),
        ("CreateAutoScalingGroup", {**SIZES, "VPCZoneIdentifier": "subnet-1,*"}),
        ("CreateAutoScalingGroup", {**SIZES, "LaunchTemplate": {"LaunchTemplateId": "lt-*"}}),
        ("CreateAutoScalingGroup", {**SIZES, "LaunchTemplate": {"Version": "1"}}),
    ],
)
def test_what_names_nothing_plainly_is_refused(counted, name, given):
    told = counted.call("autoscaling", name, given)
    assert (told.status, told.sent) == (400, 0)
    assert told.code in {"ValidationError", "InvalidParameterValue"}


def test_an_instance_profile_of_a_launch_configuration_is_passed(counted):
    iam = counted.aws.client("iam")
    iam.create_instance_profile(InstanceProfileName="scaled")
    iam.add_role_to_instance_profile(InstanceProfileName="scaled", RoleName="app")
    given = {"LaunchConfigurationName": "cfg", "ImageId": "ami-1", "IamInstanceProfile": "scaled"}
    assert ("iam:PassRole", ROLE) in counted.call("autoscaling", "CreateLaunchConfiguration", given).asked
    maker = Caller.new(counted, "scaling")
    maker.may(allow(["autoscaling:*", "ec2:*"]))
    refused(maker.call("autoscaling", "CreateLaunchConfiguration", given), "the iam:PassRole action")


MAKE = ("autoscaling:CreateAutoScalingGroup", "CreateAutoScalingGroup")
CONFIGURED = {**SIZES, "LaunchConfigurationName": "cfg"}
KEYS = [
    Key("aws:RequestTag/team", "blue", "autoscaling:CreateOrUpdateTags", "CreateOrUpdateTags",
        {"Tags": [tag("web", "blue")]}, {"Tags": [tag("web", "red")]}),
    Key("autoscaling:MaxSize", "3", *MAKE, CONFIGURED, {**CONFIGURED, "MaxSize": 4}, "NumericEquals"),
    Key("autoscaling:LaunchConfigurationName", "cfg", *MAKE, CONFIGURED, {**CONFIGURED, "LaunchConfigurationName": "x"}),
    Key("autoscaling:LaunchTemplateVersionSpecified", "true", *MAKE, {**SIZES, **TEMPLATED},
        {**SIZES, "LaunchTemplate": {"LaunchTemplateName": "web", "Version": "$Latest"}}, "Bool"),
    Key("autoscaling:VPCZoneIdentifiers", [SUBNET, "subnet-2"], *MAKE,
        {**CONFIGURED, "VPCZoneIdentifier": f"{SUBNET}, subnet-2"}, {**CONFIGURED, "VPCZoneIdentifier": "subnet-3"},
        "ForAllValues:StringEquals"),
    Key("autoscaling:MetadataHttpTokens", "required", "autoscaling:CreateLaunchConfiguration",
        "CreateLaunchConfiguration", {"LaunchConfigurationName": "c", "MetadataOptions": {"HttpTokens": "required"}},
        {"LaunchConfigurationName": "c", "MetadataOptions": {"HttpTokens": "optional"}}),
]  # fmt: skip


@pytest.fixture(scope="module")
def caller(counted):
    return Caller.new(counted, "autoscaling-keys")


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_a_key_has_its_value_and_decides(caller, key):
    check(caller, "autoscaling", key)


def test_of_two_groups_that_are_tagged_each_has_its_own_tags(counted):
    told = counted.call("autoscaling", "CreateOrUpdateTags", {"Tags": [tag("web", "blue"), tag("api", "red")]})
    assert [one["Context"]["aws:requesttag/team"] for one in told.decisions] == [["blue"], ["red"]]


def test_an_image_of_a_launch_template_is_not_known_so_nothing_is_allowed_by_it(caller):
    key = {"StringEquals": {"autoscaling:ImageId": "ami-1"}}
    caller.may(allow("ec2:*"), allow("iam:*"), allow("autoscaling:*", **key))
    refused(caller.call("autoscaling", "CreateAutoScalingGroup", {**SIZES, **TEMPLATED}), "no identity-based policy")
    caller.may(allow("*"), {**allow("autoscaling:*", **key), "Effect": "Deny"})
    refused(caller.call("autoscaling", "CreateAutoScalingGroup", {**SIZES, **TEMPLATED}), "explicit deny")


def test_a_scaling_policy_is_its_groups(cloud):
    """What is decided on one group does nothing to a policy of the same name, or of another, in another group."""
    scaling = cloud.client("autoscaling")
    scaling.create_launch_configuration(LaunchConfigurationName="cfg", ImageId="ami-12c6146b", InstanceType="t3.nano")
    arns = {}
    for group in ("web", "jobs"):
        scaling.create_auto_scaling_group(
            AutoScalingGroupName=group, LaunchConfigurationName="cfg", MinSize=0, MaxSize=3,
            AvailabilityZones=["us-east-1a"],
        )  # fmt: skip
        for name in ("out", f"of-{group}"):
            scaling.put_scaling_policy(
                AutoScalingGroupName=group, PolicyName=name, AdjustmentType="ExactCapacity", ScalingAdjustment=1
            )
    for policy in scaling.describe_policies()["ScalingPolicies"]:
        arns[policy["AutoScalingGroupName"], policy["PolicyName"]] = policy["PolicyARN"]
    mine = cloud.client("autoscaling", cloud.user("mine", allow("autoscaling:*", GROUP)))

    def capacities():
        told = scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
        return {one["AutoScalingGroupName"]: one["DesiredCapacity"] for one in told}

    def policies():
        return {one["PolicyARN"] for one in scaling.describe_policies()["ScalingPolicies"]}

    assert len(arns) == 4
    assert code_of(mine.execute_policy, AutoScalingGroupName="web", PolicyName="of-jobs") == "ValidationError"
    mine.delete_policy(AutoScalingGroupName="web", PolicyName="of-jobs")
    mine.put_scaling_policy(
        AutoScalingGroupName="web", PolicyName="of-jobs", AdjustmentType="ExactCapacity", ScalingAdjustment=2
    )
    assert arns["jobs", "of-jobs"] in policies()
    mine.execute_policy(AutoScalingGroupName="web", PolicyName="out")
    assert capacities() == {"web": 1, "jobs": 0}
    mine.execute_policy(AutoScalingGroupName="web", PolicyName="of-jobs")
    assert capacities() == {"web": 2, "jobs": 0}
    mine.delete_policy(PolicyName=arns["web", "out"])
    assert policies() == {*arns.values(), arns["jobs", "of-jobs"].replace("/jobs:", "/web:")} - {arns["web", "out"]}
    assert code_of(mine.execute_policy, PolicyName=arns["jobs", "out"]) == "AccessDenied"
