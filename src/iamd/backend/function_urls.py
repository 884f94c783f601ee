"""The URLs of the embedded moto's Lambda functions and of their aliases, which lead to iamd.

AWS: Lambda Developer Guide, "Creating and managing Lambda function URLs" (urls-configuration); Lambda API Reference,
CreateFunctionUrlConfig and its kin.
"""

import json
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from flask import request
from moto.awslambda import urls
from moto.awslambda.exceptions import GenericResourcNotFound, InvalidParameterValueException, LambdaClientError
from moto.awslambda.responses import LambdaResponse

from iamd.backend.replacement import always, replace
from iamd.backend.versions import URLS, kept, named

_MOST: Final = 50
"""AWS: of one answer of ListFunctionUrlConfigs."""


class Url(msgspec.Struct):
    """A URL; `alias` is None where it is the function's own."""

    id: str
    account: str
    region: str
    name: str
    alias: str | None
    auth: str
    mode: str
    cors: dict[str, Any] | None
    made: str
    changed: str

    @property
    def arn(self) -> str:
        """What it invokes."""
        whole = f"arn:aws:lambda:{self.region}:{self.account}:function:{self.name}"
        return whole if self.alias is None else f"{whole}:{self.alias}"


class _Taken(LambdaClientError):
    code = 409

    def __init__(self, arn: str) -> None:
        words = (
            f"Failed to create function url config for [functionArn = {arn}]. Error message:  FunctionUrlConfig exists "
            "for this Lambda function"
        )
        super().__init__("ResourceConflictException", words)


def install() -> None:
    """Have one for a function and one for each alias; moto has the function's alone, and makes it anew when asked."""
    for name, made in (
        ("create_function_url_config", _create),
        ("update_function_url_config", _update),
        ("get_function_url_config", _get),
        ("delete_function_url_config", _delete),
    ):
        replace(LambdaResponse, name, always(made))
    # moto has no such operation.
    setattr(LambdaResponse, "list_function_url_configs", _list)  # noqa: B010 - moto's class does not declare it
    urls.url_paths[r"{0}/(?P<api_version>[^/]+)/functions/(?P<function_name>[\w_:%-]+)/urls/?$"] = (
        LambdaResponse.dispatch
    )


def of(backend: Any, name: str) -> dict[str | None, Url]:
    """The URLs of a function, by alias."""
    found: dict[str | None, Url] = kept(backend, URLS, dict).setdefault(name, {})
    return found


def _asked(response: Any) -> tuple[dict[str | None, Url], str, str | None]:
    """The URLs of the function that a request names, its name, and the alias."""
    name, own = named(response)
    alias = own or response.querystring.get("Qualifier", [None])[0]
    response.backend.get_function(name)
    if alias is not None:
        response.backend.get_alias(alias, name)
    return of(response.backend, name), name, alias


def _known(found: Mapping[str | None, Url], alias: str | None) -> Url:
    if alias not in found:
        raise GenericResourcNotFound
    return found[alias]


def _create(response: Any) -> Any:
    found, name, alias = _asked(response)
    given, now = msgspec.json.decode(response.body), _now()
    made = Url(
        uuid.uuid4().hex, response.backend.account_id, response.backend.region_name, name, alias,
        given["AuthType"], given.get("InvokeMode") or "BUFFERED", given.get("Cors") or None, now, now,
    )  # fmt: skip
    if alias in found:
        raise _Taken(made.arn)
    found[alias] = made
    return 201, {"status": 201}, json.dumps(_shown(made))


def _update(response: Any) -> Any:
    found, _, alias = _asked(response)
    url, given = _known(found, alias), msgspec.json.decode(response.body)
    url.auth, url.mode = given.get("AuthType") or url.auth, given.get("InvokeMode") or url.mode
    url.cors = (given["Cors"] or None) if "Cors" in given else url.cors
    url.changed = _now()
    return 200, {}, json.dumps(_shown(url))


def _get(response: Any) -> Any:
    found, _, alias = _asked(response)
    return 200, {}, json.dumps(_shown(_known(found, alias)))


def _delete(response: Any) -> Any:
    found, _, alias = _asked(response)
    _known(found, alias)
    del found[alias]
    return 204, {"status": 204}, ""


def _list(response: Any) -> Any:
    found, _, _ = _asked(response)
    every = [found[alias] for alias in sorted(found, key=lambda alias: alias or "")]
    first = _number(response, "Marker", "0")
    last = first + min(_number(response, "MaxItems", str(_MOST)) or _MOST, _MOST)
    told: dict[str, Any] = {"FunctionUrlConfigs": [_shown(one) for one in every[first:last]]}
    return 200, {}, json.dumps(told | ({"NextMarker": str(last)} if last < len(every) else {}))


def _number(response: Any, name: str, default: str) -> int:
    text = response.querystring.get(name, [default])[0]
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidParameterValueException(f"The value of {name} is invalid.")
    return int(text)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f+0000")


def _shown(url: Url) -> dict[str, Any]:
    """A URL as it is told: at the address that the client used."""
    shown = {
        "FunctionUrl": f"http://{request.host}/_iamd/lambda-url/{url.id}/",
        "FunctionArn": url.arn,
        "AuthType": url.auth,
        "Cors": url.cors,
        "CreationTime": url.made,
        "LastModifiedTime": url.changed,
        "InvokeMode": url.mode,
    }
    return {name: value for name, value in shown.items() if value is not None}


def told(given: Mapping[str, Any]) -> dict[str, Any]:
    """A URL by its id; none when there is none."""
    found = next((url for url in _every() if url.id == given["id"]), None)
    return {"url": None if found is None else {**msgspec.to_builtins(found), "arn": found.arn}}


def _every() -> Iterator[Url]:
    from moto.awslambda.models import lambda_backends  # noqa: PLC0415 - where moto makes it

    for account_id in list(lambda_backends):
        for backend in list(lambda_backends[account_id].values()):
            for found in list(kept(backend, URLS, dict).values()):
                yield from list(found.values())
