"""The endpoints of the embedded moto's HTTP APIs, which lead to iamd, and what it needs to know to serve one.

AWS: API Gateway Developer Guide, "Invoke URLs of HTTP APIs" (http-api-publish), "Stages for HTTP APIs in API Gateway"
(http-api-stages).
"""

import sys
from collections.abc import Callable
from typing import Any

from flask import has_request_context, request

from iamd.backend.replacement import replace


def install() -> None:
    """Have an API tell the address at which iamd serves it."""
    # Where moto has it: who has no such APIs starts without.
    from moto.apigatewayv2.models import Api  # noqa: PLC0415

    replace(Api, "to_json", _shown)


def _shown(original: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    """An API as it is told: at the address that the client used. WebSocket APIs are served nowhere."""

    def to_json(api: Any) -> dict[str, Any]:
        shown = original(api)
        if api.protocol_type != "HTTP" or not has_request_context():
            return shown
        return {**shown, "apiEndpoint": f"http://{request.host}/_iamd/execute-api/{api.api_id}"}

    return to_json


def found(api_id: str) -> dict[str, Any] | None:
    """An HTTP API by its id, with all that it has; None when there is none."""
    # moto's own takes long to import; where nothing was asked of it there is no API.
    models = sys.modules.get("moto.apigatewayv2.models")
    if models is None:
        return None
    for account_id in list(models.apigatewayv2_backends):
        for region, backend in list(models.apigatewayv2_backends[account_id].items()):
            api = backend.apis.get(api_id)
            if api is not None and api.protocol_type == "HTTP":
                return _whole(api, account_id, region)
    return None


def _whole(api: Any, account: str, region: str) -> dict[str, Any]:
    return {
        "id": api.api_id,
        "account": account,
        "region": region,
        "cors": api.cors_configuration or None,
        "isDisabled": bool(api.disable_execute_api_endpoint),
        "stages": [
            {
                "name": stage.name,
                "isDeployedAtOnce": bool(stage.auto_deploy),
                "variables": stage.stage_variables or {},
            }
            for stage in list(api.stages.values())
        ],
        "routes": [route.to_json() for route in list(api.routes.values())],
        "integrations": [one.to_json() for one in list(api.integrations.values())],
        "authorizers": [one.to_json() for one in list(api.authorizers.values())],
    }
