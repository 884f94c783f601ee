"""What templates ask of other services before anything is made: values of SSM parameters, ids that must be there."""

from collections.abc import Mapping, Sequence
from typing import Any

import jmespath

from iamd.stacks.client import Client, RequestFailed
from iamd.stacks.faults import ValidationError
from iamd.stacks.functions import plain
from iamd.stacks.parameters import AWS_TYPES, SSM_VALUE, check_value, element_of, is_list
from iamd.stacks.template import Template, mappings_in


async def resolved_parameters(template: Template, values: Mapping[str, str], client: Client) -> dict[str, str]:
    """The values that SSM has for parameters that name one of its; ValidationError for what is not there."""
    found = {}
    for name, declared in template.parameters.items():
        type = declared["Type"]
        if type.startswith(SSM_VALUE):
            found[name] = await _parameter(name, values[name], client)
            check_value(name, {**declared, "Type": type.removeprefix(SSM_VALUE).removesuffix(">")}, found[name])
            type = type.removeprefix(SSM_VALUE).removesuffix(">")
        if element_of(type) in AWS_TYPES:
            value = found.get(name, values[name])
            await _check(name, element_of(type), value.split(",") if is_list(type) else [value], client)
    return found


async def _parameter(name: str, key: str, client: Client) -> str:
    try:
        answer = await client.call("ssm", "GetParameters", {"Names": [key]})
    except RequestFailed as error:
        raise ValidationError(
            f"Unable to fetch parameters [{key}] from parameter store for this account: {error}"
        ) from error
    found = next(iter(answer.get("Parameters", [])), None)
    if found is None:
        raise ValidationError(f"Unable to fetch parameters [{key}] from parameter store for this account.")
    if found["Type"] == "SecureString":
        raise ValidationError(f"Parameters [{key}] referenced by template have types not supported by CloudFormation.")
    return str(plain(found["Value"], key))


async def _check(name: str, type: str, values: Sequence[str], client: Client) -> None:
    service, operation, parameter, path = AWS_TYPES[type]
    for value in (one.strip() for one in values):
        try:
            answer = await client.call(service, operation, {parameter: [value]})
        except RequestFailed as error:
            raise _missing(name, value, str(error)) from error
        if value not in (jmespath.search(path, answer) or ()):
            raise _missing(name, value, "it does not exist")


def _missing(name: str, value: str, why: str) -> ValidationError:
    return ValidationError(
        f"Parameter validation failed: parameter value {value} for parameter name {name} does not exist ({why})"
    )


async def zones_for(template: Template, client: Client) -> dict[str, list[str]]:
    """The Availability Zones of the stack's Region, if the template asks for them."""
    sections: tuple[Any, ...] = (template.resources, template.outputs, template.conditions)
    if not any("Fn::GetAZs" in mapping for section in sections for mapping in mappings_in(section)):
        return {}
    try:
        answer = await client.call("ec2", "DescribeAvailabilityZones", {})
    except RequestFailed as error:
        raise ValidationError(f"Template error: Fn::GetAZs failed: {error}") from error
    zones = [zone for zone in answer["AvailabilityZones"] if zone.get("ZoneType") in {None, "availability-zone"}]
    return {client.region: sorted(str(zone["ZoneName"]) for zone in zones)}
