"""Instances of EC2: what protects them, of which images they are, and the Auto Scaling groups that run them."""

import pytest
from gateway.two_accounts import OTHER, error_of
from running import IMAGE, Credentials


@pytest.fixture
def ec2(cloud):
    return cloud.client("ec2")


def run(ec2, **given):
    made = ec2.run_instances(**{"ImageId": IMAGE, "MinCount": 1, "MaxCount": 1, **given})
    return made["Instances"][0]["InstanceId"]


def state(ec2, instance):
    [reservation] = ec2.describe_instances(InstanceIds=[instance])["Reservations"]
    return reservation["Instances"][0]["State"]["Name"]


def not_permitted(call, instance, done, attribute, **more):
    error = error_of(call, **{"InstanceIds": [instance], **more})
    words = f"The instance '{instance}' may not be {done}. Modify its '{attribute}' instance attribute and try again."
    assert (error["Code"], error["Message"]) == ("OperationNotPermitted", words)


@pytest.mark.parametrize(
    ("given", "attribute"),
    [({"DisableApiTermination": True}, "disableApiTermination"), ({"DisableApiStop": True}, "disableApiStop")],
)
def test_an_instance_that_was_protected_when_it_was_run_is_not_terminated(ec2, given, attribute):
    instance = run(ec2, **given)
    not_permitted(ec2.terminate_instances, instance, "terminated", attribute)
    assert state(ec2, instance) == "running"
    ec2.modify_instance_attribute(InstanceId=instance, **{next(iter(given)): {"Value": False}})
    ec2.terminate_instances(InstanceIds=[instance])
    assert state(ec2, instance) == "terminated"


def test_an_instance_that_was_protected_by_its_launch_template_is_not_terminated(ec2):
    data = {"ImageId": IMAGE, "DisableApiTermination": True}
    ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=data)
    template = {"LaunchTemplate": {"LaunchTemplateName": "web"}, "MinCount": 1, "MaxCount": 1}
    protected = ec2.run_instances(**template)["Instances"][0]
    assert protected["ImageId"] == IMAGE
    not_permitted(ec2.terminate_instances, protected["InstanceId"], "terminated", "disableApiTermination")
    other = ec2.run_instances(**template, DisableApiTermination=False)["Instances"][0]["InstanceId"]
    ec2.terminate_instances(InstanceIds=[other])


def test_an_instance_with_stop_protection_is_not_stopped(ec2):
    instance = run(ec2, DisableApiStop=True)
    not_permitted(ec2.stop_instances, instance, "stopped", "disableApiStop")
    assert state(ec2, instance) == "running"


def test_protection_keeps_the_instances_of_its_zone_and_no_others(ec2):
    zone = {name: {"Placement": {"AvailabilityZone": f"us-east-1{name}"}} for name in "ab"}
    first, second = run(ec2, **zone["a"]), run(ec2, **zone["b"])
    protected = run(ec2, **zone["b"], DisableApiTermination=True)
    everything = [first, second, protected]
    not_permitted(ec2.terminate_instances, protected, "terminated", "disableApiTermination", InstanceIds=everything)
    assert [state(ec2, one) for one in everything] == ["terminated", "running", "running"]


def test_one_attribute_of_an_instance_is_modified_at_a_time(ec2):
    instance = run(ec2)
    both = {"DisableApiStop": {"Value": True}, "DisableApiTermination": {"Value": True}}
    error = error_of(ec2.modify_instance_attribute, InstanceId=instance, **both)
    assert error["Code"] == "InvalidParameterCombination"
    ec2.modify_instance_attribute(InstanceId=instance, Attribute="disableApiTermination", Value="true")
    not_permitted(ec2.terminate_instances, instance, "terminated", "disableApiTermination")
    ec2.modify_instance_attribute(InstanceId=instance, Attribute="disableApiTermination", Value="false")
    ec2.terminate_instances(InstanceIds=[instance])


def test_an_attribute_that_is_not_modified_changes_no_other(ec2):
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    group = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
    instance = run(ec2, SecurityGroupIds=[group])

    def security_groups():
        [reservation] = ec2.describe_instances(InstanceIds=[instance])["Reservations"]
        return reservation["Instances"][0]["SecurityGroups"]

    before = [{"GroupId": group, "GroupName": "web"}]
    assert security_groups() == before
    behavior = {"InstanceInitiatedShutdownBehavior": {"Value": "terminate"}}
    ec2.modify_instance_attribute(InstanceId=instance, **behavior)
    told = ec2.describe_instance_attribute(InstanceId=instance, Attribute="instanceInitiatedShutdownBehavior")
    assert told["InstanceInitiatedShutdownBehavior"]["Value"] == "terminate"
    for given in ({"EnaSupport": {"Value": True}}, {"Attribute": "ownerId", "Value": "111122223333"}):
        assert error_of(ec2.modify_instance_attribute, InstanceId=instance, **given)["Code"] == "NotImplemented"
    assert security_groups() == before


def test_an_instance_of_an_image_that_is_not_there_is_not_run(cloud, ec2):
    for image, code in {"ami-0123456789abcdef0": "InvalidAMIID.NotFound", "image": "InvalidAMIID.Malformed"}.items():
        error = error_of(ec2.run_instances, ImageId=image, MinCount=1, MaxCount=1)
        assert error["Code"] == code
    assert error_of(ec2.run_instances, MinCount=1, MaxCount=1)["Code"] == "MissingParameter"
    assert ec2.describe_instances()["Reservations"] == []
    own = ec2.create_image(InstanceId=run(ec2), Name="own")["ImageId"]
    name = "/aws/service/ami-amazon-linux-latest/amzn2-ami-hvm-x86_64-gp2"
    public = cloud.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
    for image in (own, public):
        run(ec2, ImageId=image)


def test_an_image_of_another_account_is_not_run(cloud, ec2):
    own = ec2.create_image(InstanceId=run(ec2), Name="own")["ImageId"]
    other = cloud.client("ec2", Credentials.of(cloud.iamd("CreateAccount", Name="other", AccountId=OTHER)))
    error = error_of(other.run_instances, ImageId=own, MinCount=1, MaxCount=1)
    assert error["Code"] == "InvalidAMIID.NotFound"


def scaling_group(cloud, ec2, **given):
    scaling = cloud.client("autoscaling")
    data = {"ImageId": IMAGE, "InstanceType": "t2.micro", "DisableApiTermination": True}
    ec2.create_launch_template(LaunchTemplateName="scaled", LaunchTemplateData=data)
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="group",
        LaunchTemplate={"LaunchTemplateName": "scaled"},
        MinSize=0,
        MaxSize=2,
        AvailabilityZones=["us-east-1a"],
        **given,
    )
    return scaling


@pytest.mark.parametrize(
    ("level", "desired", "refused", "deleted"),
    [
        ("prevent-all-deletion", 0, [False, True], None),
        ("prevent-force-deletion", 0, [True], False),
        (None, 0, [], False),
        (None, 0, [], True),
    ],
)
def test_an_auto_scaling_group_is_deleted_as_its_protection_says(cloud, ec2, level, desired, refused, deleted):
    scaling = scaling_group(cloud, ec2, DesiredCapacity=desired, **({"DeletionProtection": level} if level else {}))
    [told] = scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    assert told["DeletionProtection"] == (level or "none")
    for is_forced in refused:
        error = error_of(scaling.delete_auto_scaling_group, AutoScalingGroupName="group", ForceDelete=is_forced)
        assert error["Code"] == "ValidationError"
    if deleted is None:
        scaling.update_auto_scaling_group(AutoScalingGroupName="group", DeletionProtection="none")
    scaling.delete_auto_scaling_group(AutoScalingGroupName="group", ForceDelete=bool(deleted))
    assert scaling.describe_auto_scaling_groups()["AutoScalingGroups"] == []


def test_an_auto_scaling_group_with_instances_is_deleted_by_force_alone(cloud, ec2):
    scaling = scaling_group(cloud, ec2, DesiredCapacity=1)
    error = error_of(scaling.delete_auto_scaling_group, AutoScalingGroupName="group")
    assert error["Code"] == "ResourceInUse"
    [instance] = scaling.describe_auto_scaling_instances()["AutoScalingInstances"]
    not_permitted(ec2.terminate_instances, instance["InstanceId"], "terminated", "disableApiTermination")
    scaling.delete_auto_scaling_group(AutoScalingGroupName="group", ForceDelete=True)
    assert state(ec2, instance["InstanceId"]) == "terminated"


def test_an_auto_scaling_group_takes_no_other_word_for_its_protection(cloud, ec2):
    scaling = scaling_group(cloud, ec2)
    given = {"AutoScalingGroupName": "group", "DeletionProtection": "prevent"}
    assert error_of(scaling.update_auto_scaling_group, **given)["Code"] == "ValidationError"
