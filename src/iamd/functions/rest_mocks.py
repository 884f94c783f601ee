"""MOCK integrations of REST APIs, as far as they say what they answer in so many words: those of CORS do.

AWS: API Gateway Developer Guide, "Mock integrations for REST APIs" (how-to-mock-integration), "Integration passthrough
behaviors" (integration-passthrough-behaviors), "Set up an integration response"
(api-gateway-integration-settings-integration-response).
"""

import re
from typing import Final

from iamd.functions import rest_templates
from iamd.functions.rest_answers import (
    API_BROKEN,
    GatewayRefusal,
    static,
    unsupported,
)
from iamd.functions.rest_routes import Integration, IntegrationResponse
from iamd.functions.rest_templates import JSON
from iamd.functions.url_payloads import whole
from iamd.http import HttpRequest, HttpResponse

_STATUS: Final = re.compile(r"""\s*\{\s*["']?statusCode["']?\s*:\s*["']?([0-9]{3})["']?\s*,?\s*\}\s*""", re.ASCII)
_HEADER: Final = "method.response.header."


def answer(integration: Integration, request: HttpRequest, below: str) -> HttpResponse:
    """What a MOCK integration answers; refused by name where it rests on a template that is more than text.

    The cookies that it sets are for the paths below one.
    """
    found = _response(integration, _status(integration, request))
    kind, text = rest_templates.answered(found, integration, request) or (JSON, "")
    headers = {"content-type": kind}
    for name, value in (found.response_parameters or {}).items():
        told, header = static(value), name.removeprefix(_HEADER)
        if told is None or not name.startswith(_HEADER):
            raise unsupported(f"a MOCK integration that maps {name}.")
        headers[header.lower()] = told
    try:
        return whole(int(found.status_code), list(headers.items()), (), text.encode(), request, below)
    except ValueError as error:
        raise unsupported(f"a MOCK integration: {error}.") from error


def _status(integration: Integration, request: HttpRequest) -> str | None:
    """The status that the integration is asked for, by the template for the request's type, else by its body.

    None for what is passed through and names none: AWS answers it by the default response.
    """
    text = rest_templates.asked(integration, request)
    if text is None:
        passed = _STATUS.fullmatch((request.body or b"").decode("utf-8", "replace"))
        return passed[1] if passed is not None else None
    asked = _STATUS.fullmatch(text)
    if asked is None:
        raise GatewayRefusal(API_BROKEN, "The request of the MOCK integration has no statusCode.")
    return asked[1]


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
