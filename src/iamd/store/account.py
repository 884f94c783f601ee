"""One account's state, as immutable maps of records with their indexes; and the Snapshot that readers hold."""

from collections.abc import Hashable, Iterable, Mapping
from typing import Final, TypeVar

from iamd import ids
from iamd.store.records import GLOBAL, AccessKey, Record

R = TypeVar("R", bound=Record)

REMEMBERED: Final = 16_384


class Table:
    """All records of one kind in one account: by key, and by each index that the kind declares.

    A table that a snapshot holds is never changed; `copy` makes the one that a write changes.
    """

    __slots__ = ("by_index", "by_key", "kind")

    def __init__(self, kind: type[Record]) -> None:
        self.kind = kind
        self.by_key: dict[str, Record] = {}
        self.by_index: dict[str, dict[str, tuple[str, ...]]] = {name: {} for name in kind.indexes}

    @classmethod
    def of(cls, kind: type[Record], records: Iterable[Record]) -> "Table":
        """The table of these records, which have keys of their own; the work grows with their number only."""
        table = cls(kind)
        table.by_key = {record.key: record for record in records}
        for name, index in kind.indexes.items():
            found: dict[str, list[str]] = {}
            for key, record in table.by_key.items():
                for value in index(record):
                    found.setdefault(value, []).append(key)
            table.by_index[name] = {value: tuple(keys) for value, keys in found.items()}
        return table

    def copy(self) -> "Table":
        """A table of its own with the same records."""
        other = Table.__new__(Table)
        other.kind = self.kind
        other.by_key = self.by_key.copy()
        other.by_index = {name: entries.copy() for name, entries in self.by_index.items()}
        return other

    def put(self, record: Record) -> None:
        """Hold `record`, in place of the one with the same key."""
        key = record.key
        old = self.by_key.get(key)
        for name, index in self.kind.indexes.items():
            before = index(old) if old is not None else ()
            after = index(record)
            if before != after:
                self._move(self.by_index[name], key, before, after)
        self.by_key[key] = record

    def delete(self, key: str) -> None:
        """Hold the record of this key no longer; KeyError when there is none."""
        old = self.by_key.pop(key)
        for name, index in self.kind.indexes.items():
            self._move(self.by_index[name], key, index(old), ())

    @staticmethod
    def _move(entries: dict[str, tuple[str, ...]], key: str, before: tuple[str, ...], after: tuple[str, ...]) -> None:
        for value in before:
            if value not in after:
                left = tuple(k for k in entries[value] if k != key)
                if left:
                    entries[value] = left
                else:
                    del entries[value]
        for value in after:
            if value not in before:
                entries[value] = (*entries.get(value, ()), key)


class Account:
    """One account at one revision."""

    __slots__ = ("_tables", "id")

    def __init__(self, account_id: str, tables: Mapping[type[Record], Table] | None = None) -> None:
        self.id = account_id
        self._tables: dict[type[Record], Table] = dict(tables or {})

    def get(self, kind: type[R], key: str) -> R | None:
        """The record of this key, or None."""
        table = self._tables.get(kind)
        return table.by_key.get(key) if table is not None else None  # type: ignore[return-value]

    def by_key(self, kind: type[R]) -> Mapping[str, R]:
        """The records of a kind by their keys."""
        table = self._tables.get(kind)
        return table.by_key if table is not None else {}  # type: ignore[return-value]

    def all(self, kind: type[R]) -> list[R]:
        """Every record of a kind, oldest first."""
        table = self._tables.get(kind)
        return list(table.by_key.values()) if table is not None else []  # type: ignore[arg-type]

    def count(self, kind: type[Record]) -> int:
        """How many records of a kind there are."""
        table = self._tables.get(kind)
        return len(table.by_key) if table is not None else 0

    def find(self, kind: type[R], index: str, value: str) -> list[R]:
        """The records that stand under `value` in one of the kind's indexes."""
        table = self._tables.get(kind)
        if table is None:
            return []
        by_key = table.by_key
        return [by_key[key] for key in table.by_index[index].get(value, ())]  # type: ignore[misc]

    def one(self, kind: type[R], index: str, value: str) -> R | None:
        """The only record under `value` in an index whose values are unique, or None."""
        found = self.find(kind, index, value)
        return found[0] if found else None


class _Bounded(dict[Hashable, object]):
    def __setitem__(self, key: Hashable, value: object) -> None:
        if len(self) >= REMEMBERED:
            self.clear()
        super().__setitem__(key, value)


class Snapshot:
    """All accounts at one revision; what it holds never changes."""

    __slots__ = ("_accounts", "_foreign_keys", "cache", "revision")

    def __init__(self, revision: int, accounts: Mapping[str, Account], foreign_keys: Mapping[str, str]) -> None:
        self.revision = revision
        self._accounts = accounts
        self._foreign_keys = foreign_keys
        """The accounts of access keys that were given to iamd and so don't name their account."""
        self.cache: dict[Hashable, object] = _Bounded()
        """What readers worked out of this snapshot and nothing else, by a name of their own; it ends with it.

        It forgets all when it holds REMEMBERED things, so that many callers don't make it grow without bound.
        """

    def account(self, account_id: str) -> Account | None:
        """The account, or None when this server has no such account."""
        return self._accounts.get(account_id)

    @property
    def shared(self) -> Account:
        """The records that belong to no account."""
        return self._accounts.get(GLOBAL) or Account(GLOBAL)

    def account_ids(self) -> list[str]:
        """The numbers of all accounts."""
        return sorted(account_id for account_id in self._accounts if account_id != GLOBAL)

    def has(self, kind: type[Record]) -> bool:
        """Whether any account has records of a kind."""
        return any(account.count(kind) for account in self._accounts.values())

    def access_key(self, access_key_id: str) -> tuple[Account, AccessKey] | None:
        """The long-term access key of this id, with its account."""
        owner = self._foreign_keys.get(access_key_id) or ids.account_of_key(access_key_id)
        account = self._accounts.get(owner) if owner else None
        key = account.get(AccessKey, access_key_id) if account is not None else None
        return (account, key) if account is not None and key is not None else None


def foreign_keys(accounts: Iterable[Account]) -> dict[str, str]:
    """The access keys whose ids don't name the account they belong to, with that account."""
    return {
        key.access_key_id: account.id
        for account in accounts
        for key in account.all(AccessKey)
        if ids.account_of_key(key.access_key_id) != account.id
    }
