"""A service's own condition keys for one action: those that the reference gives it and the request has."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from iamd.data import service_reference
from iamd.gateway.actions import table as tables
from iamd.gateway.actions.asked import Value, as_text, at
from iamd.policy.request import lower

_MAP: Final = ("/", ":")
"""How the name of a key ends that is many: one for each entry of a map."""
_PLACEHOLDER: Final = re.compile(r"\$\{.*|<.*", re.DOTALL)


def of(service: str, action: str, values: Mapping[str, Any]) -> dict[str, Value]:
    """The keys of this action.

    SECURITY: they come from parameters that the operation's model defines, by the model's names; a header, query or
    body field that the operation does not have never gets here (AUZ-18).
    """
    found: dict[str, Value] = {}
    for member, plain, key in _of_action(service, action):
        given = values.get(member)
        if given is None:
            continue
        if plain is not None and type(given) is str:
            found[plain] = given
        else:
            _add(found, key, at(values, key.path))
    return found


def _add(found: dict[str, Value], key: "_Key", given: Any) -> None:
    if key.name.endswith(_MAP):
        if isinstance(given, Mapping):
            found.update((key.name + lower(name), value) for name, value in given.items())
        return
    value = as_text(given) if given is not None else None
    if value is not None:
        found[key.name] = _typed(value, multivalued=key.multivalued)


def _typed(value: Value, *, multivalued: bool) -> Value:
    if multivalued:
        return (value,) if isinstance(value, str) else value
    return value if isinstance(value, str) else value[0]


class _Key(NamedTuple):
    """A key in lower case, the dotted path of its parameter, whether it holds several values."""

    name: str
    path: str
    multivalued: bool


@cache
def _of_action(service: str, action: str) -> tuple[tuple[str, str | None, _Key], ...]:
    """The member that each key is found in, the key's name when that member's text is its value, and the key."""
    found = tables.table(service)
    prefix, _, name = action.partition(":")
    reference = service_reference.service(prefix)
    entry = reference.action(name) if reference is not None else None
    if found is None or reference is None or entry is None:
        return ()
    types = [reference.resource_type(resource.name) for resource in entry.resources]
    named = entry.every_condition_key.union(*(kind.condition_keys for kind in types if kind is not None))
    allowed = [_PLACEHOLDER.sub("", key.lower()) for key in named]
    rows = []
    for key, path in found.keys.items():
        if key.lower() in allowed:
            known = reference.condition_key(key + "x" if key.endswith(_MAP) else key)
            found_key = _Key(lower(key), path, known is not None and known.multivalued)
            is_plain = "." not in path and not found_key.multivalued and not key.endswith(_MAP)
            rows.append((path.partition(".")[0], found_key.name if is_plain else None, found_key))
    return tuple(rows)
