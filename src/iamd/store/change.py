"""Change: the state as a snapshot shows it, open for one write; it collects what to append."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from iamd import ids
from iamd.store.account import Account, Snapshot, Table
from iamd.store.events import Event
from iamd.store.records import GLOBAL, AccessKey, Record


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the change log: the record as it is now, or None when it was deleted."""

    account: str
    kind: str
    key: str
    record: Record | None


class Draft(Account):
    """An account that a change may write to: its tables are the snapshot's until they are first written."""

    __slots__ = ("_own",)

    def __init__(self, account: Account) -> None:
        super().__init__(account.id, account._tables)  # noqa: SLF001 (a Draft is an Account)
        self._own: set[type[Record]] = set()

    def writable(self, kind: type[Record]) -> Table:
        """This draft's own table of a kind."""
        if kind not in self._own:
            before = self._tables.get(kind)
            self._tables[kind] = before.copy() if before is not None else Table(kind)
            self._own.add(kind)
        return self._tables[kind]

    def is_empty(self) -> bool:
        """Whether no record is left."""
        return not any(table.by_key for table in self._tables.values())

    def freeze(self) -> Account:
        """The account as it is now, for a snapshot."""
        return Account(self.id, self._tables)


@dataclass(frozen=True, slots=True)
class OneUse:
    """Something that may be used once, with when it may be forgotten; forgotten at once when `expires` is None.

    Without a key it is everything of its kind.
    """

    kind: str
    key: str | None
    expires: int | None


class Change:
    """One write in the making: reads see what it has written, nobody else does until it is committed."""

    def __init__(self, base: Snapshot, used_until: Callable[[str, str], int | None] | None = None) -> None:
        self.base = base
        self.entries: list[Entry] = []
        self.events: list[Event] = []
        self.uses: list[OneUse] = []
        self._used_until = used_until
        self._drafts: dict[str, Draft] = {}

    @property
    def seen(self) -> "Snapshot | Change":
        """What reads see: while nothing is written, the snapshot, with all that it remembers."""
        return self if self._drafts else self.base

    @property
    def revision(self) -> int:
        """The revision that this change builds on."""
        return self.base.revision

    def account(self, account_id: str) -> Account | None:
        """The account as this change sees it."""
        draft = self._drafts.get(account_id)
        return draft if draft is not None else self.base.account(account_id)

    @property
    def shared(self) -> Account:
        """The records that belong to no account, as this change sees them."""
        return self._drafts.get(GLOBAL) or self.base.shared

    def account_ids(self) -> list[str]:
        """The numbers of all accounts as this change sees them."""
        return sorted({*self.base.account_ids(), *self._drafts} - {GLOBAL})

    def access_key(self, access_key_id: str) -> tuple[Account, AccessKey] | None:
        """The long-term access key of this id as this change sees it, with its account."""
        for draft in self._drafts.values():
            key = draft.get(AccessKey, access_key_id)
            if key is not None:
                return draft, key
        found = self.base.access_key(access_key_id)
        return None if found is not None and found[0].id in self._drafts else found

    def draft(self, account_id: str) -> Draft:
        """The account, open for writing; a new one when there is none yet."""
        draft = self._drafts.get(account_id)
        if draft is None:
            draft = self._drafts[account_id] = Draft(self.base.account(account_id) or Account(account_id))
        return draft

    def put(self, account_id: str, record: Record) -> None:
        """Write a record, in place of the one with the same kind and key."""
        self.draft(account_id).writable(type(record)).put(record)
        self.entries.append(Entry(account_id, record.kind, record.key, record))

    def delete(self, account_id: str, record: Record) -> None:
        """Delete a record that exists."""
        self.draft(account_id).writable(type(record)).delete(record.key)
        self.entries.append(Entry(account_id, record.kind, record.key, None))

    def record_event(self, event: Event) -> None:
        """Commit an audit event together with this change, after the events recorded before it."""
        self.events.append(event)

    def use_once(self, kind: str, key: str, expires: int) -> bool:
        """Remember until `expires` (seconds since the epoch) that this was used; False when it was used before."""
        if self.was_used(kind, key):
            return False
        self.uses.append(OneUse(kind, key, expires))
        return True

    def was_used(self, kind: str, key: str) -> bool:
        """Whether this was used, and is not forgotten yet."""
        return self.used_until(kind, key) is not None

    def used_until(self, kind: str, key: str) -> int | None:
        """Until when it is remembered that this was used, be that past; None when it was not, or is forgotten."""
        for use in reversed(self.uses):
            if use.kind == kind and use.key in {key, None}:
                return use.expires
        return self._used_until(kind, key) if self._used_until is not None else None

    def delete_used(self, kind: str, key: str | None = None) -> None:
        """Forget that this was used; everything of this kind when no key is given."""
        self.uses.append(OneUse(kind, key, None))

    def discard(self) -> None:
        """Forget the records written so far: the operation failed. Its events and what it used stay."""
        # SECURITY: a code that was accepted once must not be accepted again because what followed was refused.
        self.entries.clear()
        self._drafts.clear()

    def snapshot(self, revision: int) -> Snapshot:
        """The state with this change in it, as `revision`; an account without any record is gone."""
        accounts = dict(self.base._accounts)  # noqa: SLF001 (a Change makes the next Snapshot)
        accounts.update((draft.id, draft.freeze()) for draft in self._drafts.values())
        for draft in self._drafts.values():
            if draft.is_empty():
                del accounts[draft.id]
        return Snapshot(revision, accounts, self._foreign_keys())

    def _foreign_keys(self) -> Mapping[str, str]:
        known = self.base._foreign_keys  # noqa: SLF001 (as above)
        foreign = [
            entry
            for entry in self.entries
            if entry.kind == AccessKey.kind and ids.account_of_key(entry.key) != entry.account
        ]
        return _with_foreign(known, foreign) if foreign else known


def _with_foreign(known: Mapping[str, str], entries: list[Entry]) -> Mapping[str, str]:
    changed = dict(known)
    for entry in entries:
        if entry.record is None:
            changed.pop(entry.key, None)
        else:
            changed[entry.key] = entry.account
    return changed
