"""A backup holds all that was acknowledged; a restore makes all of it or nothing."""

import hashlib
import stat

import apsw
import pytest
from store.making import account, event, open_store, put, user, users

from iamd.store.backup import backup, open_key, restore, seal_key
from iamd.store.errors import Conflict, DamagedStore, Unavailable
from iamd.store.fsck import check

KEY_FILE = b"0123 the content of the key file\n"


def audit_key_of(content):
    return hashlib.sha256(content).digest()


@pytest.fixture
def store(tmp_path):
    opened = open_store(tmp_path / "data", audit_key=audit_key_of(KEY_FILE))
    opened.write(put(account())).result()
    opened.write(put(user(1))).result()
    opened.record_event(event(1))
    opened.flush()
    yield opened
    opened.close()


@pytest.fixture
def saved(store, tmp_path):
    backup(tmp_path / "data", tmp_path / "backup")
    return tmp_path / "backup"


@pytest.fixture
def saved_with_key(store, tmp_path):
    backup(tmp_path / "data", tmp_path / "with-key", key=KEY_FILE, passphrase="open sesame")
    return tmp_path / "with-key"


def restored(source, folder, key=KEY_FILE, passphrase=None):
    return restore(source, folder, key=key, passphrase=passphrase, audit_key_of=audit_key_of)


def test_restored_store_is_as_it_was(saved, tmp_path):
    assert restored(saved, tmp_path / "new") == KEY_FILE
    assert check(tmp_path / "new", audit_key_of(KEY_FILE)) == []
    new = open_store(tmp_path / "new", audit_key=audit_key_of(KEY_FILE))
    assert users(new) == ["user-1"]
    assert new.snapshot().revision == 2
    assert len(new.by_request_id("request-1")) == 1
    assert new.write(put(user(2))).result() == 2
    new.close()


def test_backup_holds_every_write_acknowledged_before_it(store, tmp_path):
    """STO-01: also while others go on writing."""
    for number in range(10, 20):
        store.write(put(user(number))).result()
        later = [store.write(put(user(100 * number + n))) for n in range(20)]
        backup(tmp_path / "data", tmp_path / f"backup-{number}")
        restored(tmp_path / f"backup-{number}", tmp_path / f"new-{number}")
        assert check(tmp_path / f"new-{number}", audit_key_of(KEY_FILE)) == []
        new = open_store(tmp_path / f"new-{number}", audit_key=audit_key_of(KEY_FILE))
        assert f"user-{number}" in users(new)
        new.close()
        assert [future.exception() for future in later] == [None] * 20


def test_backup_is_one_file_for_its_owner_alone(saved, saved_with_key, tmp_path):
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup", "data", "with-key"]
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600


def test_backup_holds_no_key_unless_asked(saved, saved_with_key):
    assert KEY_FILE.strip() not in saved.read_bytes()
    assert KEY_FILE.strip() not in saved_with_key.read_bytes()


def test_key_is_only_put_in_under_a_passphrase(store, tmp_path):
    with pytest.raises(Conflict, match="a passphrase protects"):
        backup(tmp_path / "data", tmp_path / "backup", key=KEY_FILE)
    assert not (tmp_path / "backup").exists()


def test_backup_replaces_no_file(saved, store, tmp_path):
    before = saved.read_bytes()
    with pytest.raises(Conflict, match="is there already"):
        backup(tmp_path / "data", saved)
    assert saved.read_bytes() == before


def test_backup_to_nowhere_is_refused(store, tmp_path):
    with pytest.raises(Unavailable, match="cannot write"):
        backup(tmp_path / "data", tmp_path / "missing" / "backup")


def test_backup_of_nothing_is_refused(tmp_path):
    with pytest.raises(DamagedStore, match="there is no database"):
        backup(tmp_path, tmp_path / "backup")
    assert list(tmp_path.iterdir()) == []


def test_key_in_the_backup_is_restored_with_its_passphrase(saved_with_key, tmp_path):
    assert restored(saved_with_key, tmp_path / "new", key=None, passphrase="open sesame") == KEY_FILE
    connection = apsw.Connection(str(tmp_path / "new" / "iamd.db"))
    assert connection.execute("SELECT count(*) FROM meta WHERE name = 'sealed_key'").get == 0
    connection.close()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"key": None}, "the sealing key in the backup is protected by a passphrase, and none was given"),
        ({"key": None, "passphrase": "sesame"}, "the passphrase does not open the sealing key"),
        ({"key": b"another key"}, "the sealing key does not belong to this backup"),
    ],
)
def test_restore_without_the_right_key_leaves_nothing(saved_with_key, tmp_path, options, why):
    before = sorted(tmp_path.iterdir())
    with pytest.raises(Conflict, match=why):
        restored(saved_with_key, tmp_path / "new", **options)
    assert sorted(tmp_path.iterdir()) == before


def test_restore_without_any_key_says_so(saved, tmp_path):
    with pytest.raises(Conflict, match="does not hold the sealing key, and none was given"):
        restored(saved, tmp_path / "new", key=None)
    assert not (tmp_path / "new").exists()


def test_restore_to_an_empty_folder_works_and_to_another_does_not(saved, tmp_path):
    (tmp_path / "empty").mkdir()
    restored(saved, tmp_path / "empty")
    before = (tmp_path / "data" / "iamd.db").read_bytes()
    for folder in ("data", "empty"):
        with pytest.raises(Conflict, match="is not empty"):
            restored(saved, tmp_path / folder)
    assert (tmp_path / "data" / "iamd.db").read_bytes() == before


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"not a backup",
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: content.replace(b'{"number":1}', b'{"number":2}'),
        lambda content: content.replace(b'"user_id"', b'"used_id"'),
    ],
)
def test_damaged_backup_is_refused_and_leaves_nothing(saved, tmp_path, damage):
    saved.write_bytes(damage(saved.read_bytes()))
    before = sorted(tmp_path.iterdir())
    with pytest.raises((DamagedStore, Conflict)):
        restored(saved, tmp_path / "new")
    assert sorted(tmp_path.iterdir()) == before


def test_missing_backup_is_refused(tmp_path):
    with pytest.raises(Conflict, match="there is no backup"):
        restored(tmp_path / "missing", tmp_path / "new")


def test_sealed_key_opens_with_its_passphrase_only():
    sealed = seal_key(KEY_FILE, "one")
    assert open_key(sealed, "one") == KEY_FILE
    assert sealed != seal_key(KEY_FILE, "one")
    for other, passphrase in [(sealed, "two"), (sealed[:-1] + bytes([sealed[-1] ^ 1]), "one"), (b"", "one")]:
        with pytest.raises(Conflict, match="does not open"):
            open_key(other, passphrase)
