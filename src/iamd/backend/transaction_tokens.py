"""Transactions of moto's DynamoDB that are asked for again with the same token are done once.

AWS: DynamoDB API Reference, TransactWriteItems, ClientRequestToken: it makes the call idempotent for ten minutes after
the first one is completed, and with other parameters beside it the answer is IdempotentParameterMismatchException;
ExecuteTransaction has the same. SDKs send one with every transaction, and the same again when they try again.
"""

import hashlib
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import msgspec
from moto.dynamodb.exceptions import DynamodbException
from moto.dynamodb.responses import DynamoHandler

from iamd.backend.replacement import replace

_TOKEN: Final = "ClientRequestToken"
_TOLD: Final = frozenset({_TOKEN, "ReturnConsumedCapacity", "ReturnItemCollectionMetrics"})
"""What says nothing of the transaction itself."""
_SECONDS: Final = 600
_DONE: Final = "done_transactions"
_DOING: Final = threading.Lock()
_MISMATCH: Final = "DynamoDB rejected the request because you retried a request with a different payload but with an"
_ENCODER: Final = msgspec.json.Encoder(order="deterministic", enc_hook=repr)


class Mismatch(DynamodbException):
    """Another transaction with a token that was used."""

    def __init__(self) -> None:
        kind = "com.amazonaws.dynamodb.v20120810#IdempotentParameterMismatchException"
        super().__init__(kind, f"{_MISMATCH} idempotent token that was already used.")


class _Done(msgspec.Struct):
    digest: bytes
    answer: Any
    until: float


def install() -> None:
    """Look at the token first."""
    for name in ("transact_write_items", "execute_transaction"):
        replace(DynamoHandler, name, partial(_once, name))


def _once(name: str, original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def transact(response: Any) -> Any:
        token = response.body.get(_TOKEN)
        if not token:
            return original(response)
        # SECURITY: of two at a time the second finds what the first has done.
        with _DOING:
            done, now = _kept(response.dynamodb_backend), time.monotonic()
            digest, found = _digest(response.body), done.get((name, token))
            if found is not None:
                if found.digest != digest:
                    raise Mismatch
                return found.answer
            answer = original(response)
            done[name, token] = _Done(digest, answer, now + _SECONDS)
            return answer

    return transact


def _digest(body: dict[str, Any]) -> bytes:
    asked = {name: value for name, value in body.items() if name not in _TOLD}
    return hashlib.sha256(_ENCODER.encode(asked)).digest()


def _kept(backend: Any) -> dict[tuple[str, str], _Done]:
    """The transactions that were done lately; with their backend they are forgotten."""
    now, kept = time.monotonic(), getattr(backend, _DONE, {})
    found = {key: one for key, one in kept.items() if one.until > now}
    setattr(backend, _DONE, found)
    return found
