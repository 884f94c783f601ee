"""Records of role templates: what AcquireRole makes roles from."""

import msgspec

from iamd.store.records import InlinePolicy, Record, Tag


class ParameterDefinition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="pascal"):
    """A parameter of a template, by the IAM API's members."""

    name: str
    type: str
    sub_type: str | None = None
    description: str | None = None
    is_required: bool = False
    default_value: str | None = None
    immutable: bool = False


class RoleTemplateVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a template; documents and patterns are kept as the texts that were given."""

    minor_version: int
    version_id: str
    created: int
    updated: int
    enabled: bool = True
    description: str | None = None
    role_name_pattern: str
    role_path_pattern: str | None = None
    role_description_pattern: str | None = None
    trust_policy_template: str
    inline_policy_templates: tuple[InlinePolicy, ...] = ()
    managed_policy_arns: tuple[str, ...] = ()
    permission_boundary_arn: str | None = None
    parameters: tuple[ParameterDefinition, ...] = ()
    tags: tuple[Tag, ...] = ()
    max_session_duration: int = 3600


class RoleTemplate(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A role template with its versions, kept under GLOBAL by its ARN, which holds its major version."""

    kind = "role-template"
    arn: str
    default_minor_version: int
    enabled: bool = True
    versions: tuple[RoleTemplateVersion, ...]

    @property
    def key(self) -> str:
        return self.arn
