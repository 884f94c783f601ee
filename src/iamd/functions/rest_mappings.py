"""Parameters of integrations of REST APIs that are mapped: what of a request, a stage or an answer they are.

AWS: API Gateway Developer Guide, "Amazon API Gateway API request and response data mapping reference"
(request-response-data-mappings).
"""

from collections.abc import Iterator, Mapping
from typing import Final

from iamd.functions import rest_sources, url_cookies
from iamd.functions.rest_answers import static, unsupported
from iamd.functions.rest_routes import Found
from iamd.http import HttpRequest

_ASKED: Final = "integration.request."
_PLACES: Final = frozenset({"header", "path", "querystring"})
_ANSWERED: Final = "integration.response.header."
_SHOWN: Final = "method.response.header."
WAY: Final = ("x-amzn-trace-id", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto")
"""The headers that say where a request comes from, which a client does not say itself."""
_LEFT_OUT: Final = frozenset({"cookie", "x-amz-security-token", *WAY})
_OF_THE_CONNECTION: Final = frozenset(
    {
        "connection", "content-length", "expect", "host", "keep-alive", "proxy-authenticate", "proxy-authorization",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip


def is_of_the_connection(name: str) -> bool:
    """Whether a header is between two that are connected, and handed on to nobody (RFC 9110, 7.6.1)."""
    return name.lower() in _OF_THE_CONNECTION


def asked(given: Mapping[str, str], request: HttpRequest, found: Found) -> Iterator[tuple[str, str, str]]:
    """The parameters that an integration is asked with: where each stands, its name, and its value.

    What a request has not is left out.
    """
    for name, expression in given.items():
        place, _, own = name.removeprefix(_ASKED).partition(".")
        if not name.startswith(_ASKED) or place not in _PLACES or not own:
            raise unsupported(f"an integration that maps {name}.")
        if place == "header" and is_of_the_connection(own):
            raise unsupported(f"an integration that maps the header {own}.")
        value = _value(expression, request, found)
        if value is not None:
            yield place, own, value


def _value(expression: str, request: HttpRequest, found: Found) -> str | None:
    text = static(expression)
    if text is not None:
        return text
    if expression.startswith("method.request.path."):
        return found.parameters.get(expression.removeprefix("method.request.path."))
    values = rest_sources.values_of(request, found, expression)
    # AWS: of several values of a name the last one counts, as for functions.
    return values[-1] if values else None


def answered(
    given: Mapping[str, str], headers: Mapping[str, str], request: HttpRequest, found: Found
) -> dict[str, str]:
    """The headers of an answer that are mapped; `headers` are those of what the integration has answered."""
    told = {}
    for name, expression in given.items():
        if not name.startswith(_SHOWN):
            raise unsupported(f"an integration response that maps {name}.")
        if expression.startswith(_ANSWERED):
            value = headers.get(expression.removeprefix(_ANSWERED).lower())
        elif expression.startswith("method.request."):
            raise unsupported(f"an integration response that maps {expression}.")
        else:
            value = _value(expression, request, found)
        if value is not None:
            told[name.removeprefix(_SHOWN).lower()] = value
    return told


def handed_on(request: HttpRequest) -> Iterator[tuple[str, str]]:
    """The headers of a request for whoever answers it: not those of the connection, nor what iamd is signed in by."""
    for raw_name, raw_value in request.headers:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        # SECURITY: a signature and a session's token are for AWS alone.
        is_signature = name == "authorization" and value.startswith("AWS4-")
        if name not in _LEFT_OUT and not is_of_the_connection(name) and not is_signature:
            yield name, value
    cookies = url_cookies.given(request)
    if cookies:
        yield "cookie", "; ".join(cookies)
