"""AcquireRole: a role is made of a template, or given when it was made of it already.

AWS: IAM API Reference, AcquireRole; IAM User Guide, "Manage access to role manager"
(id_roles_create_role-manager_enable-use). Whether a role is given again, and the words of refusals, are as AWS was seen
to answer in 2026.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from iamd import arn
from iamd.authz.context import Context, of_tags, resource_tags
from iamd.call import Call
from iamd.errors import AWSError
from iamd.services.iam import (
    arns,
    attachments,
    entities,
    inline_policies,
    role_templates,
    roles,
    template_values,
    trust_policies,
)
from iamd.services.iam.entities import named_role
from iamd.services.iam.errors import NameConflict, RoleModified, RoleTemplateDisabled
from iamd.services.iam.rendered_roles import RenderedRole
from iamd.services.registry import Target, operation
from iamd.store.records import Role, SourceRoleTemplate, Tag, fold

TEMPLATE_KEY: Final = "iam:roletemplatearn"
"""The ARN of the template that a role is made from, a condition key of what AcquireRole does with the role."""


def _acquisition_targets(
    call: Call,
    *,
    template_arn: str,
    template_minor_version: int | None = None,
    replacement_values: Mapping[str, Any] | None = None,
) -> Sequence[Target]:
    """The template, which is read, and the role: what is done with it if it is to be made, else that it is shown.

    AWS: each underlying action is evaluated, and GetRole when the role is there (IAM User Guide, the page above); the
    Service Authorization Reference has no iam:AcquireRole. An example of that page asks for iam:RoleTemplateARN of
    GetRoleTemplateVersion too, which has no such key in the reference, nor, as was seen, in AWS's decisions.
    """
    # SECURITY: what cannot be rendered is told to those alone who may read the template, and then nothing is made.
    read = replace(role_templates.read(template_arn), shown=f"role template {template_arn}")
    try:
        made = RenderedRole(call, template_arn, template_minor_version, replacement_values or {})
    except AWSError:
        return (read,)
    standing = _standing(call, made)
    return (read, *(_made_targets(call, made) if standing is None else (_shown_target(call, made, standing),)))


def _shown_target(call: Call, made: RenderedRole, role: Role) -> Target:
    """The role that has the name already."""
    return Target(
        arn=entities.role_arn(call.account, role),
        action="iam:GetRole",
        shown=f"role {role.role_name}",
        context={
            **resource_tags(role.tags, arns.ENTITY_TAGS),
            **_bounded(role.permissions_boundary),
            TEMPLATE_KEY: made.template.arn,
        },
    )


def _made_targets(call: Call, made: RenderedRole) -> Iterator[Target]:
    """The role that would be made, for each action that makes it.

    SECURITY: once CreateRole has tagged it the tags are the role's own, as if the actions were asked for one by one, so
    that a Deny by its tags holds.
    """
    version = made.version
    shared = {TEMPLATE_KEY: made.template.arn, **_bounded(version.permission_boundary_arn)}
    requested = {**shared, **of_tags({"Tags": made.tags})}
    tagged = {**shared, **resource_tags((Tag(tag["Key"], tag["Value"]) for tag in made.tags), arns.ENTITY_TAGS)}

    def on(action: str, context: Context) -> Target:
        shown = None if action in {"CreateRole", "TagRole"} else f"role {made.name}"
        role_arn = arn.iam(call.account.id, "role", made.path, made.name)
        return Target(arn=role_arn, action=f"iam:{action}", context=context, shown=shown)

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
    """Give the role that a version of a template describes, with values for its parameters; made if it is not there."""
    made = RenderedRole(call, template_arn, template_minor_version, replacement_values or {})
    if not made.template.enabled or not made.version.enabled:
        raise RoleTemplateDisabled(f"Role template {template_arn} is disabled.")
    role = _standing(call, made)
    if role is None:
        role = _created(call, made)
    else:
        # SECURITY: whoever asks may see the role, and perhaps no more, so that nothing is changed here.
        _check_same(call, made, role)
    return {"Role": roles.role_of_profile(call, role)}


def _standing(call: Call, made: RenderedRole) -> Role | None:
    """The role that has the name already, whatever its case."""
    return call.account.one(Role, "name", fold(made.name))


def _created(call: Call, made: RenderedRole) -> Role:
    version = made.version
    roles.create_role(
        call,
        role_name=made.name,
        path=made.path,
        assume_role_policy_document=made.trust_policy(),
        description=made.description,
        max_session_duration=version.max_session_duration,
        permissions_boundary=version.permission_boundary_arn,
        tags=made.tags,
    )
    for name, document in made.inline_policies().items():
        inline_policies.put_role_policy(call, role_name=made.name, policy_name=name, policy_document=document)
    for policy_arn in version.managed_policy_arns:
        attachments.attach_role_policy(call, role_name=made.name, policy_arn=policy_arn)
    role = replace(named_role(call, made.name), source_template=_source(made))
    call.put(role)
    return role


def _source(made: RenderedRole) -> SourceRoleTemplate:
    return SourceRoleTemplate(made.template.arn, made.version.minor_version, tuple(sorted(made.values.items())))


def _check_same(call: Call, made: RenderedRole, role: Role) -> None:
    """Raise unless the role was made of just this, and is as it was made but for its description and duration."""
    source = role.source_template
    if source is None or source.template_arn != made.template.arn:
        raise NameConflict(
            "A role with this name already exists in the account but was not created from this template. Choose a "
            "different role name, or remove the existing role if it is no longer needed."
        )
    if source != _source(made):
        raise NameConflict(
            "A role with this name exists but was created with different parameters. Pass a unique roleName to "
            "create a new role."
        )
    if not _is_unchanged(call, made, role):
        raise RoleModified(f"Role {role.role_name} has been modified since it was created and is no longer managed.")


def _is_unchanged(call: Call, made: RenderedRole, role: Role) -> bool:
    """Whether the role's trust, permissions, boundary and tags are the template's; documents by what they say."""
    return (
        role.permissions_boundary == made.version.permission_boundary_arn
        and set(role.attached_policies) == set(made.version.managed_policy_arns)
        and set(role.tags) == {Tag(tag["Key"], tag["Value"]) for tag in made.tags}
        and _said(role.trust_policy) == _said(trust_policies.stored(call, made.trust_policy()))
        and {one.policy_name: _said(one.document) for one in role.inline_policies}
        == {name: _said(document) for name, document in made.inline_policies().items()}
    )


def _said(document: str) -> frozenset[Any]:
    """What a policy says, whatever its white space, the order in it, and whether one value stands in a list."""
    return _parts(template_values.parsed(document))


def _parts(value: Any) -> frozenset[Any]:
    if isinstance(value, dict):
        return frozenset({frozenset((name, _parts(item)) for name, item in value.items())})
    if isinstance(value, list):
        return frozenset().union(*map(_parts, value))
    # Numbers and booleans are not the same, though Python's are.
    return frozenset({(type(value), value)})
