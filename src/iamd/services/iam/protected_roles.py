"""Roles that belong to AWS: service-linked ones and those of IAM Identity Center, which only their owners change."""

from iamd.services.iam.errors import InvalidInput, UnmodifiableEntity
from iamd.store.records import Role

SERVICE_LINKED_PATH = "/aws-service-role/"
RESERVED_PATH = "/aws-reserved/"


def refuse_protected(role: Role) -> None:
    """Raise UnmodifiableEntity when trust, policies, boundary and existence of `role` are not its account's to change.

    AWS: IAM User Guide, "Create a service-linked role" (id_roles_create-service-linked-role), and IAM Identity Center
    User Guide, "Troubleshooting", on the roles under /aws-reserved/.
    """
    if role.service_linked is not None or role.path.startswith((SERVICE_LINKED_PATH, RESERVED_PATH)):
        _refuse(role)


def refuse_duration(role: Role) -> None:
    """Raise UnmodifiableEntity when the length of sessions is not the account's to change."""
    if role.service_linked is not None or role.path.startswith(SERVICE_LINKED_PATH):
        raise UnmodifiableEntity(
            f"{role.role_name} is an AWS service linked role, max session duration cannot be changed."
        )
    refuse_protected(role)


def refuse_reserved(role: Role) -> None:
    """Raise UnmodifiableEntity for what may be changed in a service-linked role only: its description and tags.

    AWS: "The role can be a regular role or a service-linked role" (IAM API Reference, TagRole).
    """
    if role.path.startswith(RESERVED_PATH):
        _refuse(role)


def refuse_reserved_path(path: str) -> None:
    """Raise InvalidInput when roles at `path` are not made by hand."""
    # AWS ends the first of these sentences so; the second has no public wording.
    if path.startswith(SERVICE_LINKED_PATH):
        raise InvalidInput(f"Path prefix '{SERVICE_LINKED_PATH}' can only be used for AWS Service linked Roles")
    if path.startswith(RESERVED_PATH):
        raise InvalidInput(f"Path prefix '{RESERVED_PATH}' can only be used by AWS")


def _refuse(role: Role) -> None:
    raise UnmodifiableEntity(
        f"Cannot perform the operation on the protected role '{role.role_name}' - this role is only modifiable by AWS"
    )
