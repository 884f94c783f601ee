"""Instance profiles: what hands a role to EC2 instances, one role each."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from iamd import arn, ids
from iamd.call import Call
from iamd.services.iam import arns, entities, protected_roles, quotas
from iamd.services.iam.entities import given_tags, moment, named_instance_profile, named_role, shown_tags
from iamd.services.iam.errors import DeleteConflict, EntityAlreadyExists, LimitExceeded, NoSuchEntity
from iamd.services.iam.roles import role_of_profile
from iamd.services.iam.tags import GivenTags, checked_tags
from iamd.services.paging import page
from iamd.services.registry import Target, operation, reading
from iamd.store.records import InstanceProfile, Role, fold

EC2 = "ec2.amazonaws.com"


def passed_role(call: Call, *, instance_profile_name: str, role_name: str) -> Sequence[Target]:
    """The instance profile, and the role that it hands on to EC2.

    AWS: the caller must be granted PassRole on the role, and the key `iam:AssociatedResourceArn` has neither Region nor
    instance (IAM API Reference, AddRoleToInstanceProfile).
    """
    role = arns.role(call, role_name=role_name)
    profile = arns.instance_profile(call, instance_profile_name=instance_profile_name)
    # SECURITY: without this, whoever may fill an instance profile would get every role of the account.
    passing = {
        "iam:passedtoservice": EC2,
        "iam:associatedresourcearn": f"arn:{arn.PARTITION}:ec2:*:{call.account.id}:instance/*",
    }
    return (profile, Target(action="iam:PassRole", arn=role.arn, context={**role.context, **passing}))


@operation(on=arns.new_instance_profile)
def create_instance_profile(
    call: Call, *, instance_profile_name: str, path: str = "/", tags: GivenTags | None = None
) -> dict[str, Any]:
    """Create an instance profile without a role."""
    if call.account.find(InstanceProfile, "name", fold(instance_profile_name)):
        raise EntityAlreadyExists(f"Instance Profile {instance_profile_name} already exists.")
    quotas.check_instance_profiles(call)
    profile = InstanceProfile(
        instance_profile_name=instance_profile_name,
        instance_profile_id=ids.unique_id(ids.INSTANCE_PROFILE),
        path=path,
        created=call.now,
        tags=checked_tags(InstanceProfile, tags),
    )
    call.put(profile)
    # AWS: recorded answers (February 2026) have tags where there are some.
    shown = {"Tags": given_tags(profile.tags)} if profile.tags else {}
    return {"InstanceProfile": listed_profile(call, profile) | shown}


@reading(on=arns.instance_profile)
def get_instance_profile(call: Call, *, instance_profile_name: str) -> dict[str, Any]:
    """Show an instance profile with its role."""
    return {"InstanceProfile": shown_profile(call, named_instance_profile(call, instance_profile_name))}


@reading(on=arns.listed("instance-profile"))
def list_instance_profiles(
    call: Call, *, path_prefix: str = "/", marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the instance profiles whose path begins with `path_prefix`."""
    found = [profile for profile in call.account.all(InstanceProfile) if profile.path.startswith(path_prefix)]
    return _listed(call, found, marker, max_items, path_prefix)


@reading(on=arns.role)
def list_instance_profiles_for_role(
    call: Call, *, role_name: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the instance profiles that hand on a role."""
    role = named_role(call, role_name)
    return _listed(call, profiles_of(call, role), marker, max_items, role.role_id)


@operation(on=passed_role)
def add_role_to_instance_profile(call: Call, *, instance_profile_name: str, role_name: str) -> None:
    """Put a role into an instance profile that has none."""
    profile = named_instance_profile(call, instance_profile_name)
    role = named_role(call, role_name)
    protected_roles.refuse_protected(role)
    if profile.role_id is not None:
        raise LimitExceeded("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
    call.put(replace(profile, role_id=role.role_id))


@operation(on=arns.instance_profile)
def remove_role_from_instance_profile(call: Call, *, instance_profile_name: str, role_name: str) -> None:
    """Take a role out of an instance profile."""
    profile = named_instance_profile(call, instance_profile_name)
    role = named_role(call, role_name)
    protected_roles.refuse_protected(role)
    if profile.role_id != role.role_id:
        raise NoSuchEntity(f"Role {role_name} in Instance Profile {instance_profile_name} cannot be found.")
    call.put(replace(profile, role_id=None))


@operation(on=arns.instance_profile)
def delete_instance_profile(call: Call, *, instance_profile_name: str) -> None:
    """Delete an instance profile that has no role."""
    profile = named_instance_profile(call, instance_profile_name)
    if profile.role_id is not None:
        raise DeleteConflict("Cannot delete entity, must remove roles from instance profile first.")
    call.delete(profile)


def profiles_of(call: Call, role: Role) -> list[InstanceProfile]:
    """The instance profiles that hand on a role."""
    return call.account.find(InstanceProfile, "role", role.role_id)


def listed_profile(call: Call, profile: InstanceProfile) -> dict[str, Any]:
    """An instance profile as listings show it, which is without its tags (IAM API Reference, ListInstanceProfiles)."""
    role = None if profile.role_id is None else call.account.get(Role, profile.role_id)
    return {
        "Path": profile.path,
        "InstanceProfileName": profile.instance_profile_name,
        "InstanceProfileId": profile.instance_profile_id,
        "Arn": entities.instance_profile_arn(call.account, profile),
        "CreateDate": moment(profile.created),
        "Roles": [] if role is None else [role_of_profile(call, role)],
    }


def shown_profile(call: Call, profile: InstanceProfile) -> dict[str, Any]:
    """An instance profile as it is shown alone."""
    return listed_profile(call, profile) | {"Tags": shown_tags(profile.tags)}


def _listed(
    call: Call, profiles: list[InstanceProfile], marker: str | None, max_items: int | None, query: str
) -> dict[str, Any]:
    cut, more = page(
        call,
        profiles,
        key=lambda profile: profile.instance_profile_name,
        max_items=max_items,
        marker=marker,
        query=(query,),
    )
    return {"InstanceProfiles": [listed_profile(call, profile) for profile in cut], **more}
