"""The few calls that a database must answer: read the state, lock and append, and find events again."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from iamd.store.events import Facts, StoredEvent


class Row(NamedTuple):
    """A stored record."""

    account: str
    kind: str
    key: str
    document: bytes


class Written(NamedTuple):
    """One line of what a revision changed; no document when the record was deleted."""

    account: str
    kind: str
    key: str
    document: bytes | None


class Position(NamedTuple):
    """Where the store stands: its newest revision, and the revision of its last reset (0 when there was none)."""

    revision: int
    reset: int


@dataclass(frozen=True, slots=True)
class State:
    """The whole state at a position; rows in the order in which they were first written."""

    position: Position
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Delta:
    """What changed since a revision: first `deleted` go, then `rows` are put; `deleted` may name what isn't there."""

    position: Position
    deleted: Sequence[tuple[str, str, str]]
    rows: Sequence[Row]


class Use(NamedTuple):
    """When, where and for what a key or a role was last used."""

    time: int
    region: str
    service: str


UseKey = tuple[str, str, str]
"""Account, kind and key of what was used."""


class Head(NamedTuple):
    """The last event of a stream: its number, its hash, and the seal of both."""

    n: int
    hash: bytes
    seal: bytes


class Stream(NamedTuple):
    """One start of a process, as it stands in the store: `head` was committed last, up to `pruned` is removed."""

    number: int
    node: str
    boot: str
    head: Head
    pruned: Head


class ChainedEvent(NamedTuple):
    """An event as it stands in its stream; no facts when the row that it is looked up by is missing."""

    id: int
    facts: Facts | None
    document: bytes
    hash: bytes


class Access(NamedTuple):
    """The last time that somebody asked for an action, whatever came of it; `where` is the region.

    `who` is the unique id of the user or role that asked, by a session too, or for a root user the account's number.
    """

    who: str
    action: str
    time: int
    where: str


class Denial(NamedTuple):
    """What somebody was denied, or would have been where denials are only told, so many times.

    `who` is the ARN of the user or role that asked, by a session too, or the service that did; empty for who is not
    known. `request_id` and `decision`, the JSON that the event has of it, are of the last time.
    """

    who: str
    action: str
    resource: str
    is_only_told: bool
    times: int
    time: int
    request_id: str
    decision: str


EventPosition = tuple[float, int]
"""Time and id of an event: where a page of a look-up ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which events of an account a look-up finds.

    `equal` maps fields of Facts to the value they must have; both resource fields must hold for one resource.
    """

    account: str
    equal: Mapping[str, str | bool]
    resource_type: str | None = None
    resource_name: str | None = None
    start: float | None = None
    end: float | None = None
    newest_first: bool = True
    after: EventPosition | None = None
    limit: int = 50


class Reading(Protocol):
    """What can be asked at any time."""

    def everything(self) -> State:
        """The whole state, at one position."""
        ...

    def since(self, revision: int) -> Delta | None:
        """What changed after `revision`, or None when only `everything` can tell."""
        ...

    def look_up(self, query: Query) -> list[StoredEvent]:
        """The events that a query finds, in its order."""
        ...

    def by_request_id(self, request_id: str, account: str | None) -> list[StoredEvent]:
        """The events of a request, oldest first."""
        ...

    def accesses(self, account: str, since: float) -> list[Access]:
        """What the account's principals asked for since then, as its events tell; each action once for each of them."""
        ...

    def denials(self, account: str, since: float) -> list[Denial]:
        """What was denied since then, as an account's events tell; what happened most often stands first."""
        ...

    def last_used(self, key: UseKey) -> Use | None:
        """The last use that was stored."""
        ...

    def streams(self) -> list[Stream]:
        """Every stream, oldest first."""
        ...

    def roster_seal(self) -> bytes | None:
        """The seal of the number of the newest stream."""
        ...

    def loose_keys(self) -> int:
        """How many look-up rows there are beyond those of the events."""
        ...

    def events_beyond(self, streams: Sequence[int]) -> int:
        """How many events there are of other streams than these."""
        ...

    def integrity(self) -> list[str]:
        """What the database itself finds wrong with its files."""
        ...

    def oldest_change(self) -> int:
        """The oldest revision of which the change log tells; 0 when it is empty."""
        ...

    def logged_revisions(self) -> int:
        """Of how many revisions the change log tells."""
        ...

    def chain(self, stream: int) -> Iterator[ChainedEvent]:
        """The events of a stream, in order."""
        ...


class Writing(Reading, Protocol):
    """What can be asked while the one write lock is held; all of it is committed together or not at all."""

    def position(self) -> Position:
        """Where the store stands."""
        ...

    def append(self, revisions: Iterable[tuple[int, Iterable[Written]]]) -> None:
        """Write records as the next revisions, each with its number."""
        ...

    def mark_first_state(self) -> None:
        """Have a reset go back to the records as they are now; the first revision does this by itself."""
        ...

    def reset(self, revision: int) -> None:
        """Go back to the first state, as the next revision; everything that is no record is forgotten."""
        ...

    def used_until(self, kind: str, key: str) -> int | None:
        """When it may be forgotten that this was used; None when it was not, or is forgotten."""
        ...

    def use(self, kind: str, key: str, expires: int) -> None:
        """Remember that this was used."""
        ...

    def delete_used(self, kind: str, key: str | None) -> None:
        """Forget one use, or all of a kind."""
        ...

    def note_uses(self, uses: Mapping[UseKey, Use]) -> None:
        """Store last uses, unless newer ones are stored."""
        ...

    def open_stream(self, node: str, boot: str, started: int) -> int:
        """Begin a stream and return its number; its head must be set before the commit."""
        ...

    def seal_roster(self, seal: bytes) -> None:
        """Store the seal of the number of the newest stream."""
        ...

    def append_events(self, events: Iterable[tuple[StoredEvent, bytes]]) -> None:
        """Write events, each with its hash, after those of their stream."""
        ...

    def set_head(self, stream: int, head: Head) -> None:
        """Store the last event of a stream."""
        ...

    def set_pruned(self, stream: int, pruned: Head) -> None:
        """Store up to which event a stream is removed, and remove them."""
        ...

    def last_before(self, stream: int, time: float, limit: int) -> tuple[int, bytes] | None:
        """Number and hash of the last of the first `limit` events that all are older than `time`, if any is."""
        ...

    def forget(self, now: int, keep_revisions: int) -> None:
        """Delete uses that expired by `now`, and lines of the change log beyond the newest `keep_revisions`."""
        ...


class Log(Protocol):
    """A database."""

    def reading(self) -> AbstractContextManager[Reading]:
        """One consistent view of what is committed."""
        ...

    def reading_apart(self) -> AbstractContextManager[Reading]:
        """As `reading`, for what takes long: other readings don't wait for it."""
        ...

    def writing(self) -> AbstractContextManager[Writing]:
        """The write lock: committed when the block ends, rolled back when it raises; Unavailable when it can't be."""
        ...

    def close(self) -> None:
        """End; nothing may be asked after it."""
        ...
