"""Checks of Action and NotAction against the actions that AWS's services have.

AWS: IAM User Guide, "Action" (reference_policies_elements_action); Service Authorization Reference.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from iamd.policy import trust
from iamd.policy.lint import arns
from iamd.policy.lint.finding import Note, note
from iamd.policy.lint.reference import Action, Service
from iamd.policy.lint.resources import NAMES
from iamd.policy.lint.subject import AttachedTo, Document, Statement, Text
from iamd.policy.request import lower
from iamd.policy.wildcard import has_wildcard, typed_matcher

OPERATIONS: Final[Mapping[str, str]] = {
    # AWS: Amazon S3 User Guide, "Required permissions for Amazon S3 API operations" (using-with-s3-policy-actions), and
    # the Lambda API Reference, Invoke. The first is a recorded answer.
    "s3:listbuckets": "s3:ListAllMyBuckets",
    "s3:listobjects": "s3:ListBucket",
    "s3:listobjectsv2": "s3:ListBucket",
    "s3:headbucket": "s3:ListBucket",
    "s3:headobject": "s3:GetObject",
    "s3:deleteobjects": "s3:DeleteObject",
    "s3:listmultipartuploads": "s3:ListBucketMultipartUploads",
    "s3:listobjectversions": "s3:ListBucketVersions",
    "lambda:invoke": "lambda:InvokeFunction",
}
"""Operations whose action has another name than they have themselves."""

_S3: Final = frozenset({"bucket", "object"})
_ACTED_ON: Final[Mapping[AttachedTo, tuple[str, frozenset[str]]]] = {
    AttachedTo.BUCKET: ("s3", _S3),
    AttachedTo.ACCESS_POINT: ("s3", frozenset({"accesspoint", "accesspointobject", *_S3})),
    AttachedTo.MULTI_REGION_ACCESS_POINT: ("s3", frozenset({"multiregionaccesspoint", "accesspoint", *_S3})),
    AttachedTo.OBJECT_LAMBDA_ACCESS_POINT: ("s3-object-lambda", frozenset({"objectlambdaaccesspoint"})),
    AttachedTo.TABLE: ("dynamodb", frozenset({"table", "index", "stream"})),
}
"""The service and the resource types that the policy of such a resource speaks of."""


def check(document: Document) -> Iterator[Note]:
    """What is wrong with each action of each statement."""
    for statement in document.statements:
        for text in (*statement.actions, *statement.not_actions):
            yield from _unknown(document, text)
        for text in statement.actions:
            yield from _unsupported(document, text)


def known(document: Document, pattern: str) -> list[tuple[Service, Action]]:
    """The actions of one service that a pattern names, in whatever case; its prefix has no wildcard."""
    prefix, _, name = lower(pattern).partition(":")
    service = document.reference.service(prefix)
    if service is None:
        return []
    if not has_wildcard(name):
        found = service.actions.get(name)
        return [(service, found)] if found is not None else []
    document.work.compare(name, service.actions)
    fits = typed_matcher(name)
    return [(service, action) for known, action in service.actions.items() if fits(known)]


def exact(statement: Statement) -> list[Text]:
    """The entries of Action that name one action, without wildcards."""
    return [text for text in statement.actions if not has_wildcard(text.value)]


def covered(statement: Statement, action: str) -> bool:
    """Whether the statement's Action or NotAction takes in `action`, which is in lower case."""
    if statement.not_actions:
        return not any(arns.matches(text.lower, action) for text in statement.not_actions)
    return any(arns.matches(text.lower, action) for text in statement.actions)


def _unknown(document: Document, text: Text) -> Iterator[Note]:
    if text.value == "*" or "${" in text.value:
        return
    prefix, colon, _ = text.value.partition(":")
    if not colon:
        yield note("INVALID_ACTION", text.place, action=text.value)
    elif has_wildcard(prefix):
        yield note("WILDCARD_IN_SERVICE_NAME", text.place)
    elif document.reference.service(prefix) is None:
        yield _unknown_service(document, text, prefix)
    elif not known(document, text.value):
        yield _unknown_action(text)


def _unknown_service(document: Document, text: Text, prefix: str) -> Note:
    # AWS puts the whole action where the message speaks of the service (recorded answers).
    meant = document.reference.names.get(lower(prefix))
    if meant is None:
        return note("INVALID_SERVICE_IN_ACTION", text.place, service=text.value)
    return note("INVALID_SERVICE_IN_ACTION/meant", text.place, service=text.value, service2=meant)


def _unknown_action(text: Text) -> Note:
    meant = OPERATIONS.get(text.lower)
    if meant is None:
        return note("INVALID_ACTION", text.place, action=text.value)
    operation = text.value.partition(":")[2]
    return note("INVALID_ACTION/operation", text.place, action=text.value, valid_action=meant, operation=operation)


def _unsupported(document: Document, text: Text) -> Iterator[Note]:
    """Actions of a service or resource type that the policy's resource is not."""
    attached_to = document.attached_to
    if attached_to is None or text.value == "*" or "${" in text.value or not _exists(document, text):
        return
    if attached_to is AttachedTo.ROLE_TRUST:
        fits = any(arns.matches(text.lower, action) for action in trust.ACTIONS)
    else:
        prefix, acted_on = _ACTED_ON[attached_to]
        fits = any(
            service.prefix == prefix and not acted_on.isdisjoint(lower(resource.name) for resource in action.resources)
            for service, action in known(document, text.value)
        )
    if not fits:
        yield note("UNSUPPORTED_ACTION_IN_POLICY", text.place, action=text.value, resourceType=NAMES[attached_to])


def _exists(document: Document, text: Text) -> bool:
    return not has_wildcard(text.value.partition(":")[0]) and bool(known(document, text.value))
