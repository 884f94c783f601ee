"""IAM roles: created, shown, changed and deleted."""

from typing import Any

from msgspec.structs import replace

from iamd import ids
from iamd.call import Call
from iamd.services.iam import arns, entities, permissions_boundaries, protected_roles, quotas, trust_policies
from iamd.services.iam.entities import moment, named_role
from iamd.services.iam.errors import DeleteConflict, EntityAlreadyExists
from iamd.services.iam.tags import GivenTags, checked_tags
from iamd.services.paging import page
from iamd.services.registry import operation, reading
from iamd.store.records import InstanceProfile, Role, fold

DEFAULT_MAX_SESSION_DURATION = 3600
REPORTED_SECONDS = 400 * 24 * 3600


@operation(on=arns.new_role)
def create_role(
    call: Call,
    *,
    role_name: str,
    assume_role_policy_document: str,
    path: str = "/",
    description: str | None = None,
    max_session_duration: int = DEFAULT_MAX_SESSION_DURATION,
    permissions_boundary: str | None = None,
    tags: GivenTags | None = None,
) -> dict[str, Any]:
    """Create a role whose trust policy names only those who exist."""
    protected_roles.refuse_reserved_path(path)
    refuse_taken(call, role_name)
    quotas.check_roles(call)
    role = Role(
        role_name=role_name,
        role_id=ids.unique_id(ids.ROLE),
        path=path,
        created=call.now,
        trust_policy=trust_policies.stored(call, assume_role_policy_document),
        description=description,
        max_session_duration=max_session_duration,
        permissions_boundary=permissions_boundaries.checked(call, permissions_boundary),
        tags=checked_tags(Role, tags),
    )
    call.put(role)
    return {"Role": created_role(call, role, assume_role_policy_document)}


@reading(on=arns.role)
def get_role(call: Call, *, role_name: str) -> dict[str, Any]:
    """Show a role, with when and where it was last used."""
    role = named_role(call, role_name)
    return {"Role": shown_role(call, role) | {"RoleLastUsed": last_used(call, role)}}


@reading(on=arns.listed("role"))
def list_roles(
    call: Call, *, path_prefix: str = "/", marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the roles whose path begins with `path_prefix`."""
    roles = [role for role in call.account.all(Role) if role.path.startswith(path_prefix)]
    cut, more = page(
        call, roles, key=lambda role: role.role_name, max_items=max_items, marker=marker, query=(path_prefix,)
    )
    return {"Roles": [listed_role(call, role) for role in cut], **more}


@operation(on=arns.role)
def update_role(
    call: Call, *, role_name: str, description: str | None = None, max_session_duration: int | None = None
) -> dict[str, Any]:
    """Set a role's description and how long its sessions may be; what is not given stays.

    AWS: the API Reference has "If you do not specify a value for this setting, the default value of one hour is
    applied" (UpdateRole, MaxSessionDuration); recorded answers (September 2026) show that the duration stays.
    """
    role = named_role(call, role_name)
    if max_session_duration is not None:
        protected_roles.refuse_duration(role)
    changed = _described(role, role.description if description is None else description)
    call.put(replace(changed, max_session_duration=max_session_duration or role.max_session_duration))
    return {}


@operation(on=arns.role)
def update_role_description(call: Call, *, role_name: str, description: str) -> dict[str, Any]:
    """Set a role's description; the answer has neither duration nor boundary nor tags, as AWS's recorded one."""
    role = _described(named_role(call, role_name), description)
    call.put(role)
    return {"Role": role_of_profile(call, role) | {"Description": description}}


@operation(on=arns.role)
def update_assume_role_policy(call: Call, *, role_name: str, policy_document: str) -> None:
    """Set whom a role trusts."""
    role = named_role(call, role_name)
    protected_roles.refuse_protected(role)
    call.put(replace(role, trust_policy=trust_policies.stored(call, policy_document)))


@operation(on=arns.role)
def delete_role(call: Call, *, role_name: str) -> None:
    """Delete a role that has no policies and is in no instance profile."""
    role = named_role(call, role_name)
    protected_roles.refuse_protected(role)
    if call.account.find(InstanceProfile, "role", role.role_id):
        raise DeleteConflict("Cannot delete entity, must remove roles from instance profile first.")
    if role.attached_policies:
        raise DeleteConflict("Cannot delete entity, must detach all policies first.")
    if role.inline_policies:
        raise DeleteConflict("Cannot delete entity, must delete policies first.")
    call.delete(role)


def refuse_taken(call: Call, role_name: str) -> None:
    """Raise EntityAlreadyExists when a role has this name, whatever its case."""
    if call.account.find(Role, "name", fold(role_name)):
        raise EntityAlreadyExists(f"Role with name {role_name} already exists.")


def role_of_profile(call: Call, role: Role) -> dict[str, Any]:
    """A role as instance profiles show it."""
    return {
        "Path": role.path,
        "RoleName": role.role_name,
        "RoleId": role.role_id,
        "Arn": entities.role_arn(call.account, role),
        "CreateDate": moment(role.created),
        "AssumeRolePolicyDocument": entities.shown_document(trust_policies.shown(call, role)),
    }


def listed_role(call: Call, role: Role) -> dict[str, Any]:
    """A role as ListRoles shows it.

    AWS: listings leave out boundary, tags and last use (IAM API Reference, ListRoles).
    """
    described = {} if role.description is None else {"Description": role.description}
    return role_of_profile(call, role) | described | {"MaxSessionDuration": role.max_session_duration}


def created_role(call: Call, role: Role, trust_policy: str) -> dict[str, Any]:
    """A role as the operation that makes it shows it, with its trust policy as it was given.

    AWS: recorded answers (February and September 2026) have neither description nor duration, and lists of one item and
    account numbers where the request has them; every other operation shows the policy as it was stored.
    """
    made = role_of_profile(call, role) | entities.shown_attributes(role)
    return made | {"AssumeRolePolicyDocument": entities.shown_document(trust_policy)}


def shown_role(call: Call, role: Role) -> dict[str, Any]:
    """A role as it is shown alone."""
    source = role.source_template
    made_from = (
        {}
        if source is None
        else {
            "SourceRoleTemplate": {
                "TemplateArn": source.template_arn,
                "TemplateMinorVersion": source.template_minor_version,
            }
        }
    )
    return listed_role(call, role) | entities.shown_attributes(role) | made_from


def last_used(call: Call, role: Role) -> dict[str, Any]:
    """When and where a role was last used, or nothing.

    AWS: "Activity is only reported for the trailing 400 days" (IAM API Reference, Role, RoleLastUsed).
    """
    use = call.last_used.role(role.role_id)
    if use is None or use.time < call.now - REPORTED_SECONDS:
        return {}
    return {"LastUsedDate": moment(use.time), "Region": use.region}


def _described(role: Role, description: str | None) -> Role:
    protected_roles.refuse_reserved(role)
    return replace(role, description=description)
