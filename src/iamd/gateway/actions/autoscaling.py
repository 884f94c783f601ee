"""Auto Scaling: the groups that a request names, what its launch templates touch, and the values of its keys.

AWS decides on a group's ARN with the group's id, which nobody but Auto Scaling knows: `*` stands for it, as in the
policies of its User Guide ("Amazon EC2 Auto Scaling identity-based policy examples").
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from iamd.authz.target import Target
from iamd.gateway.actions import keys, tags
from iamd.gateway.actions.asked import Asked, at, invalid
from iamd.gateway.actions.forms import arn, check, name
from iamd.gateway.actions.launch_templates import launching, passing_any

# CreateAutoScalingGroup: "You cannot use a colon (:) in the name" (API Reference).
# SECURITY: no wildcard either, so that a name is told from a pattern.
_NAME: Final = r"[^:*?\s](?:[^:*?\r\n\t]{0,253}[^:*?\s])?"
_FORMS: Final = {"AutoScalingGroupName": name(_NAME), "LaunchConfigurationName": name(_NAME)}
_POLICY: Final = re.compile(
    r"arn:[a-z-]+:autoscaling:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):scalingPolicy:[A-Za-z0-9-]+"
    rf":autoScalingGroupName/(?P<group>{_NAME}):policyName/[^\r\n]+",
    re.ASCII,
)
_LATTICE: Final = arn("vpc-lattice", r"targetgroup/tg-[0-9a-z]{17}")
_SUBNET: Final = re.compile(r"subnet-[0-9a-z]{1,32}", re.ASCII)
_LATEST: Final = frozenset({"$Latest", "$Default"})


def values(asked: Asked) -> Mapping[str, Any]:
    """The group, and what the keys say of its templates, subnets and traffic sources."""
    check(asked, _FORMS, _refused)
    given = asked.parameters
    found: dict[str, Any] = {"group": _group(asked) or "*", "subnets": _subnets(given)}
    found["traffic_sources"] = [one["Identifier"] for one in given.get("TrafficSources") or []]
    found["lattice"] = _lattice(asked)
    found["instance_types"] = [one["InstanceType"] for one in _overrides(given) if "InstanceType" in one]
    templates = _templates(given)
    if templates:
        found["version_specified"] = all(one.get("Version", "$Default") not in _LATEST for one in templates)
    found["passed_to"] = "ec2.amazonaws.com"
    return {key: value for key, value in found.items() if value not in ([], None)}


def _lattice(asked: Asked) -> list[str]:
    """The target groups of VPC Lattice, where instances are registered with the caller's permissions."""
    found = [one for one in asked.parameters.get("TrafficSources") or [] if ":vpc-lattice:" in one["Identifier"]]
    for one in found:
        if not _LATTICE.fits(one["Identifier"], asked):
            raise _refused("trafficSources", one["Identifier"])
    return [one["Identifier"] for one in found]


def _refused(member: str, value: str) -> Exception:
    return invalid(f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint")


def _group(asked: Asked) -> str | None:
    """The group by its name, or as it stands in a scaling policy's ARN."""
    given = asked.parameters
    named, policy = given.get("AutoScalingGroupName"), given.get("PolicyName")
    if not isinstance(policy, str) or not policy.startswith("arn:"):
        return named
    match = _POLICY.fullmatch(policy)
    if match is None or (match["region"], match["account"]) != (asked.region, asked.account):
        raise _refused("policyName", policy)
    if named not in {None, match["group"]}:
        raise invalid("The policy is not one of this Auto Scaling group.")
    return match["group"]


def _subnets(given: Mapping[str, Any]) -> list[str]:
    """The subnets of a comma-separated list (API Reference, CreateAutoScalingGroup: VPCZoneIdentifier)."""
    found = [part.strip() for part in str(given.get("VPCZoneIdentifier") or "").split(",") if part.strip()]
    for subnet in found:
        if not _SUBNET.fullmatch(subnet):
            raise _refused("vPCZoneIdentifier", subnet)
    return found


def _templates(given: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The launch templates of a request, wherever it names them."""
    whole = given.get("DesiredConfiguration") or given
    mixed = "MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification"
    found = [whole.get("LaunchTemplate"), at(whole, mixed)]
    found += [one.get("LaunchTemplateSpecification") for one in _overrides(given)]
    return [one for one in found if one]


def _overrides(given: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    whole = given.get("DesiredConfiguration") or given
    return at(whole, "MixedInstancesPolicy.LaunchTemplate.Overrides") or []


def launches(asked: Asked) -> list[Target]:
    """The operation's own action on the group, and for each launch template what RunInstances with it needs."""
    found = {**asked.parameters, **values(asked)}
    action, group = f"autoscaling:{asked.operation.name}", _arn(found["AutoScalingGroupName"], asked)
    context = {**tags.of(asked.parameters), **keys.of("autoscaling", action, found, group)}
    is_new = asked.operation.name == "CreateAutoScalingGroup"
    targets = [Target(arn=group, action=action, context=context, makes=is_new)]
    if asked.parameters.get("InstanceId"):
        targets.append(passing_any(asked))
    return [*targets, *launching(_templates(asked.parameters), found.get("subnets", []), asked)]


def _arn(group: str, asked: Asked) -> str:
    place = f"arn:{asked.partition}:autoscaling:{asked.region}:{asked.account}"
    return f"{place}:autoScalingGroup:*:autoScalingGroupName/{group}"


def tagged(asked: Asked) -> list[Target]:
    """The operation's own action on each group whose tags change, with the tags of that group alone."""
    by_group: dict[str, list[Any]] = {}
    for tag in asked.parameters["Tags"]:
        by_group.setdefault(str(tag["ResourceId"]), []).append(tag)
    return list(_each(by_group, asked))


def _each(by_group: Mapping[str, list[Any]], asked: Asked) -> Iterator[Target]:
    for group, its in by_group.items():
        if not _FORMS["AutoScalingGroupName"].fits(group, asked):
            raise _refused("resourceId", group)
        yield Target(
            arn=_arn(group, asked), action=f"autoscaling:{asked.operation.name}", context=tags.of({"Tags": its})
        )


COMPUTED: Final[Mapping[str, Callable[[Asked], list[Target]]]] = {"launches": launches, "tagged": tagged}
