"""Role templates, which services own, and the roles that are made from them.

AWS: IAM API Reference, GetRoleTemplateVersion and AcquireRole.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from iamd import arn
from iamd.authz.context import Context, of_tags, resource_tags
from iamd.call import Call
from iamd.errors import AWSError
from iamd.services.iam import arns, attachments, entities, inline_policies, roles, template_values
from iamd.services.iam.entities import moment, named_role
from iamd.services.iam.errors import (
    InvalidInput,
    MalformedPolicyDocument,
    NameConflict,
    NoSuchEntity,
    RoleTemplateDisabled,
)
from iamd.services.iam.template_values import Value, Values
from iamd.services.registry import Target, operation, reading
from iamd.store.records import Role, SourceRoleTemplate, Tag, fold
from iamd.store.role_template_records import ParameterDefinition, RoleTemplate, RoleTemplateVersion
from iamd.wire import models, validate

NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
LIST: Final = "List"
TEMPLATE_KEY: Final = "iam:roletemplatearn"
"""The ARN of the template that a role is made from, a condition key of what AcquireRole does with the role."""
CHECKS: Final[Mapping[str, Callable[[str], bool]]] = {
    "String": lambda _: True,
    "Number": lambda value: NUMBER.fullmatch(value) is not None,
    "Arn": lambda value: arn.parse(value) is not None,
}


def _template_target(_call: Call, *, template_arn: str, **_: Any) -> Target:
    return Target(arn=template_arn)


@reading(on=_template_target)
def get_role_template_version(call: Call, *, template_arn: str, minor_version: int | None = None) -> dict[str, Any]:
    """Show a version of a template; its default one when none is named."""
    template = _template(call, template_arn)
    return {"RoleTemplateVersion": _shown(template, _version(template, minor_version))}


def _acquisition_targets(
    call: Call,
    *,
    template_arn: str,
    template_minor_version: int | None = None,
    replacement_values: Mapping[str, Any] | None = None,
) -> Sequence[Target]:
    """The template, which is read, and the role: what is done with it if it is to be made, else that it is shown.

    AWS: IAM User Guide, "Manage access to role manager" (id_roles_create_role-manager_enable-use): AcquireRole
    evaluates each underlying action; the Service Authorization Reference has no iam:AcquireRole. An example of that
    page asks for iam:RoleTemplateARN of GetRoleTemplateVersion too, which does not have the key in the reference, nor,
    as recorded in 2026, in AWS's decisions.
    """
    # SECURITY: what cannot be rendered is told to those alone who may read the template, and then nothing is made.
    read = Target(arn=template_arn, action="iam:GetRoleTemplateVersion")
    try:
        made = _Made(call, template_arn, template_minor_version, replacement_values or {})
    except AWSError:
        return (read,)
    standing = call.account.one(Role, "name", fold(made.name))
    return (read, *(_made_targets(call, made) if standing is None else (_shown_target(call, made, standing),)))


def _shown_target(call: Call, made: "_Made", role: Role) -> Target:
    """The role that has the name already."""
    return Target(
        arn=entities.role_arn(call.account, role),
        action="iam:GetRole",
        context={
            **resource_tags(role.tags, arns.ENTITY_TAGS),
            **_bounded(role.permissions_boundary),
            TEMPLATE_KEY: made.template.arn,
        },
    )


def _made_targets(call: Call, made: "_Made") -> Iterator[Target]:
    """The role that would be made, for each action that makes it.

    SECURITY: once CreateRole has tagged it the tags are the role's own, as if the actions were asked for one by one, so
    that a Deny by its tags holds.
    """
    version = made.version
    shared = {TEMPLATE_KEY: made.template.arn, **_bounded(version.permission_boundary_arn)}
    requested = {**shared, **of_tags({"Tags": made.tags})}
    tagged = {**shared, **resource_tags((Tag(tag["Key"], tag["Value"]) for tag in made.tags), arns.ENTITY_TAGS)}

    def on(action: str, context: Context) -> Target:
        return Target(
            arn=arn.iam(call.account.id, "role", made.path, made.name), action=f"iam:{action}", context=context
        )

    yield on("CreateRole", requested)
    if made.tags:
        yield on("TagRole", requested)
    for policy_arn in version.managed_policy_arns:
        yield on("AttachRolePolicy", {**tagged, "iam:policyarn": policy_arn})
    if version.inline_policy_templates:
        yield on("PutRolePolicy", tagged)
    if version.permission_boundary_arn is not None:
        yield on("PutRolePermissionsBoundary", tagged)


def _bounded(boundary: str | None) -> Context:
    return {} if boundary is None else {"iam:permissionsboundary": boundary}


@operation(on=_acquisition_targets)
def acquire_role(
    call: Call,
    *,
    template_arn: str,
    template_minor_version: int | None = None,
    replacement_values: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Make a role as a version of a template says, with values for its parameters."""
    made = _Made(call, template_arn, template_minor_version, replacement_values or {})
    if not made.template.enabled or not made.version.enabled:
        raise RoleTemplateDisabled(f"Role template {template_arn} is disabled.")
    if call.account.find(Role, "name", fold(made.name)):
        raise NameConflict(f"Role with name {made.name} already exists.")
    version = made.version
    roles.create_role(
        call,
        role_name=made.name,
        path=made.path,
        assume_role_policy_document=made.document(version.trust_policy_template),
        description=made.description,
        max_session_duration=version.max_session_duration,
        permissions_boundary=version.permission_boundary_arn,
        tags=made.tags,
    )
    for policy in version.inline_policy_templates:
        document = made.document(policy.document)
        inline_policies.put_role_policy(
            call, role_name=made.name, policy_name=policy.policy_name, policy_document=document
        )
    for policy_arn in version.managed_policy_arns:
        attachments.attach_role_policy(call, role_name=made.name, policy_arn=policy_arn)
    role = replace(named_role(call, made.name), source_template=SourceRoleTemplate(template_arn, version.minor_version))
    call.put(role)
    return {"Role": roles.shown_role(call, role)}


class _Made:
    """What a role would be: the template with its values."""

    def __init__(self, call: Call, template_arn: str, minor_version: int | None, given: Mapping[str, Any]) -> None:
        self.template = _template(call, template_arn)
        self.version = version = _version(self.template, minor_version)
        self.values = _values(version, given)
        self.name = self._text(version.role_name_pattern)
        self.path = self._text(version.role_path_pattern)
        described = version.role_description_pattern
        self.description = None if described is None else self._text(described)
        self.tags = [{"Key": self._text(tag.key), "Value": self._text(tag.value)} for tag in version.tags]
        self._check()

    def _text(self, pattern: str) -> str:
        return template_values.text(pattern, self.values)

    def document(self, template: str) -> str:
        """A policy; MalformedPolicyDocument when values make none of it."""
        try:
            return json.dumps(
                template_values.filled(template_values.parsed(template), self.values), separators=(",", ":")
            )
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


def _template(call: Call, template_arn: str) -> RoleTemplate:
    found = call.view.shared.get(RoleTemplate, template_arn)
    if found is None:
        raise NoSuchEntity(f"Role template {template_arn} cannot be found.")
    return found


def _version(template: RoleTemplate, minor_version: int | None) -> RoleTemplateVersion:
    wanted = template.default_minor_version if minor_version is None else minor_version
    for version in template.versions:
        if version.minor_version == wanted:
            return version
    raise NoSuchEntity(f"Role template {template.arn} has no minor version {wanted}.")


def _values(version: RoleTemplateVersion, given: Mapping[str, Any]) -> Values:
    known = {parameter.name for parameter in version.parameters}
    unknown = sorted(given.keys() - known)
    if unknown:
        raise InvalidInput(f"The role template has no parameter {', '.join(unknown)}.")
    found: dict[str, Value] = {}
    for parameter in version.parameters:
        value = _value(parameter, given[parameter.name]["Values"] if parameter.name in given else None)
        if value is not None:
            found[parameter.name] = value
    return found


def _value(parameter: ParameterDefinition, given: list[str] | None) -> Value | None:
    """The value of a parameter: as given, or its default one; InvalidInput when it is not of its type."""
    if given is None and parameter.default_value is None and parameter.is_required:
        raise InvalidInput(f"The parameter {parameter.name} is required.")
    is_list = parameter.type.endswith(LIST)
    default = parameter.default_value
    if given is None:
        if default is None:
            return None
        given = default.split(",") if is_list else [default]
    if not is_list and len(given) != 1:
        raise InvalidInput(f"The parameter {parameter.name} has one value.")
    if not all(CHECKS[parameter.type.removesuffix(LIST)](value) for value in given):
        raise InvalidInput(f"The parameter {parameter.name} is of type {parameter.type}.")
    return tuple(given) if is_list else given[0]


def _shown(template: RoleTemplate, version: RoleTemplateVersion) -> dict[str, Any]:
    parsed = arn.parse(template.arn)
    path = "" if parsed is None else parsed.resource
    _, service, named = path.split("/", 2)
    name, _, major = named.rpartition(":")
    shown: dict[str, Any] = {
        "TemplateArn": template.arn,
        "TemplateName": name,
        "TemplateVersionId": version.version_id,
        "MajorVersion": int(major),
        "DefaultMinorVersion": template.default_minor_version,
        "ManagedByType": "Service",
        "ManagedByValue": service,
        "Enabled": template.enabled,
        "MinorVersion": version.minor_version,
        "RoleNamePattern": version.role_name_pattern,
        "RolePathPattern": version.role_path_pattern,
        "AssumeRolePolicyDocumentTemplate": entities.shown_document(version.trust_policy_template),
        "InlinePolicyTemplates": [
            {"PolicyName": one.policy_name, "PolicyDocument": entities.shown_document(one.document)}
            for one in version.inline_policy_templates
        ],
        "ManagedPolicyArns": list(version.managed_policy_arns),
        "ParametersDefinition": [_shown_parameter(one) for one in version.parameters],
        "RoleTagsTemplate": [{"Key": tag.key, "Value": tag.value} for tag in version.tags],
        "MaxSessionDuration": version.max_session_duration,
        "VersionEnabled": version.enabled,
        "CreateTimestamp": moment(version.created),
        "UpdateTimestamp": moment(version.updated),
    }
    optional = {
        "Description": version.description,
        "RoleDescriptionPattern": version.role_description_pattern,
        "PermissionBoundaryArn": version.permission_boundary_arn,
    }
    return shown | {name: value for name, value in optional.items() if value is not None}


def _shown_parameter(parameter: ParameterDefinition) -> dict[str, Any]:
    shown = {
        "Name": parameter.name,
        "Type": parameter.type,
        "SubType": parameter.sub_type,
        "Description": parameter.description,
        "IsRequired": parameter.is_required,
        "DefaultValue": parameter.default_value,
        "Immutable": parameter.immutable,
    }
    return {name: value for name, value in shown.items() if value is not None}
