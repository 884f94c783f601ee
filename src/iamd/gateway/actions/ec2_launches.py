"""RunInstances and the requests that make EC2 launch later: every resource that they touch, with its own keys.

AWS: Amazon EC2 User Guide, "Example policies to control access to the Amazon EC2 API", "Launch instances
(RunInstances)", and Service Authorization Reference, list_amazonec2. What a launch template says is not known here, so
that keys which it may say are unknown, and resources which it may name are all of their kind.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from iamd import arn as arns
from iamd.authz.target import Target
from iamd.gateway.actions import keys
from iamd.gateway.actions.asked import Asked, Value, as_text, at
from iamd.gateway.actions.ec2 import named_by, refused
from iamd.gateway.actions.ec2_ids import arn_of, of_kind
from iamd.gateway.actions.forms import arn, name
from iamd.gateway.actions.launch_templates import arn_of as template_arn
from iamd.gateway.actions.launch_templates import launching, passing_any, profiles_are_known, tagging
from iamd.policy.request import lower

# SECURITY: no colon and no wildcard, so that a name is told from a pattern.
_NAME: Final = name(r"[^:*?\x00-\x1f\x7f]{1,255}")
_LICENSE: Final = arn("license-manager", "license-configuration:lic-[0-9a-f]{1,64}")
_GROUP: Final = arn("resource-groups", "group/[A-Za-z0-9_.-]{1,300}")
Given = Mapping[str, Any]
Keys = dict[str, Value]


def run_instances(asked: Asked) -> list[Target]:
    """RunInstances on each resource that it touches, with that resource's keys."""
    given = asked.parameters
    named = given.get("LaunchTemplate")
    template = template_arn(named, asked) if named else None
    targets = list(_touched(given, asked, "ec2:RunInstances", template))
    if template is not None:
        own = {one.get("ResourceType") for one in given.get("TagSpecifications") or []}
        targets += tagging(template, asked, own)
        if not profiles_are_known(template, asked):
            targets.append(passing_any(asked))
    return targets


def launched(asked: Asked) -> list[Target]:
    """The operation's own action on what it makes or changes, and RunInstances on all that it will launch."""
    given, action = asked.parameters, f"ec2:{asked.operation.name}"
    whole = given.get("SpotFleetRequestConfig") or given
    own = Target(**_made_by(asked), action=action, context={"ec2:region": asked.region})
    found = [own]
    specifications = [
        *(whole.get("LaunchSpecifications") or []),
        *([whole["LaunchSpecification"]] if whole.get("LaunchSpecification") else []),
    ]
    for one in specifications:
        found += [target for target in _touched(one, asked, "ec2:RunInstances", None) if target.arn != own.arn]
    templates = [
        one["LaunchTemplateSpecification"]
        for one in whole.get("LaunchTemplateConfigs") or []
        if one.get("LaunchTemplateSpecification")
    ]
    overrides = [one for config in whole.get("LaunchTemplateConfigs") or [] for one in config.get("Overrides") or []]
    subnets = [part.strip() for one in overrides for part in str(one.get("SubnetId") or "").split(",") if part.strip()]
    for subnet in subnets:
        named_by(subnet, "subnet", asked)
    return [*found, *launching(templates, subnets, asked)]


def _made_by(asked: Asked) -> dict[str, Any]:
    given = asked.parameters
    match asked.operation.name:
        case "ModifyFleet":
            return {"arn": named_by(str(given["FleetId"]), "fleet", asked)}
        case "ModifySpotFleetRequest":
            return {"arn": named_by(str(given["SpotFleetRequestId"]), "spot-fleet-request", asked)}
        case "CreateFleet":
            return {"arn": of_kind("fleet", asked), "makes": True}
        case "RequestSpotFleet":
            return {"arn": of_kind("spot-fleet-request", asked), "makes": True}
        case _:
            return {"arn": of_kind("spot-instances-request", asked), "makes": True}


def _touched(given: Given, asked: Asked, action: str, template: str | None) -> Iterator[Target]:
    """Each resource of one launch: what is made comes first."""
    yield from _made(given, asked, action, template)
    for used in dict.fromkeys(_used(given, asked, template)):
        yield _target(used, _common(asked, template), action)


def _target(named: str, context: Keys, action: str, *, makes: bool = False) -> Target:
    strange = keys.of_other_resources(action, named)
    return Target(arn=named, action=action, context={k: v for k, v in context.items() if k not in strange}, makes=makes)


def _common(asked: Asked, template: str | None) -> Keys:
    """The keys of every resource; whether one comes from the template can't be told where there is one."""
    told: Keys = {"ec2:region": asked.region}
    if template is None:
        return {**told, "ec2:islaunchtemplateresource": "false"}
    return {**told, "ec2:launchtemplate": template}


def _made(given: Given, asked: Asked, action: str, template: str | None) -> Iterator[Target]:
    common = _common(asked, template)
    yield _target(of_kind("instance", asked), {**common, **_of_instance(given, asked, template)}, action, makes=True)
    for interface in _interfaces(given):
        if not interface.get("NetworkInterfaceId"):
            own = _of_interface(interface, given, asked)
            yield _target(of_kind("network-interface", asked), {**common, **own}, action, makes=True)
    for volume in _volumes(given):
        yield _target(of_kind("volume", asked), {**common, **_of_volume(volume, given, asked)}, action, makes=True)
    if at(given, "InstanceMarketOptions.MarketType") == "spot":
        yield _target(of_kind("spot-instances-request", asked), common, action, makes=True)


def _interfaces(given: Given) -> list[Given]:
    return given.get("NetworkInterfaces") or [{}]


def _volumes(given: Given) -> list[Given]:
    """The volumes that are made: those of the block devices, and the root volume."""
    devices = [one["Ebs"] for one in given.get("BlockDeviceMappings") or [] if one.get("Ebs") is not None]
    return [{}, *devices]


def _text(told: Mapping[str, Any]) -> Keys:
    found = {lower(f"ec2:{name}"): as_text(value) for name, value in told.items() if value is not None}
    return {name: value for name, value in found.items() if value is not None}


def _of_instance(given: Given, asked: Asked, template: str | None) -> Keys:
    metadata, market = given.get("MetadataOptions") or {}, at(given, "InstanceMarketOptions.MarketType")
    # AWS: an instance type that nobody names is m1.small (API Reference, RunInstances).
    kind = given.get("InstanceType") or (
        None if template is not None or given.get("InstanceRequirements") else "m1.small"
    )
    group = at(given, "Placement.GroupName")
    profile = at(given, "IamInstanceProfile.Arn")
    return _text(
        {
            "InstanceType": kind,
            "EbsOptimized": given.get("EbsOptimized"),
            "Tenancy": at(given, "Placement.Tenancy"),
            "AvailabilityZone": at(given, "Placement.AvailabilityZone"),
            "InstanceMarketType": market or ("on-demand" if template is None else None),
            "InstanceProfile": profile,
            "MetadataHttpEndpoint": metadata.get("HttpEndpoint"),
            "MetadataHttpPutResponseHopLimit": metadata.get("HttpPutResponseHopLimit"),
            "MetadataHttpTokens": metadata.get("HttpTokens"),
            "InstanceMetadataTags": metadata.get("InstanceMetadataTags"),
            "PlacementGroup": _named(group, "placement-group", asked) if group else None,
        }
    )


def _of_interface(interface: Given, given: Given, asked: Asked) -> Keys:
    subnet = interface.get("SubnetId") or given.get("SubnetId")
    return _text(
        {
            "AssociatePublicIpAddress": interface.get("AssociatePublicIpAddress"),
            "Subnet": named_by(str(subnet), "subnet", asked) if subnet else None,
        }
    )


def _of_volume(volume: Given, given: Given, asked: Asked) -> Keys:
    snapshot = volume.get("SnapshotId")
    return _text(
        {
            "AvailabilityZone": at(given, "Placement.AvailabilityZone"),
            "Encrypted": volume.get("Encrypted"),
            "ParentSnapshot": named_by(str(snapshot), "snapshot", asked) if snapshot else None,
            "VolumeIops": volume.get("Iops"),
            "VolumeSize": volume.get("VolumeSize"),
            "VolumeThroughput": volume.get("Throughput"),
            "VolumeType": volume.get("VolumeType"),
        }
    )


def _used(given: Given, asked: Asked, template: str | None) -> Iterator[str]:
    """The ARNs of all that is there and that the launch takes."""
    image = given.get("ImageId")
    yield named_by(str(image), "image", asked) if image else of_kind("image", asked)
    yield from _network(given, asked)
    if template is not None:
        yield template
    for volume in _volumes(given):
        if volume.get("SnapshotId"):
            yield named_by(str(volume["SnapshotId"]), "snapshot", asked)
    if given.get("KeyName"):
        yield _named(str(given["KeyName"]), "key-pair", asked)
    yield from _placement(given, asked)


def _network(given: Given, asked: Asked) -> Iterator[str]:
    interfaces = given.get("NetworkInterfaces") or []
    for one in interfaces:
        if one.get("NetworkInterfaceId"):
            yield named_by(str(one["NetworkInterfaceId"]), "network-interface", asked)
    is_new = not interfaces or any(not one.get("NetworkInterfaceId") for one in interfaces)
    subnets = [one["SubnetId"] for one in [given, *interfaces] if one.get("SubnetId")]
    groups = [
        *(given.get("SecurityGroupIds") or []),
        *(group for one in interfaces for group in one.get("Groups") or []),
    ]
    # AWS: the default subnet, the default security group and groups by name have ids that the request does not tell.
    yield from (named_by(str(one), "subnet", asked) for one in subnets)
    if is_new and not subnets:
        yield of_kind("subnet", asked)
    yield from (named_by(str(one), "security-group", asked) for one in groups)
    if given.get("SecurityGroups") or (is_new and not groups):
        yield of_kind("security-group", asked)
    for one in given.get("SecondaryInterfaces") or []:
        yield of_kind("secondary-interface", asked)
        if one.get("SecondarySubnetId"):
            yield named_by(str(one["SecondarySubnetId"]), "secondary-subnet", asked)


def _placement(given: Given, asked: Asked) -> Iterator[str]:
    placement = given.get("Placement") or {}
    if placement.get("GroupName"):
        yield _named(str(placement["GroupName"]), "placement-group", asked)
    if placement.get("GroupId"):
        yield of_kind("placement-group", asked)
    reservation = at(given, "CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationId")
    if reservation:
        yield named_by(str(reservation), "capacity-reservation", asked)
    if given.get("ElasticGpuSpecification"):
        yield of_kind("elastic-gpu", asked)
    group = placement.get("HostResourceGroupArn")
    group = group or at(
        given, "CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationResourceGroupArn"
    )
    if group:
        yield _whole(str(group), _GROUP, asked)
    for one in given.get("LicenseSpecifications") or []:
        yield _whole(str(one.get("LicenseConfigurationArn")), _LICENSE, asked)


def _whole(value: str, form: Any, asked: Asked) -> str:
    if not form.fits(value, asked) or arns.parse(value) is None:
        raise refused("Arn", value)
    return value


def _named(value: str, kind: str, asked: Asked) -> str:
    if not _NAME.fits(value, asked):
        raise refused(kind, value)
    return arn_of(kind, value, asked)


COMPUTED: Final[Mapping[str, Callable[[Asked], list[Target]]]] = {
    "launched": launched,
    "run_instances": run_instances,
}
