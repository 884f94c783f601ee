"""Objects of an OpenAPI definition of a REST API: what is not understood is refused by name."""

from collections.abc import Mapping
from typing import Any, Final

from iamd.backend.open_api_values import Invalid, mapping

_OWN: Final = "x-amazon-apigateway-"
_EXTENSION: Final = "x-"
_FOR_PEOPLE: Final = frozenset({"x-amazon-apigateway-documentation", "x-amazon-apigateway-tag-value"})


def members(value: Any, place: str, known: frozenset[str]) -> Mapping[str, Any]:
    """An object that has these members alone, what is for people, and extensions of others than API Gateway."""
    for name in mapping(value, place):
        is_other = name.startswith(_EXTENSION) and (not name.startswith(_OWN) or name in _FOR_PEOPLE)
        if name not in known and not is_other:
            raise Invalid(f"{place}.{name}".removeprefix("."), "is not supported for REST APIs by iamd.")
    found: Mapping[str, Any] = value
    return found
