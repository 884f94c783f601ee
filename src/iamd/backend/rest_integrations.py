"""Integrations of an OpenAPI definition of a REST API, as the parameters of PutIntegration and PutIntegrationResponse.

AWS: API Gateway Developer Guide, x-amazon-apigateway-integration (api-gateway-swagger-extensions-integration).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from iamd.backend.open_api_values import Invalid, mapping, number, one_of, text
from iamd.backend.rest_values import members

NAME: Final = "x-amazon-apigateway-integration"
_KNOWN: Final = frozenset(
    {
        "cacheKeyParameters", "cacheNamespace", "connectionId", "connectionType", "contentHandling", "credentials",
        "httpMethod", "passthroughBehavior", "payloadFormatVersion", "requestParameters", "requestTemplates",
        "responses", "timeoutInMillis", "tlsConfig", "type", "uri",
    }
)  # fmt: skip
_OF_RESPONSES: Final = frozenset({"contentHandling", "responseParameters", "responseTemplates", "statusCode"})
_TYPES: Final = frozenset({"AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY", "MOCK"})
_BEHAVIORS: Final = frozenset({"NEVER", "WHEN_NO_MATCH", "WHEN_NO_TEMPLATES"})
_HANDLINGS: Final = frozenset({"CONVERT_TO_BINARY", "CONVERT_TO_TEXT"})
_CONNECTIONS: Final = frozenset({"INTERNET", "VPC_LINK"})


@dataclass(slots=True)
class Read:
    """An integration and its responses."""

    given: dict[str, Any]
    responses: list[dict[str, Any]] = field(default_factory=list)


def read(value: Any, place: str) -> Read:
    """The parameters, by moto's names for them."""
    given = members(value, place, _KNOWN)
    kind = one_of(given.get("type"), f"{place}.type", _TYPES)
    method = given.get("httpMethod")
    if method is None and kind != "MOCK":
        raise Invalid(f"{place}.httpMethod", "is required.")
    found: dict[str, Any] = {
        "integration_type": kind,
        "uri": text(given.get("uri"), f"{place}.uri") if kind != "MOCK" else given.get("uri"),
        "integration_method": text(method, f"{place}.httpMethod").upper() if method is not None else None,
    }
    if str(given.get("payloadFormatVersion", "1.0")) != "1.0":
        raise Invalid(f"{place}.payloadFormatVersion", "must be 1.0: REST APIs know no other one.")
    for name, own in (("credentials", "credentials"), ("cacheNamespace", "cache_namespace")):
        if given.get(name):
            found[own] = text(given[name], f"{place}.{name}")
    for name, own in (
        ("requestParameters", "request_parameters"), ("requestTemplates", "request_templates"),
        ("tlsConfig", "tls_config"),
    ):  # fmt: skip
        if name in given:
            found[own] = dict(mapping(given[name], f"{place}.{name}"))
    for name, own, allowed in (
        ("passthroughBehavior", "passthrough_behavior", _BEHAVIORS),
        ("contentHandling", "content_handling", _HANDLINGS),
        ("connectionType", "connection_type", _CONNECTIONS),
    ):
        if name in given:
            found[own] = one_of(given[name], f"{place}.{name}", allowed)
    if "timeoutInMillis" in given:
        found["timeout_in_millis"] = number(given["timeoutInMillis"], f"{place}.timeoutInMillis", 50, 300_000)
    responses = mapping(given.get("responses", {}), f"{place}.responses")
    return Read(found, [_response(pattern, one, f"{place}.responses.{pattern}") for pattern, one in responses.items()])


def _response(pattern: str, value: Any, place: str) -> dict[str, Any]:
    given: Mapping[str, Any] = members(value, place, _OF_RESPONSES)
    handling = given.get("contentHandling")
    return {
        "status_code": str(number(given.get("statusCode"), f"{place}.statusCode", 100, 599)),
        # AWS: "default" is the response without a pattern.
        "selection_pattern": "" if pattern == "default" else pattern,
        "response_templates": dict(mapping(given.get("responseTemplates") or {}, f"{place}.responseTemplates")),
        "response_parameters": dict(mapping(given.get("responseParameters") or {}, f"{place}.responseParameters")),
        "content_handling": one_of(handling, f"{place}.contentHandling", _HANDLINGS) if handling else None,
    }
