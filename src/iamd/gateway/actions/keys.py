"""A service's own condition keys for one action: those that the reference gives it and the request has."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from iamd.data import service_reference
from iamd.gateway.actions import table as tables
from iamd.gateway.actions.asked import Value, as_text, at
from iamd.policy.request import lower


def of(service: str, action: str, values: Mapping[str, Any]) -> dict[str, Value]:
    """The keys of this action.

    SECURITY: they come from parameters that the operation's model defines, by the model's names; a header, query or
    body field that the operation does not have never gets here (AUZ-18).
    """
    found: dict[str, Value] = {}
    for key, path, multivalued in _of_action(service, action):
        if key.endswith("/"):
            named = at(values, path)
            if isinstance(named, Mapping):
                found.update((key + lower(name), value) for name, value in named.items())
            continue
        given = at(values, path)
        value = as_text(given) if given is not None else None
        if value is not None:
            found[key] = _typed(value, multivalued=multivalued)
    return found


def _typed(value: Value, *, multivalued: bool) -> Value:
    if multivalued:
        return (value,) if isinstance(value, str) else value
    return value if isinstance(value, str) else value[0]


@cache
def _of_action(service: str, action: str) -> tuple[tuple[str, str, bool], ...]:
    """Key in lower case, parameter, whether it holds several values."""
    found = tables.table(service)
    prefix, _, name = action.partition(":")
    reference = service_reference.service(prefix)
    entry = reference.action(name) if reference is not None else None
    if found is None or reference is None or entry is None:
        return ()
    allowed = [key.lower().replace("<key>", "").replace("${tagkey}", "") for key in entry.every_condition_key]
    rows = []
    for key, path in found.keys.items():
        if key.lower() in allowed:
            known = reference.condition_key(key + "x" if key.endswith("/") else key)
            rows.append((lower(key), path, known is not None and known.multivalued))
    return tuple(rows)
