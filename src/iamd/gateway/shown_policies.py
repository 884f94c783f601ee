"""Policies in backends' answers, which know users and roles by ARNs: shown as AWS shows them once those are gone.

AWS: IAM User Guide, "Principal" (reference_policies_elements_principal): the ARN is shown while the entity lives, else
its unique id. A backend tells what it was given; what iamd keeps by ids stands in its place.
"""

import json
import re
from collections.abc import Callable, Mapping
from html import escape, unescape
from typing import Any, Final

from iamd.gateway import policy_principals, resource_policies, shown_lists
from iamd.gateway.actions.asked import Asked
from iamd.gateway.answer import Answer
from iamd.gateway.resources import Facts
from iamd.wire.models import Operation

_CHECKSUM: Final = b"x-amz-crc32"

_MEMBERS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    **{operation: tuple(member.split(".")) for operation, member in resource_policies.READ.items()},
    ("bedrock", "GetResourcePolicy"): ("resourcePolicy",),
    ("codeguruprofiler", "GetPolicy"): ("policy",),
    ("dynamodb", "GetResourcePolicy"): ("Policy",),
    ("ecr", "GetRepositoryPolicy"): ("policyText",),
    ("events", "DescribeEventBus"): ("Policy",),
    ("glue", "GetResourcePolicy"): ("PolicyInJson",),
    ("kinesis", "GetResourcePolicy"): ("Policy",),
    ("kms", "GetKeyPolicy"): ("Policy",),
    ("lambda", "GetLayerVersionPolicy"): ("Policy",),
    ("lambda", "GetPolicy"): ("Policy",),
    ("lambda", "GetResourcePolicy"): ("Policy",),
    ("s3control", "GetAccessPointPolicy"): ("Policy",),
    ("secretsmanager", "GetResourcePolicy"): ("ResourcePolicy",),
    ("sns", "GetTopicAttributes"): ("Attributes", "Policy"),
    ("sqs", "GetQueueAttributes"): ("Attributes", "Policy"),
}
"""Where an answer has the policy of what was asked for."""
_IN_XML: Final[Mapping[str, re.Pattern[str]]] = {
    "s3control": re.compile(r"(<Policy>)(.*?)(</Policy>)", re.DOTALL),
    "sns": re.compile(r"(<key>Policy</key>\s*<value>)(.*?)(</value>)", re.DOTALL),
    "sqs": re.compile(r"(<Name>Policy</Name>\s*<Value>)(.*?)(</Value>)", re.DOTALL),
}


def may_show(operation: Operation) -> bool:
    """Whether answers to an operation show policies, or grants, that iamd keeps."""
    return (operation.service, operation.name) in _MEMBERS or _lists(operation)


def shown(asked: Asked, arn: str, answer: Answer, facts: Facts) -> Answer:
    """The answer with whom the policy names as AWS shows them."""
    body = answer.whole
    if body is None or answer.status != 200:
        return answer
    if _lists(asked.operation):
        listed = shown_lists.LISTS[asked.operation.service, asked.operation.name]
        return _changed(answer, listed(asked, arn, body, facts))
    known = facts.get(arn)
    if known is None:
        return answer
    kept = known.policy
    if kept is None or known.has_pending or not policy_principals.names_entities(kept):
        return answer
    return _changed(answer, _policy(body, asked.operation, _retelling(kept, facts)))


def _lists(operation: Operation) -> bool:
    return (operation.service, operation.name) in shown_lists.LISTS


def _retelling(kept: str, facts: Facts) -> Callable[[str], str]:
    return lambda told: policy_principals.told_as_kept(told, kept, facts.view)


def _changed(answer: Answer, body: bytes | None) -> Answer:
    """The answer with another body, None for its own; a checksum of the former goes."""
    if body is None or body == answer.whole:
        return answer
    return Answer(answer.status, [pair for pair in answer.headers if pair[0].lower() != _CHECKSUM], body)


def _policy(body: bytes, operation: Operation, retold: Callable[[str], str]) -> bytes | None:
    if body.lstrip().startswith(b"<"):
        text = body.decode("utf-8", "replace")
        within = _IN_XML.get(operation.service)
        return within.sub(lambda match: _in_xml(match, retold), text).encode() if within is not None else None
    content = shown_lists.content_of(body)
    *outer, member = _MEMBERS[operation.service, operation.name]
    holder: Any = content
    for name in outer:
        holder = holder.get(name) if isinstance(holder, dict) else None
    told = holder.get(member) if isinstance(holder, dict) else None
    if not isinstance(told, str):
        return None
    holder[member] = retold(told)
    return None if holder[member] == told else json.dumps(content).encode()


def _in_xml(match: re.Match[str], retold: Callable[[str], str]) -> str:
    told = unescape(match[2])
    found = retold(told)
    return match[0] if found == told else f"{match[1]}{escape(found)}{match[3]}"
