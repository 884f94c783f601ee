"""A service's table: its operations as actions on resources, and its condition keys, out of `tables/<service>.toml`.

How to write one stands in docs/how-to/add-a-service-to-the-gateway.md.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from iamd.gateway.actions.asked import at

_ROW: Final = re.compile(
    r"(?P<action>[a-z0-9-]+:[A-Za-z0-9]+|[A-Za-z0-9]+) on (?P<resource>\*|[a-z_]+)"
    r"(?: (?P<sense>if|unless) (?P<members>[A-Za-z0-9_.=|-]+))?"
)
_NAMES: Final = frozenset(
    {"prefix", "resources", "operations", "on", "computed", "keys", "partly_known", "refused", "tells_new"}
)


class WrongTable(Exception):
    """A table that says something unknown; tests load every table."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Whether a row counts: when one of the members was given (with this value), or when none was."""

    members: tuple[tuple[str, str | None], ...]
    names: frozenset[str]
    """What the paths of the members begin with."""
    inverted: bool

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Tell whether the row counts for these parameters."""
        if self.names.isdisjoint(values):
            return self.inverted
        return any(_given(values, path, wanted) for path, wanted in self.members) is not self.inverted


def _given(values: Mapping[str, Any], path: str, wanted: str | None) -> bool:
    value = at(values, path)
    if wanted is None:
        return value is not None and value not in ("", [], {})
    return str(value).lower() == wanted.lower()


@dataclass(frozen=True, slots=True)
class Row:
    """One action that an operation needs, on the resource of this template."""

    action: str
    template: str
    condition: Condition | None = None
    makes: bool = False
    """Whether the resource is one that the request makes; only where the table tells that."""


@dataclass(frozen=True, slots=True)
class Table:
    """`rows` by operation; `computed` names the functions for operations that no row can express.

    `keys` are condition keys as the reference writes them and the parameters that they are; `partly_known` are those of
    them that a request without the parameter has as well, with a value that is not known. `refused` are operations
    that no row can decide, each with the reason.
    """

    service: str
    prefix: str
    rows: Mapping[str, tuple[Row, ...]]
    computed: Mapping[str, str]
    keys: Mapping[str, str]
    refused: Mapping[str, str]
    partly_known: frozenset[str] = frozenset()
    tells_new: bool = False
    """Whether the names of resources that are made begin with `new`, and no others do."""

    def has(self, operation: str) -> bool:
        """Tell whether the table knows the operation."""
        return operation in self.rows or operation in self.computed


@cache
def table(service: str) -> Table | None:
    """The table of a service by botocore's name, or None when there is none."""
    file = resources.files(__package__).joinpath("tables", f"{service}.toml")
    # SECURITY: the name is botocore's, from the route; nothing a client writes comes here.
    return _read(service, tomllib.loads(file.read_text("utf-8"))) if file.is_file() else None


def services() -> list[str]:
    """The services that have a table."""
    files = resources.files(__package__).joinpath("tables").iterdir()
    return sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml"))


def _read(service: str, content: Mapping[str, Any]) -> Table:
    strangers = content.keys() - _NAMES
    if strangers:
        raise WrongTable(f"{service}: unknown {sorted(strangers)}")
    prefix, templates = content["prefix"], {"*": "*", **content.get("resources", {})}
    tells_new: bool = content.get("tells_new", False)
    rows: dict[str, tuple[Row, ...]] = {
        operation: (Row(f"{prefix}:{operation}", templates[resource], makes=tells_new and _is_new(resource)),)
        for resource, operations in content.get("on", {}).items()
        for operation in operations
    }
    for operation, texts in content.get("operations", {}).items():
        rows[operation] = tuple(_row(text, prefix, templates, tells_new=tells_new) for text in texts)
    refused = dict.fromkeys(content.get("refused", {}).get("operations", ()), content.get("refused", {}).get("because"))
    keys, partly = content.get("keys", {}), frozenset(content.get("partly_known", ()))
    if not partly <= keys.keys():
        raise WrongTable(f"{service}: no keys of the table {sorted(partly - keys.keys())}")
    return Table(service, prefix, rows, content.get("computed", {}), keys, refused, partly, tells_new)


def _is_new(resource: str) -> bool:
    return resource == "new" or resource.startswith("new_")


def _row(text: str, prefix: str, templates: Mapping[str, str], *, tells_new: bool) -> Row:
    match = _ROW.fullmatch(text)
    if match is None or match["resource"] not in templates:
        raise WrongTable(f"not a row: `{text}`")
    action = match["action"] if ":" in match["action"] else f"{prefix}:{match['action']}"
    condition = None
    if match["sense"]:
        members = tuple(_member(part) for part in match["members"].split("|"))
        names = frozenset(path.partition(".")[0] for path, _ in members)
        condition = Condition(members, names, inverted=match["sense"] == "unless")
    return Row(action, templates[match["resource"]], condition, tells_new and _is_new(match["resource"]))


def _member(text: str) -> tuple[str, str | None]:
    path, equals, wanted = text.partition("=")
    return path, wanted if equals else None
