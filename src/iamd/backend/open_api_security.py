"""Who may call the routes of an OpenAPI definition: its security schemes, and what each operation asks for.

AWS: API Gateway Developer Guide, x-amazon-apigateway-authorizer, x-amazon-apigateway-authtype,
x-amazon-apigateway-auth, and "Import validation information" (http-api-open-api): an operation has one of IAM
authorization, a Lambda authorizer and a JWT authorizer.
"""

from collections.abc import Mapping
from typing import Any, Final

from iamd.backend.open_api_values import Invalid, listed, mapping, members, number, one_of, text, texts, truth

_AUTHORIZER: Final = "x-amazon-apigateway-authorizer"
_AUTHTYPE: Final = "x-amazon-apigateway-authtype"
AUTH: Final = "x-amazon-apigateway-auth"
_SCHEME: Final = frozenset(
    {"bearerFormat", "description", "flows", "in", "name", "openIdConnectUrl", "scheme", "type", _AUTHORIZER, _AUTHTYPE}
)
_OF_JWT: Final = frozenset({"identitySource", "jwtConfiguration", "type"})
_OF_REQUEST: Final = frozenset(
    {
        "authorizerCredentials", "authorizerPayloadFormatVersion", "authorizerResultTtlInSeconds", "authorizerUri",
        "enableSimpleResponses", "identitySource", "type",
    }
)  # fmt: skip
_FOUND_AT: Final = "/.well-known/openid-configuration"
_VERSIONS: Final = frozenset({"1.0", "2.0"})
_NOBODY: Final = "NONE"
"""What SAM has functions ask for that anybody may call (SAM Developer Guide, HttpApiFunctionAuth)."""


class Schemes:
    """The security schemes of a definition; `authorizers` are the parameters of CreateAuthorizer, by their names."""

    def __init__(self, value: Any, place: str) -> None:
        self.authorizers: dict[str, dict[str, Any]] = {}
        self._known = mapping(value, place)
        self._signed = set[str]()
        for name, one in self._known.items():
            self._read(name, one, f"{place}.{name}")

    def _read(self, name: str, value: Any, place: str) -> None:
        scheme = members(value, place, _SCHEME)
        if _AUTHTYPE in scheme:
            if scheme[_AUTHTYPE] != "awsSigv4" or _AUTHORIZER in scheme:
                raise Invalid(f"{place}.{_AUTHTYPE}", "must be awsSigv4, without an authorizer.")
            self._signed.add(name)
        elif _AUTHORIZER in scheme:
            text(name, place, 128)
            self.authorizers[name] = _authorizer(name, scheme, f"{place}.{_AUTHORIZER}")

    def of(self, operation: Mapping[str, Any], place: str) -> tuple[str, str | None, list[str]]:
        """The authorization type of an operation's route, the name of its authorizer, and the scopes asked for."""
        asked = listed(operation.get("security", []), f"{place}.security")
        if AUTH in operation:
            if asked:
                raise Invalid(f"{place}.{AUTH}", "can't stand beside security.")
            given = members(operation[AUTH], f"{place}.{AUTH}", frozenset({"type"}))
            return one_of(given.get("type"), f"{place}.{AUTH}.type", frozenset({"AWS_IAM", "NONE"})), None, []
        if not asked:
            return "NONE", None, []
        if len(asked) > 1 or len(mapping(asked[0], f"{place}.security[0]")) != 1:
            raise Invalid(f"{place}.security", "must ask for one security scheme alone.")
        [(name, scopes)] = asked[0].items()
        return self._asked(name, texts(scopes, f"{place}.security[0].{name}"), f"{place}.security[0].{name}")

    def _asked(self, name: str, scopes: list[str], place: str) -> tuple[str, str | None, list[str]]:
        kind = self.authorizers[name]["authorizer_type"] if name in self.authorizers else None
        if scopes and kind != "JWT":
            raise Invalid(place, "has scopes, which JWT authorizers have alone.")
        if kind is not None:
            return ("JWT" if kind == "JWT" else "CUSTOM"), name, scopes
        if name in self._signed:
            return "AWS_IAM", None, []
        if name == _NOBODY and name not in self._known:
            return "NONE", None, []
        # SECURITY: a route must not be open to all because its scheme is none of API Gateway's.
        raise Invalid(place, "is no security scheme with an authorizer, or of IAM.")


def _authorizer(name: str, scheme: Mapping[str, Any], place: str) -> dict[str, Any]:
    given = mapping(scheme[_AUTHORIZER], place)
    kind = one_of(given.get("type"), f"{place}.type", frozenset({"JWT", "REQUEST"}))
    found: dict[str, Any] = {
        "name": name,
        "authorizer_type": kind,
        "auth_creds_arn": None,
        "auth_payload_format_version": None,
        "auth_result_ttl": None,
        "authorizer_uri": None,
        "enable_simple_response": None,
        "identity_source": _sources(given.get("identitySource", []), f"{place}.identitySource"),
        "identity_validation_expr": None,
        "jwt_config": None,
    }
    return found | (_jwt(given, scheme, place) if kind == "JWT" else _request(given, place))


def _sources(value: Any, place: str) -> list[str]:
    """AWS: "A comma-separated list of mapping expressions"; SAM writes a list."""
    if isinstance(value, list):
        return texts(value, place)
    return [text(one.strip(), place) for one in text(value, place).split(",")]


def _jwt(given: Mapping[str, Any], scheme: Mapping[str, Any], place: str) -> dict[str, Any]:
    members(given, place, _OF_JWT)
    if "identitySource" not in given:
        raise Invalid(f"{place}.identitySource", "is required.")
    where = f"{place}.jwtConfiguration"
    configuration = members(given.get("jwtConfiguration"), where, frozenset({"audience", "issuer"}))
    found: dict[str, Any] = {"issuer": _issuer(configuration, scheme, where)}
    if "audience" in configuration:
        found["audience"] = texts(configuration["audience"], f"{where}.audience")
    return {"jwt_config": found}


def _issuer(configuration: Mapping[str, Any], scheme: Mapping[str, Any], place: str) -> str:
    """The issuer, or the one whose configuration the scheme's openIdConnectUrl is."""
    if "issuer" in configuration:
        return text(configuration["issuer"], f"{place}.issuer")
    url = scheme.get("openIdConnectUrl")
    if scheme.get("type") != "openIdConnect" or not isinstance(url, str) or not url.endswith(_FOUND_AT):
        raise Invalid(f"{place}.issuer", "is required, or the openIdConnectUrl of a scheme of the type openIdConnect.")
    return text(url.removesuffix(_FOUND_AT), f"{place}.issuer")


def _request(given: Mapping[str, Any], place: str) -> dict[str, Any]:
    members(given, place, _OF_REQUEST)
    found: dict[str, Any] = {"authorizer_uri": text(given.get("authorizerUri"), f"{place}.authorizerUri")}
    version = text(given.get("authorizerPayloadFormatVersion"), f"{place}.authorizerPayloadFormatVersion")
    if version not in _VERSIONS:
        raise Invalid(f"{place}.authorizerPayloadFormatVersion", 'must be "1.0" or "2.0".')
    found["auth_payload_format_version"] = version
    if "authorizerCredentials" in given:
        found["auth_creds_arn"] = text(given["authorizerCredentials"], f"{place}.authorizerCredentials")
    if "authorizerResultTtlInSeconds" in given:
        seconds = given["authorizerResultTtlInSeconds"]
        found["auth_result_ttl"] = number(seconds, f"{place}.authorizerResultTtlInSeconds", 0, 3600)
    if "enableSimpleResponses" in given:
        is_simple = truth(given["enableSimpleResponses"], f"{place}.enableSimpleResponses")
        if is_simple and version != "2.0":
            raise Invalid(f"{place}.enableSimpleResponses", 'is of the authorizerPayloadFormatVersion "2.0" alone.')
        found["enable_simple_response"] = is_simple
    return found
