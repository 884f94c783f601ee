"""Which members of which operations name roles, and who assumes them: passed_roles.toml and passed_to.toml."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

import msgspec

from iamd.wire.catalog import CATALOG
from iamd.wire.models import Operation


class Passing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One operation's row: members that name roles, the service that assumes them, members that name profiles or
    launch templates with profiles in them; `others` are further members with roles, each with who assumes them.

    `named` are members with a role, or a role's name, that is assumed as `PassedTo` has it; `maybe` members that hold
    the ARN of a role or something else, likewise. `documents` are members with JSON or YAML in which roles are named.
    `later` says that the service does not look at its `roles` when it is asked. `nothing` says that the operation hands
    over none, whatever its members name.
    """

    roles: tuple[str, ...] = ()
    service: str = ""
    profiles: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    others: Mapping[str, str] = {}
    named: tuple[str, ...] = ()
    maybe: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    later: bool = False
    nothing: bool = False


class PassedTo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The services that assume roles where no row says so: those of whole services, and of single members."""

    services: Mapping[str, str]
    members: Mapping[str, Mapping[str, str]]


NONE: Final = Passing()
_DOMAIN: Final = ".amazonaws.com"


@cache
def table() -> Mapping[str, Mapping[str, Passing]]:
    """The rows of passed_roles.toml, by service and operation."""
    return msgspec.convert(_content("passed_roles.toml"), dict[str, dict[str, Passing]])


@cache
def passed_to() -> PassedTo:
    """What passed_to.toml says."""
    return msgspec.convert(_content("passed_to.toml"), PassedTo)


def _content(name: str) -> Mapping[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath(name).read_text("utf-8"))


def row_of(operation: Operation) -> Passing:
    """The row of an operation, or `NONE`."""
    return table().get(operation.service, {}).get(operation.name, NONE)


def assuming(service: str, member: str) -> str:
    """The service that assumes a role which a member of a service's request names, where no row says so."""
    known = passed_to()
    named = known.members.get(service, {}).get(member) or known.services.get(service)
    return f"{named or CATALOG.by_name[service].endpoint_prefix.rpartition('.')[2]}{_DOMAIN}"


def leaf(member: str) -> str:
    """The name at the end of a member's path."""
    return member.rpartition(".")[2].removesuffix("[]")


@cache
def leaves(operation: Operation) -> frozenset[str]:
    """The names of the members with roles that an operation's row tells."""
    row = row_of(operation)
    return frozenset(map(leaf, (*row.roles, *row.others, *row.named, *row.maybe)))
