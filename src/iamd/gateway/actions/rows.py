"""How the rows of a service's table map a request to its targets.

What follows from the names alone that stand in a request is worked out once: most clients send the same ones each time.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import product
from string import Formatter
from typing import Any, Final, NamedTuple

from iamd.authz.target import Target
from iamd.gateway.actions import keys, tags
from iamd.gateway.actions.asked import Asked, Value, place_of
from iamd.gateway.actions.table import Condition, Row, Table

Values = Callable[[Asked], Mapping[str, Any]]

_MOST_PLANS: Final = 64
_WRITTEN: Final = "written_tags"
"""What a service's own values call the tags that what a request makes gets beside those of its parameters."""


class _Step(NamedTuple):
    """A row for requests with certain names; its condition, where the names alone do not tell that it counts."""

    row: Row
    condition: Condition | None
    template: "_Template"
    key_rows: keys.Rows
    plain: keys.Plain | None


class _Plan(NamedTuple):
    """What is to be done for requests with certain names, and whether tags may be among them."""

    steps: tuple[_Step, ...]
    may_have_tags: bool


class Rows:
    """Maps the requests of one operation by its rows; `extended` says that its service does more about tags itself."""

    def __init__(self, found: Table, operation: str, compute: Values, *, extended: bool) -> None:
        self._service = found.service
        self._rows = found.rows[operation]
        self._compute = compute
        self._extended = extended
        self._has_tags_elsewhere = operation in tags.elsewhere().get(found.service, {})
        self._plans: dict[tuple[str, ...], _Plan] = {}

    def targets(self, asked: Asked) -> list[Target]:
        """The targets of a request; KeyError when it lacks what names one of them."""
        # What is worked out stands above what the client gave under the same name.
        values = {**asked.parameters, **place_of(asked.region, asked.account), **self._compute(asked)}
        names = tuple(values)
        steps, may_have_tags = self._plans.get(names) or self._planned(names)
        tagged = self._tags(asked, values) if may_have_tags else {}
        mapped: list[Target] = []
        for row, condition, template, key_rows, plain in steps:
            if condition is None or condition.holds(values):
                for arn in template.arns(values):
                    context = plain.found(values) if plain is not None else None
                    if context is None:
                        context = keys.found(row.action, key_rows, values, arn) if key_rows else {}
                    mapped.append(
                        Target(
                            arn=arn,
                            action=row.action,
                            context={**tagged, **context} if tagged else context,
                            makes=row.makes,
                        )
                    )
        return mapped

    def _tags(self, asked: Asked, values: Mapping[str, Any]) -> Mapping[str, Value]:
        tagged = {} if self._extended else tags.of_request(asked)
        return {**tagged, **tags.of({"Tags": values[_WRITTEN]})} if _WRITTEN in values else tagged

    def _planned(self, names: tuple[str, ...]) -> _Plan:
        speaks = self._has_tags_elsewhere or tags.speak_of_tags(names)
        plan = _Plan(
            tuple(step(self._service, row, names) for row in self._rows if _may_count(row, names)),
            _WRITTEN in names or (speaks and not self._extended),
        )
        if len(self._plans) >= _MOST_PLANS:
            self._plans.clear()
        self._plans[names] = plan
        return plan


def _may_count(row: Row, names: tuple[str, ...]) -> bool:
    return row.condition is None or row.condition.inverted or not row.condition.names.isdisjoint(names)


def step(service: str, row: Row, names: Iterable[str]) -> _Step:
    """What a row of a service comes to for requests with these names."""
    given = frozenset(names)
    condition = row.condition
    if condition is not None and condition.names.isdisjoint(given):
        condition = None
    key_rows = keys.rows(service, row.action, given)
    return _Step(row, condition, _Template(row.template), key_rows, keys.plain(row.action, key_rows))


class _Template:
    """The template of an ARN, `{name}` standing for the value of that name."""

    def __init__(self, text: str) -> None:
        parts = [(literal, name) for literal, name, _, _ in Formatter().parse(text)]
        self._names: Final = tuple(name for _, name in parts if name)
        self._form: Final = "".join(literal.replace("%", "%%") + ("%s" if name else "") for literal, name in parts)
        self._given: Final = keys.items(self._names)

    def arns(self, values: Mapping[str, Any]) -> Iterable[str]:
        """The ARN that it makes of these values; of a value that is a list, one for each of its items.

        KeyError for a name that has no value, or an empty list.
        """
        given = self._given(values)
        return (self._form % given,) if list not in map(type, given) else self._listed(values, given)

    def _listed(self, values: Mapping[str, Any], given: tuple[Any, ...]) -> Iterable[str]:
        for name, value in zip(self._names, given, strict=True):
            if value == []:
                raise KeyError(name)
        # A name may stand in it twice: it has the same value in both places.
        listed = {name: value for name, value in zip(self._names, given, strict=True) if isinstance(value, list)}
        chosen = (dict(zip(listed, items, strict=True)) for items in product(*listed.values()))
        return dict.fromkeys(self._form % self._given({**values, **items}) for items in chosen)
