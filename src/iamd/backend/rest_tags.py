"""Tags of REST APIs, stages, API keys and usage plans, of which moto knows those of stages alone.

AWS: API Gateway API Reference, "TagResource"; Developer Guide, "Tag API Gateway resources" (apigateway-tagging).
"""

import json
import re
from typing import Any, Final
from urllib.parse import unquote

import msgspec
from moto.apigateway import urls
from moto.apigateway.exceptions import BadRequestException
from moto.apigateway.responses import APIGatewayResponse

from iamd.backend.replacement import always, replace
from iamd.backend.verdict import NOT_TAKEN, Refused

_ROUTE: Final = "{0}/tags/arn:(?P<partition>[^/]+):apigateway:(?P<region_name>[^/]+)::/(?P<place>.+)$"
_PLACE: Final = re.compile(r"arn:[a-z-]+:apigateway:[a-z0-9-]+:[0-9]*:/(?P<path>\S+)", re.ASCII)


def install() -> None:
    """Have all of them have tags, and a route to them."""
    urls.url_paths[_ROUTE] = APIGatewayResponse.dispatch
    replace(APIGatewayResponse, "get_tags", always(_get))
    replace(APIGatewayResponse, "tag_resource", always(_tag))
    replace(APIGatewayResponse, "untag_resource", always(_untag))


def _get(response: Any) -> str:
    return json.dumps({"tags": _thing(response).tags or {}})


def _tag(response: Any) -> tuple[int, dict[str, str], str]:
    given: dict[str, Any] = msgspec.json.decode(response.body or b"{}")
    thing = _thing(response)
    thing.tags = {**(thing.tags or {}), **(given.get("tags") or {})}
    return 204, {}, ""


def _untag(response: Any) -> tuple[int, dict[str, str], str]:
    thing, gone = _thing(response), response.querystring.get("tagKeys") or ()
    thing.tags = {key: value for key, value in (thing.tags or {}).items() if key not in gone}
    return 204, {}, ""


def _thing(response: Any) -> Any:
    """What the ARN in the path names."""
    match = _PLACE.fullmatch(unquote(response.path.partition("/tags/")[2]))
    backend, parts = response.backend, match["path"].split("/") if match is not None else []
    match parts:
        case ["restapis", api_id]:
            return backend.get_rest_api(api_id)
        case ["restapis", api_id, "stages", stage]:
            return backend.get_stage(api_id, stage)
        case ["apikeys", key_id]:
            return backend.get_api_key(key_id)
        case ["usageplans", plan_id]:
            return backend.get_usage_plan(plan_id)
        case []:
            raise BadRequestException("Invalid ARN specified in the request")
        case _:
            raise Refused(NOT_TAKEN, f"tags of {parts[0]}")
