"""The hash-chained stream of this process's events: where it ends, and how events are added to it."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from iamd.store.events import STREAM_SHIFT, Event, Facts, StoredEvent, facts_of, first_hash, next_hash, seal
from iamd.store.log import Head, Stream, Writing

ROSTER = "streams"
HEAD = "head"
PRUNED = "pruned"


@dataclass(frozen=True, slots=True)
class End:
    """The end of a stream: its number, the number and hash of its last event, and the reset it began after."""

    stream: int
    n: int
    hash: bytes
    reset: int


class Chain:
    """What all ends of this process's streams have in common: whose they are, and the key that seals them."""

    def __init__(self, node: str, boot: str, key: bytes) -> None:
        self.node = node
        self.boot = boot
        self.key = key

    def append(
        self, writing: Writing, end: End | None, events: Iterable[tuple[Facts, bytes]], reset: int, now: float
    ) -> End | None:
        """Write events after `end`, or as the first of a new stream, and seal the last one."""
        appended = list(events)
        if not appended:
            return end
        last = end if end is not None else self._begin(writing, reset, now)
        n, digest, first = last.n, last.hash, last.stream << STREAM_SHIFT
        rows: list[tuple[StoredEvent, bytes]] = []
        for facts, document in appended:
            n += 1
            digest = next_hash(digest, n, facts, document)
            rows.append((StoredEvent(first + n, facts, document), digest))
        writing.append_events(rows)
        writing.set_head(last.stream, self.sealed(HEAD, last.stream, n, digest))
        return End(last.stream, n, digest, last.reset)

    def sealed(self, label: str, stream: int, n: int, digest: bytes) -> Head:
        """An event of a stream as its head, or as the last one that was removed."""
        return Head(n, digest, seal(self.key, label, stream, n, digest))

    def is_sealed(self, label: str, stream: Stream, head: Head) -> bool:
        """Whether a stored head carries the seal that this key gives it."""
        return head == self.sealed(label, stream.number, head.n, head.hash)

    def seal_roster(self, writing: Writing, streams: int) -> None:
        """Store the seal of how many streams there are."""
        writing.seal_roster(self.roster_seal(streams))

    def roster_seal(self, streams: int) -> bytes:
        """The seal of how many streams there are."""
        return seal(self.key, ROSTER, streams)

    def _begin(self, writing: Writing, reset: int, now: float) -> End:
        number = writing.open_stream(self.node, self.boot, int(now))
        first = first_hash(number, self.node, self.boot)
        self.seal_roster(writing, number)
        writing.set_head(number, self.sealed(HEAD, number, 0, first))
        writing.set_pruned(number, self.sealed(PRUNED, number, 0, first))
        return End(number, 0, first, reset)


def encoded(event: Event) -> tuple[Facts, bytes]:
    """What an event is looked up by, and its JSON; an error when its builder fails."""
    return facts_of(event), event.encode()


def encoded_anyway(event: Event) -> tuple[Facts, bytes]:
    """As `encoded`; when that fails, a record that says so: what happened must not go unrecorded."""
    try:
        return facts_of(event), event.encode()
    except Exception as error:  # noqa: BLE001 (whatever a builder raises ends in the record)
        facts = facts_of(event)
        return facts, msgspec.json.encode(_stand_in(facts, error))


def _stand_in(facts: Facts, error: Exception) -> dict[str, object]:
    return {
        "eventID": facts.event_id,
        "requestID": facts.request_id,
        "eventName": facts.name,
        "eventSource": facts.source,
        "recipientAccountId": facts.account,
        "errorCode": "InternalFailure",
        "errorMessage": f"the event could not be written down: {type(error).__name__}",
    }
