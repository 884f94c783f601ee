"""Permissions boundaries of users and roles: the managed policy that limits what their policies can grant."""

from msgspec.structs import replace

from iamd import arn
from iamd.call import Call
from iamd.services.iam import arns
from iamd.services.iam.attachments import check_attachable
from iamd.services.iam.entities import named_role, named_user
from iamd.services.iam.errors import InvalidInput, NoSuchEntity
from iamd.services.iam.protected_roles import refuse_protected
from iamd.services.registry import operation


@operation(on=arns.user)
def put_user_permissions_boundary(call: Call, *, user_name: str, permissions_boundary: str) -> None:
    """Set the boundary of a user, in place of the one it has."""
    user = named_user(call, user_name)
    call.put(replace(user, permissions_boundary=checked(call, permissions_boundary)))


@operation(on=arns.user)
def delete_user_permissions_boundary(call: Call, *, user_name: str) -> None:
    """Take the boundary of a user away."""
    user = named_user(call, user_name)
    if user.permissions_boundary is None:
        raise NoSuchEntity(f"The user with name {user_name} does not have a permissions boundary.")
    call.put(replace(user, permissions_boundary=None))


@operation(on=arns.role)
def put_role_permissions_boundary(call: Call, *, role_name: str, permissions_boundary: str) -> None:
    """Set the boundary of a role, in place of the one it has."""
    role = named_role(call, role_name)
    refuse_protected(role)
    call.put(replace(role, permissions_boundary=checked(call, permissions_boundary)))


@operation(on=arns.role)
def delete_role_permissions_boundary(call: Call, *, role_name: str) -> None:
    """Take the boundary of a role away."""
    role = named_role(call, role_name)
    refuse_protected(role)
    if role.permissions_boundary is None:
        raise NoSuchEntity(f"The role with name {role_name} does not have a permissions boundary.")
    call.put(replace(role, permissions_boundary=None))


def checked(call: Call, policy_arn: str | None) -> str | None:
    """The ARN of a managed policy that can be a boundary, as it was given; None stays None."""
    if policy_arn is None:
        return None
    named = arn.parse(policy_arn)
    # AWS's recorded answer: so it is with an ARN that is no policy's.
    if named is None or not named.resource.startswith("policy/"):
        raise InvalidInput(f"ARN {policy_arn} is not valid.")
    check_attachable(call, policy_arn, f"Scope ARN: {policy_arn} does not exist or is not attachable.")
    return policy_arn
