"""Templates of integrations of REST APIs, as far as they are plain text: which of them holds, and what it says.

AWS: API Gateway Developer Guide, "Integration passthrough behaviors" (integration-passthrough-behaviors), "Select a VTL
mapping template" (request-response-data-mappings).
"""

import re
from typing import Final

from iamd.functions.rest_answers import UNSUPPORTED_TYPE, GatewayRefusal, unsupported
from iamd.functions.rest_routes import Integration, IntegrationResponse
from iamd.http import HttpRequest

JSON: Final = "application/json"
_PLAIN: Final = re.compile(r"[^#$]*")


def asked(integration: Integration, request: HttpRequest) -> str | None:
    """The text of the template for a request's content type; None for what is passed through as it is."""
    templates = {kind: text or "" for kind, text in (integration.request_templates or {}).items()}
    kind = (request.header(b"content-type") or JSON).partition(";")[0].strip().lower()
    if kind in templates:
        return _plain(templates[kind], integration, "request")
    behavior = (integration.passthrough_behavior or "WHEN_NO_MATCH").upper()
    if behavior == "NEVER" or (behavior == "WHEN_NO_TEMPLATES" and templates):
        raise GatewayRefusal(UNSUPPORTED_TYPE, f"No template is for {kind}.")
    return None


def answered(found: IntegrationResponse, integration: Integration, request: HttpRequest) -> tuple[str, str] | None:
    """The content type and the text of the template for what a request accepts; None where there is none."""
    if found.content_handling:
        raise unsupported(f"a {integration.type} integration with contentHandling.")
    templates = {kind: text or "" for kind, text in (found.response_templates or {}).items()}
    if not templates:
        return None
    accepted = (request.header(b"accept") or JSON).partition(",")[0].partition(";")[0].strip().lower()
    kind = accepted if accepted in templates else JSON if JSON in templates else next(iter(templates))
    return kind, _plain(templates[kind], integration, "response")


def _plain(text: str, integration: Integration, what: str) -> str:
    if not _PLAIN.fullmatch(text):
        raise unsupported(f"a {integration.type} integration with a {what} template that is more than text.")
    return text
