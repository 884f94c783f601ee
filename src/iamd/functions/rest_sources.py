"""Identity sources of authorizers of REST APIs: what of a request they are, and what a value must look like.

AWS: API Gateway Developer Guide, "Configure a Lambda authorizer using the API Gateway console"
(configure-api-gateway-lambda-authorization-with-console); API Reference, "Authorizer", `identitySource`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final
from urllib.parse import parse_qsl

import regex

from iamd.functions import url_cookies
from iamd.functions.rest_answers import API_BROKEN, GatewayRefusal, unsupported
from iamd.functions.rest_routes import Authorizer, Found
from iamd.http import HttpRequest

_DEFAULT: Final = "method.request.header.Authorization"
_HEADER: Final = "method.request.header."
_QUERY: Final = "method.request.querystring."
_VARIABLE: Final = "stageVariables."
_CONTEXT: Final[Mapping[str, Callable[[HttpRequest, Found], str]]] = {
    "context.accountId": lambda _, found: found.api.account,
    "context.apiId": lambda _, found: found.api.id,
    "context.httpMethod": lambda request, _: request.method,
    "context.identity.sourceIp": lambda request, _: request.source_ip,
    "context.identity.userAgent": lambda request, _: request.header(b"user-agent") or "",
    "context.path": lambda _, found: found.whole_path,
    "context.resourceId": lambda _, found: found.resource.id,
    "context.resourcePath": lambda _, found: found.resource.path,
    "context.stage": lambda _, found: found.stage.name,
}
_MATCH_SECONDS: Final = 0.1


def token(request: HttpRequest, authorizer: Authorizer) -> str:
    """The token of a request, where its authorizer looks for it; empty where there is none, or more than one."""
    source = authorizer.identity_source or _DEFAULT
    if not source.startswith(_HEADER) or "," in source:
        raise unsupported(f"the identity source {source} of a token.")
    values = _of_header(request, source.removeprefix(_HEADER))
    # SECURITY: of two tokens the authorizer would see one, and the function behind it perhaps the other.
    return values[0] if len(values) == 1 else ""


def values(request: HttpRequest, found: Found, authorizer: Authorizer) -> list[list[str]] | None:
    """The values of each identity source, all of them; None where a request has one of them not."""
    told = []
    for expression in sources(authorizer):
        one = values_of(request, found, expression)
        if not any(one):
            return None
        told.append(list(one))
    return told


def sources(authorizer: Authorizer) -> list[str]:
    """The expressions of an authorizer's identity sources."""
    return [one.strip() for one in (authorizer.identity_source or "").split(",") if one.strip()]


def values_of(request: HttpRequest, found: Found, expression: str) -> Sequence[str]:
    """The values of an expression: headers, parameters of the query, variables of the stage, and the context."""
    if expression.startswith(_HEADER):
        return _of_header(request, expression.removeprefix(_HEADER))
    if expression.startswith(_QUERY):
        name, given = (
            expression.removeprefix(_QUERY),
            parse_qsl(request.query.decode("latin-1"), keep_blank_values=True),
        )
        return [value for key, value in given if key == name]
    if expression.startswith(_VARIABLE):
        return [found.stage.variables.get(expression.removeprefix(_VARIABLE), "")]
    if expression in _CONTEXT:
        return [_CONTEXT[expression](request, found)]
    raise unsupported(f"the source {expression} of a value.")


def _of_header(request: HttpRequest, name: str) -> list[str]:
    """The values of a header, in whatever capitals; of cookies those that are not iamd's own."""
    if name.lower() == "cookie":
        cookies = url_cookies.given(request)
        return ["; ".join(cookies)] if cookies else []
    raw = name.lower().encode("latin-1", "replace")
    return [value.decode("latin-1") for key, value in request.headers if key == raw]


def fits(authorizer: Authorizer, value: str) -> bool:
    """Whether a value is as the authorizer's expression has it, as a whole."""
    expression = authorizer.identity_validation_expression
    if not expression:
        return True
    try:
        # SECURITY: the expression is the API's and the value the client's, and some take for ever to match.
        return regex.fullmatch(expression, value, timeout=_MATCH_SECONDS) is not None
    except TimeoutError:
        return False
    except regex.error as error:
        raise GatewayRefusal(API_BROKEN, f"The authorizer's expression is none: {error}") from error
