"""Versions and aliases of the embedded moto's Lambda functions, as Lambda keeps them.

AWS: Lambda Developer Guide, "Manage Lambda function versions" (configuration-versions), "Create an alias for a Lambda
function" (configuration-aliases) and "Implement Lambda canary deployments using a weighted alias" (configuring-alias-
routing); Lambda API Reference, PublishVersion, UpdateFunctionCode, DeleteFunction, CreateAlias and UpdateAlias.
"""

import copy
import json
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote

import msgspec
from moto.awslambda.exceptions import (
    InvalidParameterValueException,
    LambdaClientError,
    PreconditionFailedException,
    UnknownFunctionException,
)
from moto.awslambda.models import LambdaBackend, LambdaFunction, LambdaStorage
from moto.awslambda.responses import LambdaResponse

from iamd.backend.replacement import always, replace

_OF_ONE: Final = frozenset({"FunctionArn", "Version", "LastModified", "RevisionId"})
"""What differs between a version and the function that it was published from."""
_STALE: Final = (
    "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the "
    "latest Revision Id"
)
LATEST: Final = "$LATEST"
# SECURITY: requests are decided on the function that this expression finds (gateway/actions/lambda_.py); moto would
# take `123456789012:fn` for a version of a function that has the account's number for its name.
_FUNCTION: Final = re.compile(
    r"(?:arn:[a-z-]+:lambda:[a-z0-9-]+:)?(?:[0-9]{12}:)?(?:function:)?"
    r"(?P<name>[A-Za-z0-9_-]{1,140})(?::(?P<qualifier>\$LATEST(?:\.PUBLISHED)?|[A-Za-z0-9_-]{1,128}))?",
    re.ASCII,
)
EVENTS: Final = "iamd_events"
URLS: Final = "iamd_urls"
_OF_QUALIFIERS: Final = (EVENTS, URLS)
"""What is kept of a function for its versions and aliases, and ends with them."""


class _Referenced(LambdaClientError):
    code = 409

    def __init__(self, names: list[str]) -> None:
        words = f"Unable to delete version because the following aliases reference it: [{', '.join(names)}]"
        super().__init__("ResourceConflictException", words)


def install() -> None:
    """Have versions that nothing changes and whose numbers come once, and aliases that are checked."""
    replace(LambdaStorage, "get_function_by_name_or_arn_with_qualifier", always(_found))
    replace(LambdaStorage, "get_function_by_name_or_arn_forbid_qualifier", always(_found_whole))
    replace(LambdaBackend, "create_function", _create)
    replace(LambdaBackend, "publish_version", always(_publish))
    replace(LambdaBackend, "update_function_code", always(_update_code))
    replace(LambdaBackend, "update_function_configuration", _update_configuration)
    replace(LambdaBackend, "create_alias", _create_alias)
    replace(LambdaBackend, "update_alias", _update_alias)
    replace(LambdaBackend, "delete_alias", _delete_alias)
    replace(LambdaStorage, "del_function", _delete)
    replace(LambdaResponse, "publish_version", always(_publish_asked))
    replace(LambdaResponse, "update_alias", _of_revision)
    replace(LambdaResponse, "list_aliases", always(_list_aliases))
    replace(LambdaResponse, "_set_configuration_qualifier", always(staticmethod(_qualified)))


def named(response: Any) -> tuple[str, str | None]:
    """The function of a request's path, and its version or alias.

    SECURITY: only the path was decided on; moto would take a name in the body before it.
    """
    parts = response.path.split("/")
    return split(unquote(parts[parts.index("functions") + 1]))


def kept(backend: Any, name: str, make: Callable[[], Any]) -> Any:
    """Something that is kept beside a backend's functions, and ends with them."""
    storage = backend._lambdas  # noqa: SLF001 - moto has no other way
    if not hasattr(storage, name):
        setattr(storage, name, make())
    return getattr(storage, name)


def split(function_name: str) -> tuple[str, str | None]:
    """A function's name, and the version or alias that is named with it, out of any form that a request may have."""
    match = _FUNCTION.fullmatch(function_name)
    if match is None:
        raise UnknownFunctionException(function_name)
    return match["name"], match["qualifier"]


def _found(storage: Any, function_name: str, qualifier: str | None = None) -> Any:
    name, own = split(function_name)
    return storage.get_function_by_name_with_qualifier(name, own or qualifier)


def _found_whole(storage: Any, function_name: str) -> Any:
    name, qualifier = split(function_name)
    if qualifier is not None:
        raise InvalidParameterValueException("Cannot provide qualifier")
    return storage.get_function_by_name_forbid_qualifier(name)


def _create(original: Callable[..., Any]) -> Callable[..., Any]:
    def create_function(backend: Any, spec: Mapping[str, Any]) -> Any:
        return original(backend, {**spec, "FunctionName": split(spec["FunctionName"])[0]})

    return create_function


def _check_revision(wanted: str | None, revision: str) -> None:
    if wanted is not None and wanted != revision:
        raise PreconditionFailedException(_STALE)


def _revision(function: Any) -> str:
    return str(function.get_configuration()["RevisionId"])


def _what_is_published(function: Any) -> dict[str, Any]:
    return {name: value for name, value in function.get_configuration().items() if name not in _OF_ONE}


def _publish(backend: Any, function_name: str, description: str = "") -> Any:
    """A version of the function as it is, or the newest one when nothing has changed since."""
    name = split(function_name)[0]
    storage = backend._lambdas  # noqa: SLF001
    function = storage.get_function_by_name_forbid_qualifier(name)
    versions = storage._functions[name]["versions"]  # noqa: SLF001
    published = _what_is_published(function)
    if versions and versions[-1].iamd_published == published:
        return versions[-1]
    # AWS: numbers come once, "even after you delete and recreate a function" (configuration-versions).
    numbers = kept(backend, "iamd_numbers", dict)
    numbers[name] = numbers.get(name, 0) + 1
    version = _snapshot(function)
    version.iamd_published = published
    version.set_version(numbers[name])
    version.description = description or version.description
    versions.append(version)
    storage._arns[version.function_arn] = version  # noqa: SLF001
    return version


def _snapshot(function: LambdaFunction) -> Any:
    """The function as it is now, which later changes of the function leave alone."""
    made: Any = copy.copy(function)
    made.code, made.layers = copy.copy(function.code), list(function.layers)
    made.environment_vars = dict(function.environment_vars or {})
    made.event_invoke_config, made.url_config = [], None
    return made


def _publish_asked(response: Any) -> Any:
    body = msgspec.json.decode(response.body or "{}")
    name = named(response)[0]
    function = response.backend.get_function(name)
    _check_revision(body.get("RevisionId"), _revision(function))
    digest = body.get("CodeSha256")
    if digest and digest != function.code_sha_256:
        raise InvalidParameterValueException(
            f"CodeSHA256 ({digest}) is different from current CodeSHA256 in $LATEST ({function.code_sha_256}). "
            "Please try again with the CodeSHA256 in $LATEST."
        )
    made = response.backend.publish_version(name, body.get("Description") or "")
    return 201, {"status": 201}, json.dumps(made.get_configuration())


def _update_code(backend: Any, function_name: str, _qualifier: Any, body: dict[str, Any]) -> dict[str, Any]:
    function = backend.get_function(split(function_name)[0])
    _check_revision(body.get("RevisionId"), _revision(function))
    if not body.get("DryRun"):
        if body.get("Architectures"):
            function.architectures = body["Architectures"]
        function.update_function_code(body)
        if body.get("Publish"):
            function = backend.publish_version(function.function_name)
    return dict(function.get_configuration())


def _update_configuration(original: Callable[..., Any]) -> Callable[..., Any]:
    def update(backend: Any, function_name: str, _qualifier: Any, body: dict[str, Any]) -> Any:
        name = split(function_name)[0]
        _check_revision(body.get("RevisionId"), _revision(backend.get_function(name)))
        return original(backend, name, None, body)

    return update


def _delete(original: Callable[..., None]) -> Callable[..., None]:
    def del_function(storage: Any, function_name: str, qualifier: str | None = None) -> None:
        name, own = split(function_name)
        qualifier = own or qualifier
        if qualifier is None:
            original(storage, name)
        else:
            _check_deletable(storage, name, qualifier)
            original(storage, name, qualifier)
        for place in _OF_QUALIFIERS:
            of_all = getattr(storage, place, {})
            (of_all if qualifier is None else of_all.get(name, {})).pop(qualifier or name, None)

    return del_function


def _check_deletable(storage: Any, name: str, qualifier: str) -> None:
    if qualifier == LATEST:
        raise InvalidParameterValueException("$LATEST version cannot be deleted without deleting the function.")
    if not (qualifier.isascii() and qualifier.isdigit()):
        raise InvalidParameterValueException("Deletion of aliases is not currently supported.")
    function = storage.get_function_by_name_with_qualifier(name)
    aliases = storage._get_function_aliases(function.function_name).values()  # noqa: SLF001
    named = sorted(one.name for one in aliases if qualifier in _versions_of(one))
    if named:
        raise _Referenced(named)


def _versions_of(alias: Any) -> set[str]:
    return {alias.function_version, *_weights(alias.routing_config)}


def _weights(routing: Mapping[str, Any] | None) -> Mapping[str, float]:
    return (routing or {}).get("AdditionalVersionWeights") or {}


def _check_routing(backend: Any, name: str, version: str, routing: Mapping[str, Any] | None) -> None:
    """AWS: an alias sends to two published versions at most, which the guide names among the limits of aliases."""
    weights = _weights(routing)
    if not weights:
        return
    if len(weights) > 1:
        raise InvalidParameterValueException("Number of items in AdditionalVersionWeights cannot be greater than 1")
    [second] = weights
    if version == LATEST:
        raise InvalidParameterValueException("$LATEST is not supported for an alias pointing to more than 1 version")
    if second == version:
        raise InvalidParameterValueException(
            f"Invalid function version {second}. Function version {second} is already included in routing "
            "configuration."
        )
    _check_version(backend, name, second)


def _check_version(backend: Any, name: str, version: str) -> None:
    storage = backend._lambdas  # noqa: SLF001
    function = storage.get_function_by_name_with_qualifier(name)
    if version != LATEST and storage._get_version(name, version) is None:  # noqa: SLF001
        raise UnknownFunctionException(f"{function.function_arn}:{version}")


def _create_alias(original: Callable[..., Any]) -> Callable[..., Any]:
    def create(backend: Any, *, function_name: str, function_version: str, routing_config: Any, **more: Any) -> Any:
        name = split(function_name)[0]
        _check_version(backend, name, function_version)
        _check_routing(backend, name, function_version, routing_config)
        return original(
            backend, function_name=name, function_version=function_version, routing_config=routing_config, **more
        )

    return create


def _update_alias(original: Callable[..., Any]) -> Callable[..., Any]:
    def update(
        backend: Any, *, name: str, function_name: str, function_version: Any, routing_config: Any, **more: Any
    ) -> Any:
        function = split(function_name)[0]
        alias = backend.get_alias(name, function)
        version = function_version or alias.function_version
        _check_version(backend, function, version)
        _check_routing(backend, function, version, alias.routing_config if routing_config is None else routing_config)
        made = original(
            backend, name=name, function_name=function, function_version=version, routing_config=routing_config, **more
        )
        made.revision_id = str(uuid.uuid4())
        return made

    return update


def _delete_alias(original: Callable[..., None]) -> Callable[..., None]:
    def delete(backend: Any, name: str, function_name: str) -> None:
        function = split(function_name)[0]
        original(backend, name, function)
        for place in _OF_QUALIFIERS:
            kept(backend, place, dict).get(function, {}).pop(name, None)

    return delete


def _of_revision(original: Callable[..., Any]) -> Callable[..., Any]:
    def update_alias(response: Any) -> Any:
        wanted = msgspec.json.decode(response.body).get("RevisionId")
        name = named(response)[0]
        alias = unquote(response.path.rpartition("/")[2])
        _check_revision(wanted, response.backend.get_alias(alias, name).revision_id)
        return original(response)

    return update_alias


def _list_aliases(response: Any) -> Any:
    name = named(response)[0]
    version = response.querystring.get("FunctionVersion", [None])[0]
    found = [one for one in response.backend.list_aliases(name) if version is None or version in _versions_of(one)]
    return 200, {}, json.dumps({"Aliases": [one.to_json() for one in found]})


def _qualified(configuration: dict[str, Any], function_name: str, qualifier: str | None) -> dict[str, Any]:
    """AWS: a function that is asked for by a version or an alias has the ARN with it."""
    qualifier = split(function_name)[1] or qualifier
    if qualifier is not None and not (qualifier.isascii() and qualifier.isdigit()):
        whole = ":".join(configuration["FunctionArn"].split(":")[:7])
        configuration["FunctionArn"] = f"{whole}:{qualifier}"
    return configuration
