"""Resource policies of services that have one for a resource: the rows of resource_policies.toml."""

import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Final

import msgspec

from iamd.errors import AWSError
from iamd.gateway.actions import by_rule, named_resources, table, untabled
from iamd.gateway.actions.asked import Asked, at
from iamd.gateway.actions.by_rule import Unmapped
from iamd.gateway.effect import Effect, Kind, Of, checked
from iamd.gateway.resources import Facts


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The operations about one service's policy; resource_policies.toml explains the members."""

    service: str
    error: str
    put: Mapping[str, str]
    read: Mapping[str, str] = {}
    clear: tuple[str, ...] = ()
    end: tuple[str, ...] = ()

    @property
    def refusal(self) -> type[AWSError]:
        """The error for what is no policy."""
        return type(self.error, (AWSError,), {"code": self.error})


class _Refused(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    operations: tuple[str, ...]


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of resource_policies.toml."""

    policy: tuple[Row, ...]
    refused: _Refused


def _loaded() -> Table:
    text = resources.files(__package__).joinpath("resource_policies.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), Table)


TABLE: Final = _loaded()
READ: Final = {(row.service, name): member for row in TABLE.policy for name, member in row.read.items()}
"""The operations that tell a policy, and the member of their answers that it is."""


def _put(row: Row, member: str) -> Of:
    error = row.refusal

    def put(asked: Asked, arn: str, _: Facts) -> Effect:
        text = at(asked.parameters, member)
        if not text:
            raise error("The policy is missing.")
        if not is_sure(asked, arn):
            raise not_kept(asked, "iamd can't tell which resource the policy is for")
        return Effect(Kind.SET_POLICY, arn, checked(text, error), has_policy=True)

    return put


def _clear(asked: Asked, arn: str, _: Facts) -> Effect:
    if not is_sure(asked, arn):
        raise not_kept(asked, "iamd can't tell which resource the policy is of")
    return Effect(Kind.SET_POLICY, arn, None, has_policy=True)


def _end(asked: Asked, arn: str, _: Facts) -> Effect | None:
    return Effect(Kind.END, arn) if is_sure(asked, arn) else None


def is_sure(asked: Asked, arn: str) -> bool:
    """Whether the first thing that a request is decided on is the one that it is about."""
    if "*" in arn:
        return False
    found, operation = table.table(asked.operation.service), asked.operation
    if found is not None and found.has(operation.name):
        return True
    if (operation.service, operation.name) in untabled.COMPUTED:
        return True
    action = by_rule.action_of(operation.service, operation.name)
    named = named_resources.of(action, asked) if action is not None else []
    # SECURITY: of two things that a request names, nothing tells whose policy it is.
    return [one.arn for one in named if not one.any_of_kind and "*" not in one.arn] == [arn]


_NOT_KEPT: Final = "iamd does not keep such policies"


def _refuse(member: str) -> Of:
    def refuse(asked: Asked, _: str, __: Facts) -> Effect | None:
        if member and not at(asked.parameters, member):
            return None
        raise not_kept(asked, f"iamd does not keep such policies ({member})" if member else _NOT_KEPT)

    return refuse


def not_kept(asked: Asked, because: str) -> Unmapped:
    return Unmapped(f"{asked.operation.service}:{asked.operation.name}", because)


def _effects() -> Mapping[tuple[str, str], Of]:
    found: dict[tuple[str, str], Of] = {}
    for row in TABLE.policy:
        found |= {(row.service, name): _put(row, member) for name, member in row.put.items()}
        found |= {(row.service, name): _clear for name in row.clear}
        found |= {(row.service, name): _end for name in row.end}
    for line in TABLE.refused.operations:
        service, _, rest = line.partition(" ")
        name, _, member = rest.partition("/")
        found[service, name] = _refuse(member)
    return found


EFFECTS: Final = _effects()
