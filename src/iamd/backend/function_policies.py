"""Policies of moto's functions and layers as they are told: with the conditions that iamd decides by, at the revision.

moto drops EventSourceToken, tells InvokedViaFunctionUrl and OrganizationId outside of conditions, and looks at no
revision of a layer's policy. AWS: Lambda API Reference, AddPermission and AddLayerVersionPermission.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from moto.awslambda.exceptions import PreconditionFailedException
from moto.awslambda.policy import Policy
from moto.awslambda.responses import LambdaResponse

from iamd.backend.replacement import replace

_TOKEN: Final = "EventSourceToken"
_CONDITIONS: Final[Mapping[str, tuple[str, str]]] = {
    _TOKEN: ("StringEquals", "lambda:EventSourceToken"),
    "InvokedViaFunctionUrl": ("Bool", "lambda:InvokedViaFunctionUrl"),
    "OrganizationId": ("StringEquals", "aws:PrincipalOrgID"),
}
"""Members of requests, and the conditions that they stand for."""


def install() -> None:
    """Keep the conditions, and look at the revision."""
    replace(Policy, "add_statement", _added)
    replace(LambdaResponse, "add_layer_version_permission", _at_revision)


def _added(original: Callable[..., Any]) -> Callable[..., Any]:
    def add_statement(policy: Any, raw: Any, qualifier: str | None = None) -> Any:
        statement, revision = original(policy, raw, qualifier)
        given = {**statement, _TOKEN: msgspec.json.decode(raw, type=dict[str, Any]).get(_TOKEN)}
        for name, (operator, key) in _CONDITIONS.items():
            statement.pop(name, None)
            value = given.get(name)
            if value:
                said = "true" if value is True else value
                statement.setdefault("Condition", {}).setdefault(operator, {})[key] = said
        return statement, revision

    return add_statement


def _at_revision(original: Callable[[Any], str]) -> Callable[[Any], str]:
    def add_layer_version_permission(response: Any) -> str:
        expected = response.querystring.get("RevisionId", [None])[0]
        named = [response._get_param(name) for name in ("LayerName", "VersionNumber")]  # noqa: SLF001
        policy = response.backend.get_layer_version(named[0], str(named[1])).policy
        if expected and policy.revision != expected:
            raise PreconditionFailedException(
                "The RevisionId provided does not match the latest RevisionId for the layer version. "
                "Call the GetLayerVersionPolicy API to retrieve the latest RevisionId for your resource."
            )
        return original(response)

    return add_layer_version_permission
