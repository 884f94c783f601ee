"""What requests to EC2 are decided on: ids, several resources of one launch, tags on what is made, templates' roles.

AWS: Amazon EC2 User Guide, "Example policies to control access to the Amazon EC2 API" and "Grant permission to tag
Amazon EC2 resources during creation".
"""

import pytest
from gateway.condition_keys import Caller, Key, check, refused
from gateway.counting import answer
from gateway.parameters import ACCOUNT, REGION, ROLE
from running import allow, deny

EC2 = f"arn:aws:ec2:{REGION}:{ACCOUNT}"
IMAGE, SNAPSHOT = f"arn:aws:ec2:{REGION}::image/ami-1", f"arn:aws:ec2:{REGION}::snapshot/snap-1"
ANY_ROLE = f"arn:aws:iam::{ACCOUNT}:role/*"
NEW = ("instance/*", "network-interface/*", "volume/*")


def on(action, *resources):
    return [(f"ec2:{action}", one if one.startswith(("arn:", "*")) else f"{EC2}:{one}") for one in resources]


def tagging(kind, value="blue"):
    return {"ResourceType": kind, "Tags": [{"Key": "team", "Value": value}]}


RUN = {"ImageId": "ami-1", "MinCount": 1, "MaxCount": 1}
PLACED = {"SubnetId": "subnet-1", "SecurityGroupIds": ["sg-1"]}
CASES = [
    ("StopInstances", {"InstanceIds": ["i-1", "i-2"]}, on("StopInstances", "instance/i-1", "instance/i-2")),
    ("DescribeInstances", {"InstanceIds": ["i-1"]}, on("DescribeInstances", "*")),
    ("DeregisterImage", {"ImageId": "ami-1"}, on("DeregisterImage", IMAGE)),
    ("DeleteSnapshot", {"SnapshotId": "snap-1"}, on("DeleteSnapshot", SNAPSHOT)),
    (
        "AttachVolume",
        {"InstanceId": "i-1", "VolumeId": "vol-1", "Device": "/dev/sdf"},
        on("AttachVolume", "instance/i-1", "volume/vol-1"),
    ),
    ("CreateVolume", {"AvailabilityZone": "a"}, on("CreateVolume", "volume/*")),
    ("CreateVolume", {"AvailabilityZone": "a", "SnapshotId": "snap-1"}, on("CreateVolume", "volume/*", SNAPSHOT)),
    (
        "CreateVolume",
        {"AvailabilityZone": "a", "TagSpecifications": [tagging("volume")]},
        [*on("CreateVolume", "volume/*"), *on("CreateTags", "volume/*")],
    ),
    (
        "CopySnapshot",
        {"SourceRegion": REGION, "SourceSnapshotId": "snap-1"},
        on("CopySnapshot", f"arn:aws:ec2:{REGION}::snapshot/*", SNAPSHOT),
    ),
    (
        "CopySnapshot",
        {"SourceRegion": "eu-west-1", "SourceSnapshotId": "snap-1"},
        on("CopySnapshot", f"arn:aws:ec2:{REGION}::snapshot/*", "arn:aws:ec2:eu-west-1::snapshot/snap-1"),
    ),
    (
        "CopyImage",
        {"Name": "new", "SourceRegion": REGION, "SourceImageId": "ami-1"},
        on("CopyImage", f"arn:aws:ec2:{REGION}::image/*", f"arn:aws:ec2:{REGION}::snapshot/*", IMAGE),
    ),
    (
        "CreateSnapshot",
        {"VolumeId": "vol-1"},
        on("CreateSnapshot", f"arn:aws:ec2:{REGION}::snapshot/*", "volume/vol-1"),
    ),
    (
        "CreateSecurityGroup",
        {"GroupName": "g", "Description": "d", "VpcId": "vpc-1"},
        on("CreateSecurityGroup", "security-group/*", "vpc/vpc-1"),
    ),
    (
        "AuthorizeSecurityGroupIngress",
        {"GroupId": "sg-1", "CidrIp": "10.0.0.0/8"},
        on("AuthorizeSecurityGroupIngress", "security-group/sg-1"),
    ),
    ("DeleteSecurityGroup", {"GroupName": "web"}, on("DeleteSecurityGroup", "security-group/*")),
    ("CreateKeyPair", {"KeyName": "me"}, on("CreateKeyPair", "key-pair/me")),
    (
        "ImportKeyPair",
        {"KeyName": "me", "PublicKeyMaterial": b"k", "TagSpecifications": [tagging("key-pair")]},
        [*on("ImportKeyPair", "key-pair/me"), *on("CreateTags", "key-pair/me")],
    ),
    ("DeleteKeyPair", {"KeyPairId": "key-1"}, on("DeleteKeyPair", "key-pair/*")),
    ("CreateVpc", {"CidrBlock": "10.0.0.0/16"}, on("CreateVpc", "vpc/*")),
    ("CreateSubnet", {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24"}, on("CreateSubnet", "subnet/*", "vpc/vpc-1")),
    (
        "AssociateRouteTable",
        {"RouteTableId": "rtb-1", "SubnetId": "subnet-1"},
        on("AssociateRouteTable", "route-table/rtb-1", "subnet/subnet-1"),
    ),
    (
        "AssociateRouteTable",
        {"RouteTableId": "rtb-1", "GatewayId": "igw-1"},
        on("AssociateRouteTable", "route-table/rtb-1", "internet-gateway/igw-1"),
    ),
    (
        "AttachInternetGateway",
        {"InternetGatewayId": "igw-1", "VpcId": "vpc-1"},
        on("AttachInternetGateway", "internet-gateway/igw-1", "vpc/vpc-1"),
    ),
    (
        "CreateNatGateway",
        {"SubnetId": "subnet-1", "AllocationId": "eipalloc-1"},
        on("CreateNatGateway", "natgateway/*", "elastic-ip/eipalloc-1", "subnet/subnet-1"),
    ),
    ("AllocateAddress", {}, on("AllocateAddress", "elastic-ip/*")),
    ("ReleaseAddress", {"PublicIp": "192.0.2.1"}, on("ReleaseAddress", "elastic-ip/*")),
    (
        "AssociateAddress",
        {"AllocationId": "eipalloc-1", "InstanceId": "i-1"},
        on("AssociateAddress", "elastic-ip/eipalloc-1", "instance/i-1"),
    ),
    ("DetachNetworkInterface", {"AttachmentId": "a-1"}, on("DetachNetworkInterface", "network-interface/*", "instance/*")),
    (
        "CreateFlowLogs",
        {"ResourceIds": ["vpc-1", "vpc-2"], "ResourceType": "VPC"},
        on("CreateFlowLogs", "vpc-flow-log/*", "vpc/vpc-1", "vpc/vpc-2"),
    ),
    (
        "DeleteTags",
        {"Resources": ["i-1", "ami-1"], "Tags": [{"Key": "team"}]},
        on("DeleteTags", "instance/i-1", IMAGE),
    ),
    (
        "RunInstances",
        {**RUN, **PLACED, "KeyName": "me"},
        on("RunInstances", *NEW, IMAGE, "subnet/subnet-1", "security-group/sg-1", "key-pair/me"),
    ),
    ("RunInstances", RUN, on("RunInstances", *NEW, IMAGE, "subnet/*", "security-group/*")),
    (
        "RunInstances",
        {**RUN, "NetworkInterfaces": [{"DeviceIndex": 0, "NetworkInterfaceId": "eni-1"}],
         "BlockDeviceMappings": [{"DeviceName": "a", "Ebs": {"SnapshotId": "snap-1"}}]},
        on("RunInstances", "instance/*", "volume/*", "volume/*", IMAGE, "network-interface/eni-1", SNAPSHOT),
    ),
    (
        "RunInstances",
        {**RUN, **PLACED, "TagSpecifications": [tagging("instance"), tagging("volume", "red")]},
        [*on("RunInstances", *NEW, IMAGE, "subnet/subnet-1", "security-group/sg-1"),
         *on("CreateTags", "instance/*", "volume/*")],
    ),
    (
        "RunInstances",
        {**PLACED, "MinCount": 1, "MaxCount": 1, "LaunchTemplate": {"LaunchTemplateId": "lt-1"}},
        [*on("RunInstances", *NEW, f"arn:aws:ec2:{REGION}::image/*", "subnet/subnet-1", "security-group/sg-1",
             "launch-template/lt-1"),
         *on("CreateTags", "instance/*", "network-interface/*", "spot-instances-request/*", "volume/*"),
         ("iam:PassRole", ANY_ROLE)],
    ),
    (
        "RunInstances",
        {**RUN, **PLACED, "IamInstanceProfile": {"Name": "app"}},
        [*on("RunInstances", *NEW, IMAGE, "subnet/subnet-1", "security-group/sg-1"), ("iam:PassRole", ROLE)],
    ),
    (
        "AssociateIamInstanceProfile",
        {"InstanceId": "i-1", "IamInstanceProfile": {"Arn": f"arn:aws:iam::{ACCOUNT}:instance-profile/app"}},
        [*on("AssociateIamInstanceProfile", "instance/i-1"), ("iam:PassRole", ROLE)],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "wanted"), CASES)
def test_each_request_is_decided_on_what_it_touches(counted, name, given, wanted):
    told = counted.call("ec2", name, given)
    assert told.asked == wanted
    assert told.sent > 0


@pytest.mark.parametrize(
    ("name", "given", "code"),
    [
        ("StopInstances", {"InstanceIds": ["i-1", "i-*"]}, "InvalidParameterValue"),
        ("StopInstances", {"InstanceIds": ["instance/i-1"]}, "InvalidParameterValue"),
        ("RunInstances", {**RUN, "SubnetId": "*"}, "InvalidParameterValue"),
        ("RunInstances", {**RUN, "KeyName": "a:b"}, "InvalidParameterValue"),
        ("DeleteSecurityGroup", {"GroupId": "sg-1", "GroupName": "web"}, "InvalidParameterCombination"),
        ("AssociateAddress", {"AllocationId": "eipalloc-1", "PublicIp": "192.0.2.1"}, "InvalidParameterCombination"),
        ("CreateTags", {"Resources": ["x-1"], "Tags": [{"Key": "k", "Value": "v"}]}, "InvalidID"),
        ("CreateVpc", {"CidrBlock": "10.0.0.0/16", "TagSpecifications": [{"Tags": [{"Key": "k", "Value": "v"}]}]},
         "InvalidParameterValue"),
        ("DeleteLaunchTemplate", {"LaunchTemplateId": "lt-1", "LaunchTemplateName": "web"}, "InvalidParameterCombination"),
    ],
)  # fmt: skip
def test_what_names_nothing_plainly_is_refused(counted, name, given, code):
    told = counted.call("ec2", name, given)
    assert (told.status, told.code, told.sent) == (400, code, 0)


def contexts(told, action):
    return [(one["Resource"].rpartition(":")[2], one["Context"]) for one in told.decisions if one["Action"] == action]


def test_each_resource_of_a_launch_has_its_own_keys(counted):
    devices = [{"DeviceName": "a", "Ebs": {"VolumeType": "gp3", "VolumeSize": 8}}]
    given = {**RUN, **PLACED, "InstanceType": "t3.micro", "BlockDeviceMappings": devices}
    tags = {"TagSpecifications": [tagging("instance"), tagging("volume", "red")]}
    told = counted.call("ec2", "RunInstances", {**given, **tags})
    found = {}
    for resource, context in contexts(told, "ec2:RunInstances"):
        found.setdefault(resource, []).append(context)
    [instance], volumes = found["instance/*"], found["volume/*"]
    assert (instance["ec2:instancetype"], instance["aws:requesttag/team"]) == (["t3.micro"], ["blue"])
    assert [one.get("ec2:volumetype") for one in volumes] == [None, ["gp3"]]
    assert all(one["aws:requesttag/team"] == ["red"] for one in volumes)
    [subnet], [image] = found["subnet/subnet-1"], found["image/ami-1"]
    assert (subnet["ec2:subnetid"], image["ec2:imageid"]) == (["subnet-1"], ["ami-1"])
    for other in (subnet, image, *found["network-interface/*"]):
        assert not {"ec2:instancetype", "aws:requesttag/team", "ec2:volumetype"} & set(other)
    made = dict(contexts(told, "ec2:CreateTags"))
    assert made["instance/*"]["ec2:createaction"] == ["RunInstances"]
    assert made["instance/*"]["aws:requesttag/team"] == ["blue"]
    assert made["volume/*"]["aws:requesttag/team"] == ["red"]


def test_a_launch_is_denied_for_any_one_of_its_resources(counted):
    ann = Caller.new(counted, "launcher")
    given = {**RUN, **PLACED}
    kinds = [*NEW, "subnet/subnet-1", "security-group/sg-1"]
    resources = [*(f"{EC2}:{kind}" for kind in kinds), IMAGE]
    ann.may(allow("ec2:RunInstances", resources))
    assert ann.call("ec2", "RunInstances", given).sent > 0
    for left in range(len(resources)):
        ann.may(allow("ec2:RunInstances", resources[:left] + resources[left + 1 :]))
        told = ann.call("ec2", "RunInstances", given)
        refused(told, "no identity-based policy allows")
        assert (told.code, told.decisions[-1]["Resource"]) == ("UnauthorizedOperation", resources[left])
        assert "Encoded authorization failure message: " in told.message


def test_whoever_may_make_but_not_tag_makes_nothing_with_tags(counted):
    ann = Caller.new(counted, "untagging")
    ann.may(allow("ec2:CreateVpc"))
    assert ann.call("ec2", "CreateVpc", {"CidrBlock": "10.0.0.0/16"}).sent > 0
    given = {"CidrBlock": "10.0.0.0/16", "TagSpecifications": [tagging("vpc")]}
    refused(ann.call("ec2", "CreateVpc", given), "allows the ec2:CreateTags action")
    made = {"StringEquals": {"ec2:CreateAction": "CreateVpc"}}
    ann.may(allow("ec2:CreateVpc"), allow("ec2:CreateTags", **made))
    assert ann.call("ec2", "CreateVpc", given).sent > 0
    plain = {"Resources": ["vpc-1"], "Tags": [{"Key": "team", "Value": "blue"}]}
    refused(ann.call("ec2", "CreateTags", plain), "allows the ec2:CreateTags action")


def test_what_is_there_may_have_any_tag_and_what_is_made_has_none(counted):
    ann = Caller.new(counted, "abac")
    other = {"StringNotEquals": {"aws:ResourceTag/env": "prod"}}
    ann.may(
        allow("ec2:CreateSnapshot", f"arn:aws:ec2:{REGION}::snapshot/*", **other),
        allow("ec2:CreateSnapshot", f"{EC2}:volume/*"),
    )
    assert ann.call("ec2", "CreateSnapshot", {"VolumeId": "vol-1"}).sent > 0
    ann.may(allow("ec2:CreateSnapshot", "*", **other))
    tag = "<key>env</key><value>prod</value><resourceId>vol-1</resourceId><resourceType>volume</resourceType>"
    told = f"<DescribeTagsResponse><tagSet><item>{tag}</item></tagSet></DescribeTagsResponse>"
    counted.backend.answers.append(answer(told.encode()))
    denied = ann.call("ec2", "CreateSnapshot", {"VolumeId": "vol-1"})
    assert (denied.code, denied.decisions[-1]["Resource"]) == ("UnauthorizedOperation", f"{EC2}:volume/vol-1")
    assert b"Action=DescribeTags" in counted.backend.last[1]


def test_a_type_that_a_template_may_say_is_not_known(counted):
    ann = Caller.new(counted, "templated")
    small = {"StringEquals": {"ec2:InstanceType": "t3.micro"}}
    ann.may(
        allow("iam:*"),
        allow("ec2:RunInstances", f"{EC2}:instance/*", **small),
        allow("ec2:CreateTags"),
        {"Effect": "Allow", "Action": "ec2:*", "NotResource": f"{EC2}:instance/*"},
    )
    template = {"MinCount": 1, "MaxCount": 1, "LaunchTemplate": {"LaunchTemplateId": "lt-1"}}
    refused(ann.call("ec2", "RunInstances", template), "no identity-based policy allows")
    assert ann.call("ec2", "RunInstances", {**template, "InstanceType": "t3.micro"}).sent > 0


def test_the_role_in_a_launch_template_is_passed_by_whoever_launches_from_it(counted):
    made = b"<CreateLaunchTemplateResponse><launchTemplate><launchTemplateId>lt-0a</launchTemplateId></launchTemplate></CreateLaunchTemplateResponse>"
    counted.backend.answers.append(answer(made))
    given = {"LaunchTemplateName": "learned", "LaunchTemplateData": {"IamInstanceProfile": {"Name": "app"}}}
    assert ("iam:PassRole", ROLE) in counted.call("ec2", "CreateLaunchTemplate", given).asked
    for named in ({"LaunchTemplateName": "learned"}, {"LaunchTemplateId": "lt-0a"}):
        told = counted.call("ec2", "RunInstances", {"MinCount": 1, "MaxCount": 1, "LaunchTemplate": named})
        assert [one for one in told.asked if one[0] == "iam:PassRole"] == [("iam:PassRole", ROLE)]
        assert ("ec2:RunInstances", f"{EC2}:launch-template/lt-0a") in told.asked
    group = {
        "AutoScalingGroupName": "g",
        "MinSize": 0,
        "MaxSize": 1,
        "LaunchTemplate": {"LaunchTemplateName": "learned"},
    }
    told = counted.call("autoscaling", "CreateAutoScalingGroup", group)
    assert [one for one in told.asked if one[0] == "iam:PassRole"] == [("iam:PassRole", ROLE)]


def test_a_template_without_a_profile_hands_no_role_on_until_a_version_has_one(counted):
    made = b"<R><launchTemplate><launchTemplateId>lt-0b</launchTemplateId></launchTemplate></R>"
    counted.backend.answers.append(answer(made))
    counted.call("ec2", "CreateLaunchTemplate", {"LaunchTemplateName": "bare", "LaunchTemplateData": {}})
    run = {"MinCount": 1, "MaxCount": 1, "LaunchTemplate": {"LaunchTemplateId": "lt-0b"}}
    assert "iam:PassRole" not in dict(counted.call("ec2", "RunInstances", run).asked)
    counted.backend.answers.append(answer(made.replace(b"launchTemplate>", b"launchTemplateVersion>")))
    version = {"LaunchTemplateId": "lt-0b", "LaunchTemplateData": {"IamInstanceProfile": {"Name": "app"}}}
    counted.call("ec2", "CreateLaunchTemplateVersion", version)
    assert ("iam:PassRole", ROLE) in counted.call("ec2", "RunInstances", run).asked


def test_the_tags_in_a_launch_template_are_set_by_whoever_launches_from_it(counted):
    """AWS: EC2 User Guide, supported-iam-actions-tagging; that it does not know which tags is iamd's."""
    made = b"<R><launchTemplate><launchTemplateId>lt-0c</launchTemplateId></launchTemplate></R>"
    counted.backend.answers.append(answer(made))
    counted.call("ec2", "CreateLaunchTemplate", {"LaunchTemplateName": "plain", "LaunchTemplateData": {}})
    run = {"MinCount": 1, "MaxCount": 1, "LaunchTemplate": {"LaunchTemplateId": "lt-0c"}}
    ann, not_prod = Caller.new(counted, "tagging"), deny("*", StringEquals={"aws:RequestTag/env": "prod"})
    ann.may(allow("*"), not_prod)
    told = ann.call("ec2", "RunInstances", run)
    assert told.sent > 0
    assert "ec2:CreateTags" not in dict(told.asked)
    counted.backend.answers.append(answer(made.replace(b"launchTemplate>", b"launchTemplateVersion>")))
    specification = {"ResourceType": "instance", "Tags": [{"Key": "env", "Value": "prod"}]}
    version = {"LaunchTemplateId": "lt-0c", "LaunchTemplateData": {"TagSpecifications": [specification]}}
    counted.call("ec2", "CreateLaunchTemplateVersion", version)
    asked = counted.call("ec2", "RunInstances", run).asked
    assert [one for one in asked if one[0] == "ec2:CreateTags"] == [("ec2:CreateTags", f"{EC2}:instance/*")]
    refused(ann.call("ec2", "RunInstances", run), "explicit deny")
    ann.may(allow("*"), deny("ec2:CreateTags"))
    refused(ann.call("ec2", "RunInstances", run), "ec2:CreateTags")
    ann.may(allow("*"))
    assert ann.call("ec2", "RunInstances", run).sent > 0


MAKE = ("ec2:CreateVolume", "CreateVolume")
ZONE = {"AvailabilityZone": "us-east-1a"}
KEYS = [
    Key("ec2:VolumeType", "gp3", *MAKE, {**ZONE, "VolumeType": "gp3"}, {**ZONE, "VolumeType": "io1"}),
    Key("ec2:VolumeSize", "8", *MAKE, {**ZONE, "Size": 8}, {**ZONE, "Size": 9}, "NumericEquals"),
    Key("ec2:Encrypted", "true", *MAKE, {**ZONE, "Encrypted": True}, {**ZONE, "Encrypted": False}, "Bool"),
    Key("aws:RequestTag/team", "blue", "ec2:CreateTags", "CreateTags",
        {"Resources": ["i-1"], "Tags": [{"Key": "team", "Value": "blue"}]},
        {"Resources": ["i-1"], "Tags": [{"Key": "team", "Value": "red"}]}),
    Key("ec2:InstanceID", "i-1", "ec2:TerminateInstances", "TerminateInstances", {"InstanceIds": ["i-1"]},
        {"InstanceIds": ["i-2"]}),
    Key("ec2:Region", REGION, "ec2:DescribeVpcs", "DescribeVpcs", {}, {}),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS[:-1], ids=str)
def test_a_key_has_its_value_and_decides(counted, key):
    check(Caller.new(counted, f"ec2-{key.name.rpartition(':')[2].replace('/', '-')}"), "ec2", key)


def test_the_region_is_a_key_of_every_action(counted):
    assert counted.call("ec2", "DescribeVpcs", {}).context("ec2:DescribeVpcs")["ec2:region"] == REGION


def test_a_copys_source_is_in_a_region_of_the_partition(counted):
    user = counted.user("copier", allow("*"))
    for region in ("eu-west-1:x", "*", "cn-north-1", "EU-WEST-1"):
        found = counted.call("ec2", "CopySnapshot", {"SourceRegion": region, "SourceSnapshotId": "snap-1"}, user)
        assert (found.sent, found.code) == (0, "InvalidParameterValue")


@pytest.mark.parametrize(
    ("operation", "parameters", "source"),
    [
        ("CopySnapshot", {"SourceSnapshotId": "snap-1"}, "snapshot/snap-1"),
        ("CopyImage", {"Name": "new", "SourceImageId": "ami-1"}, "image/ami-1"),
    ],
)
def test_a_source_that_may_not_be_copied_is_not(counted, operation, parameters, source):
    denied = f"arn:aws:ec2:eu-west-1::{source}"
    user = counted.user(f"no-{operation}", allow("*"), deny(f"ec2:{operation}", denied))
    assert counted.call("ec2", operation, {**parameters, "SourceRegion": "eu-west-1"}, user).sent == 0
    assert counted.call("ec2", operation, {**parameters, "SourceRegion": "eu-west-2"}, user).sent > 0
