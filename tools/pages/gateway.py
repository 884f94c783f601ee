"""docs/gateway-coverage.md: what the gateway decides a request to another service on."""

import inspect
from collections.abc import Iterator

from iamd.gateway.actions import by_rule, mapping
from iamd.gateway.actions import table as tables
from iamd.gateway.actions.table import Condition, Row, Table
from iamd.own_services import OWN_SERVICES
from iamd.wire import models
from iamd.wire.catalog import CATALOG
from pages.markdown import code, codes, document, table

HEAD = """What each request to a service behind iamd must be allowed to do before a byte of it is forwarded. A service
with a table under `src/iamd/gateway/actions/tables/` is decided exactly, on the resources and condition keys that the
table names ([how to write one](how-to/add-a-service-to-the-gateway.md)). Every other service is decided by rule: the
action is the operation's name with the service's prefix; the resources are the ARNs that parameters plainly give or
that parameters of the same names fill, and all of each kind that the Service Authorization Reference requires and
nothing surely names; `*` where it requires none and none is named. An operation for which the rule finds no action in
the reference is refused."""

ROWS = """`{name}` in a resource is a parameter, or what iamd works out of the request. Of several lines of one
operation all must be allowed. Roles that are handed to a service need `iam:PassRole` besides."""


def page() -> str:
    """The page."""
    exact = [part for name in tables.services() for part in _exact(name)]
    return document("The gateway's actions and resources", HEAD, "## Exact", ROWS, *exact, *_ruled())


def _exact(service: str) -> Iterator[str]:
    found = tables.table(service)
    if found is None:
        return
    yield f"### {service}"
    rows = [row for name in sorted(models.service(service).operation_names) for row in _operation(found, name)]
    yield table(("operation", "action", "on", "when"), rows)
    if found.keys:
        yield f"Condition keys of its own: {codes(sorted(found.keys))}."


def _operation(found: Table, name: str) -> Iterator[tuple[str, ...]]:
    if name in found.computed:
        function = mapping.COMPUTED[found.service][found.computed[name]]
        yield code(name), "worked out", first_sentence(function), ""
    elif name in found.refused:
        yield code(name), "refused", found.refused[name], ""
    elif found.has(name):
        yield from ((code(name), code(row.action), code(row.template), _when(row)) for row in found.rows[name])
    else:
        action = by_rule.action_of(found.service, name)
        yield code(name), code(action) if action else "refused", "by rule" if action else "", ""


def first_sentence(function: object) -> str:
    """What a function's docstring begins with."""
    return (inspect.getdoc(function) or "").partition("\n\n")[0].replace("\n", " ")


def _when(row: Row) -> str:
    return _condition(row.condition) if row.condition is not None else ""


def _condition(condition: Condition) -> str:
    members = " or ".join(
        code(f"{path}={wanted}" if wanted is not None else path) for path, wanted in condition.members
    )
    return f"without {members}" if condition.inverted else f"with {members}"


def by_rule_only() -> list[str]:
    """The services that are decided by rule."""
    exact = set(tables.services())
    return sorted(
        entry.name
        for entry in CATALOG.by_name.values()
        if entry.signing_name not in OWN_SERVICES and entry.name not in exact
    )


def refused(service: str) -> list[str]:
    """The operations of a service that no action is known for."""
    return [name for name in sorted(models.service(service).operation_names) if not by_rule.action_of(service, name)]


def _ruled() -> Iterator[str]:
    rows = []
    for name in by_rule_only():
        count, without = len(models.service(name).operation_names), refused(name)
        rows.append((code(name), str(count - len(without)), str(len(without)), codes(without)))
    decided, not_decided = sum(int(row[1]) for row in rows), sum(int(row[2]) for row in rows)
    yield "## By rule"
    yield f"{len(rows)} services, {decided} operations decided, {not_decided} refused."
    yield table(("service", "decided", "refused", "which are refused"), rows)
