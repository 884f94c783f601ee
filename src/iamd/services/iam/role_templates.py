"""Role templates, which services own: their versions, as they are shown and as roles are made of them.

AWS: IAM API Reference, GetRoleTemplateVersion.
"""

from typing import Any, Final

from iamd import arn
from iamd.arn import Arn
from iamd.call import Call
from iamd.services.iam import entities
from iamd.services.iam.entities import moment
from iamd.services.iam.errors import NoSuchEntity
from iamd.services.registry import Target, reading
from iamd.store.role_template_records import ParameterDefinition, RoleTemplate, RoleTemplateVersion

SERVICE_ACCOUNT: Final = "639982225848"
"""The account that `aws:ResourceAccount` names for role templates, as was seen at AWS in 2026: not `aws`."""


def is_template(named: Arn) -> bool:
    """Whether an ARN is of a role template of AWS's."""
    return (named.service, named.account) == ("iam", "aws") and named.resource.startswith("role-template/")


def read(template_arn: str) -> Target:
    """A template that is to be read: no policy of its own is needed, though another account has it."""
    return Target(
        arn=template_arn,
        action="iam:GetRoleTemplateVersion",
        service_account=SERVICE_ACCOUNT,
        shown=f"role-template {template_arn}",
    )


def _template_target(_call: Call, *, template_arn: str, **_: Any) -> Target:
    return read(template_arn)


@reading(on=_template_target)
def get_role_template_version(call: Call, *, template_arn: str, minor_version: int | None = None) -> dict[str, Any]:
    """Show a version of a template; its default one when none is named."""
    found = version_of(call, template_arn, minor_version)
    if found is None:
        raise NoSuchEntity(f"Role Template {template_arn} cannot be found.")
    return {"RoleTemplateVersion": _shown(*found)}


def version_of(
    call: Call, template_arn: str, minor_version: int | None
) -> tuple[RoleTemplate, RoleTemplateVersion] | None:
    """The template of this ARN and its version, the default one when none is named; None when there is none."""
    template = call.view.shared.get(RoleTemplate, template_arn)
    if template is None:
        return None
    wanted = template.default_minor_version if minor_version is None else minor_version
    return next(((template, one) for one in template.versions if one.minor_version == wanted), None)


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
        "AssumeRolePolicyDocumentTemplate": entities.shown_document(version.trust_policy_template),
        "MaxSessionDuration": version.max_session_duration,
        "VersionEnabled": version.enabled,
        "CreateTimestamp": moment(version.created),
        "UpdateTimestamp": moment(version.updated),
    }
    return shown | {name: value for name, value in _optional(version).items() if value}


def _optional(version: RoleTemplateVersion) -> dict[str, Any]:
    """What AWS was seen to leave out when a version has none of it."""
    return {
        "Description": version.description,
        "RolePathPattern": version.role_path_pattern,
        "RoleDescriptionPattern": version.role_description_pattern,
        "InlinePolicyTemplates": [
            {"PolicyName": one.policy_name, "PolicyDocument": entities.shown_document(one.document)}
            for one in version.inline_policy_templates
        ],
        "ManagedPolicyArns": list(version.managed_policy_arns),
        "PermissionBoundaryArn": version.permission_boundary_arn,
        "ParametersDefinition": [_shown_parameter(one) for one in version.parameters],
        "RoleTagsTemplate": [{"Key": tag.key, "Value": tag.value} for tag in version.tags],
    }


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
