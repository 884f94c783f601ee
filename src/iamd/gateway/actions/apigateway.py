"""Amazon API Gateway: checks of what stands in a path, and what a request says of an API's policy and of keys."""

import re
from collections.abc import Mapping
from functools import cache
from string import Formatter
from typing import Any, Final
from urllib.parse import quote

from iamd import api_variables
from iamd.errors import AWSError
from iamd.gateway.actions import table as tables
from iamd.gateway.actions.asked import Asked, at
from iamd.gateway.actions.forms import Form, arn, check, name
from iamd.wire import parse_json

# SECURITY: one step of a path each, and no wildcard; a route's key has a path of its own within.
_STEP: Final = name(r"[^/*?:\s]{1,512}")
_ROUTE: Final = name(r"[^*?:\r\n]{1,512}")
_RESOURCE: Final = arn("apigateway", r"/[^*?:\s]{1,1024}")
_WITHOUT_ACCOUNT: Final = re.compile(r"arn:(?P<partition>[a-z-]+):apigateway:(?P<region>[a-z0-9-]+)::/[^*?:\s]{1,1024}")
_ARNS: Final = ("domainNameAccessAssociationArn", "domainNameArn")
POLICY: Final = "x-amazon-apigateway-policy"
_TAG_VALUE: Final = "x-amazon-apigateway-tag-value"


class BadRequest(AWSError):
    """A parameter that names nothing in API Gateway (API Gateway API Reference, "Errors")."""

    code = "BadRequestException"
    status = 400


class InvalidApiPolicy(BadRequest):
    """A resource policy of an API that is none, or names whom there is not.

    AWS: in these words, as clients report it (aws/chalice 2065).
    """

    def __init__(self, _: str = "") -> None:
        super().__init__(
            "Invalid policy document. Please check the policy syntax and ensure that Principals are valid."
        )


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
    if asked.operation.name in {"ImportApi", "ReimportApi"}:
        found["written_tags"] = _written_tags(definition(asked).get("tags"))
    return {key: value for key, value in found.items() if value is not None}


def _written_tags(tags: Any) -> list[dict[str, Any]]:
    """The tags that a definition gives its API (Developer Guide, x-amazon-apigateway-tag-value)."""
    listed = [one for one in (tags if isinstance(tags, list) else []) if isinstance(one, Mapping)]
    return [{"Key": one.get("name"), "Value": one.get(_TAG_VALUE, "")} for one in listed]


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
        return POLICY in definition(asked)
    patched = [str(one.get("path") or "") for one in given.get("patchOperations") or []]
    return bool(at(given, "policy")) or any(path.startswith("/policy") for path in patched)


def definition(asked: Asked) -> Mapping[str, Any]:
    """The OpenAPI definition in a request, its variables resolved as API Gateway resolves them.

    AWS: API Gateway Developer Guide, "AWS variables for OpenAPI import".
    SECURITY: what is not plain JSON, with each name once, is refused: roles and a policy could stand in it that nobody
    has seen.
    """
    body = asked.parameters.get("body") or asked.parameters.get("Body") or b"{}"
    try:
        decoded = parse_json.decode(body if isinstance(body, bytes) else str(body).encode())
    except AWSError as error:
        raise BadRequest(f"iamd reads definitions of APIs in JSON alone: {error.message}") from None
    if not isinstance(decoded, Mapping):
        raise BadRequest("The definition of an API must be an object.")
    found: Mapping[str, Any] = api_variables.resolved(decoded, asked.account, asked.partition, asked.region)
    return found
