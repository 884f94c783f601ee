"""Backup of a running store to one file, and restore of that file to a new data folder."""

import os
import secrets
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import apsw
import argon2.low_level
from argon2.exceptions import HashingError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from iamd.store.chain import Chain
from iamd.store.connection import translated
from iamd.store.errors import Conflict, DamagedStore, Unavailable
from iamd.store.fsck import damage
from iamd.store.sqlite import DATABASE, SQLiteLog, existing_log

SEALED_KEY: Final = "sealed_key"
_LABEL: Final = b"iamd backup key v1"
_READ: Final = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
_SALT_BYTES: Final = 16
_NONCE_BYTES: Final = 12
_HEAD_BYTES: Final = _SALT_BYTES + _NONCE_BYTES


def backup(folder: Path, target: Path, *, key: bytes | None = None, passphrase: str | None = None) -> None:
    """Write the store in a data folder to the new file `target`, while a server may be writing to it.

    It holds everything that was acknowledged before this call. The sealing key, which is not in the database, is put
    in only when `key` gives the content of its file, sealed by `passphrase`. Conflict when `target` is there already.
    """
    if key is not None and not passphrase:
        raise Conflict("the sealing key is only put into a backup that a passphrase protects")
    if target.exists():
        raise Conflict(f"`{target}` is there already")
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        part.touch(mode=0o600, exist_ok=False)
        _copy(folder, part)
        if key is not None:
            _put_key(part, seal_key(key, passphrase or ""))
        _settle(part)
        # A link, unlike a rename, never takes the place of a file that came up meanwhile.
        os.link(part, target)
        _sync_folder(target.parent)
    except OSError as error:
        raise Unavailable(f"cannot write `{target}`: {error.strerror}") from error
    finally:
        with suppress(OSError):
            part.unlink()


def restore(
    source: Path,
    folder: Path,
    *,
    key: bytes | None,
    passphrase: str | None,
    audit_key_of: Callable[[bytes], bytes],
    settle: Callable[[Path, bytes], None] | None = None,
) -> bytes:
    """Make the data folder of a backup, all of it or nothing; gives the content of the sealing key's file.

    `folder` must not be there, or be empty. `key` is the content of the key file that belongs to the backup; None takes
    the one in the backup. `audit_key_of` derives the audit key, which shows whether the key belongs to the backup.
    `settle` is called with the folder and the key's content before the folder is in its place.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Conflict(f"`{folder}` is not empty; a backup is restored to a new folder")
    part = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.mkdir(mode=0o700)
        key = _fill(part, source, key, passphrase, audit_key_of)
        if settle is not None:
            settle(part, key)
        with suppress(FileNotFoundError):
            folder.rmdir()
        part.rename(folder)
        _sync_folder(folder.parent)
        return key
    except OSError as error:
        raise Unavailable(f"cannot restore to `{folder}`: {error.strerror}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def holds_key(source: Path) -> bool:
    """Whether a backup holds its sealing key; Conflict or DamagedStore when the file is none."""
    _check_is_file(source)
    with translated():
        connection = apsw.Connection(source.resolve().as_uri() + "?immutable=1", flags=_READ)
        try:
            return bool(connection.execute("SELECT count(*) FROM meta WHERE name = ?", (SEALED_KEY,)).get)
        except apsw.SQLError as error:
            raise DamagedStore("the file is no backup of iamd") from error
        finally:
            connection.close()


def seal_key(key: bytes, passphrase: str) -> bytes:
    """The key as only the passphrase opens it: Argon2id (RFC 9106, second recommended option) and AES-256-GCM."""
    salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_NONCE_BYTES)
    return salt + nonce + AESGCM(_stretched(passphrase, salt)).encrypt(nonce, key, _LABEL)


def open_key(sealed: bytes, passphrase: str) -> bytes:
    """The key that `seal_key` sealed; Conflict when the passphrase is another one."""
    salt, nonce, ciphertext = sealed[:_SALT_BYTES], sealed[_SALT_BYTES:_HEAD_BYTES], sealed[_HEAD_BYTES:]
    try:
        return AESGCM(_stretched(passphrase, salt)).decrypt(nonce, ciphertext, _LABEL)
    except (InvalidTag, ValueError, HashingError):
        raise Conflict("the passphrase does not open the sealing key in the backup") from None


def _stretched(passphrase: str, salt: bytes) -> bytes:
    return argon2.low_level.hash_secret_raw(
        passphrase.encode(), salt, time_cost=3, memory_cost=65536, parallelism=4, hash_len=32, type=argon2.Type.ID
    )


def _copy(folder: Path, target: Path) -> None:
    log = existing_log(folder)
    try:
        log.copy_to(target)
    finally:
        log.close()


def _fill(
    part: Path, source: Path, key: bytes | None, passphrase: str | None, audit_key_of: Callable[[bytes], bytes]
) -> bytes:
    _check_is_file(source)
    database = part / DATABASE
    database.touch(mode=0o600)
    shutil.copyfile(source, database)
    sealed = _take_key(database)
    if key is None:
        key = _opened_key(sealed, passphrase)
    _check(database, audit_key_of(key))
    _settle(database)
    return key


def _check_is_file(source: Path) -> None:
    if not source.is_file():
        raise Conflict(f"there is no backup at `{source}`")


def _opened_key(sealed: bytes | None, passphrase: str | None) -> bytes:
    if sealed is None:
        raise Conflict("the backup does not hold the sealing key, and none was given; without it no secret can be read")
    if not passphrase:
        raise Conflict("the sealing key in the backup is protected by a passphrase, and none was given")
    return open_key(sealed, passphrase)


def _check(database: Path, audit_key: bytes) -> None:
    log = SQLiteLog(database.resolve().as_uri())
    try:
        with log.reading() as reading:
            newest = max((stream.number for stream in reading.streams()), default=0)
            if reading.roster_seal() != Chain("", "", audit_key).roster_seal(newest):
                raise Conflict("the sealing key does not belong to this backup")
            found = damage(reading, reading.everything(), audit_key)
    finally:
        log.close()
    if found:
        raise DamagedStore(f"the backup is damaged: {found[0]}")


def _put_key(database: Path, sealed: bytes) -> None:
    with translated():
        connection = apsw.Connection(str(database))
        connection.execute("INSERT INTO meta VALUES (?, ?)", (SEALED_KEY, sealed))
        connection.close()


def _take_key(database: Path) -> bytes | None:
    with translated():
        connection = apsw.Connection(str(database))
        try:
            sealed: bytes | None = connection.execute("SELECT value FROM meta WHERE name = ?", (SEALED_KEY,)).get
            connection.execute("PRAGMA secure_delete=ON")
            connection.execute("DELETE FROM meta WHERE name = ?", (SEALED_KEY,))
            return sealed
        except apsw.SQLError as error:
            raise DamagedStore("the file is no backup of iamd") from error
        finally:
            connection.close()


def _settle(database: Path) -> None:
    """Leave everything in the one file, on the disk."""
    with translated():
        connection = apsw.Connection(str(database))
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.close()
    with database.open("rb") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
