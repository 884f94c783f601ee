"""Amazon API Gateway: checks of what stands in a path, and what a request says of an API's policy and of keys."""

import re
from collections.abc import Mapping
from functools import cache
from string import Formatter
from typing import Any, Final
from urllib.parse import quote

import msgspec

from iamd.errors import AWSError
from iamd.gateway.actions import table as tables
from iamd.gateway.actions.asked import Asked, at
from iamd.gateway.actions.forms import Form, arn, check, name

# SECURITY: one step of a path each, and no wildcard; a route's key has a path of its own within.
_STEP: Final = name(r"[^/*?:\s]{1,512}")
_ROUTE: Final = name(r"[^*?:\r\n]{1,512}")
_RESOURCE: Final = arn("apigateway", r"/[^*?:\s]{1,1024}")
_WITHOUT_ACCOUNT: Final = re.compile(r"arn:(?P<partition>[a-z-]+):apigateway:(?P<region>[a-z0-9-]+)::/[^*?:\s]{1,1024}")
_ARNS: Final = ("domainNameAccessAssociationArn", "domainNameArn")
_POLICY: Final = "x-amazon-apigateway-policy"


class BadRequest(AWSError):
    """A parameter that names nothing in API Gateway (API Gateway API Reference, "Errors")."""

    code = "BadRequestException"
    status = 400


def values(asked: Asked) -> Mapping[str, Any]:
    """The resource that tags are for, and what is said of policies, names and types."""
    check(asked, _forms(asked.operation.service, asked.operation.name), _refused)
    given, found = asked.parameters, dict[str, Any]()
    tagged = given.get("resourceArn") or given.get("ResourceArn")
    if tagged and asked.operation.name in {"GetTags", "TagResource", "UntagResource"}:
        found["encoded_arn"] = quote(_own(str(tagged), asked), safe="")
    if _sets_policy(asked):
        found["sets_policy"] = True
    api = given.get("name") if asked.operation.name == "CreateRestApi" else None
    found["api_name"] = given.get("Name") if asked.operation.name in {"CreateApi", "UpdateApi"} else api
    found["authorizer_type"] = given.get("AuthorizerType") or (
        given.get("type") if asked.operation.name == "CreateAuthorizer" else None
    )
    return {key: value for key, value in found.items() if value is not None}


@cache
def _forms(service: str, operation: str) -> Mapping[str, Form]:
    """The forms of what an operation's templates name."""
    found = tables.table(service)
    rows = found.rows.get(operation, ()) if found is not None else ()
    named = {part for row in rows for _, part, _, _ in Formatter().parse(row.template) if part}
    own = named - {"partition", "region", "account", "encoded_arn"}
    special = {"RouteKey": _ROUTE, "RequestParameterKey": _ROUTE, **dict.fromkeys(_ARNS, _RESOURCE)}
    return {member: special.get(member, _STEP) for member in sorted(own)}


def _refused(member: str, value: str) -> BadRequest:
    return BadRequest(f"Invalid {member} specified: {value}")


def _own(text: str, asked: Asked) -> str:
    """An ARN of something of API Gateway here, whose ARNs name an account or none."""
    match = _WITHOUT_ACCOUNT.fullmatch(text)
    is_own = match is not None and (match["partition"], match["region"]) == (asked.partition, asked.region)
    if not is_own and not (_RESOURCE.fits(text, asked) and text.split(":")[4] == asked.account):
        raise _refused("ARN", text)
    return text


def _sets_policy(asked: Asked) -> bool:
    """Whether a request sets the policy of an API: as itself, by a patch, or in a definition."""
    given = asked.parameters
    if asked.operation.name in {"ImportRestApi", "PutRestApi"}:
        return _POLICY in definition(given)
    patched = [str(one.get("path") or "") for one in given.get("patchOperations") or []]
    return bool(at(given, "policy")) or any(path.startswith("/policy") for path in patched)


def definition(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The OpenAPI definition in a request.

    SECURITY: what is not plain JSON is refused: roles and a policy could stand in it that nobody has seen.
    """
    body = given.get("body") or given.get("Body") or b"{}"
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.MsgspecError:
        raise BadRequest("iamd reads definitions of APIs in JSON alone.") from None
