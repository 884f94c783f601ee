"""Event: one audit record as it is handed to the store; and the hashes that chain and seal a stream of them."""

import hashlib
import hmac
import math
import struct
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec

FIRST_HASH_LABEL = b"iamd event stream"
STREAM_SHIFT = 40
"""An event's id is its stream's number shifted left by this, plus its number in the stream."""


class EventResource(NamedTuple):
    """A resource that an event names: its CloudFormation type (`AWS::IAM::User`) and its name or ARN."""

    type: str
    name: str


class Event(msgspec.Struct, frozen=True):
    """One audit record. `document` is its JSON, or the value it is made of, or what builds that value.

    A builder is called in the store's writer thread, so it must read nothing that changes after it was handed over.
    """

    event_id: str
    request_id: str
    time: float
    account: str
    name: str
    source: str
    document: bytes | Mapping[str, Any] | Callable[[], bytes | Mapping[str, Any]]
    read_only: bool = False
    user_name: str | None = None
    access_key_id: str | None = None
    resources: tuple[EventResource, ...] = ()

    def encode(self) -> bytes:
        """The JSON of the record."""
        document = self.document() if callable(self.document) else self.document
        return document if isinstance(document, bytes) else _ENCODER.encode(document)


class Facts(NamedTuple):
    """What an event is looked up by, in the order of the columns."""

    account: str
    time: float
    event_id: str
    request_id: str
    name: str
    source: str
    read_only: bool
    user_name: str | None
    access_key_id: str | None
    resources: str


class StoredEvent(NamedTuple):
    """An event as it stands in the store: its id orders it within its stream."""

    id: int
    facts: Facts
    document: bytes


_ENCODER = msgspec.json.Encoder()


def facts_of(event: Event) -> Facts:
    """What `event` is looked up by, in a form that any database can hold."""
    names = f"{event.account}{event.event_id}{event.request_id}{event.name}{event.source}{event.access_key_id}"
    resources = _resources(event.resources) if event.resources else "[]"
    if names.isascii() and (event.user_name is None or event.user_name.isascii()) and math.isfinite(event.time):
        # Nearly all: nothing needs another form.
        return Facts(
            event.account, float(event.time), event.event_id, event.request_id, event.name, event.source,
            event.read_only, event.user_name, event.access_key_id, resources,
        )  # fmt: skip
    return Facts(
        _legible(event.account),
        float(event.time) if math.isfinite(event.time) else 0.0,
        _legible(event.event_id),
        _legible(event.request_id),
        _legible(event.name),
        _legible(event.source),
        event.read_only,
        None if event.user_name is None else _legible(event.user_name),
        None if event.access_key_id is None else _legible(event.access_key_id),
        resources,
    )


@lru_cache(maxsize=256)
def _resources(resources: tuple[EventResource, ...]) -> str:
    try:
        return _ENCODER.encode(resources).decode()
    except UnicodeEncodeError:
        legible = [EventResource(_legible(kind), _legible(name)) for kind, name in resources]
        return _ENCODER.encode(legible).decode()


def _legible(text: str) -> str:
    """Text with lone surrogates spelled out: names come from requests, and must not keep an event from its stream."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def first_hash(number: int, node: str, boot: str) -> bytes:
    """The hash that the first event of a stream follows: it binds the chain to its stream."""
    return hashlib.sha256(joined(FIRST_HASH_LABEL, b"%d" % number, node.encode(), boot.encode())).digest()


def next_hash(previous: bytes, n: int, facts: Facts, document: bytes) -> bytes:
    """The hash of event `n`: of the one before it, its number, what it is looked up by, and its document."""
    number, told = b"%d" % n, _ENCODER.encode(facts)
    # As `joined` has them.
    beginning = _BEGINNING(len(previous), previous, len(number))
    # To copy a hash is cheaper than to have OpenSSL look one up.
    hashed = _NO_BYTES.copy()
    hashed.update(b"%b%b%b%b%b" % (beginning, number, _LENGTH(len(told)), told, _LENGTH(len(document))))
    for at in range(0, len(document), _PIECE):
        hashed.update(document[at : at + _PIECE])
    return hashed.digest()


_PIECE: Final = 2047
"""How much is hashed at once: for more the interpreter's lock is given away, to be waited for (hashlib, "Usage")."""
_NO_BYTES: Final = hashlib.sha256()
_LENGTH: Final = struct.Struct(">Q").pack
_BEGINNING: Final = struct.Struct(">Q32sQ").pack


def seal(key: bytes, label: str, *parts: object) -> bytes:
    """An HMAC of what `label` names; without the key nobody can make one that fits."""
    # SECURITY: the label keeps a seal of one kind from standing in for another.
    return hmac.digest(key, joined(label.encode(), *(_as_bytes(part) for part in parts)), "sha256")


def joined(*parts: bytes) -> bytes:
    """The parts in one string, each after its length, so that no two lists of parts give the same."""
    pieces: list[bytes] = []
    for part in parts:
        pieces += (len(part).to_bytes(8, "big"), part)
    return b"".join(pieces)


def _as_bytes(part: object) -> bytes:
    return part if isinstance(part, bytes) else str(part).encode()
