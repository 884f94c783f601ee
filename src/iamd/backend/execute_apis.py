"""The API behind an endpoint of API Gateway, of whichever kind: what iamd needs to know of it to serve it."""

import sys
from collections.abc import Mapping
from typing import Any

from iamd.backend import http_api_endpoints


def told(given: Mapping[str, Any]) -> dict[str, Any]:
    """An API by its id: as an HTTP API with all that it has, or as a REST API with what is deployed to a stage."""
    http = http_api_endpoints.found(given["id"])
    return {"http": http, "rest": _rest(given) if http is None else None}


def _rest(given: Mapping[str, Any]) -> dict[str, Any] | None:
    # moto's own takes long to import; where nothing was asked of it there is no API.
    models = sys.modules.get("moto.apigateway.models")
    if models is None:
        return None
    from iamd.backend import rest_apis  # noqa: PLC0415

    return rest_apis.found(models.apigateway_backends, given)
