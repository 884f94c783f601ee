"""Resource policies of REST APIs: whom one names when it is set, and what is decided by once it is deployed.

AWS: API Gateway Developer Guide, "Create and attach an API Gateway resource policy to an API"
(apigateway-resource-policies-create-attach): ARNs may be without their beginning, `execute-api:/stage/METHOD/path`.
"""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from iamd.gateway import policy_principals
from iamd.gateway.actions import apigateway
from iamd.gateway.actions.apigateway import InvalidApiPolicy
from iamd.gateway.actions.asked import Asked
from iamd.gateway.effect import checked
from iamd.policy.document import MalformedPolicy
from iamd.policy.rewriting import places, rewrite_principals, rewrite_resources
from iamd.services.iam.principal_ids import UNIQUE_ID, View
from iamd.wire.models import Operation

_SETTING: Final = frozenset({"CreateRestApi", "ImportRestApi", "PutRestApi", "UpdateRestApi"})
_SHORT: Final = "execute-api:/"
_UNNAMED: Final = "arn:aws:execute-api:::api/"
_KEPT: Final = 256


def may_set(operation: Operation) -> bool:
    """Whether requests of an operation may set the policy of a REST API."""
    return operation.service == "apigateway" and operation.name in _SETTING


def principals(asked: Asked, view: View) -> tuple[str, ...]:
    """The users and roles that the policies in a request name: each ARN, followed by the unique id of its own.

    BadRequestException for what is no policy, or names whom there is not.
    """
    found: dict[str, str] = {}
    for text in _texts(asked):
        try:
            checked(rewrite_resources(text, lambda value: _whole(value, _UNNAMED)), InvalidApiPolicy)
        except (MalformedPolicy, ValueError):
            raise InvalidApiPolicy from None
        kept = places(policy_principals.stored(text, asked, view))
        found |= {
            given.value: one.value
            for given, one in zip(places(text), kept, strict=True)
            if given.member == "AWS" and UNIQUE_ID.fullmatch(one.value)
        }
    return tuple(part for pair in found.items() for part in pair)


def _texts(asked: Asked) -> Iterator[str]:
    """The policies in a request, as text."""
    given = asked.parameters
    if asked.operation.name in {"ImportRestApi", "PutRestApi"}:
        policy = apigateway.definition(asked).get(apigateway.POLICY)
        if policy is not None:
            yield json.dumps(policy)
        return
    if given.get("policy"):
        yield given["policy"]
    for patch in given.get("patchOperations") or ():
        if str(patch.get("path") or "").startswith("/policy") and patch.get("value"):
            yield patch["value"]


@lru_cache(maxsize=_KEPT)
def _in_force(text: str, known: tuple[str, ...], beginning: str) -> str:
    ids: Mapping[str, str] = dict(zip(known[::2], known[1::2], strict=True))

    def kept(member: str, value: str) -> str:
        if member != "AWS":
            return value
        # SECURITY: whoever has the name of a user or role today is nobody whom the policy meant, unless it was so then.
        return ids.get(value) or policy_principals.nobody(value) or value

    try:
        return rewrite_resources(rewrite_principals(text, kept), lambda value: _whole(value, beginning))
    except ValueError:
        # What can't be read denies everything.
        return text


def in_force(text: str, known: Mapping[str, str], arn: str) -> str:
    """A policy as it is decided by, of the API whose methods' ARNs begin with this one.

    `known` are the unique ids of the users and roles that it named when it was set.
    """
    return _in_force(text, tuple(part for pair in known.items() for part in pair), f"{arn}/")


def _whole(value: str, beginning: str) -> str:
    return f"{beginning}{value.removeprefix(_SHORT)}" if value.startswith(_SHORT) else value
