"""Who may call the methods of an OpenAPI definition of a REST API: its security schemes, and what operations ask for.

AWS: API Gateway Developer Guide, x-amazon-apigateway-authorizer, x-amazon-apigateway-authtype,
x-amazon-apigateway-auth, "Set up API keys for REST APIs" (api-gateway-setup-api-keys): the scheme `x-api-key` in a
header asks for an API key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from iamd.backend.open_api_values import Invalid, listed, mapping, number, one_of, text, texts
from iamd.backend.rest_values import members

_AUTHORIZER: Final = "x-amazon-apigateway-authorizer"
_AUTHTYPE: Final = "x-amazon-apigateway-authtype"
AUTH: Final = "x-amazon-apigateway-auth"
_OF_AUTHORIZERS: Final = frozenset(
    {
        "authorizerCredentials", "authorizerResultTtlInSeconds", "authorizerUri", "identitySource",
        "identityValidationExpression", "providerARNs", "type",
    }
)  # fmt: skip
_TYPES: Final = frozenset({"COGNITO_USER_POOLS", "REQUEST", "TOKEN"})
_NOBODY: Final = "NONE"
"""What SAM has functions ask for that anybody may call (SAM Developer Guide, ApiFunctionAuth)."""
_API_KEY: Final = "x-api-key"


@dataclass(slots=True)
class Asked:
    """What an operation asks for: its authorization type, the name of its authorizer, scopes, and an API key."""

    kind: str = "NONE"
    authorizer: str | None = None
    scopes: list[str] = field(default_factory=list)
    needs_key: bool = False


class Schemes:
    """The security schemes of a definition; `authorizers` are the parameters of authorizers, by their names."""

    def __init__(self, value: Any, place: str) -> None:
        self.authorizers: dict[str, dict[str, Any]] = {}
        self._known = mapping(value, place)
        self._signed = set[str]()
        self._keys = set[str]()
        for name, one in self._known.items():
            self._read(name, mapping(one, f"{place}.{name}"), f"{place}.{name}")

    def _read(self, name: str, scheme: Mapping[str, Any], place: str) -> None:
        if _AUTHORIZER in scheme:
            self.authorizers[text(name, place, 128)] = _authorizer(name, scheme, f"{place}.{_AUTHORIZER}")
        elif str(scheme.get(_AUTHTYPE, "")).lower() == "awssigv4":
            self._signed.add(name)
        elif _AUTHTYPE not in scheme and _is_key(scheme):
            self._keys.add(name)

    def of(self, operation: Mapping[str, Any], place: str) -> Asked:
        """What an operation asks for, which is one authorization at most, and an API key beside it."""
        found = Asked()
        if AUTH in operation:
            given = members(operation[AUTH], f"{place}.{AUTH}", frozenset({"type"}))
            found.kind = one_of(given.get("type"), f"{place}.{AUTH}.type", frozenset({"AWS_IAM", "NONE"}))
        for index, one in enumerate(listed(operation.get("security", []), f"{place}.security")):
            for name, scopes in mapping(one, f"{place}.security[{index}]").items():
                where = f"{place}.security[{index}].{name}"
                self._ask(found, name, texts(scopes, where), where)
        return found

    def _ask(self, found: Asked, name: str, scopes: list[str], place: str) -> None:
        if name in self._keys:
            found.needs_key = True
            return
        if name == _NOBODY and name not in self._known:
            return
        if name in self.authorizers:
            kind = self.authorizers[name]["authorizer_type"]
            asked = "COGNITO_USER_POOLS" if kind == "COGNITO_USER_POOLS" else "CUSTOM"
        elif name in self._signed:
            kind = asked = "AWS_IAM"
        else:
            # SECURITY: a method must not be open to all because its scheme is none of API Gateway's.
            raise Invalid(place, "is no security scheme with an authorizer, of IAM, or of API keys.")
        if scopes and kind != "COGNITO_USER_POOLS":
            raise Invalid(place, "has scopes, which user pools have alone.")
        named = name if asked != "AWS_IAM" else None
        if found.kind != "NONE" and (found.kind, found.authorizer) != (asked, named):
            # SECURITY: of two that would do on their own API Gateway knows one alone.
            raise Invalid(place, "is a second authorization of the operation.")
        found.kind, found.authorizer, found.scopes = asked, named, scopes


def _is_key(scheme: Mapping[str, Any]) -> bool:
    is_header = (scheme.get("type"), scheme.get("in")) == ("apiKey", "header")
    return is_header and str(scheme.get("name", "")).lower() == _API_KEY


def _authorizer(name: str, scheme: Mapping[str, Any], place: str) -> dict[str, Any]:
    given = members(scheme[_AUTHORIZER], place, _OF_AUTHORIZERS)
    kind = one_of(given.get("type"), f"{place}.type", _TYPES)
    seconds = given.get("authorizerResultTtlInSeconds")
    found: dict[str, Any] = {
        "name": name,
        "authorizer_type": kind,
        "provider_arns": None,
        "auth_type": scheme.get(_AUTHTYPE),
        "authorizer_uri": None,
        "authorizer_credentials": None,
        "identity_source": _source(given, scheme, kind, place),
        "identiy_validation_expression": None,
        "authorizer_result_ttl": 300,
    }
    if seconds is not None:
        found["authorizer_result_ttl"] = number(seconds, f"{place}.authorizerResultTtlInSeconds", 0, 3600)
    if "identityValidationExpression" in given:
        expression = given["identityValidationExpression"]
        found["identiy_validation_expression"] = text(expression, f"{place}.identityValidationExpression")
    if kind == "COGNITO_USER_POOLS":
        return found | {"provider_arns": texts(given.get("providerARNs"), f"{place}.providerARNs")}
    if "authorizerCredentials" in given:
        found["authorizer_credentials"] = text(given["authorizerCredentials"], f"{place}.authorizerCredentials")
    return found | {"authorizer_uri": text(given.get("authorizerUri"), f"{place}.authorizerUri")}


def _source(given: Mapping[str, Any], scheme: Mapping[str, Any], kind: str, place: str) -> str | None:
    """Where the authorizer looks; AWS: of tokens the scheme's header, of requests what identitySource says."""
    if given.get("identitySource"):
        return text(given["identitySource"], f"{place}.identitySource")
    if kind == "REQUEST":
        return None
    if scheme.get("in", "header") != "header":
        raise Invalid(place, "is of tokens, which stand in a header.")
    return f"method.request.header.{text(scheme.get('name', 'Authorization'), f'{place}.name')}"
