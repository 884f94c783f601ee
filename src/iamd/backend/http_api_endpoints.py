"""The endpoints of the embedded moto's HTTP APIs, which lead to iamd, and what it needs to know to serve one.

AWS: API Gateway Developer Guide, "Invoke URLs of HTTP APIs" (http-api-publish), "Stages for HTTP APIs in API Gateway"
(http-api-stages).
"""

from collections.abc import Callable, Mapping
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


def told(given: Mapping[str, Any]) -> dict[str, Any]:
    """An HTTP API by its id, with all that it has; none when there is none."""
    # Where moto makes it.
    from moto.apigatewayv2.models import apigatewayv2_backends  # noqa: PLC0415

    for account_id in list(apigatewayv2_backends):
        for region, backend in list(apigatewayv2_backends[account_id].items()):
            api = backend.apis.get(given["id"])
            if api is not None and api.protocol_type == "HTTP":
                return {"api": _whole(api, account_id, region)}
    return {"api": None}


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
