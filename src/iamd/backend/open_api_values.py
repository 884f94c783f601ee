"""Values of an OpenAPI definition, each with the place where it stands: what is not understood is refused by name.

AWS: API Gateway Developer Guide, "Import validation information" (http-api-open-api). What AWS imports an API without,
and warns of, iamd refuses: such an API would not do what its definition says.
"""

from collections.abc import Mapping
from typing import Any, Final

_OWN: Final = "x-amazon-apigateway-"
_EXTENSION: Final = "x-"
_DIGITS: Final = 10
_TRUTHS: Final = {"true": True, "false": False}


class Invalid(Exception):
    """A definition that no API is made of; the words name the place."""

    def __init__(self, place: str, why: str) -> None:
        super().__init__(f"Invalid OpenAPI definition: {place} {why}")


def members(value: Any, place: str, known: frozenset[str]) -> Mapping[str, Any]:
    """An object that has these members alone, and extensions of others than API Gateway."""
    for name in mapping(value, place):
        if name not in known and (name.startswith(_OWN) or not name.startswith(_EXTENSION)):
            raise Invalid(f"{place}.{name}".removeprefix("."), "is not supported for HTTP APIs by iamd.")
    found: Mapping[str, Any] = value
    return found


def mapping(value: Any, place: str) -> Mapping[str, Any]:
    """An object."""
    if not isinstance(value, Mapping):
        raise Invalid(place, "must be an object.")
    return value


def listed(value: Any, place: str) -> list[Any]:
    """A list."""
    if not isinstance(value, list):
        raise Invalid(place, "must be a list.")
    return value


def text(value: Any, place: str, longest: int = 2048) -> str:
    """A text that is not empty; templates write versions as numbers."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Invalid(place, "must be a text.")
    found = str(value)
    if not 0 < len(found) <= longest:
        raise Invalid(place, f"must have 1 to {longest} characters.")
    return found


def texts(value: Any, place: str) -> list[str]:
    """A list of texts."""
    return [text(one, f"{place}[{index}]") for index, one in enumerate(listed(value, place))]


def truth(value: Any, place: str) -> bool:
    """A truth value; a parameter of a template makes a text of it."""
    found = value if isinstance(value, bool) else _TRUTHS.get(str(value).lower())
    if found is None:
        raise Invalid(place, "must be true or false.")
    return found


def number(value: Any, place: str, least: int, most: int) -> int:
    """An integer; a parameter of a template makes a text of it."""
    plain = str(value)
    digits = plain.removeprefix("-")
    is_integer = not isinstance(value, bool) and digits.isascii() and digits.isdigit() and len(digits) < _DIGITS
    if not is_integer or not least <= int(plain) <= most:
        raise Invalid(place, f"must be an integer from {least} to {most}.")
    return int(plain)


def one_of(value: Any, place: str, allowed: frozenset[str]) -> str:
    """One of some words, in whatever capitals."""
    found = text(value, place).upper()
    if found not in allowed:
        raise Invalid(place, f"must be one of {', '.join(sorted(allowed))}.")
    return found
