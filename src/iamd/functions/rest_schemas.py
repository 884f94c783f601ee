"""Models of REST APIs as schemas that bodies are held against: in bounded time, and nothing is fetched for one.

AWS: API Gateway Developer Guide, "Data models for REST APIs" (models-mappings-models): JSON schema draft 4.
"""

import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from functools import cache
from typing import Any, Final

import msgspec
import regex

from iamd.api_models import reference

_SECONDS: Final = 1.0
_UNTIL: ContextVar[float] = ContextVar("until")


class WrongModel(Exception):
    """A model that is no schema, or refers to what is not there; the message says why."""


def schema(models: Mapping[str, str], api_id: str, name: str) -> Any:
    """The schema of a model; WrongModel when it is none."""
    # Imported here: a server whose APIs validate nothing needs none of them.
    from jsonschema.exceptions import SchemaError  # noqa: PLC0415
    from referencing import Registry  # noqa: PLC0415
    from referencing.jsonschema import DRAFT4  # noqa: PLC0415

    if name not in models:
        raise WrongModel(f"The API has no model {name}.")
    try:
        read = {one: msgspec.json.decode(text) for one, text in models.items()}
        _kind().check_schema(read[name])
    except (msgspec.DecodeError, SchemaError, RecursionError) as error:
        raise WrongModel(f"The model {name} is no schema: {error}") from error
    places = {reference(api_id, one): DRAFT4.create_resource(value) for one, value in read.items()}
    # SECURITY: a registry that is told nothing of how to retrieve looks nothing up anywhere else.
    registry: Any = Registry().with_resources(places.items())
    return _kind()({"$ref": reference(api_id, name)}, registry=registry, format_checker=_kind().FORMAT_CHECKER)


def fits(checker: Any, value: Any) -> bool:
    """Whether a value is as a schema says; what takes too long to be looked at is not. WrongModel as `schema`."""
    from jsonschema.exceptions import UnknownType  # noqa: PLC0415
    from referencing.exceptions import Unresolvable  # noqa: PLC0415

    _UNTIL.set(time.monotonic() + _SECONDS)
    try:
        return bool(checker.is_valid(value))
    except (TimeoutError, RecursionError):
        return False
    except (UnknownType, Unresolvable, regex.error) as error:
        raise WrongModel(f"A model can't be held against a body: {error}") from error


@cache
def _kind() -> Any:
    """The validator of draft 4 whose patterns, and lists of things that differ, end in time."""
    from jsonschema import Draft4Validator, validators  # noqa: PLC0415

    own = {
        "additionalProperties": _additional,
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "uniqueItems": _unique,
    }
    return validators.extend(Draft4Validator, own)


def _found(pattern: str, text: str) -> bool:
    # SECURITY: the pattern is the API's and the text the client's, and some take for ever to match.
    left = _UNTIL.get() - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return regex.search(pattern, text, timeout=left) is not None


def _wrong(what: str) -> Any:
    from jsonschema.exceptions import ValidationError  # noqa: PLC0415

    return ValidationError(what)


def _pattern(validator: Any, pattern: str, value: Any, schema: Any) -> Iterator[Any]:
    if validator.is_type(value, "string") and not _found(pattern, value):
        yield _wrong("pattern")


def _pattern_properties(validator: Any, patterns: Mapping[str, Any], value: Any, schema: Any) -> Iterator[Any]:
    for pattern, inner in patterns.items() if validator.is_type(value, "object") else ():
        for name, one in value.items():
            if _found(pattern, name):
                yield from validator.descend(one, inner)


def _additional(validator: Any, inner: Any, value: Any, schema: Any) -> Iterator[Any]:
    if not validator.is_type(value, "object"):
        return
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    others = [name for name in value if name not in known and not any(_found(one, name) for one in patterns)]
    if validator.is_type(inner, "object"):
        for name in others:
            yield from validator.descend(value[name], inner)
    elif not inner and others:
        yield _wrong("additionalProperties")


def _unique(validator: Any, wanted: Any, value: Any, schema: Any) -> Iterator[Any]:
    if wanted and validator.is_type(value, "array"):
        told = {msgspec.json.encode(_plain(one), order="sorted") for one in value}
        if len(told) < len(value):
            yield _wrong("uniqueItems")


def _plain(value: Any) -> Any:
    """A value in which numbers that are the same are written in the same way."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value
