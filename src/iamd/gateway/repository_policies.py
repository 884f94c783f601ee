"""Policies of ECR's repositories, whose statements have no Resource: each is about its repository.

AWS: ECR User Guide, "Private repository policies in Amazon ECR"; CDK refuses statements with resources for it.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from iamd.gateway.actions.forms import InvalidParameter
from iamd.policy.document import MalformedPolicy, PolicyType, validate

_WORDS: Final = "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'"
_NAMING: Final = frozenset({"Resource", "NotResource"})


def checked(text: str, arn: str) -> str:
    """The policy as iamd keeps it: with the repository in each statement. One that ECR does not take is refused."""
    told = whole(text, arn)
    if told is None:
        raise InvalidParameter(_WORDS)
    try:
        validate(told, PolicyType.RESOURCE)
    except MalformedPolicy as problem:
        raise InvalidParameter(_WORDS) from problem
    return told


def whole(text: str, arn: str) -> str | None:
    """A policy with its repository in each statement; None when it has another form."""
    try:
        document = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.MsgspecError:
        return None
    statements = document.get("Statement")
    listed: list[Any] = statements if isinstance(statements, list) else [statements]
    if not all(isinstance(one, Mapping) and _NAMING.isdisjoint(one) for one in listed):
        return None
    document["Statement"] = [{**one, "Resource": arn} for one in listed]
    return msgspec.json.encode(document).decode()
