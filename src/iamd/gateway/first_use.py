"""Service-linked roles that a service makes for its caller when it is first used, by the rows of first_use.toml.

AWS: IAM User Guide, "Create a service-linked role" (id_roles_create-service-linked-role): the caller needs
`iam:CreateServiceLinkedRole`, which the service asks for with the caller's permissions.
"""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

import msgspec

from iamd import arn as arns
from iamd.authz.authorize import Denied
from iamd.authz.target import Target
from iamd.data.service_linked_roles import ServiceLinkedRole, service_linked_role
from iamd.errors import AWSError
from iamd.gateway.actions.asked import Asked
from iamd.policy import wildcard
from iamd.store.account import Snapshot
from iamd.store.records import Role, fold
from iamd.wire.models import Operation

ACTION: Final = "iam:CreateServiceLinkedRole"


class FirstUse(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One role that an operation makes; the members are those that first_use.toml explains."""

    service: str
    unless: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    when: Mapping[str, tuple[str, ...]] = {}
    attempted: bool = False
    code: str | None = None
    status: int = 403
    words: str | None = None

    @property
    def role(self) -> ServiceLinkedRole:
        """The role."""
        found = service_linked_role(self.service)
        if found is None:
            raise LookupError(self.service)
        return found


@cache
def table() -> Mapping[str, Mapping[str, tuple[FirstUse, ...]]]:
    """The rows of first_use.toml, by service and operation."""
    text = resources.files(__package__).joinpath("first_use.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, dict[str, tuple[FirstUse, ...]]])


def _rows(operation: Operation) -> tuple[FirstUse, ...]:
    return table().get(operation.service, {}).get(operation.name, ())


def may_make(operation: Operation) -> bool:
    """Whether requests for an operation may make a service-linked role."""
    return bool(_rows(operation))


def of(asked: Asked, view: Snapshot) -> list[FirstUse]:
    """Each role that a request needs and its account has not."""
    return [
        row
        for row in _rows(asked.operation)
        if _applies(row, asked.parameters) and not is_there(row, asked.account, view)
    ]


def is_there(row: FirstUse, account_id: str, view: Snapshot) -> bool:
    """Whether an account has the role."""
    account = view.account(account_id)
    return account is not None and bool(account.find(Role, "name", fold(row.role.role_name)))


def target(row: FirstUse, asked: Asked) -> Target:
    """What making the role is decided on."""
    role = row.role
    return Target(
        arn=arns.iam(asked.account, "role", role.path, role.role_name),
        action=ACTION,
        context={"iam:awsservicename": row.service},
    )


def refusal(row: FirstUse, denied: Denied) -> AWSError | None:
    """The service's own error for a caller that may not make the role; None when it has none of its own."""
    if row.code is None:
        return None
    words = row.words or ""
    # A sentence that leads up to the denial ends with a space.
    return _NotMade(row.code, row.status, f"{words}{denied.message}" if words.endswith(" ") else words)


class _NotMade(AWSError):
    """An error whose code stands in a row."""

    def __init__(self, code: str, status: int, message: str) -> None:
        super().__init__(message)
        self.code, self.status = code, status  # type: ignore[misc]  # the row's


def _applies(row: FirstUse, parameters: Mapping[str, Any]) -> bool:
    return (
        not any(parameters.get(member) for member in row.unless)
        and all(parameters.get(member) for member in row.given)
        and all(_has_one_of(parameters, member, forms) for member, forms in row.when.items())
    )


def _has_one_of(parameters: Mapping[str, Any], member: str, forms: tuple[str, ...]) -> bool:
    values = [_text(value) for value in _values(parameters, member.split("."))]
    return any(wildcard.matches(form, value) for form in forms for value in values)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _values(value: Any, path: list[str]) -> Iterator[Any]:
    if not path:
        yield value
        return
    inner = value.get(path[0].removesuffix("[]")) if isinstance(value, Mapping) else None
    for one in (inner or []) if path[0].endswith("[]") else [inner]:
        if one is not None:
            yield from _values(one, path[1:])
