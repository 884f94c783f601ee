"""A service's own condition keys for one action: those that the reference gives it and the request has."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any, Final, NamedTuple

from iamd.data import service_reference
from iamd.gateway.actions import table as tables
from iamd.gateway.actions.asked import Value, as_text, at
from iamd.policy.request import lower

_MAP: Final = ("/", ":")
"""How the name of a key ends that is many: one for each entry of a map."""
_PLACEHOLDER: Final = re.compile(r"\$\{.*|<.*", re.DOTALL)


class _Key(NamedTuple):
    """A key in lower case, the dotted path of its parameter, whether it holds several values."""

    name: str
    path: str
    multivalued: bool


Rows = tuple[tuple[str, str | None, _Key], ...]
"""Of each key its member, its name when that member's text is its value, and the key itself."""


def of(service: str, action: str, values: Mapping[str, Any], arn: str = "*") -> dict[str, Value]:
    """The keys of this action, less those that the reference gives it on other resources than this one alone.

    SECURITY: they come from parameters that the operation's model defines, by the model's names; a header, query or
    body field that the operation does not have never gets here (AUZ-18).
    """
    members, wanted = _of_action(service, action)
    return {} if members.isdisjoint(values) else found(action, wanted, values, arn)


def rows(service: str, action: str, names: Collection[str]) -> Rows:
    """The rows for those keys of an action that a request with these names may have."""
    return tuple(row for row in _of_action(service, action)[1] if row[0] in names)


class Plain(NamedTuple):
    """Keys whose members' texts are their values, on every resource of their action; and what gives the members."""

    names: tuple[str, ...]
    given: Callable[[Mapping[str, Any]], tuple[Any, ...]]

    def found(self, values: Mapping[str, Any]) -> dict[str, Value] | None:
        """The keys; None when some member is no text, for which the rows of the keys have to be gone through."""
        given = self.given(values)
        # They are as many; to say so by a keyword takes as long as all else here.
        return dict(zip(self.names, given)) if _TEXT.issuperset(map(type, given)) else None  # noqa: B905


_TEXT: Final = frozenset({str})


def plain(action: str, wanted: Rows) -> Plain | None:
    """The keys of these rows, where they are all plain."""
    names = [name for _, name, _ in wanted if name is not None]
    if not names or len(names) < len(wanted) or not _of_some_types(action).isdisjoint(names):
        return None
    return Plain(tuple(names), items([member for member, _, _ in wanted]))


def items(names: Sequence[str]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """What gives the values of these names, however many they are."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: tuple(values[name] for name in names)


def found(action: str, wanted: Rows, values: Mapping[str, Any], arn: str) -> dict[str, Value]:
    """The keys of these rows that the values have, as `of` gives them."""
    having: dict[str, Value] = {}
    for member, plain, key in wanted:
        given = values.get(member)
        if given is None:
            continue
        if plain is not None and type(given) is str:
            having[plain] = given
        else:
            _add(having, key, at(values, key.path))
    if having.keys().isdisjoint(_of_some_types(action)):
        return having
    return _without(of_other_resources(action, arn), having)


def _without(strange: Collection[str], having: Mapping[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in having.items() if name not in strange}


def of_other_resources(action: str, arn: str) -> frozenset[str]:
    """The keys that the reference gives an action on other resources than this one alone, in lower case."""
    by_type = _by_type(action)
    if not by_type:
        return _NOTHING
    own = [names for kind, names in by_type if kind.names(arn)]
    if not own:
        return _NOTHING
    every = frozenset().union(*(names for _, names in by_type))
    return every.difference(_of_whole_action(action), *own)


@cache
def _by_type(action: str) -> tuple[tuple[service_reference.ResourceType, frozenset[str]], ...]:
    """The keys of each of an action's resource types; nothing where all types have the same."""
    reference, entry = _entry(action)
    if reference is None or entry is None:
        return ()
    kinds = [(reference.resource_type(one.name), one.condition_keys) for one in entry.resources]
    found = tuple(
        (kind, frozenset(map(lower, names or kind.condition_keys))) for kind, names in kinds if kind is not None
    )
    return found if len({names for _, names in found}) > 1 else ()


@cache
def _of_some_types(action: str) -> frozenset[str]:
    """The keys that the reference gives an action on some of its resource types and not on others, in lower case."""
    by_type = [names for _, names in _by_type(action)]
    if not by_type:
        return _NOTHING
    return _NOTHING.union(*by_type).difference(_of_whole_action(action), by_type[0].intersection(*by_type))


@cache
def _of_whole_action(action: str) -> frozenset[str]:
    _, entry = _entry(action)
    return frozenset(map(lower, entry.condition_keys)) if entry is not None else _NOTHING


def _entry(action: str) -> tuple[service_reference.ServiceReference | None, service_reference.Action | None]:
    prefix, _, name = action.partition(":")
    reference = service_reference.service(prefix)
    return reference, reference.action(name) if reference is not None else None


_NOTHING: Final[frozenset[str]] = frozenset()


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


@cache
def _of_action(service: str, action: str) -> tuple[frozenset[str], Rows]:
    """The members that keys are found in, and the rows of the keys."""
    found = tables.table(service)
    reference, entry = _entry(action)
    if found is None or reference is None or entry is None:
        return _NOTHING, ()
    # AWS: an action has the keys of its resource types as well (Service Authorization Reference, "Resource types");
    # where the reference lists keys for an action on a type, these are all that it has there.
    kinds = [reference.resource_type(one.name) for one in entry.resources if not one.condition_keys]
    named = entry.every_condition_key.union(*(kind.condition_keys for kind in kinds if kind is not None))
    allowed = [_PLACEHOLDER.sub("", key.lower()) for key in named]
    rows = []
    for key, path in found.keys.items():
        if key.lower() in allowed:
            known = reference.condition_key(key + "x" if key.endswith(_MAP) else key)
            found_key = _Key(lower(key), path, known is not None and known.multivalued)
            is_plain = "." not in path and not found_key.multivalued and not key.endswith(_MAP)
            rows.append((path.partition(".")[0], found_key.name if is_plain else None, found_key))
    return frozenset(member for member, _, _ in rows), tuple(rows)
