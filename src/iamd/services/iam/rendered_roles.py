"""What a role would be: a version of a role template with values for its parameters.

The words of refusals are those that AWS was seen to answer AcquireRole with in 2026.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from iamd import arn
from iamd.call import Call
from iamd.errors import AWSError
from iamd.services.iam import template_values
from iamd.services.iam.errors import InvalidInput, MalformedPolicyDocument, NoSuchEntity, ValidationError
from iamd.services.iam.role_templates import version_of
from iamd.services.iam.template_values import Value, Values
from iamd.store.role_template_records import ParameterDefinition, RoleTemplateVersion
from iamd.wire import models, validate

NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
LIST: Final = "List"
CHECKS: Final[Mapping[str, Callable[[str], bool]]] = {
    "String": lambda _: True,
    "Number": lambda value: NUMBER.fullmatch(value) is not None,
    "Arn": lambda value: arn.parse(value) is not None,
}


class RenderedRole:
    """What a role would be."""

    def __init__(self, call: Call, template_arn: str, minor_version: int | None, given: Mapping[str, Any]) -> None:
        found = version_of(call, template_arn, minor_version)
        if found is None:
            raise NoSuchEntity(f"Role template not found in repository: {template_arn}")
        self.template, self.version = found
        version = self.version
        self.values = _values(version, given)
        self.name = self._text(version.role_name_pattern)
        self.path = self._text(version.role_path_pattern or "/")
        described = version.role_description_pattern
        self.description = None if described is None else self._text(described)
        self.tags = [{"Key": self._text(tag.key), "Value": self._text(tag.value)} for tag in version.tags]
        self._check()

    def _text(self, pattern: str) -> str:
        return template_values.text(pattern, self.values)

    def trust_policy(self) -> str:
        """The role's trust policy; MalformedPolicyDocument when values make none of it."""
        return self._document(self.version.trust_policy_template)

    def inline_policies(self) -> dict[str, str]:
        """The role's inline policies by their names, likewise."""
        return {one.policy_name: self._document(one.document) for one in self.version.inline_policy_templates}

    def _document(self, template: str) -> str:
        try:
            filled = template_values.filled(template_values.parsed(template), self.values)
            return json.dumps(filled, separators=(",", ":"))
        except ValueError as error:
            raise MalformedPolicyDocument("This policy contains invalid Json") from error

    def _check(self) -> None:
        """Raise InvalidInput for what CreateRole takes of nobody."""
        given: dict[str, Any] = {
            "RoleName": self.name,
            "Path": self.path,
            "AssumeRolePolicyDocument": "{}",
            "MaxSessionDuration": self.version.max_session_duration,
            "Tags": self.tags,
        }
        if self.description is not None:
            given["Description"] = self.description
        try:
            validate.validate(models.service("iam").operation("CreateRole"), given)
        except AWSError as error:
            raise InvalidInput(error.message) from error


def _values(version: RoleTemplateVersion, given: Mapping[str, Any]) -> Values:
    known = {parameter.name for parameter in version.parameters}
    unknown = sorted(given.keys() - known)
    if unknown:
        raise InvalidInput(f"Failed to render template: Unrecognized parameter: {unknown[0]}")
    return {
        parameter.name: _value(parameter, given[parameter.name]["Values"] if parameter.name in given else None)
        for parameter in version.parameters
    }


def _value(parameter: ParameterDefinition, given: list[str] | None) -> Value:
    """The value of a parameter, each of which stands in the template: as given, or its default one."""
    is_list, default = parameter.type.endswith(LIST), parameter.default_value
    if given is None:
        if default is None:
            raise InvalidInput(f"Failed to render template: Parameter '{parameter.name}' not found.")
        given = default.split(",") if is_list else [default]
    if not is_list and len(given) != 1:
        raise ValidationError(f"{parameter.name} replacement value must contain exactly one value, got {len(given)}")
    if not all(CHECKS[parameter.type.removesuffix(LIST)](value) for value in given):
        raise InvalidInput(f"The parameter {parameter.name} is of type {parameter.type}.")
    return tuple(given) if is_list else given[0]
