"""Templates with `@{parameters}`: JSON or text that is given values, which stay parts of strings whatever they hold.

AWS: IAM User Guide, "Policy templates" (temporary-delegation-policy-templates); role templates have the same form.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from iamd.services.iam.errors import InvalidInput

PARAMETER = re.compile(r"@\{([^{}]*)\}")

Value = str | tuple[str, ...]
Values = Mapping[str, Value]
"""By parameter, its text, or its texts when it is a list."""


def parsed(document: str) -> Any:
    """A JSON document; ValueError for what is none, and for an object that has a name twice."""
    return json.loads(document, object_pairs_hook=_object)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # SECURITY: of two members of one name readers take different ones.
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in an object")
    return found


def names_in(text: str) -> frozenset[str]:
    """The names of the parameters that a template has."""
    return frozenset(PARAMETER.findall(text))


def filled(value: Any, values: Values) -> Any:
    """Parsed JSON with its parameters' values; a list takes as many places in a list as it has, or a member's alone.

    SECURITY: values are put into what is parsed already, so that none can be more than a string, or part of one.
    """
    if isinstance(value, Mapping):
        return {key: filled(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [one for item in value for one in _items(item, values)]
    if not isinstance(value, str):
        return value
    whole = PARAMETER.fullmatch(value)
    found = None if whole is None else values.get(whole[1])
    return list(found) if isinstance(found, tuple) else text(value, values)


def text(template: str, values: Values) -> str:
    """A text with its parameters' values, of which none is a list; InvalidInput."""

    def value(match: re.Match[str]) -> str:
        found = values.get(match[1])
        if found is None:
            raise InvalidInput(f"The parameter {match[1]} has no value.")
        if isinstance(found, tuple):
            raise InvalidInput(f"The parameter {match[1]} is a list and stands within a text.")
        return found

    return PARAMETER.sub(value, template)


def _items(item: Any, values: Values) -> list[Any]:
    one = filled(item, values)
    return one if isinstance(item, str) and isinstance(one, list) else [one]
