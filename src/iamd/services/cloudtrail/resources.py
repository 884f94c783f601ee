"""Which resources an event is found by: those that its record lists, and those that its parameters name.

AWS: event history knows the users, roles ... of IAM's requests although their records have no `resources` (CloudTrail
User Guide, "Viewing events with CloudTrail event history", and "Resource types supported by event history").
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from iamd.arn import partition_of
from iamd.store.events import EventResource

IAM_MEMBERS: Final = {
    "UserName": "AWS::IAM::User",
    "GroupName": "AWS::IAM::Group",
    "RoleName": "AWS::IAM::Role",
    "PolicyName": "AWS::IAM::Policy",
    "PolicyArn": "AWS::IAM::Policy",
    "InstanceProfileName": "AWS::IAM::InstanceProfile",
    "AccessKeyId": "AWS::IAM::AccessKey",
    "SerialNumber": "AWS::IAM::MfaDevice",
    "VirtualMFADeviceName": "AWS::IAM::MfaDevice",
    "ServerCertificateName": "AWS::IAM::ServerCertificate",
    "SSHPublicKeyId": "AWS::IAM::SshPublicKey",
    "CertificateId": "AWS::IAM::SigningCertificate",
}

BUCKET: Final = "AWS::S3::Bucket"

MEMBERS: Final[Mapping[str, Mapping[str, str]]] = {
    "iam": IAM_MEMBERS,
    "acm": {"CertificateArn": "AWS::ACM::Certificate"},
    "autoscaling": {
        "AutoScalingGroupName": "AWS::AutoScaling::AutoScalingGroup",
        "LaunchConfigurationName": "AWS::AutoScaling::LaunchConfiguration",
        "PolicyName": "AWS::AutoScaling::ScalingPolicy",
        "ScheduledActionName": "AWS::AutoScaling::ScheduledAction",
    },
    "ec2": {
        "InstanceId": "AWS::EC2::Instance",
        "InstanceIds": "AWS::EC2::Instance",
        "KeyName": "AWS::EC2::KeyPair",
        "NetworkAclId": "AWS::EC2::NetworkAcl",
        "NetworkInterfaceId": "AWS::EC2::NetworkInterface",
        "RouteTableId": "AWS::EC2::RouteTable",
        "GroupId": "AWS::EC2::SecurityGroup",
        "SnapshotId": "AWS::EC2::Snapshot",
        "SubnetId": "AWS::EC2::Subnet",
        "VolumeId": "AWS::EC2::Volume",
        "VpcId": "AWS::EC2::VPC",
    },
    "rds": {
        "DBClusterIdentifier": "AWS::RDS::DBCluster",
        "DBClusterParameterGroupName": "AWS::RDS::DBClusterParameterGroup",
        "DBClusterSnapshotIdentifier": "AWS::RDS::DBClusterSnapshot",
        "DBInstanceIdentifier": "AWS::RDS::DBInstance",
        "DBParameterGroupName": "AWS::RDS::DBParameterGroup",
        "DBSnapshotIdentifier": "AWS::RDS::DBSnapshot",
        "DBSubnetGroupName": "AWS::RDS::DBSubnetGroup",
    },
}
"""What the parameters of services' requests name, by the page's list of types."""


def of_bucket(partition: str, name: str, key: str | None, owner: str) -> list[dict[str, str]]:
    """What a record lists of a bucket, and of an object in it."""
    arn = f"arn:{partition}:s3:::{name}"
    bucket = {"accountId": owner, "type": BUCKET, "ARN": arn} if owner else {"type": BUCKET, "ARN": arn}
    return [bucket] if key is None else [{"type": "AWS::S3::Object", "ARN": f"{arn}/{key}"}, bucket]


def listed_in(record: Mapping[str, Any], told: Mapping[str, Any]) -> list[dict[str, str]] | None:
    """What a stored record lists though that is not stored; `told` is what iamd has added to it."""
    owner, asked = told.get("bucketOwner"), record.get("requestParameters") or {}
    if owner is None or not isinstance(asked.get("bucketName"), str):
        return None
    return of_bucket(partition_of(record["awsRegion"]), asked["bucketName"], asked.get("key"), owner)


@lru_cache(maxsize=1024)
def bucket_named(name: str) -> tuple[EventResource, ...]:
    """A bucket as LookupEvents finds it."""
    return (EventResource(BUCKET, name),)


def resources_of(
    service: str,
    parameters: Mapping[str, Any] | None,
    response: Mapping[str, Any] | None,
    listed: Sequence[Mapping[str, str]],
) -> tuple[EventResource, ...]:
    """The resources by which LookupEvents finds the event of a request."""
    found = [EventResource(one.get("type", ""), one["ARN"]) for one in listed] if listed else []
    if service in MEMBERS and parameters:
        found += _named(service, parameters)
        if service == "iam" and response:
            found += _made(response)
    elif service == "sts" and response is not None and "Credentials" in response:
        found += _session(response)
    return tuple(dict.fromkeys(found)) if found else ()


def _named(service: str, parameters: Mapping[str, Any]) -> Iterator[EventResource]:
    for member, kind in _members_of(service, tuple(parameters)):
        value = parameters[member]
        if isinstance(value, str):
            yield EventResource(kind, value)
        elif isinstance(value, list):
            yield from (EventResource(kind, one) for one in value if isinstance(one, str))


@lru_cache(maxsize=1024)
def _members_of(service: str, names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Those of the service's MEMBERS that are among the names of an operation's parameters."""
    return tuple((member, kind) for member, kind in MEMBERS[service].items() if member in names)


MADE = {
    "AccessKey": ("AccessKeyId", "AWS::IAM::AccessKey"),
    "Policy": ("Arn", "AWS::IAM::Policy"),
    "Certificate": ("CertificateId", "AWS::IAM::SigningCertificate"),
    "SSHPublicKey": ("SSHPublicKeyId", "AWS::IAM::SshPublicKey"),
}


def _made(response: Mapping[str, Any]) -> Iterator[EventResource]:
    """What the answer names and the parameters could not: the id of a new access key, the ARN of a new policy."""
    if MADE.keys().isdisjoint(response):
        return
    for member, (name, kind) in MADE.items():
        made = response.get(member)
        if isinstance(made, Mapping) and name in made:
            yield EventResource(kind, made[name])


def _session(response: Mapping[str, Any]) -> Iterator[EventResource]:
    yield EventResource("AWS::IAM::AccessKey", response["Credentials"]["AccessKeyId"])
    if "AssumedRoleUser" in response:
        user = response["AssumedRoleUser"]
        yield EventResource("AWS::STS::AssumedRole", user["AssumedRoleId"])
        yield EventResource("AWS::STS::AssumedRole", user["Arn"])
    if "FederatedUser" in response:
        yield EventResource("AWS::STS::FederatedUser", response["FederatedUser"]["Arn"])
