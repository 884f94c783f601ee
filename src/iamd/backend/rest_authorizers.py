"""Authorizers of REST APIs as moto keeps them, and methods that name them: what it drops, mistakes or lets pass.

AWS: API Gateway API Reference, "CreateAuthorizer", "UpdateAuthorizer", "Patch operations" and "PutMethod".
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from moto.apigateway.exceptions import BadRequestException
from moto.apigateway.models import APIGatewayBackend, Authorizer, Method

from iamd.backend.replacement import replace

_AUTHORIZATIONS: Final = frozenset({"NONE", "AWS_IAM", "CUSTOM", "COGNITO_USER_POOLS"})
_BY_AUTHORIZER: Final = frozenset({"CUSTOM", "COGNITO_USER_POOLS"})
_POOLS: Final = "/providerARNs"
_SECONDS: Final = "/authorizerResultTtlInSeconds"
_OF_AUTHORIZERS: Final[Mapping[str, Sequence[str]]] = {
    _POOLS: ("add", "remove"),
    _SECONDS: ("replace",),
    "/authType": ("replace",),
    "/authorizerCredentials": ("replace",),
    "/authorizerUri": ("replace",),
    "/identitySource": ("replace",),
    "/identityValidationExpression": ("replace",),
    "/name": ("replace",),
    "/type": ("replace",),
}
"""What may be done to the members of an authorizer (API Reference, "UpdateAuthorizer")."""


def install() -> None:
    """Have moto keep authorizers as they are asked for, and put no method whose authorization there is not."""
    replace(Authorizer, "__init__", _with_expression)
    replace(Authorizer, "apply_operations", _with_pools)
    replace(APIGatewayBackend, "put_method", _with_authorizer)


def _with_expression(original: Callable[..., None]) -> Callable[..., None]:
    """Make an authorizer that knows the expression which tokens must match: moto has a letter less in its name."""

    def made(authorizer: Any, *given: Any, **named: Any) -> None:
        mistaken = named.pop("identiy_validation_expression", None)
        _check_seconds(named.get("authorizer_result_ttl"))
        original(authorizer, *given, **{"identity_validation_expression": mistaken, **named})

    return made


def _with_pools(original: Callable[..., Any]) -> Callable[..., Any]:
    """Change an authorizer, its user pools too; all that is asked for, or nothing."""

    def changed(authorizer: Any, operations: list[dict[str, Any]]) -> Any:
        for operation in operations:
            _check_patch(operation)
        for operation in operations:
            if operation["path"] != _POOLS:
                original(authorizer, [operation])
                continue
            others = [one for one in authorizer.provider_arns or () if one != operation["value"]]
            authorizer.provider_arns = [*others, operation["value"]] if operation["op"] == "add" else others
        return authorizer

    return changed


def _check_patch(operation: Mapping[str, Any]) -> None:
    """Refuse to patch what an authorizer has not: moto takes each path that has a member's name somewhere in it."""
    kind, path, value = operation["op"], operation["path"], operation.get("value")
    if value is None or kind not in _OF_AUTHORIZERS.get(path, ()):
        raise BadRequestException(
            f"Invalid patch path  '{path}' specified for op '{kind}'. Please choose supported operations"
        )
    if path == _SECONDS:
        _check_seconds(value)


def _check_seconds(value: Any) -> None:
    """AWS: API Reference, "Authorizer", `authorizerResultTtlInSeconds`: at most 3600, and 0 keeps nothing."""
    if value is not None and not (re.fullmatch(r"[0-9]{1,4}", str(value), re.ASCII) and int(value) <= 3600):
        raise BadRequestException("Invalid request input")


def _with_authorizer(original: Callable[..., Any]) -> Callable[..., Any]:
    """Put a method whose authorization there is."""

    def put(backend: Any, function_id: str, *given: Any, **named: Any) -> Any:
        method = original(backend, function_id, *given, **named)
        try:
            check_authorization(backend.get_rest_api(function_id), method)
        except BadRequestException:
            for resource in backend.get_rest_api(function_id).resources.values():
                resource.resource_methods = {
                    name: one for name, one in resource.resource_methods.items() if one is not method
                }
            raise
        return method

    return put


def check_authorization(api: Any, method: Method) -> None:
    """Refuse a method whose authorization there is not."""
    if method.authorization_type not in _AUTHORIZATIONS:
        raise BadRequestException(
            "Invalid authorization type specified. Setting the authorization type to one of "
            f"{', '.join(sorted(_AUTHORIZATIONS))} is required"
        )
    if method.authorization_type in _BY_AUTHORIZER and method.authorizer_id not in api.authorizers:
        # AWS: as clients report it (aws/aws-cdk 5618).
        raise BadRequestException(
            "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires "
            "a valid authorizer."
        )
