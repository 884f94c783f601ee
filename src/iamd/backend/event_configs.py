"""How the embedded moto's Lambda functions handle events: a configuration for each version and alias that has one.

AWS: Lambda API Reference, PutFunctionEventInvokeConfig and its kin.
"""

import json
import time
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from moto.awslambda.exceptions import UnknownEventConfig
from moto.awslambda.responses import LambdaResponse

from iamd.backend.replacement import always, replace
from iamd.backend.versions import EVENTS, LATEST, kept, named

_SETTINGS: Final = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")

Configs = dict[str, dict[str, Any]]


def install() -> None:
    """Keep one for each qualifier; moto has one for the function, and answers the oldest."""
    for name, made in (
        ("put_function_event_invoke_config", _put),
        ("update_function_event_invoke_config", _update),
        ("get_function_event_invoke_config", _get),
        ("delete_function_event_invoke_config", _delete),
        ("list_function_event_invoke_configs", _list),
    ):
        replace(LambdaResponse, name, always(made))


def of(backend: Any, name: str) -> Configs:
    """The configurations of a function, by version and alias."""
    configs: Configs = kept(backend, EVENTS, dict).setdefault(name, {})
    return configs


def _asked(response: Any) -> tuple[Configs, str, str]:
    """The configurations of the function that a request names, its version or alias, and the ARN of that."""
    name, own = named(response)
    qualifier = own or response.querystring.get("Qualifier", [LATEST])[0]
    function = response.backend.get_function(name, qualifier)
    arn = ":".join(function.function_arn.split(":")[:7])
    return of(response.backend, name), qualifier, f"{arn}:{qualifier}"


def _put(response: Any) -> Any:
    configs, qualifier, arn = _asked(response)
    configs[qualifier] = _made(arn, msgspec.json.decode(response.body), {})
    return 200, {}, json.dumps(configs[qualifier])


def _update(response: Any) -> Any:
    configs, qualifier, arn = _asked(response)
    configs[qualifier] = _made(arn, msgspec.json.decode(response.body), _known(configs, qualifier, arn))
    return 200, {}, json.dumps(configs[qualifier])


def _made(arn: str, given: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: given[name] for name in _SETTINGS if given.get(name) is not None}
    places = {
        "OnSuccess": {},
        "OnFailure": {},
        **(told.get("DestinationConfig") or known.get("DestinationConfig") or {}),
    }
    return {**known, **told, "DestinationConfig": places, "FunctionArn": arn, "LastModified": time.time()}


def _known(configs: Configs, qualifier: str, arn: str) -> dict[str, Any]:
    if qualifier not in configs:
        raise UnknownEventConfig(arn)
    return configs[qualifier]


def _get(response: Any) -> Any:
    return 200, {}, json.dumps(_known(*_asked(response)))


def _delete(response: Any) -> Any:
    configs, qualifier, arn = _asked(response)
    _known(configs, qualifier, arn)
    del configs[qualifier]
    return 204, {"status": 204}, ""


def _list(response: Any) -> Any:
    configs, _, _ = _asked(response)
    return 200, {}, json.dumps({"FunctionEventInvokeConfigs": [configs[name] for name in sorted(configs)]})
