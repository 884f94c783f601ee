"""Roles that a request hands to a service: the caller needs `iam:PassRole` on them, and they must trust the service.

AWS: IAM User Guide, "Grant a user permissions to pass a role to an AWS service" (id_roles_use_passrole); a role is
passed within its own account only.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from iamd import arn as arns
from iamd.authz.target import Target
from iamd.backend.embedded import MirroredRole
from iamd.errors import AWSError, Common, CommonError
from iamd.gateway.actions.asked import Asked
from iamd.policy.document import PolicyType, load
from iamd.policy.evaluate import Gate, Layers, decide
from iamd.policy.request import Principal, PrincipalKind, Request
from iamd.services.iam import entities
from iamd.store.account import Snapshot
from iamd.store.change import Change
from iamd.store.records import Role

View = Snapshot | Change


class InvalidRole(AWSError):
    """A role that the service can't assume (Lambda API Reference, CreateFunction: InvalidParameterValueException)."""

    code = "InvalidParameterValueException"
    status = 400


@dataclass(frozen=True, slots=True)
class Passing:
    """One operation's way of handing roles over."""

    members: tuple[str, ...]
    service: str


_WORDS: Final = {
    "lambda": "The role defined for the function cannot be assumed by Lambda.",
}


@cache
def _table() -> Mapping[tuple[str, str], Passing]:
    text = resources.files(__package__).joinpath("passed_roles.toml").read_text("utf-8")
    found = {}
    for service, operations in tomllib.loads(text).items():
        for operation, entry in operations.items():
            members = entry["member"] if isinstance(entry["member"], list) else [entry["member"]]
            found[service, operation] = Passing(tuple(members), entry["service"])
    return found


def _passed(asked: Asked) -> Iterator[tuple[str, str]]:
    """The ARN of each role that is handed over, and to which service."""
    passing = _table().get((asked.operation.service, asked.operation.name))
    if passing is None:
        return
    for member in passing.members:
        for value in _values(asked.parameters, member.split(".")):
            yield _role_arn(value, asked), passing.service


def _values(value: Any, path: list[str]) -> Iterator[str]:
    if not path:
        if isinstance(value, str) and value:
            yield value
        return
    name, rest = path[0], path[1:]
    if not isinstance(value, Mapping):
        return
    inner = value.get(name.removesuffix("[]"))
    if name.endswith("[]"):
        for item in inner or []:
            yield from _values(item, rest)
    else:
        yield from _values(inner, rest)


def _role_arn(value: str, asked: Asked) -> str:
    # Glue and CodeBuild take a role's name as well.
    return value if value.startswith("arn:") else f"arn:{asked.partition}:iam::{asked.account}:role/{value}"


def targets(asked: Asked, view: View) -> list[Target]:
    """`iam:PassRole` on each role that is handed over; a role of another account is refused."""
    found = []
    for arn, service in _passed(asked):
        parsed = arns.parse(arn)
        if parsed is None or parsed.service != "iam" or not parsed.resource.startswith("role/"):
            raise CommonError(Common.VALIDATION, f"{arn} is not the ARN of a role.")
        if parsed.account != asked.account:
            raise CommonError(Common.ACCESS_DENIED, "Cross-account pass role is not allowed.")
        found.append(Target(arn=arn, action="iam:PassRole", context={"iam:passedtoservice": service}))
    return found


def check_trust(asked: Asked, view: View) -> None:
    """Each role exists and its trust policy lets the service assume it; else the service's own error."""
    for arn, service in _passed(asked):
        role = role_of(arn, view)
        if role is None or not _trusts(role, arn, service, asked):
            words = _WORDS.get(asked.operation.service)
            raise InvalidRole(words or f"The role {arn} cannot be assumed by {service}.")


def role_of(arn: str, view: View) -> Role | None:
    """The role of this ARN, its path and case included."""
    parsed = arns.parse(arn)
    account = view.account(parsed.account) if parsed is not None else None
    if parsed is None or account is None:
        return None
    role = entities.role_in(account, parsed.resource.rpartition("/")[2])
    return role if role is not None and entities.role_arn(account, role) == arn else None


def _trusts(role: Role, arn: str, service: str, asked: Asked) -> bool:
    caller = Principal(PrincipalKind.SERVICE, arn="", service_names=(service,))
    # AWS: a service that assumes a role names the account it acts for.
    keys = {"aws:sourceaccount": asked.account, "aws:principalisawsservice": "true"}
    request = Request(caller, "sts:AssumeRole", arn, asked.account, keys)
    layers = Layers(resource=(load(role.trust_policy, PolicyType.TRUST),), gate=Gate.TRUST)
    return decide(request, layers).allowed


def mirrored(asked: Asked, view: View) -> list[MirroredRole]:
    """The roles as an embedded backend is to find them in its own IAM."""
    found = []
    for arn, _ in _passed(asked):
        role = role_of(arn, view)
        if role is not None:
            found.append(MirroredRole(arn, role.role_id, role.role_name, role.path, role.trust_policy))
    return found
