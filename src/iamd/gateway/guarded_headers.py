"""Headers that S3 answers with an object to those alone who may read what they tell: its lock, the number of its tags.

AWS: S3 API Reference, HeadObject (x-amz-object-lock-mode: "This header is only returned if the requester has the
s3:GetObjectRetention permission"; x-amz-object-lock-legal-hold; x-amz-object-lock-event-hold) and GetObject
(x-amz-tagging-count: "when you have the relevant permission to read object tags").
"""

from collections.abc import Collection, Iterator
from typing import Final

from iamd.authz.target import Target
from iamd.gateway.actions import keys, s3
from iamd.gateway.actions.asked import Asked
from iamd.gateway.answer import Answer
from iamd.wire.models import Operation

_READS: Final = frozenset({"GetObject", "HeadObject"})
_RETENTION: Final = "s3:GetObjectRetention"
_TAGS: Final = "s3:GetObjectTagging"
READERS: Final = {
    b"x-amz-object-lock-mode": _RETENTION,
    b"x-amz-object-lock-retain-until-date": _RETENTION,
    b"x-amz-object-lock-event-hold": _RETENTION,
    b"x-amz-object-lock-event-hold-duration-days": _RETENTION,
    b"x-amz-object-lock-event-hold-duration-years": _RETENTION,
    b"x-amz-object-lock-legal-hold": "s3:GetObjectLegalHold",
    b"x-amz-tagging-count": _TAGS,
}
"""The headers, and what it takes to be told them."""


def may_have(operation: Operation) -> bool:
    """Whether answers may tell what their caller may not read."""
    return operation.service == "s3" and operation.name in _READS


def are_told(answer: Answer) -> bool:
    """Whether an answer has any of the headers, whose names are in lower case in each answer of a backend."""
    for name, _ in answer.headers:  # noqa: SIM110 (every answer with an object is asked)
        if name in READERS:
            return True
    return False


def readers(asked: Asked, answer: Answer) -> Iterator[tuple[str, Target]]:
    """What must be allowed for the headers of an answer to be told: the action that stands for it, and its target."""
    named = dict.fromkeys(READERS[name] for name, _ in answer.headers if name in READERS)
    arn = f"arn:{asked.partition}:s3:::{asked.parameters['Bucket']}/{asked.parameters['Key']}"
    for action in named:
        of_version = action == _TAGS and "VersionId" in asked.parameters
        needed = "s3:GetObjectVersionTagging" if of_version else action
        values = {**asked.parameters, **s3.values(asked)}
        yield action, Target(arn=arn, action=needed, context=keys.of("s3", needed, values))


def without(answer: Answer, denied: Collection[str]) -> Answer:
    """The answer without the headers whose actions are denied."""
    kept = [(name, value) for name, value in answer.headers if READERS.get(name) not in denied]
    return answer.with_headers(kept)
