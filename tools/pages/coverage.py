"""docs/coverage.md: every operation of iamd's own services, and whether iamd has it."""

from collections.abc import Iterator
from functools import cache

from evidence import evidence
from evidence.exempt import EXEMPT, REFUSED_PARAMETERS

from iamd.own_services import OWN_SERVICES
from iamd.wire import models
from iamd.wire.catalog import CATALOG, OWN
from pages.markdown import code, document, table

HEAD = """The services that iamd answers itself, by botocore's models. An operation is *implemented* when its function
is there and tests show, through boto3, the effect of each parameter, read back by another operation; a denial that
names the right resource; its event; and its main errors. That is looked for in the tests' text (`tools/evidence/`), so
a test that is taken away takes the operation away here. Of an operation that works, with some of that still to be
shown, this page says what. Every other one answers `501 NotImplemented`, naming itself. Quotas of a thousand and more
are shown on a state in memory, by the same functions."""

EXCUSED = """No request brings these about here, so no test is asked to show them."""

NOT_YET = "not yet"
IMPLEMENTED = "implemented"


def page() -> str:
    """The page."""
    parts = [part for name in services() for part in _service(name)]
    excused = [(code(name), what, why) for name, reasons in EXEMPT.items() for what, why in reasons.items()]
    excused += [
        (code(name), f"effect of {what}", why) for name, of in REFUSED_PARAMETERS.items() for what, why in of.items()
    ]
    last = ["## What is not asked for", EXCUSED, table(("operation", "what", "why"), sorted(excused))]
    return document("Operations", HEAD, _totals(), *parts, *last)


def services() -> list[str]:
    """The services that iamd answers itself, by botocore's names: first those with most operations, last its own."""
    own = [entry.name for entry in CATALOG.by_name.values() if entry.signing_name in OWN_SERVICES]
    return sorted(own, key=lambda name: (name in {entry.name for entry in OWN}, -len(_functions(name)), name))


@cache
def states(service: str) -> dict[str, str]:
    """Each operation of a service with its state."""
    found = _functions(service)
    return {name: found.get(name, NOT_YET) for name in sorted(models.service(service).operation_names)}


@cache
def _functions(service: str) -> dict[str, str]:
    here = [found for found in evidence.registered() if found.service == service]
    return {evidence.modelled(found).name: _state(evidence.missing(found)) for found in here}


def _state(missing: list[str]) -> str:
    return f"works; not shown yet: {', '.join(missing)}" if missing else IMPLEMENTED


def _totals() -> str:
    rows = [(f"[{models.service(name).full_name}](#{name})", *_counts(name)) for name in services()]
    total = [sum(row[column] for row in rows) for column in range(1, 5)]  # type: ignore[misc]
    lines = [(str(row[0]), *map(str, row[1:])) for row in [*rows, ("all", *total)]]
    return table(("service", "operations", "implemented", "work, not all shown", "not yet"), lines)


def _counts(service: str) -> tuple[int, int, int, int]:
    found = list(states(service).values())
    implemented, not_yet = found.count(IMPLEMENTED), found.count(NOT_YET)
    return len(found), implemented, len(found) - implemented - not_yet, not_yet


def _service(name: str) -> Iterator[str]:
    yield f"## {name}"
    yield table(("operation", "state"), [(code(operation), state) for operation, state in states(name).items()])
