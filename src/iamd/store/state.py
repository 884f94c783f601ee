"""Snapshots out of stored rows: the whole state, or what changed since a snapshot."""

import msgspec

from iamd.store.account import Account, Snapshot, Table
from iamd.store.account import foreign_keys as foreign_keys_of
from iamd.store.change import Change, Entry
from iamd.store.errors import DamagedStore, NewerStore
from iamd.store.kinds import KINDS, decode, encode
from iamd.store.loading import Loading
from iamd.store.log import Delta, Row, State, Written
from iamd.store.records import Record

EMPTY = Snapshot(0, {}, {})
"""The state of a store in which nothing was ever written."""


def snapshot_of(state: State, loading: Loading | None = None) -> Snapshot:
    """The snapshot that these rows make; NewerStore or DamagedStore when one of them can't be read.

    `loading` says how far it has come.
    """
    records: dict[str, dict[type[Record], list[Record]]] = {}
    for row in state.rows if loading is None else loading.watched(state.rows):
        record = record_of(row)
        records.setdefault(row.account, {}).setdefault(type(record), []).append(record)
    accounts = {
        account_id: Account(account_id, {kind: Table.of(kind, of_kind) for kind, of_kind in of_account.items()})
        for account_id, of_account in records.items()
    }
    return Snapshot(state.position.revision, accounts, foreign_keys_of(accounts.values()))


def advanced(snapshot: Snapshot, delta: Delta) -> Snapshot:
    """The snapshot with what changed since; it equals the one that the writing process made."""
    change = Change(snapshot)
    for account_id, kind, key in delta.deleted:
        _delete(change, account_id, kind, key)
    for row in delta.rows:
        change.put(row.account, record_of(row))
    return change.snapshot(delta.position.revision)


def record_of(row: Row) -> Record:
    """The record in a row."""
    if row.kind not in KINDS:
        raise NewerStore(f"the database holds records of the kind `{row.kind}`, which this iamd does not know")
    try:
        return decode(row.kind, row.document)
    except (msgspec.DecodeError, UnicodeDecodeError, TypeError) as error:
        raise DamagedStore(f"the {row.kind} `{row.key}` in the database can't be read: {error}") from error


def written(entries: list[Entry]) -> list[Written]:
    """A change's entries as the database keeps them: each record once, as it is after the last."""
    return [
        Written(entry.account, entry.kind, entry.key, None if entry.record is None else encode(entry.record))
        for entry in entries
    ]


def _delete(change: Change, account_id: str, kind: str, key: str) -> None:
    account = change.account(account_id)
    record = account.get(KINDS[kind], key) if account is not None and kind in KINDS else None
    if record is not None:
        change.delete(account_id, record)
