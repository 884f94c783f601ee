"""Integrations of an OpenAPI definition, as the parameters of CreateIntegration.

AWS: API Gateway Developer Guide, x-amazon-apigateway-integration (api-gateway-swagger-extensions-integration),
x-amazon-apigateway-integrations, "Transforming API requests and responses" (http-api-parameter-mapping); the API
Reference of HTTP APIs, "Integration".
"""

from collections.abc import Mapping
from typing import Any, Final

from iamd.backend.open_api_values import Invalid, mapping, members, number, one_of, text

NAME: Final = "x-amazon-apigateway-integration"
SHARED: Final = "x-amazon-apigateway-integrations"
_REFERENCE: Final = f"#/components/{SHARED}/"
_KNOWN: Final = frozenset(
    {
        "connectionId", "connectionType", "credentials", "httpMethod", "integrationSubtype", "passthroughBehavior",
        "payloadFormatVersion", "requestParameters", "timeoutInMillis", "tlsConfig", "type", "uri",
    }
)  # fmt: skip
_METHODS: Final = frozenset({"ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_TYPES: Final = frozenset({"AWS_PROXY", "HTTP_PROXY"})
_CONNECTIONS: Final = frozenset({"INTERNET", "VPC_LINK"})
_BEHAVIORS: Final = frozenset({"NEVER", "WHEN_NO_MATCH", "WHEN_NO_TEMPLATES"})
_VERSIONS: Final = frozenset({"1.0", "2.0"})


def shared_name(value: Any, place: str) -> str | None:
    """The name of the integration among the components that this one refers to; None where it stands here."""
    if "$ref" not in mapping(value, place):
        return None
    reference = value["$ref"]
    if len(value) != 1 or not isinstance(reference, str) or not reference.startswith(_REFERENCE):
        raise Invalid(f"{place}.$ref", f"must name one of {_REFERENCE}, and nothing else stands beside it.")
    return reference.removeprefix(_REFERENCE)


def integration(value: Any, place: str) -> dict[str, Any]:
    """The parameters, by their names on the wire."""
    given = members(value, place, _KNOWN)
    kind = one_of(_required(given, "type", place), f"{place}.type", _TYPES)
    found: dict[str, Any] = {
        "integration_type": kind,
        **_target(given, kind, place),
        "payload_format_version": _version(given, kind, place),
        "connection_type": one_of(given.get("connectionType", "INTERNET"), f"{place}.connectionType", _CONNECTIONS),
        "description": None,
        **_connection(given, place),
    }
    if "credentials" in given:
        found["credentials_arn"] = text(given["credentials"], f"{place}.credentials")
    if "timeoutInMillis" in given:
        found["timeout_in_millis"] = str(number(given["timeoutInMillis"], f"{place}.timeoutInMillis", 50, 30_000))
    if "passthroughBehavior" in given:
        found["passthrough_behavior"] = one_of(given["passthroughBehavior"], f"{place}.passthroughBehavior", _BEHAVIORS)
    if "requestParameters" in given:
        found["request_parameters"] = _texts(given["requestParameters"], f"{place}.requestParameters")
    return found


def _required(given: Mapping[str, Any], name: str, place: str) -> Any:
    if name not in given:
        raise Invalid(f"{place}.{name}", "is required for HTTP APIs.")
    return given[name]


def _version(given: Mapping[str, Any], kind: str, place: str) -> str:
    """AWS: 1.0, and 2.0 for Lambda functions."""
    found = text(_required(given, "payloadFormatVersion", place), f"{place}.payloadFormatVersion")
    is_function = kind == "AWS_PROXY" and "integrationSubtype" not in given
    if found not in _VERSIONS or (found != "1.0" and not is_function):
        raise Invalid(f"{place}.payloadFormatVersion", 'must be "1.0", or "2.0" for a Lambda function.')
    return found


def _target(given: Mapping[str, Any], kind: str, place: str) -> dict[str, Any]:
    """What answers: a function, an action of a service of AWS, or an address."""
    if "integrationSubtype" in given:
        for name in ("httpMethod", "uri"):
            if name in given:
                raise Invalid(f"{place}.{name}", "has no meaning beside integrationSubtype.")
        if kind != "AWS_PROXY":
            raise Invalid(f"{place}.integrationSubtype", "is of AWS_PROXY alone.")
        subtype = text(given["integrationSubtype"], f"{place}.integrationSubtype", 128)
        return {"integration_subtype": subtype, "integration_uri": None, "integration_method": None}
    uri = text(_required(given, "uri", place), f"{place}.uri")
    if kind == "HTTP_PROXY":
        method = one_of(_required(given, "httpMethod", place), f"{place}.httpMethod", _METHODS)
    else:
        # AWS: "For Lambda function invocations, the value must be POST."
        method = one_of(given.get("httpMethod", "POST"), f"{place}.httpMethod", frozenset({"POST"}))
    return {"integration_uri": uri, "integration_method": method}


def _connection(given: Mapping[str, Any], place: str) -> dict[str, Any]:
    is_link = str(given.get("connectionType", "")).upper() == "VPC_LINK"
    if is_link != ("connectionId" in given):
        raise Invalid(f"{place}.connectionId", "stands beside the connectionType VPC_LINK, and there alone.")
    found: dict[str, Any] = {}
    if is_link:
        found["connection_id"] = text(given["connectionId"], f"{place}.connectionId", 1024)
    if "tlsConfig" in given:
        where = f"{place}.tlsConfig"
        config = members(given["tlsConfig"], where, frozenset({"serverNameToVerify"}))
        name = text(_required(config, "serverNameToVerify", where), f"{where}.serverNameToVerify", 512)
        found["tls_config"] = {"serverNameToVerify": name}
    return found


def _texts(value: Any, place: str) -> dict[str, str]:
    return {name: text(one, f"{place}.{name}") for name, one in mapping(value, place).items()}
