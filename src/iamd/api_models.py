"""What models of REST APIs are referred to by, in one another and in definitions that are imported.

AWS: API Gateway Developer Guide, "Data models for REST APIs" (models-mappings-models).
"""

from collections.abc import Mapping
from typing import Any, Final

_MODEL: Final = "https://apigateway.amazonaws.com/restapis/{}/models/{}"
_PLACES: Final = ("#/definitions/", "#/components/schemas/")


def reference(api_id: str, name: str) -> str:
    """The reference to a model of an API."""
    return _MODEL.format(api_id, name)


def named(value: Any) -> str | None:
    """The name of the model that a schema of a definition refers to as a whole; None where it is a schema itself."""
    text = value.get("$ref") if isinstance(value, Mapping) else None
    for place in _PLACES:
        if isinstance(text, str) and text.startswith(place) and "/" not in text.removeprefix(place):
            return text.removeprefix(place)
    return None


def resolved(value: Any, api_id: str) -> Any:
    """A schema of a definition, which refers to the models that are made of the definition's schemas."""
    if isinstance(value, list):
        return [resolved(one, api_id) for one in value]
    if not isinstance(value, Mapping):
        return value
    found = {name: resolved(one, api_id) for name, one in value.items()}
    text = value.get("$ref")
    for place in _PLACES:
        if isinstance(text, str) and text.startswith(place):
            name, slash, rest = text.removeprefix(place).partition("/")
            found["$ref"] = reference(api_id, name) + (f"#/{rest}" if slash else "")
    return found
