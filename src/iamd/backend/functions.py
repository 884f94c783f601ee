"""What the embedded moto holds of Lambda functions, told to iamd, which runs them; moto itself runs none.

moto keeps no configuration that only running a function needs; it is kept here beside the function.
"""

import base64
import copy
import hashlib
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from moto.awslambda.exceptions import UnknownAliasException, UnknownFunctionException
from moto.awslambda.models import EventSourceMapping, ImageConfig, LambdaBackend, LambdaFunction
from moto.awslambda.utils import get_backend
from moto.core.utils import iso_8601_datetime_with_nanoseconds
from moto.dynamodb.models import dynamodb_backends
from moto.kinesis.models import kinesis_backends
from moto.sqs.models import sqs_backends

from iamd.backend import event_configs, event_sources, function_policies, function_urls, layers, versions
from iamd.backend.replacement import always, replace

_KEPT: Final = ("DeadLetterConfig", "LoggingConfig", "FileSystemConfigs", "DurableConfig", "TenancyConfig")
"""What moto drops of CreateFunction and UpdateFunctionConfiguration."""
_PLACE: Final = "iamd_configuration"


def install() -> None:
    """Keep what moto drops, and have nothing run or delivered by moto."""
    replace(LambdaFunction, "__init__", _made)
    replace(LambdaFunction, "get_configuration", _configuration)
    replace(LambdaFunction, "update_configuration", _updated)
    replace(LambdaFunction, "update_function_code", _with_revision)
    replace(LambdaFunction, "set_version", _with_revision)
    # SECURITY: what moto would answer in a function's place nobody has decided on, and no function has said.
    replace(LambdaFunction, "invoke", always(_not_run))
    replace(LambdaBackend, "create_event_source_mapping", _mapped)
    replace(LambdaBackend, "update_event_source_mapping", _remapped)
    replace(LambdaBackend, "list_event_source_mappings", always(_mappings))
    # SECURITY: nor is it asked with which right a function is given anything.
    for name in ("send_sqs_batch", "send_kinesis_message", "send_dynamodb_items"):
        replace(LambdaBackend, name, always(_not_delivered))
    replace(EventSourceMapping, "get_configuration", _mapping)
    for part in (versions, event_configs, function_policies, function_urls, layers):
        part.install()


def _made(original: Callable[..., None]) -> Callable[..., None]:
    def init(function: Any, account_id: str, spec: Mapping[str, Any], *given: Any, **named: Any) -> None:
        setattr(function, _PLACE, {name: spec[name] for name in _KEPT if spec.get(name)} | _revision())
        original(function, account_id, spec, *given, **named)

    return init


def _revision() -> dict[str, str]:
    return {"RevisionId": str(uuid.uuid4())}


def _configuration(original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def get_configuration(function: Any, *given: Any, **named: Any) -> dict[str, Any]:
        return {**original(function, *given, **named), **getattr(function, _PLACE)}

    return get_configuration


def _updated(original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def update_configuration(function: Any, updates: Mapping[str, Any]) -> dict[str, Any]:
        # A published version has the same object, and keeps what it was published with.
        told = {name: updates[name] for name in _KEPT if name in updates}
        original(function, {**updates, **_variables(updates)})
        _set(function, updates)
        setattr(function, _PLACE, {**getattr(function, _PLACE), **told, **_revision()})
        return dict(function.get_configuration())

    return update_configuration


def _variables(updates: Mapping[str, Any]) -> dict[str, Any]:
    environment = updates.get("Environment")
    return {} if environment is None else {"Environment": {"Variables": environment.get("Variables") or {}}}


def _set(function: Any, updates: Mapping[str, Any]) -> None:
    """What moto leaves as it was."""
    if updates.get("EphemeralStorage"):
        function.ephemeral_storage = updates["EphemeralStorage"]["Size"]
    if updates.get("ImageConfig") is not None:
        function.image_config = ImageConfig(updates["ImageConfig"])
    function.tracing_config = updates.get("TracingConfig") or function.tracing_config
    if "KMSKeyArn" in updates:
        function.kms_key_arn = updates["KMSKeyArn"] or None
    function.last_modified = iso_8601_datetime_with_nanoseconds()


def _with_revision(original: Callable[..., Any]) -> Callable[..., Any]:
    def changed(function: Any, *given: Any) -> Any:
        setattr(function, _PLACE, {**getattr(function, _PLACE), **_revision()})
        function.last_modified = iso_8601_datetime_with_nanoseconds()
        return original(function, *given)

    return changed


def _not_run(_function: Any, _body: Any, _headers: Any, _response_headers: Any) -> str:
    return "null"


def _not_delivered(*_given: Any, **_named: Any) -> bool:
    return False


_DEFAULTS: Final = {
    "ParallelizationFactor": 1,
    "DestinationConfig": {"OnFailure": {}},
    "MaximumRecordAgeInSeconds": -1,
    "BisectBatchOnFunctionError": False,
    "MaximumRetryAttempts": -1,
    "TumblingWindowInSeconds": 0,
}
"""AWS: of mappings of streams (Lambda Developer Guide, services-kinesis-parameters and services-ddb-params)."""


def _mapped(original: Callable[..., Any]) -> Callable[..., Any]:
    def create_event_source_mapping(backend: Any, spec: dict[str, Any]) -> Any:
        is_stream = ":sqs:" not in spec.get("EventSourceArn", "")
        own = {"MaximumBatchingWindowInSeconds": 0, **(_DEFAULTS if is_stream else {})}
        source = spec.get("EventSourceArn", "")
        stream, _, consumer = source.partition("/consumer/")
        account = event_sources.account_of(source, backend)
        if consumer:
            kinesis_backends[account][backend.region_name].describe_stream_consumer("", "", source)
        wanted = {**copy.deepcopy(own), **spec, "EventSourceArn": stream}
        is_own = account == backend.account_id
        made = original(backend, wanted) if is_own else event_sources.mapped(backend, wanted, account)
        # moto maps streams alone.
        made.event_source_arn = source
        made.function_arn = _function_arn(backend, spec["FunctionName"])
        # moto would deliver within SendMessage, PutRecord and PutItem; iamd polls with the function's role.
        for source in _sources(backend.account_id, backend.region_name):
            source.lambda_event_source_mappings.clear()
        return made

    return create_event_source_mapping


def _remapped(original: Callable[..., Any]) -> Callable[..., Any]:
    def update_event_source_mapping(backend: Any, uuid: str, spec: dict[str, Any]) -> Any:
        made = original(backend, uuid, spec)
        if made is not None and spec.get("FunctionName"):
            made.function_arn = _function_arn(backend, spec["FunctionName"])
        return made

    return update_event_source_mapping


def _function_arn(backend: Any, function_name: str) -> str:
    """AWS: a mapping to a version or an alias has its ARN; moto would map what the alias points to now."""
    name, qualifier = versions.split(function_name)
    whole = f"arn:aws:lambda:{backend.region_name}:{backend.account_id}:function:{name}"
    return whole if qualifier is None else f"{whole}:{qualifier}"


def _mappings(backend: Any, event_source_arn: str | None, function_name: str | None) -> list[Any]:
    wanted = _function_arn(backend, function_name) if function_name else None
    return [
        one
        for one in backend._event_source_mappings.values()  # noqa: SLF001 - moto has no other way
        if event_source_arn in {None, "", one.event_source_arn} and wanted in {None, one.function_arn}
    ]


def _sources(account_id: str, region: str) -> Iterator[Any]:
    yield from sqs_backends[account_id][region].queues.values()
    yield from kinesis_backends[account_id][region].streams.values()
    yield from dynamodb_backends[account_id][region].tables.values()


def _mapping(original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def get_configuration(mapping: Any) -> dict[str, Any]:
        moment = mapping.starting_position_timestamp
        told = original(mapping)
        return told if moment is None else {**told, "StartingPositionTimestamp": moment}

    return get_configuration


def told(given: Mapping[str, Any]) -> dict[str, Any]:
    """A function with its code; none when there is no such function. Code that iamd has is left out."""
    backend = get_backend(given["account_id"], given["region"])
    try:
        function, alias = _chosen(backend, given)
    except (UnknownFunctionException, UnknownAliasException):
        return {"function": None}
    return {"function": _described(backend, function, alias, given["qualifier"], frozenset(given["has"]))}


def _chosen(backend: Any, given: Mapping[str, Any]) -> tuple[Any, Any]:
    name, qualifier = given["name"], given["qualifier"]
    alias = _alias(backend, name, qualifier)
    chosen = given.get("version") or (alias.function_version if alias is not None else qualifier)
    return backend.get_function(name, chosen), alias


def _alias(backend: Any, name: str, qualifier: str | None) -> Any:
    if qualifier is None or (qualifier.isascii() and qualifier.isdigit()) or qualifier == "$LATEST":
        return None
    return backend.get_alias(qualifier, name)


def _described(backend: Any, function: Any, alias: Any, qualifier: str | None, has: frozenset[str]) -> dict[str, Any]:
    code = getattr(function, "code_bytes", b"")
    latest = backend.get_function(function.function_name, None)
    config = getattr(function, _PLACE)
    return {
        "name": function.function_name,
        "version": str(function.version),
        "account": function.account_id,
        "region": function.region,
        "role": function.role,
        "runtime": function.run_time or "",
        "handler": function.handler or "",
        "package_type": function.package_type,
        "timeout": function.timeout,
        "memory": function.memory_size,
        "variables": dict(function.environment_vars or {}),
        "key": function.kms_key_arn or None,
        "revision": config["RevisionId"],
        "state": function.state,
        "storage": function.ephemeral_storage,
        "tracing": (function.tracing_config or {}).get("Mode", "PassThrough"),
        "in_vpc": bool((function.vpc_config or {}).get("SubnetIds")),
        "reserved": latest.reserved_concurrency,
        "other": {name: value for name, value in config.items() if name in _KEPT},
        "events": event_configs.of(backend, function.function_name).get(qualifier or versions.LATEST),
        "code": _code(code, has),
        "layers": [_layer(layer["Arn"], has) for layer in function.layers],
        "routing": (alias.routing_config or {}).get("AdditionalVersionWeights") or {} if alias is not None else {},
    }


def _code(content: bytes, has: frozenset[str]) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()
    return {"digest": digest, "content": None if digest in has else base64.b64encode(content).decode()}


def _layer(arn: str, has: frozenset[str]) -> dict[str, Any]:
    found = layers.version(arn)
    return {"arn": arn, **_code(found.code_bytes if found is not None else b"", has)}


def mappings(_: Mapping[str, Any]) -> dict[str, Any]:
    """Every event source mapping, with where it is."""
    from moto.awslambda.models import lambda_backends  # noqa: PLC0415 - where moto makes it

    places = [
        (account_id, region, backend)
        for account_id in list(lambda_backends)
        for region, backend in list(lambda_backends[account_id].items())
    ]
    return {
        "mappings": [
            {"account": account_id, "region": region, "enabled": bool(one.enabled), **one.get_configuration()}
            for account_id, region, backend in places
            for one in list(backend._event_source_mappings.values())  # noqa: SLF001 - moto has no other way
        ]
    }
