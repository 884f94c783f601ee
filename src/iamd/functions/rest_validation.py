"""What request validators of REST APIs look at: parameters that must be there, and bodies as a model has them.

AWS: API Gateway Developer Guide, "Request validation for REST APIs in API Gateway"
(api-gateway-method-request-validation): parameters are "included and non-blank"; of a content type without a model no
body is looked at, and `$default` stands for every one.
"""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import parse_qsl

from iamd.errors import AWSError
from iamd.functions import rest_schemas, url_cookies
from iamd.functions.rest_answers import API_BROKEN, BAD_BODY, BAD_PARAMETERS, GatewayRefusal
from iamd.functions.rest_routes import Found
from iamd.functions.rest_schemas import WrongModel
from iamd.http import HttpRequest
from iamd.wire import parse_json

_PLACE: Final = "method.request."
_ANY: Final = "$default"


async def check(request: HttpRequest, found: Found) -> None:
    """Refuse a request that its method's validator does not let through; there need be none."""
    wanted = found.route.request_validator_id
    if not wanted:
        return
    validator = next((one for one in found.deployment.validators if one.id == wanted), None)
    if validator is None:
        raise GatewayRefusal(API_BROKEN, "The method's request validator is not there.")
    if validator.validate_request_parameters:
        missing = list(_missing(request, found))
        if missing:
            message = f"Missing required request parameters: [{', '.join(missing)}]"
            raise GatewayRefusal(BAD_PARAMETERS, message, message=message)
    model = _model(request, found) if validator.validate_request_body else None
    if model is not None:
        # Beside the loop: bodies may be long, and schemas slow.
        await asyncio.to_thread(_check_body, request.body or b"", found, model)


def _missing(request: HttpRequest, found: Found) -> Iterator[str]:
    for name, is_required in (found.route.request_parameters or {}).items():
        place, _, own = name.removeprefix(_PLACE).partition(".")
        if is_required and not any(value.strip() for value in _values(request, found, place, own)):
            yield own


def _values(request: HttpRequest, found: Found, place: str, name: str) -> Sequence[str]:
    if place == "path":
        return [found.parameters.get(name, "")]
    if place == "querystring":
        given = parse_qsl(request.query.decode("latin-1"), keep_blank_values=True)
        return [value for key, value in given if key == name]
    if name.lower() == "cookie":
        return url_cookies.given(request)
    raw = name.lower().encode("latin-1", "replace")
    return [value.decode("latin-1") for key, value in request.headers if key == raw]


def _model(request: HttpRequest, found: Found) -> str | None:
    """The model of a request's content type, by which no others than JSON's are told apart."""
    kind = (request.header(b"content-type") or "application/json").partition(";")[0].strip().lower()
    models = {name.lower(): model for name, model in (found.route.request_models or {}).items()}
    return models.get(kind) or models.get(_ANY)


def _check_body(body: bytes, found: Found, model: str) -> None:
    schemas = found.deployment.schemas
    try:
        if model not in schemas:
            schemas[model] = rest_schemas.schema(found.deployment.models, found.api.id, model)
        # SECURITY: of a name that is there twice, whoever answers may see the other value than was looked at.
        is_right = rest_schemas.fits(schemas[model], parse_json.decode(body))
    except WrongModel as error:
        raise GatewayRefusal(API_BROKEN, str(error)) from error
    except AWSError as error:
        raise GatewayRefusal(BAD_BODY, f"The body is no JSON: {error.message}") from error
    if not is_right:
        raise GatewayRefusal(BAD_BODY, f"The body is not as the model {model} has it.")
