"""MOCK integrations of REST APIs, as far as they say what they answer in so many words: those of CORS do.

AWS: API Gateway Developer Guide, "Mock integrations for REST APIs" (how-to-mock-integration), "Integration passthrough
behaviors" (integration-passthrough-behaviors), "Set up an integration response"
(api-gateway-integration-settings-integration-response).
"""

import re
from typing import Final

from iamd.functions.rest_answers import (
    API_BROKEN,
    UNSUPPORTED_TYPE,
    GatewayRefusal,
    static,
    unsupported,
)
from iamd.functions.rest_routes import Integration, IntegrationResponse
from iamd.functions.url_payloads import whole
from iamd.http import HttpRequest, HttpResponse

_JSON: Final = "application/json"
_STATUS: Final = re.compile(r"""\s*\{\s*["']?statusCode["']?\s*:\s*["']?([0-9]{3})["']?\s*,?\s*\}\s*""", re.ASCII)
_PLAIN: Final = re.compile(r"[^#$]*")
_HEADER: Final = "method.response.header."


def answer(integration: Integration, request: HttpRequest, below: str) -> HttpResponse:
    """What a MOCK integration answers; refused by name where it rests on a template that is more than text.

    The cookies that it sets are for the paths below one.
    """
    found = _response(integration, _status(integration, request))
    kind, body = _body(found)
    headers = {"content-type": kind}
    for name, value in (found.response_parameters or {}).items():
        text, header = static(value), name.removeprefix(_HEADER)
        if text is None or not name.startswith(_HEADER):
            raise unsupported(f"a MOCK integration that maps {name}.")
        headers[header.lower()] = text
    try:
        return whole(int(found.status_code), list(headers.items()), (), body, request, below)
    except ValueError as error:
        raise unsupported(f"a MOCK integration: {error}.") from error


def _status(integration: Integration, request: HttpRequest) -> str | None:
    """The status that the integration is asked for, by the template for the request's type, else by its body.

    None for what is passed through and names none: AWS answers it by the default response.
    """
    templates = {kind: text or "" for kind, text in (integration.request_templates or {}).items()}
    kind = (request.header(b"content-type") or _JSON).partition(";")[0].strip().lower()
    if kind in templates:
        if not _PLAIN.fullmatch(templates[kind]):
            raise unsupported("a MOCK integration with a request template that is more than text.")
        asked = _STATUS.fullmatch(templates[kind])
        if asked is None:
            raise GatewayRefusal(API_BROKEN, "The request of the MOCK integration has no statusCode.")
        return asked[1]
    behavior = (integration.passthrough_behavior or "WHEN_NO_MATCH").upper()
    if behavior == "NEVER" or (behavior == "WHEN_NO_TEMPLATES" and templates):
        raise GatewayRefusal(UNSUPPORTED_TYPE, f"No template is for {kind}.")
    passed = _STATUS.fullmatch((request.body or b"").decode("utf-8", "replace"))
    return passed[1] if passed is not None else None


def _response(integration: Integration, status: str | None) -> IntegrationResponse:
    """The response whose pattern fits a status, else the one without a pattern."""
    default = None
    for one in (integration.integration_responses or {}).values():
        pattern = one.selection_pattern
        if not pattern:
            default = default or one
        elif not re.fullmatch(r"[0-9]{3}(\|[0-9]{3})*", pattern, re.ASCII):
            raise unsupported("a MOCK integration with a selection pattern that is more than statuses.")
        elif status in pattern.split("|"):
            return one
    if default is None:
        raise GatewayRefusal(API_BROKEN, f"No integration response is for the status {status}.")
    return default


def _body(found: IntegrationResponse) -> tuple[str, bytes]:
    templates = {kind: text or "" for kind, text in (found.response_templates or {}).items()}
    if found.content_handling:
        raise unsupported("a MOCK integration with contentHandling.")
    if not templates:
        return _JSON, b""
    kind = _JSON if _JSON in templates else next(iter(templates))
    if not _PLAIN.fullmatch(templates[kind]):
        raise unsupported("a MOCK integration with a response template that is more than text.")
    return kind, templates[kind].encode()
