"""Roles that stand among settings: as the value of an option that another member names, or within a text.

Each service's way is a function that finds what a request names; what is no role is left out.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import yaml

from iamd.errors import AWSError
from iamd.gateway.actions.asked import Asked, invalid

ROLE_ARN: Final = re.compile(r"arn:[a-z-]+:iam::[0-9]{12}:role/[^\s]+", re.ASCII)


class Setting(NamedTuple):
    """A role, or an instance profile, by name or ARN, and the service that assumes it."""

    value: str
    service: str
    is_profile: bool = False


class UntoldRole(AWSError):
    """A role that nobody can tell (Data Pipeline API Reference, PutPipelineDefinition: InvalidRequestException)."""

    code = "InvalidRequestException"
    status = 400


def _listed(given: Mapping[str, Any], member: str) -> Iterator[Mapping[str, Any]]:
    yield from (one for one in given.get(member) or [] if isinstance(one, Mapping))


# AWS: Elastic Beanstalk Developer Guide, "General options for all environments" (command-options-general).
_OF_BEANSTALK: Final = {
    ("aws:autoscaling:launchconfiguration", "IamInstanceProfile"): ("ec2.amazonaws.com", True),
    ("aws:elasticbeanstalk:environment", "ServiceRole"): ("elasticbeanstalk.amazonaws.com", False),
}


def _of_beanstalk(asked: Asked) -> Iterator[Setting]:
    for one in _listed(asked.parameters, "OptionSettings"):
        found = _OF_BEANSTALK.get((str(one.get("Namespace")), str(one.get("OptionName"))))
        if found is not None and one.get("Value"):
            yield Setting(str(one["Value"]), *found)


def _of_rds(asked: Asked) -> Iterator[Setting]:
    """AWS: RDS User Guide, options of SQL Server and Oracle: `IAM_ROLE_ARN`."""
    for option in _listed(asked.parameters, "OptionsToInclude"):
        for one in _listed(option, "OptionSettings"):
            if "role" in str(one.get("Name")).lower() and ROLE_ARN.fullmatch(str(one.get("Value"))):
                yield Setting(str(one["Value"]), "rds.amazonaws.com")


_WITHIN: Final = re.compile(r"arn:[a-z-]+:iam::[0-9]{12}:role/[\w+=,.@/-]+", re.ASCII)


def _of_dms(asked: Asked) -> Iterator[Setting]:
    """AWS: DMS User Guide, "Extra connection attributes": `name=value` with semicolons, or JSON for some engines."""
    text = str(asked.parameters.get("ExtraConnectionAttributes") or "")
    yield from (Setting(role, "dms.amazonaws.com") for role in _WITHIN.findall(text))


# AWS: Data Pipeline Developer Guide, "IAM Roles for AWS Data Pipeline", and the fields of EmrCluster.
_DATA_PIPELINE: Final = "datapipeline.amazonaws.com"
_OF_PIPELINES: Final = {"role": _DATA_PIPELINE, "resourceRole": "ec2.amazonaws.com"}
_EXPRESSION: Final = re.compile(r"#\{\s*(\w+)\s*\}", re.ASCII)


def _of_data_pipeline(asked: Asked) -> Iterator[Setting]:
    given = asked.parameters
    values = {str(one.get("id")): str(one.get("stringValue")) for one in _listed(given, "parameterValues")}
    for named in _listed(given, "parameterObjects"):
        attributes = {one.get("key"): one.get("stringValue") for one in _listed(named, "attributes")}
        if "default" in attributes:
            values.setdefault(str(named.get("id")), str(attributes["default"]))
    for item in _listed(given, "pipelineObjects"):
        fields = [(one.get("key"), one.get("stringValue")) for one in _listed(item, "fields")]
        is_cluster = ("type", "EmrCluster") in fields
        for key, value in fields:
            service = _OF_PIPELINES.get(str(key))
            if service is not None and value:
                emr = is_cluster and key == "role"
                yield Setting(_filled(str(value), values), "elasticmapreduce.amazonaws.com" if emr else service)


def _filled(text: str, values: Mapping[str, str]) -> str:
    """A value with its parameters.

    SECURITY: what is worked out while the pipeline runs may be any role.
    """
    filled = _EXPRESSION.sub(lambda match: values.get(match[1], match[0]), text)
    if "#{" in filled:
        raise UntoldRole(f"iamd cannot tell which role {text} is.")
    return filled


def _of_systems_manager(asked: Asked) -> Iterator[Setting]:
    """AWS: SSM API Reference, UpdateServiceSetting: the role of Default Host Management Configuration, by its name."""
    setting = str(asked.parameters.get("SettingId"))
    if asked.operation.name == "UpdateServiceSetting" and setting.endswith("/default-ec2-instance-management-role"):
        yield Setting(str(asked.parameters.get("SettingValue")), "ssm.amazonaws.com")


_WAYS: Final[Mapping[str, Callable[[Asked], Iterator[Setting]]]] = {
    "datapipeline": _of_data_pipeline,
    "dms": _of_dms,
    "docdb": _of_rds,
    "elasticbeanstalk": _of_beanstalk,
    "neptune": _of_rds,
    "rds": _of_rds,
    "ssm": _of_systems_manager,
}


def of(asked: Asked) -> Iterator[Setting]:
    """The roles and profiles among a request's settings."""
    way = _WAYS.get(asked.operation.service)
    return way(asked) if way is not None else iter(())


def in_document(text: str) -> Any:
    """What a document in JSON or YAML says, as maps, lists and texts; of another text, the roles whose ARNs are in it.

    SECURITY: an alias is followed once, so that no text grows by its aliases. Of a name that stands twice both values
    count, for nobody knows which one a service takes. What takes too long or too much to read is refused.
    """
    try:
        try:
            return json.loads(text, object_pairs_hook=_merged)
        except ValueError:
            if len(text) > _LONGEST:
                raise invalid(f"A document of more than {_LONGEST} characters is not read for roles.") from None
        return _value(yaml.compose(text, Loader=yaml.SafeLoader), set())
    except (yaml.YAMLError, ValueError):
        return {"role": _WITHIN.findall(text)}
    except RecursionError:
        raise invalid("A document that is nested so deeply is not read for roles.") from None


# AWS: documents of Systems Manager have 64 KB, templates of conformance packs 51,200 bytes, pipelines of OpenSearch
# Ingestion 24,000 characters (the operations' pages of the API References, and Systems Manager's quotas).
_LONGEST: Final = 65_536


def _merged(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    found: dict[str, list[Any]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _value(node: yaml.Node | None, seen: set[int]) -> Any:
    if node is None or (id(node) in seen and not isinstance(node, yaml.ScalarNode)):
        return None
    seen.add(id(node))
    match node:
        case yaml.MappingNode():
            return _merged([(str(_value(key, seen)), _value(value, seen)) for key, value in node.value])
        case yaml.SequenceNode():
            return [_value(one, seen) for one in node.value]
        case _:
            return node.value
