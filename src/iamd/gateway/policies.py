"""Reading a resource's policy: iamd answers by what it decides by, or learns from the backend which of two holds."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from iamd.gateway import named_policies, point_effects, policy_principals, repository_policies, resource_policies
from iamd.gateway.actions.asked import Asked, at
from iamd.gateway.answer import Answer
from iamd.gateway.resources import Facts
from iamd.wire.models import Operation

_GONE: Final = 404


def may_answer(operation: Operation) -> bool:
    """Whether iamd itself may answer requests for an operation."""
    return (operation.service, operation.name) == ("s3", "GetBucketPolicy")


def own_answer(asked: Asked, arn: str, facts: Facts) -> Answer | None:
    """A bucket's policy as it was set, when it is known; None lets the backend answer."""
    if not may_answer(asked.operation):
        return None
    known = facts.get(arn)
    if known is None or known.policy is None or known.has_pending:
        return None
    text = known.policy
    if policy_principals.names_entities(text):
        text = policy_principals.shown(text, facts.view)
    return Answer(200, [(b"content-type", b"application/json")], text.encode())


class Told(msgspec.Struct, frozen=True):
    """What an answer tells: the policy of a resource, None for none."""

    arn: str
    policy: str | None


def may_tell(operation: Operation) -> bool:
    """Whether answers to an operation are policies."""
    name = (operation.service, operation.name)
    return name in _READ or name in named_policies.SHOWN


def all_told(asked: Asked, arn: str, answer: Answer, facts: Facts) -> list[Told]:
    """What the answer tells of policies whose setting is not settled."""
    if (asked.operation.service, asked.operation.name) not in named_policies.SHOWN:
        found = told(asked, arn, answer, facts)
        return [found] if found is not None else []
    if answer.status != 200 or answer.whole is None:
        return []
    try:
        content = msgspec.json.decode(answer.whole, type=dict[str, Any])
    except msgspec.DecodeError:
        return []
    return [Told(kept, text) for kept, text in named_policies.told(asked, arn, content, facts).items()]


def told(asked: Asked, arn: str, answer: Answer, facts: Facts) -> Told | None:
    """What the answer tells of a policy whose setting is not settled; None when it tells nothing."""
    read = _READ.get((asked.operation.service, asked.operation.name))
    known = facts.get(arn) if read is not None else None
    if read is None or known is None or not known.has_pending or answer.whole is None:
        return None
    if answer.status == _GONE:
        return Told(arn, None)
    return read(arn, answer.whole) if answer.status == 200 else None


def is_same(one: str | None, other: str | None) -> bool:
    """Tell whether two texts are the same policy, however a backend writes it."""
    if one is None or other is None:
        return one is other
    try:
        return bool(msgspec.json.decode(one) == msgspec.json.decode(other))
    except msgspec.DecodeError:
        return one == other


def _whole(arn: str, body: bytes) -> Told | None:
    return Told(arn, body.decode("utf-8", "replace"))


def _of_point(arn: str, body: bytes) -> Told | None:
    return Told(arn, point_effects.policy_in(body))


def _member(path: str) -> Callable[[str, bytes], Told | None]:
    def read(arn: str, body: bytes) -> Told | None:
        try:
            content = msgspec.json.decode(body, type=dict[str, Any])
        except msgspec.DecodeError:
            return None
        value = at(content, path)
        return Told(arn, value if isinstance(value, str) and value else None)

    return read


def _of_repository(arn: str, body: bytes) -> Told | None:
    told = _member("policyText")(arn, body)
    if told is None or told.policy is None:
        return told
    whole = repository_policies.whole(told.policy, arn)
    return Told(arn, whole) if whole is not None else None


_READ: Final[Mapping[tuple[str, str], Callable[[str, bytes], Told | None]]] = {
    **{operation: _member(member) for operation, member in resource_policies.READ.items()},
    ("s3", "GetBucketPolicy"): _whole,
    ("s3control", "GetAccessPointPolicy"): _of_point,
    ("ecr", "GetRepositoryPolicy"): _of_repository,
    ("events", "DescribeEventBus"): _member("Policy"),
    ("kinesis", "GetResourcePolicy"): _member("Policy"),
    ("bedrock", "GetResourcePolicy"): _member("resourcePolicy"),
    ("codeguruprofiler", "GetPolicy"): _member("policy"),
    ("glue", "GetResourcePolicy"): _member("PolicyInJson"),
    ("kms", "GetKeyPolicy"): _member("Policy"),
    ("secretsmanager", "GetResourcePolicy"): _member("ResourcePolicy"),
    ("dynamodb", "GetResourcePolicy"): _member("Policy"),
    ("lambda", "GetPolicy"): _member("Policy"),
    ("lambda", "GetResourcePolicy"): _member("Policy"),
}
"""Operations whose answer is a whole policy; SQS and SNS give theirs among attributes, only when asked for it."""
