"""Proving the audit streams: nothing in them was edited, dropped, inserted, reordered or cut off.

Each event's hash covers the one before it; the last event of each stream, the last one that was removed after its
retention, and the number of streams are sealed by HMACs. Without the key nothing can be changed unseen, except by
putting back an older copy of the database as a whole. A crash may lose the events of reads and decisions of the last
200 ms, which were never part of a stream; what a stream holds was committed together with its seal.
"""

from collections.abc import Iterator

from iamd.store.chain import HEAD, PRUNED, Chain
from iamd.store.events import STREAM_SHIFT, first_hash, next_hash
from iamd.store.log import ChainedEvent, Head, Reading, Stream


def verify(reading: Reading, audit_key: bytes) -> list[str]:
    """What is wrong with the audit streams, in one line each; nothing when they are as they were written."""
    chain = Chain("", "", audit_key)
    streams = reading.streams()
    findings = [*_of_roster(reading, chain, streams)]
    for stream in streams:
        findings += _of_stream(reading, chain, stream)
    return [*findings, *_of_loose_rows(reading, streams)]


def _of_roster(reading: Reading, chain: Chain, streams: list[Stream]) -> Iterator[str]:
    numbers = [stream.number for stream in streams]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"audit: streams are missing: there are {_shown(numbers)}"
    if reading.roster_seal() != chain.roster_seal(numbers[-1] if numbers else 0):
        yield "audit: the seal of the number of streams does not fit: streams were removed or added"


def _of_stream(reading: Reading, chain: Chain, stream: Stream) -> Iterator[str]:
    name = f"audit: stream {stream.number}"
    if not chain.is_sealed(HEAD, stream, stream.head):
        yield f"{name}: the seal of its last event does not fit"
    if not chain.is_sealed(PRUNED, stream, stream.pruned):
        yield f"{name}: the seal of the events that were removed does not fit"
    first = Head(0, first_hash(stream.number, stream.node, stream.boot), b"")
    if stream.pruned.n == 0 and stream.pruned.hash != first.hash:
        yield f"{name}: it does not begin with its own first hash"
    end = stream.pruned
    for event in reading.chain(stream.number):
        yield from _of_event(name, end, event)
        end = Head(_number(event), event.hash, b"")
    if (end.n, end.hash) != (stream.head.n, stream.head.hash):
        yield f"{name}: it ends with event {end.n}, and its last one is {stream.head.n}"


def _of_event(name: str, before: Head, event: ChainedEvent) -> Iterator[str]:
    n = _number(event)
    if n != before.n + 1:
        yield f"{name}: event {n} follows event {before.n}"
    if event.facts is None:
        yield f"{name}: event {n} can't be looked up any more"
    elif next_hash(before.hash, n, event.facts, event.document) != event.hash:
        yield f"{name}: event {n} is not what was written"


def _of_loose_rows(reading: Reading, streams: list[Stream]) -> Iterator[str]:
    if reading.loose_keys():
        yield "audit: there are rows to look up events that don't exist"
    if reading.events_beyond([stream.number for stream in streams]):
        yield "audit: there are events of streams that don't exist"


def _number(event: ChainedEvent) -> int:
    return event.id & ((1 << STREAM_SHIFT) - 1)


def _shown(numbers: list[int]) -> str:
    return ", ".join(str(number) for number in numbers) or "none"
