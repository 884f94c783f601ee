"""Template: the sections of a template, checked as far as they can be before anything is evaluated.

AWS: CloudFormation User Guide, "Template anatomy".
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from iamd.stacks import handlers
from iamd.stacks.faults import ValidationError, malformed, unsupported
from iamd.stacks.reading import FUNCTIONS, content_of

SERVERLESS: Final = "AWS::Serverless-2016-10-31"
LANGUAGE_EXTENSIONS: Final = "AWS::LanguageExtensions"

_SECTIONS: Final = frozenset(
    {
        "AWSTemplateFormatVersion", "Conditions", "Description", "Mappings", "Metadata", "Outputs", "Parameters",
        "Resources", "Rules", "Transform",
    }
)  # fmt: skip
_RESOURCE_MEMBERS: Final = frozenset(
    {"Condition", "DeletionPolicy", "DependsOn", "Metadata", "Properties", "Type", "UpdateReplacePolicy"}
)
_NOT_DONE: Final = frozenset({"CreationPolicy", "UpdatePolicy"})
_OUTPUT_MEMBERS: Final = frozenset({"Condition", "Description", "Export", "Value"})
_EXTENDED: Final = frozenset({"Fn::Length", "Fn::ToJsonString"})
DELETION_POLICIES: Final = ("Delete", "Retain", "RetainExceptOnCreate")
_NAME: Final = re.compile(r"[A-Za-z0-9]{1,255}", re.ASCII)
MOST_RESOURCES: Final = 500
"""AWS: CloudFormation User Guide, "Understand CloudFormation quotas": resources in a template."""
_VERSION: Final = "2010-09-09"

Section = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """The sections of a template by their names."""

    description: str | None
    metadata: Mapping[str, Any]
    parameters: Section
    mappings: Section
    conditions: Section
    rules: Section
    resources: Section
    outputs: Section
    transforms: tuple[str, ...]

    def types(self) -> list[str]:
        """Every type of resource, once, in order of their names."""
        return sorted({resource["Type"] for resource in self.resources.values()})


@lru_cache(maxsize=64)
def read(text: str) -> Template:
    """The template in a text; AWS's ValidationError when it is none."""
    return of_content(content_of(text))


def transforms_of(content: Mapping[str, Any]) -> tuple[str, ...]:
    """The transforms that a template asks for."""
    declared = content.get("Transform", [])
    names = [declared] if isinstance(declared, str) else declared
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise unsupported("A Transform with parameters")
    for name in names:
        if name not in {SERVERLESS, LANGUAGE_EXTENSIONS}:
            raise unsupported(f"The transform {name}")
    return tuple(names)


def of_content(content: Mapping[str, Any]) -> Template:
    """The template that a value is; transforms have been done, or there is none that changes it."""
    strangers = content.keys() - _SECTIONS
    if "Hooks" in strangers:
        raise unsupported("A template with Hooks")
    if strangers:
        raise malformed(f"Invalid template property or properties [{', '.join(sorted(strangers))}]")
    if str(content.get("AWSTemplateFormatVersion", _VERSION)) != _VERSION:
        raise malformed("unsupported value for AWSTemplateFormatVersion. No such version 2010-09-09.")
    description = content.get("Description")
    if description is not None and not isinstance(description, str):
        raise malformed("every Description object must be a string.")
    sections = {name: _named(content, name) for name in ("Parameters", "Mappings", "Conditions", "Rules", "Outputs")}
    found = Template(
        description=description,
        metadata=_object(content.get("Metadata", {}), "Metadata"),
        parameters=sections["Parameters"],
        mappings=sections["Mappings"],
        conditions=sections["Conditions"],
        rules=sections["Rules"],
        resources=_named(content, "Resources"),
        outputs=sections["Outputs"],
        transforms=transforms_of(content),
    )
    _check(found)
    return found


def _object(value: Any, section: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise malformed(f"{section} must be an object.")
    return value


def _named(content: Mapping[str, Any], section: str) -> Section:
    found = content.get(section) or {}
    if not isinstance(found, Mapping) or not all(isinstance(entry, Mapping) for entry in found.values()):
        raise malformed(f"[/{section}] every {section} member must be an object.")
    for name in found:
        if section not in {"Mappings", "Rules", "Conditions"} and not _NAME.fullmatch(name):
            raise ValidationError(f"Template format error: {section} name {name} is non alphanumeric.")
    return found


def _check(template: Template) -> None:
    if not template.resources:
        raise malformed("At least one Resources member must be defined.")
    if len(template.resources) > MOST_RESOURCES:
        raise malformed(f"Number of resources, {len(template.resources)}, is greater than maximum allowed, 500")
    shared = template.resources.keys() & template.parameters.keys()
    if shared:
        raise malformed(f"Duplicate parameter and resource names: {sorted(shared)}")
    for name, resource in template.resources.items():
        _check_resource(name, resource)
    for name, output in template.outputs.items():
        _check_output(name, output)
    extended = LANGUAGE_EXTENSIONS in template.transforms
    for section in (template.conditions, template.resources, template.outputs, template.rules):
        _check_functions(section, extended)
    unknown = [name for name in template.types() if not handlers.supported(name)]
    if unknown:
        raise malformed(f"Unrecognized resource types: [{', '.join(unknown)}]")


def _check_resource(name: str, resource: Mapping[str, Any]) -> None:
    if resource.keys() & _NOT_DONE:
        raise unsupported(f"The {min(resource.keys() & _NOT_DONE)} of resource {name}")
    # AWS: custom resources may have a Version (AWS::CloudFormation::CustomResource, "Syntax").
    versioned = {"Version"} if handlers.is_custom(str(resource.get("Type"))) else set()
    strangers = resource.keys() - _RESOURCE_MEMBERS - versioned
    if strangers:
        raise ValidationError(f"Invalid template resource property '{min(strangers)}'")
    if not isinstance(resource.get("Type"), str):
        raise malformed(f"[/Resources/{name}] Every Resources object must contain a Type member.")
    for member in ("Properties", "Metadata"):
        if not isinstance(resource.get(member, {}), Mapping):
            raise malformed(f"[/Resources/{name}/{member}] every {member} object must be an object.")
    if not isinstance(resource.get("Condition", ""), str):
        raise malformed(f"[/Resources/{name}/Condition] must be a string.")
    for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
        _check_policy(name, policy, resource.get(policy, "Delete"))
    if not all(isinstance(other, str) for other in depends_on(resource)):
        raise malformed(f"DependsOn of resource {name} must be a string or a list of strings.")


def _check_policy(name: str, policy: str, value: Any) -> None:
    if value == "Snapshot":
        raise unsupported(f"The {policy} Snapshot of resource {name}")
    if value not in DELETION_POLICIES or (policy == "UpdateReplacePolicy" and value == "RetainExceptOnCreate"):
        raise malformed(f"Unrecognized {policy} {value} for resource {name}")


def depends_on(resource: Mapping[str, Any]) -> list[Any]:
    """The resources that one names as those that it depends on."""
    named = resource.get("DependsOn", [])
    return named if isinstance(named, list) else [named]


def _check_output(name: str, output: Mapping[str, Any]) -> None:
    strangers = output.keys() - _OUTPUT_MEMBERS
    if strangers:
        raise malformed(f"[/Outputs/{name}] unknown member {min(strangers)}.")
    if "Value" not in output:
        raise malformed(f"[/Outputs/{name}] every Outputs object must contain a Value member.")
    export = output.get("Export", {"Name": ""})
    if not isinstance(export, Mapping) or export.keys() != {"Name"}:
        raise malformed(f"[/Outputs/{name}/Export] must have a Name and nothing else.")
    if not isinstance(output.get("Description", ""), str) or not isinstance(output.get("Condition", ""), str):
        raise malformed(f"[/Outputs/{name}] Description and Condition must be strings.")


def function_of(value: Any) -> tuple[str, Any] | None:
    """The function that a value is, with its argument; None for what is none."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return None
    (name, argument), *_ = value.items()
    return (name, argument) if name == "Ref" or name.startswith("Fn::") else None


def _check_functions(value: Any, extended: bool) -> None:
    for mapping in mappings_in(value):
        for name in mapping:
            if not name.startswith("Fn::"):
                continue
            if name.startswith(("Fn::ForEach", "Fn::Transform")):
                raise unsupported("::".join(name.split("::")[:2]))
            if name.removeprefix("Fn::") not in FUNCTIONS:
                raise ValidationError(f"Template error: function {name} is not supported.")
            if len(mapping) != 1:
                raise malformed(f"{name} must be the only key of its object.")
            if name in _EXTENDED and not extended:
                # AWS: both are part of the transform (Template Reference, "Fn::Length", "Fn::ToJsonString").
                raise ValidationError(f"Template error: {name} needs the transform {LANGUAGE_EXTENSIONS}.")


def mappings_in(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every object within a value, itself included."""
    if isinstance(value, Mapping):
        yield value
        for inner in value.values():
            yield from mappings_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from mappings_in(inner)
