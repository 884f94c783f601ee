"""Role templates as the operator registers them: on AWS they are its services' own."""

from typing import Any

import msgspec
from msgspec.structs import replace

from iamd import ids
from iamd.call import Call
from iamd.services.iam import template_values
from iamd.services.iamd.accounts import check_first_account
from iamd.services.iamd.delegation import MalformedTemplate, NoSuchTemplate, TemplateAlreadyExists
from iamd.services.iamd.equivalents import beside
from iamd.services.registry import operation
from iamd.store.records import GLOBAL, InlinePolicy, Tag
from iamd.store.role_template_records import ParameterDefinition, RoleTemplate, RoleTemplateVersion

VERSIONS = 100
TYPES = frozenset({"String", "StringList", "Number", "NumberList", "Arn", "ArnList"})


class _Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="pascal"):
    policy_name: str
    policy_document: str


class _Tag(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="pascal"):
    key: str
    value: str


class _Given(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="pascal"):
    """A version as it is given: JSON, by the members that GetRoleTemplateVersion shows."""

    role_name_pattern: str
    assume_role_policy_document_template: str
    description: str | None = None
    role_path_pattern: str | None = None
    role_description_pattern: str | None = None
    inline_policy_templates: tuple[_Policy, ...] = ()
    managed_policy_arns: tuple[str, ...] = ()
    permission_boundary_arn: str | None = None
    parameters_definition: tuple[ParameterDefinition, ...] = ()
    role_tags_template: tuple[_Tag, ...] = ()
    max_session_duration: int = 3600


@operation(on=beside("iam:CreatePolicy", "iam:CreatePolicyVersion"))
def register_role_template_version(call: Call, *, template_arn: str, minor_version: int, template: str) -> None:
    """Register a version of a template; a template's first one is its default."""
    check_first_account(call)
    version = _version(call, minor_version, _given(template))
    before = call.view.shared.get(RoleTemplate, template_arn)
    versions = () if before is None else before.versions
    if any(one.minor_version == minor_version for one in versions):
        raise TemplateAlreadyExists(f"Role template {template_arn} has a minor version {minor_version} already.")
    if len(versions) >= VERSIONS:
        raise MalformedTemplate(f"A role template has {VERSIONS} versions at most.")
    if before is None:
        record = RoleTemplate(arn=template_arn, default_minor_version=minor_version, versions=(version,))
    else:
        record = replace(before, versions=(*versions, version))
    call.change.put(GLOBAL, record)


@operation(on=beside("iam:SetDefaultPolicyVersion"))
def update_role_template(
    call: Call,
    *,
    template_arn: str,
    enabled: bool | None = None,
    default_minor_version: int | None = None,
    disabled_minor_versions: list[int] | None = None,
) -> None:
    """Set which version is a template's default, whether roles are made from it, and from which versions not."""
    check_first_account(call)
    template = call.view.shared.get(RoleTemplate, template_arn)
    numbers = set() if template is None else {version.minor_version for version in template.versions}
    asked = {*(disabled_minor_versions or ()), *(() if default_minor_version is None else (default_minor_version,))}
    if template is None or not asked <= numbers:
        raise NoSuchTemplate(f"No such version of role template {template_arn} is registered.")
    if enabled is not None:
        template = replace(template, enabled=enabled)
    if default_minor_version is not None:
        template = replace(template, default_minor_version=default_minor_version)
    if disabled_minor_versions is not None:
        off = set(disabled_minor_versions)
        versions = tuple(_switched(call, one, enabled=one.minor_version not in off) for one in template.versions)
        template = replace(template, versions=versions)
    call.change.put(GLOBAL, template)


def _switched(call: Call, version: RoleTemplateVersion, *, enabled: bool) -> RoleTemplateVersion:
    return version if version.enabled is enabled else replace(version, enabled=enabled, updated=call.now)


def _given(template: str) -> _Given:
    try:
        given = msgspec.json.decode(template, type=_Given)
        documents = [
            given.assume_role_policy_document_template,
            *(one.policy_document for one in given.inline_policy_templates),
        ]
        for document in documents:
            template_values.parsed(document)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise MalformedTemplate(f"The template is malformed: {error}") from error
    names = {one.name for one in given.parameters_definition}
    used = template_values.names_in(template)
    if len(names) != len(given.parameters_definition) or used != names:
        raise MalformedTemplate("The template defines other parameters than it uses, or one of them twice.")
    if any(one.type not in TYPES for one in given.parameters_definition):
        raise MalformedTemplate(f"A parameter is one of {', '.join(sorted(TYPES))}.")
    if not 3600 <= given.max_session_duration <= 43200:
        raise MalformedTemplate("MaxSessionDuration is between 3600 and 43200.")
    return given


def _version(call: Call, minor_version: int, given: _Given) -> RoleTemplateVersion:
    kept: dict[str, Any] = {
        name: getattr(given, name)
        for name in (
            "description",
            "role_name_pattern",
            "role_path_pattern",
            "role_description_pattern",
            "managed_policy_arns",
            "permission_boundary_arn",
            "max_session_duration",
        )
    }
    return RoleTemplateVersion(
        minor_version=minor_version,
        version_id=ids.unique_id("RTV"),
        created=call.now,
        updated=call.now,
        trust_policy_template=given.assume_role_policy_document_template,
        inline_policy_templates=tuple(
            InlinePolicy(one.policy_name, one.policy_document) for one in given.inline_policy_templates
        ),
        parameters=given.parameters_definition,
        tags=tuple(Tag(one.key, one.value) for one in given.role_tags_template),
        **kept,
    )
