"""Batches of which single entries are refused: they go on without these, which come back as errors of their own.

AWS: Secrets Manager API Reference, BatchGetSecretValue: errors such as AccessDeniedException at single secrets are told
in Errors; DynamoDB API Reference, BatchExecuteStatement and BatchStatementError: AccessDenied is a statement's error;
Resource Groups Tagging API Reference, FailureInfo: AccessDeniedException of the service whose resource it is.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from iamd.authz.target import Target
from iamd.errors import Common, CommonError
from iamd.gateway import account_parts
from iamd.gateway.actions.asked import Asked, invalid
from iamd.gateway.answer import Answer
from iamd.http import HttpRequest
from iamd.wire import parse_json
from iamd.wire.models import Operation

Entries = Sequence[Any]
Refused = Mapping[int, str]
"""The words for the entries that are refused, by their places."""
Told = Mapping[str, Any]


def _with_responses(told: Told, entries: Entries, refused: Refused) -> dict[str, Any]:
    """The responses in the order of the statements."""
    others = iter(told.get("Responses") or ())
    found = [
        {"Error": {"Code": "AccessDenied", "Message": refused[index]}} if index in refused else next(others, None)
        for index in range(len(entries))
    ]
    if None in found or next(others, None) is not None:
        raise ValueError("not one response for each statement")
    return {**told, "Responses": found}


def _with_errors(told: Told, entries: Entries, refused: Refused) -> dict[str, Any]:
    errors = [
        {"SecretId": entries[index], "ErrorCode": "AccessDeniedException", "Message": words}
        for index, words in refused.items()
    ]
    values = list(told.get("SecretValues") or ())
    return {**told, "SecretValues": values, "Errors": [*(told.get("Errors") or ()), *errors]}


def _with_failures(told: Told, entries: Entries, refused: Refused) -> dict[str, Any]:
    failed = {
        entries[index]: {"StatusCode": 400, "ErrorCode": "AccessDeniedException", "ErrorMessage": words}
        for index, words in refused.items()
    }
    return {**told, "FailedResourcesMap": {**(told.get("FailedResourcesMap") or {}), **failed}}


class _Batch(NamedTuple):
    """The member that has the entries, how many there may be, how many targets are the whole request's, the answer."""

    member: str
    most: int
    before: int
    told: Callable[[Told, Entries, Refused], dict[str, Any]]


_TAGGED: Final = _Batch("ResourceARNList", 20, 1, _with_failures)
_BATCHES: Final = {
    ("dynamodb", "BatchExecuteStatement"): _Batch("Statements", 25, 0, _with_responses),
    ("resourcegroupstaggingapi", "TagResources"): _TAGGED,
    ("resourcegroupstaggingapi", "UntagResources"): _TAGGED,
    ("secretsmanager", "BatchGetSecretValue"): _Batch("SecretIdList", 20, 1, _with_errors),
}


def may_have(operation: Operation) -> bool:
    """Whether single entries of an operation's requests may be refused."""
    return (operation.service, operation.name) in _BATCHES


def _batch(asked: Asked) -> _Batch:
    return _BATCHES[asked.operation.service, asked.operation.name]


def _entries(asked: Asked) -> Entries:
    return asked.parameters.get(_batch(asked).member) or ()


def split(asked: Asked, wanted: Sequence[Target]) -> tuple[list[Target], list[Target]]:
    """What the whole request needs, and what each entry does; of one that finds its entries itself, all is whole."""
    batch, number = _batch(asked), len(_entries(asked))
    if number > batch.most:
        raise invalid(
            f"1 validation error detected: Value at '{batch.member[0].lower()}{batch.member[1:]}' failed to satisfy "
            f"constraint: Member must have length less than or equal to {batch.most}"
        )
    if len(wanted) != batch.before + number:
        return list(wanted), []
    return list(wanted[: batch.before]), list(wanted[batch.before :])


def left(asked: Asked, refused: Refused) -> Asked:
    """What is asked for without the refused entries."""
    kept = [one for index, one in enumerate(_entries(asked)) if index not in refused]
    return msgspec.structs.replace(asked, parameters={**asked.parameters, _batch(asked).member: kept})


def is_empty(asked: Asked) -> bool:
    """Whether nothing of a batch is left."""
    return not _entries(asked)


def without(request: HttpRequest, asked: Asked, refused: Refused) -> HttpRequest:
    """The request without the refused entries."""
    whole: dict[str, Any] = parse_json.decode(request.body or b"")
    member = _batch(asked).member
    kept = [one for index, one in enumerate(whole[member]) if index not in refused]
    return account_parts.with_members(request, {**whole, member: kept})


def own_answer(request: HttpRequest, asked: Asked, refused: Refused) -> Answer:
    """The answer where every entry is refused."""
    version = "1.0" if asked.operation.service == "dynamodb" else "1.1"
    headers = [(b"content-type", f"application/x-amz-json-{version}".encode())]
    return Answer(200, headers, msgspec.json.encode(_told({}, request, asked, refused)))


async def merged(answer: Answer, request: HttpRequest, asked: Asked, refused: Refused) -> Answer:
    """The backend's answer with the refused entries in it; one that is an error stays as it is."""
    body = b"".join([piece async for piece in answer])
    if answer.status != 200:
        return Answer(answer.status, answer.headers, body)
    try:
        told = _told(msgspec.json.decode(body), request, asked, refused)
    except (msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
        raise CommonError(Common.UNAVAILABLE, "The backend's answer cannot be used.") from error
    headers = [pair for pair in answer.headers if pair[0] not in account_parts.OF_ANSWER]
    return Answer(200, headers, msgspec.json.encode(told))


def _told(told: Told, request: HttpRequest, asked: Asked, refused: Refused) -> dict[str, Any]:
    batch = _batch(asked)
    return batch.told(told, parse_json.decode(request.body or b"")[batch.member], refused)
