"""Parameters: what a template asks of who makes a stack of it, and whether what is given is what it asks for.

AWS: CloudFormation User Guide, "CloudFormation template Parameters syntax".
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import regex

from iamd.stacks.faults import ValidationError, malformed, unsupported
from iamd.stacks.functions import text_of
from iamd.stacks.template import Template

HIDDEN: Final = "****"
"""What is shown of the value of a parameter with NoEcho."""

SSM_VALUE: Final = "AWS::SSM::Parameter::Value<"
SSM_NAME: Final = "AWS::SSM::Parameter::Name"
MOST_PARAMETERS: Final = 200
_MATCH_SECONDS: Final = 0.1
_PLAIN: Final = frozenset({"String", "Number", "List<Number>", "CommaDelimitedList"})
_INNER: Final = frozenset({"String", "List<String>", "CommaDelimitedList"})
_MEMBERS: Final = frozenset(
    {
        "AllowedPattern", "AllowedValues", "ConstraintDescription", "Default", "Description", "MaxLength", "MaxValue",
        "MinLength", "MinValue", "NoEcho", "Type",
    }
)  # fmt: skip

AWS_TYPES: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "AWS::EC2::AvailabilityZone::Name": (
        "ec2", "DescribeAvailabilityZones", "ZoneNames", "AvailabilityZones[].ZoneName",
    ),
    "AWS::EC2::Image::Id": ("ec2", "DescribeImages", "ImageIds", "Images[].ImageId"),
    "AWS::EC2::Instance::Id": ("ec2", "DescribeInstances", "InstanceIds", "Reservations[].Instances[].InstanceId"),
    "AWS::EC2::KeyPair::KeyName": ("ec2", "DescribeKeyPairs", "KeyNames", "KeyPairs[].KeyName"),
    "AWS::EC2::SecurityGroup::GroupName": ("ec2", "DescribeSecurityGroups", "GroupNames", "SecurityGroups[].GroupName"),
    "AWS::EC2::SecurityGroup::Id": ("ec2", "DescribeSecurityGroups", "GroupIds", "SecurityGroups[].GroupId"),
    "AWS::EC2::Subnet::Id": ("ec2", "DescribeSubnets", "SubnetIds", "Subnets[].SubnetId"),
    "AWS::EC2::VPC::Id": ("ec2", "DescribeVpcs", "VpcIds", "Vpcs[].VpcId"),
    "AWS::EC2::Volume::Id": ("ec2", "DescribeVolumes", "VolumeIds", "Volumes[].VolumeId"),
    SSM_NAME: ("ssm", "GetParameters", "Names", "Parameters[].Name"),
}  # fmt: skip
"""By a type of AWS's: the operation that says whether the values are there, its parameter, and what its answer names.

AWS: User Guide, "Supported AWS-specific parameter types".
"""


class Given(msgspec.Struct, frozen=True, omit_defaults=True):
    """Values of parameters: as they were given or are by default, and what SSM has for those that name one of its."""

    values: Mapping[str, str]
    resolved: Mapping[str, str] = {}


def check(template: Template) -> None:
    """Every parameter is declared as it can be."""
    if len(template.parameters) > MOST_PARAMETERS:
        raise malformed(f"Number of parameters, {len(template.parameters)}, is greater than maximum allowed, 200")
    for name, declared in template.parameters.items():
        strangers = declared.keys() - _MEMBERS
        if strangers:
            raise ValidationError(f"Invalid template parameter property '{min(strangers)}'")
        if not isinstance(declared.get("Type"), str):
            raise malformed(f"[/Parameters/{name}] Every Parameters object must contain a Type member.")
        _check_type(name, declared["Type"])
        if isinstance(declared.get("Default", ""), list | Mapping):
            raise malformed(f"Every Default member must be a string. ({name})")


def _check_type(name: str, type: str) -> None:
    inner = type.removeprefix(SSM_VALUE).removesuffix(">") if type.startswith(SSM_VALUE) else type
    plain = _INNER if inner is not type else _PLAIN
    if inner in plain or element_of(inner) in AWS_TYPES:
        return
    if inner.startswith(("AWS::", "List<AWS::")):
        raise unsupported(f"The type {type} of parameter {name}")
    raise malformed(f"Unrecognized parameter type: {type}")


def element_of(type: str) -> str:
    """The type of a list's elements; a type that is none of a list itself."""
    return type.removeprefix("List<").removesuffix(">") if type.startswith("List<") else type


def is_list(type: str) -> bool:
    """Whether values of this type are lists."""
    inner = type.removeprefix(SSM_VALUE)
    return inner.startswith(("List<", "CommaDelimitedList"))


def is_hidden(declared: Mapping[str, Any]) -> bool:
    """Whether a value must not be shown."""
    return text_of(declared.get("NoEcho", False)) == "true"


def given(template: Template, entries: Sequence[Mapping[str, Any]], before: Mapping[str, str] | None) -> dict[str, str]:
    """The values of all parameters: as given, as they were, or by default. ValidationError for what does not fit."""
    told = _told(entries, before)
    strangers = [name for name in told if name not in template.parameters]
    if strangers:
        raise ValidationError(f"Parameters: [{', '.join(strangers)}] do not exist in the template")
    found = {}
    for name, declared in template.parameters.items():
        if name in told:
            found[name] = told[name]
        elif "Default" in declared:
            found[name] = text_of(declared["Default"])
    missing = [name for name in template.parameters if name not in found]
    if missing:
        raise ValidationError(f"Parameters: [{', '.join(missing)}] must have values")
    for name, value in found.items():
        if not template.parameters[name]["Type"].startswith(SSM_VALUE):
            check_value(name, template.parameters[name], value)
    return found


def _told(entries: Sequence[Mapping[str, Any]], before: Mapping[str, str] | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in entries:
        name, value = entry.get("ParameterKey"), entry.get("ParameterValue")
        keeps = entry.get("UsePreviousValue") is True
        if name is None or name in found:
            raise ValidationError(f"Parameters: [{name}] must be named once")
        if keeps and value is not None:
            raise ValidationError(
                f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true and non empty value "
                "for a parameter"
            )
        if keeps and name not in (before or {}):
            raise ValidationError(
                f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true for a parameter key "
                "not in the previous template"
            )
        if not keeps and value is None:
            raise ValidationError(f"Parameters: [{name}] must have values")
        found[name] = (before or {})[name] if keeps else str(value)
    return found


def check_value(name: str, declared: Mapping[str, Any], value: str) -> None:
    """A value keeps what its parameter's declaration says of it."""
    for one in value.split(",") if is_list(declared["Type"]) else [value]:
        why = _fault(name, declared, one.strip() if is_list(declared["Type"]) else one)
        if why is not None:
            told = declared.get("ConstraintDescription")
            raise ValidationError(f"Parameter {name} failed to satisfy constraint: {told}" if told else why)


def _fault(name: str, declared: Mapping[str, Any], value: str) -> str | None:
    allowed = [text_of(one) for one in declared.get("AllowedValues", [])]
    if allowed and value not in allowed:
        return f"Parameter '{name}' must be one of AllowedValues"
    pattern = declared.get("AllowedPattern")
    if pattern is not None and not _matches(name, pattern, value):
        return f"Parameter '{name}' must match pattern {pattern}"
    if "MinLength" in declared and len(value) < int(declared["MinLength"]):
        return f"Parameter '{name}' must contain at least {declared['MinLength']} characters"
    if "MaxLength" in declared and len(value) > int(declared["MaxLength"]):
        return f"Parameter '{name}' must contain at most {declared['MaxLength']} characters"
    return _fault_of_number(name, declared, value) if "Number" in declared["Type"] else None


def _matches(name: str, pattern: str, value: str) -> bool:
    try:
        # SECURITY: both are the caller's, and some patterns take for ever to match.
        return regex.fullmatch(pattern, value, timeout=_MATCH_SECONDS) is not None
    except TimeoutError as error:
        raise malformed(f"AllowedPattern of parameter {name} takes too long to match") from error
    except regex.error as error:
        raise malformed(f"AllowedPattern of parameter {name} is no regular expression: {error}") from error


def _fault_of_number(name: str, declared: Mapping[str, Any], value: str) -> str | None:
    try:
        number = float(value)
    except ValueError:
        return f"Parameter '{name}' must be a number"
    if "MinValue" in declared and number < float(declared["MinValue"]):
        return f"Parameter '{name}' must be a number not less than {declared['MinValue']}"
    if "MaxValue" in declared and number > float(declared["MaxValue"]):
        return f"Parameter '{name}' must be a number not greater than {declared['MaxValue']}"
    return None


def values_of(template: Template, told: Given, *, masked: bool = False) -> dict[str, Any]:
    """What each parameter's name stands for in the template; those with NoEcho hidden where it is only shown."""
    found: dict[str, Any] = {}
    for name, declared in template.parameters.items():
        value = told.resolved.get(name, told.values.get(name, ""))
        if masked and is_hidden(declared):
            value = HIDDEN
        found[name] = [one.strip() for one in value.split(",")] if is_list(declared["Type"]) else value
    return found
