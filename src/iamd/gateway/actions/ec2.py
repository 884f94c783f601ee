"""Amazon EC2: the ids that requests name, what keys say of them, and the tags of what is made, each kind by itself.

AWS: Amazon EC2 User Guide, "Grant permission to tag Amazon EC2 resources during creation".
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from string import Formatter
from typing import Any, Final

from msgspec.structs import replace

from iamd.arn import REGION, partition_of
from iamd.authz.target import Target
from iamd.data import service_reference
from iamd.errors import AWSError
from iamd.gateway.actions import table as tables
from iamd.gateway.actions import tags
from iamd.gateway.actions.asked import Asked, Value, at
from iamd.gateway.actions.ec2_ids import KIND_OF_PREFIX, arn_of, kind_of, of_kind
from iamd.gateway.actions.forms import Form, InvalidParameterValue, arn, check, name
from iamd.gateway.actions.launch_templates import arn_of as template_arn
from iamd.policy.request import lower

_ID: Final = name("[A-Za-z0-9-]+")
# Names that people choose (API Reference, CreateKeyPair, CreatePlacementGroup).
# SECURITY: no colon and no wildcard, so that a name is told from a pattern.
_NAME: Final = name(r"[^:*?\x00-\x1f\x7f]{1,255}")
_NAMES: Final = frozenset({"GroupName", "KeyName"})
_WHOLE: Final[Mapping[str, Form]] = {
    "CertificateArn": arn("acm", "certificate/[A-Za-z0-9-]{1,64}"),
    "SourceRegion": Form(REGION),
    "RoleArn": arn("iam", r"role/[A-Za-z0-9_+=,.@/-]{1,512}", is_global=True),
    "VpnConnectionDeviceTypeId": name("[A-Za-z0-9-]{1,64}"),
}
# Two members for one thing, of which a backend may look at either.
_ALTERNATIVES: Final = (
    ("GroupId", "GroupName"),
    ("AllocationId", "PublicIp"),
    ("KeyName", "KeyPairId"),
    ("LaunchTemplateId", "LaunchTemplateName"),
    ("AssociationId", "PublicIp"),
)
_FLOWS: Final = {
    "VPC": "vpc",
    "Subnet": "subnet",
    "NetworkInterface": "network-interface",
    "TransitGateway": "transit-gateway",
    "TransitGatewayAttachment": "transit-gateway-attachment",
    "RegionalNatGateway": "natgateway",
}


class InvalidParameterCombination(AWSError):
    """Two parameters that exclude each other (EC2 API Reference, "Error codes")."""

    code = "InvalidParameterCombination"
    status = 400


def values(asked: Asked) -> Mapping[str, Any]:
    """Checks of all ids, the launch template, gateways by their kind, and what keys say of what is made."""
    check(asked, _forms(asked.operation.name), refused)
    given = asked.parameters
    for one, other in _ALTERNATIVES:
        if given.get(one) and given.get(other):
            raise InvalidParameterCombination(f"The parameters {one} and {other} cannot be used together.")
    region = given.get("SourceRegion")
    if region is not None and partition_of(region) != asked.partition:
        raise refused("SourceRegion", region)
    found: dict[str, Any] = {**_gateway(given), **_volume(asked), **_place(asked)}
    if asked.operation.name != "CreateLaunchTemplate":
        named = (
            given if given.get("LaunchTemplateId") or given.get("LaunchTemplateName") else given.get("LaunchTemplate")
        )
        if named:
            found["launch_template"] = template_arn(named, asked)
    instance = at(given, "InstanceSpecification.InstanceId")
    if instance is not None:
        found["specified_instance"] = named_by(str(instance), "instance", asked)
    if asked.operation.name == "CreateFlowLogs":
        found["flow_resources"] = _flow_resources(asked)
    return {key: value for key, value in found.items() if value is not None}


def named_by(identifier: str, kind: str, asked: Asked) -> str:
    """The ARN of something of a kind by its id."""
    if not _ID.fits(identifier, asked):
        raise refused(kind, identifier)
    return arn_of(kind, identifier, asked)


def refused(member: str, value: str) -> Exception:
    """The refusal of an id that can't be one."""
    return InvalidParameterValue(f"Value ({value}) for parameter {member[0].lower() + member[1:]} is invalid.")


@cache
def _forms(operation: str) -> Mapping[str, Form]:
    """The forms of what an operation's templates name."""
    found = tables.table("ec2")
    rows = found.rows.get(operation, ()) if found is not None else ()
    named = {part for row in rows for _, part, _, _ in Formatter().parse(row.template) if part}
    return {one: _WHOLE.get(one) or (_NAME if one in _NAMES else _ID) for one in sorted(named) if one[0].isupper()}


def _gateway(given: Mapping[str, Any]) -> dict[str, str]:
    """A gateway of routes, which is an internet gateway or a virtual private gateway by its id."""
    gateway = str(given.get("GatewayId") or "")
    if not gateway:
        return {}
    if not re.fullmatch("[a-z]+(?:-[a-z0-9]+)?", gateway, re.ASCII):
        raise refused("GatewayId", gateway)
    kinds = {"igw": "InternetGatewayId", "vgw": "VpnGatewayId"}
    member = kinds.get(gateway.partition("-")[0])
    return {member: gateway} if member is not None else {}


def _volume(asked: Asked) -> dict[str, Any]:
    """What CreateVolume says of the volume that it makes, and CreateSnapshot of the snapshot's volume."""
    given, operation = asked.parameters, asked.operation.name
    if operation == "CreateSnapshot":
        return {"parent_volume": named_by(str(given["VolumeId"]), "volume", asked)}
    if operation != "CreateVolume":
        return {}
    snapshot = given.get("SnapshotId")
    return {
        "new_encrypted": given.get("Encrypted"),
        "new_iops": given.get("Iops"),
        "new_kms_key": given.get("KmsKeyId"),
        "new_size": given.get("Size"),
        "new_throughput": given.get("Throughput"),
        "new_zone": given.get("AvailabilityZone"),
        "parent_snapshot": named_by(str(snapshot), "snapshot", asked) if snapshot else None,
    }


def _place(asked: Asked) -> dict[str, Any]:
    """The VPC and subnet of what is made in them."""
    given, found = asked.parameters, dict[str, Any]()
    if not asked.operation.name.startswith("Create"):
        return found
    if given.get("VpcId"):
        found["vpc_arn"] = named_by(str(given["VpcId"]), "vpc", asked)
    if asked.operation.name == "CreateNetworkInterface":
        found["subnet_arn"] = named_by(str(given["SubnetId"]), "subnet", asked)
    if asked.operation.name == "CreateSubnet":
        found["new_zone"] = given.get("AvailabilityZone")
    return found


def _flow_resources(asked: Asked) -> list[str]:
    kind = _FLOWS.get(str(asked.parameters["ResourceType"]))
    if kind is None:
        raise refused("ResourceType", str(asked.parameters["ResourceType"]))
    return [named_by(str(one), kind, asked) for one in asked.parameters["ResourceIds"]]


def extended(asked: Asked, targets: list[Target]) -> list[Target]:
    """The targets with the keys of their own ids and tags, and `ec2:CreateTags` on whatever is made with tags."""
    specified = _specified(asked)
    found = [_completed(asked, target, specified) for target in targets]
    for kind, keys in specified.items():
        made = next((one.arn for one in targets if one.makes and kind_of(one.arn) == kind), of_kind(kind, asked))
        context = {**keys, "ec2:createaction": asked.operation.name, "ec2:region": asked.region}
        found.append(Target(arn=made, action="ec2:CreateTags", context=context, makes=True))
    return found


def _completed(asked: Asked, target: Target, specified: Mapping[str, Mapping[str, Value]]) -> Target:
    kind = kind_of(target.arn)
    own = specified.get(kind, {}) if target.makes else {}
    identity = dict(_identity(asked, target, kind))
    return replace(target, context={**target.context, **own, **identity}) if own or identity else target


def _identity(asked: Asked, target: Target, kind: str) -> Iterator[tuple[str, Value]]:
    """`ec2:InstanceID` of an instance and its like, where the reference gives the key to the action."""
    ended = target.arn.rpartition("/")[2]
    key = _IDENTITIES.get(kind)
    if key is not None and ended != "*" and key in _keys_of(target.action or f"ec2:{asked.operation.name}", kind):
        yield key, ended


_IDENTITIES: Final[Mapping[str, str]] = {
    "dhcp-options": "ec2:dhcpoptionsid",
    "elastic-ip": "ec2:allocationid",
    "image": "ec2:imageid",
    "instance": "ec2:instanceid",
    "internet-gateway": "ec2:internetgatewayid",
    "key-pair": "ec2:keypairname",
    "network-acl": "ec2:networkaclid",
    "network-interface": "ec2:networkinterfaceid",
    "placement-group": "ec2:placementgroupname",
    "route-table": "ec2:routetableid",
    "security-group": "ec2:securitygroupid",
    "snapshot": "ec2:snapshotid",
    "subnet": "ec2:subnetid",
    "volume": "ec2:volumeid",
    "vpc": "ec2:vpcid",
    "vpc-peering-connection": "ec2:vpcpeeringconnectionid",
}


@cache
def _keys_of(action: str, kind: str) -> frozenset[str]:
    prefix, _, short = action.partition(":")
    found = service_reference.action(prefix, short)
    types = [one for one in found.resources if one.name == kind] if found is not None else []
    return frozenset(lower(key) for one in types for key in one.condition_keys)


def _specified(asked: Asked) -> dict[str, dict[str, Value]]:
    """The tags that a request gives what it makes, by kind."""
    found: dict[str, list[Any]] = {}
    for one in _specifications(asked.parameters):
        kind = one.get("ResourceType")
        if not kind:
            raise InvalidParameterValue("Tag specification resource type must have a value")
        found.setdefault(str(kind), []).extend(one.get("Tags") or [])
    return {kind: tags.of({"Tags": its}) for kind, its in found.items() if its}


def _specifications(given: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from given.get("TagSpecifications") or []
    yield from given.get("PoolTagSpecifications") or []
    yield from at(given, "SpotFleetRequestConfig.TagSpecifications") or []


def tagged(asked: Asked) -> list[Target]:
    """The operation's own action on each resource that is named, whose kind its id tells."""
    context = {**tags.of(asked.parameters), "ec2:region": asked.region}
    action = f"ec2:{asked.operation.name}"
    return [
        Target(arn=arn, action=action, context=context)
        for arn in dict.fromkeys(_of_id(str(one), asked) for one in asked.parameters["Resources"])
    ]


def _of_id(identifier: str, asked: Asked) -> str:
    """The ARN of a resource by the beginning of its id; what is named in its ARN is not known by its id."""
    match = re.fullmatch(r"([a-z]+(?:-[a-z]+)*)-[0-9a-z]{1,40}", identifier, re.ASCII)
    kind = KIND_OF_PREFIX.get(match[1]) if match is not None else None
    if kind is None:
        raise InvalidID(f"The ID '{identifier}' is not valid")
    return of_kind(kind, asked) if kind in {"key-pair", "placement-group"} else arn_of(kind, identifier, asked)


class InvalidID(AWSError):
    """An id that is of no kind that can be tagged (EC2 API Reference, "Error codes")."""

    code = "InvalidID"
    status = 400


COMPUTED: Final[Mapping[str, Callable[[Asked], list[Target]]]] = {"tagged": tagged}
