"""Types: what making, changing and ending a resource of each CloudFormation type is decided as, out of types.toml."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import msgspec


class Type(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One row of types.toml, whose head says what each member means."""

    create: str | None = None
    delete: str | None = None
    update: tuple[str, ...] = ()
    name: str | None = None
    lower: bool = False
    """A name that CloudFormation makes has no capitals."""
    ref: bool = False
    arn: bool = False
    given: Mapping[str, str] = {}
    also: Mapping[str, str] = {}
    free: frozenset[str] = frozenset()

    @property
    def service(self) -> str:
        """The service, by botocore's name."""
        return (self.create or "").partition(":")[0]

    def strangers(self, properties: Mapping[str, Any]) -> list[str]:
        """The properties that no list of the row names."""
        given = {path.partition(".")[0] for path in self.given}
        return sorted(properties.keys() - given - self.also.keys() - self.free)


@cache
def _types() -> Mapping[str, Type]:
    text = resources.files(__package__).joinpath("types.toml").read_text("utf-8")
    return {name: msgspec.convert(row, Type) for name, row in tomllib.loads(text).items()}


def of(name: str) -> Type | None:
    """The row of a type, or None when it has none."""
    return _types().get(name)


def names() -> list[str]:
    """Every type that has a row."""
    return sorted(_types())
