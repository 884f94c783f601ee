"""Batches for resources of several accounts: a part for each account, done there, and the answers put together again.

AWS: EventBridge API Reference, PutEventsRequestEntry: EventBusName may be the ARN of another account's bus; DynamoDB
API Reference, BatchGetItem and BatchWriteItem: RequestItems may have ARNs of tables. No transaction is done in parts.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from iamd.authz.target import Target
from iamd.errors import Common, CommonError
from iamd.gateway.actions.asked import Asked, invalid
from iamd.gateway.actions.dynamodb import table_arn
from iamd.gateway.actions.events import bus_arn
from iamd.gateway.answer import Answer
from iamd.http import HttpRequest
from iamd.wire import parse_json
from iamd.wire.models import Operation

_MOST_EVENTS: Final = 10
_MOST_KEYS: Final = 100
_MOST_WRITES: Final = 25
"""API References of both services: how much one request may have, whosever it is for."""
_OF_BODY: Final = (b"content-md5", b"content-length", b"x-amz-checksum-", b"x-amz-sdk-checksum-")
OF_ANSWER: Final = frozenset({b"content-length", b"content-encoding", b"x-amz-crc32"})
"""Headers of an answer that are about its body."""
_TRANSACTIONS: Final = frozenset({"ExecuteTransaction", "TransactGetItems", "TransactWriteItems"})


class Part(msgspec.Struct, frozen=True):
    """What is asked of one account, and which entries of the request that is, where they are a list."""

    account: str
    request: HttpRequest
    entries: Sequence[int] = ()


def may_be_parted(operation: Operation) -> bool:
    """Whether requests for an operation may be for resources of several accounts."""
    return (operation.service, operation.name) in _PARTED


def accounts(asked: Asked, targets: Sequence[Target]) -> Sequence[str]:
    """The accounts of what a request is for, in its order."""
    return list(dict.fromkeys(one.account or asked.account for one in targets))


def refusal(operation: Operation) -> CommonError:
    """What is said of a request for resources of several accounts that is not parted."""
    if operation.service == "dynamodb" and operation.name in _TRANSACTIONS:
        # It would have to be done in all accounts or in none.
        return invalid("iamd does no transaction over tables of several accounts.")
    return CommonError(Common.VALIDATION, "One request cannot be for resources of several accounts.")


def parts(request: HttpRequest, asked: Asked, targets: Sequence[Target]) -> list[Part]:
    """A request for each account."""
    # SECURITY: an entry goes to the account of the very resource that it was decided on.
    owners = {one.arn: one.account or asked.account for one in targets}
    whole: dict[str, Any] = parse_json.decode(request.body or b"")
    return _PARTED[asked.operation.service, asked.operation.name](request, whole, owners, asked)


def _of_events(request: HttpRequest, whole: dict[str, Any], owners: Mapping[str, str], asked: Asked) -> list[Part]:
    entries = whole["Entries"]
    if len(entries) > _MOST_EVENTS:
        raise invalid(
            "1 validation error detected: Value '[PutEventsRequestEntry]' at 'entries' failed to satisfy constraint: "
            f"Member must have length less than or equal to {_MOST_EVENTS}"
        )
    places: dict[str, list[int]] = {}
    for index, entry in enumerate(entries):
        places.setdefault(owners[bus_arn(entry.get("EventBusName"), asked)], []).append(index)
    return [
        Part(account, with_members(request, {**whole, "Entries": [entries[index] for index in found]}), found)
        for account, found in places.items()
    ]


def _of_tables(most: int, size: Callable[[Any], int]) -> Callable[..., list[Part]]:
    def split(request: HttpRequest, whole: dict[str, Any], owners: Mapping[str, str], asked: Asked) -> list[Part]:
        tables = whole["RequestItems"]
        if sum(map(size, tables.values())) > most:
            raise invalid(f"Too many items requested for the {asked.operation.name} call")
        places: dict[str, dict[str, Any]] = {}
        for name, given in tables.items():
            places.setdefault(owners[table_arn(name, asked)], {})[name] = given
        return [
            Part(account, with_members(request, {**whole, "RequestItems": found})) for account, found in places.items()
        ]

    return split


def with_members(request: HttpRequest, whole: Mapping[str, Any]) -> HttpRequest:
    """The request with these members in place of its own."""
    kept = [(name, value) for name, value in request.headers if not name.startswith(_OF_BODY)]
    return request.with_content(kept, msgspec.json.encode(whole))


def merged(asked: Asked, done: Sequence[tuple[Part, Answer]]) -> Answer:
    """One answer of those of the parts, which are whole; an error is that of all where no entry has one of its own."""
    told = [(part, answer, answer.whole or b"") for part, answer in done]
    failed = [(answer, body) for _, answer, body in told if answer.status != 200]
    tells_each = asked.operation.service == "events"
    if failed and (not tells_each or len(failed) == len(told)):
        answer, body = failed[0]
        return Answer(answer.status, answer.headers, body)
    try:
        whole = _entries(told) if tells_each else _members([msgspec.json.decode(body) for _, _, body in told])
    except (msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
        raise CommonError(Common.UNAVAILABLE, "The backend's answer cannot be used.") from error
    headers = [pair for pair in told[0][1].headers if pair[0] not in OF_ANSWER]
    return Answer(200, headers, msgspec.json.encode(whole))


def _entries(told: Sequence[tuple[Part, Answer, bytes]]) -> dict[str, Any]:
    """The entries in the order in which they were put."""
    found: dict[int, Any] = {}
    for part, answer, body in told:
        content = msgspec.json.decode(body)
        each = content["Entries"] if answer.status == 200 else [_failure(content)] * len(part.entries)
        found |= zip(part.entries, each, strict=True)
    entries = [found[index] for index in sorted(found)]
    return {"FailedEntryCount": sum("ErrorCode" in one for one in entries), "Entries": entries}


def _failure(told: Mapping[str, Any]) -> dict[str, Any]:
    code = str(told.get("__type") or "InternalFailure").rpartition("#")[2]
    return {"ErrorCode": code, "ErrorMessage": told.get("message") or told.get("Message") or code}


def _members(told: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Lists and maps of all answers, each as one."""
    found: dict[str, Any] = {}
    for one in told:
        for name, value in one.items():
            present = found.get(name)
            if isinstance(value, dict):
                found[name] = {**(present or {}), **value}
            else:
                found[name] = [*(present or ()), *(value or ())]
    return found


_PARTED: Final[Mapping[tuple[str, str], Callable[..., list[Part]]]] = {
    ("dynamodb", "BatchGetItem"): _of_tables(_MOST_KEYS, lambda given: len(given["Keys"])),
    ("dynamodb", "BatchWriteItem"): _of_tables(_MOST_WRITES, len),
    ("events", "PutEvents"): _of_events,
}
