"""The file of the sealing keys: one line per key, oldest first, each `id base64`; readable by its owner alone."""

import base64
import binascii
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from iamd.auth.sealing import Keyring, SealingKey

_LONGEST = 64 * 1024


class KeyFileError(Exception):
    """The key file is missing, readable by others, or not of the form that iamd writes; the text names the file."""


def load(path: Path) -> Keyring:
    """Read the keyring; FileNotFoundError when there is no such file, KeyFileError when it must not be trusted."""
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & 0o077:
            raise KeyFileError(f"key file `{path}` has mode {mode:04o}, but only its owner may read it (chmod 600)")
        found = file.read(_LONGEST + 1)
    try:
        return parsed(found)
    except ValueError as error:
        raise KeyFileError(f"key file `{path}` is damaged: {error}") from None


def parsed(content: bytes) -> Keyring:
    """The keyring that a key file's content is; ValueError when it is none."""
    if len(content) > _LONGEST:
        raise ValueError("it is too long")
    return Keyring([_key(number, line) for number, line in enumerate(content.splitlines(), 1)])


def _key(number: int, line: bytes) -> SealingKey:
    # The text of an error never holds the line: it is a secret.
    parts = line.split(b" ")
    if len(parts) != 2:
        raise ValueError(f"line {number} is not an id and a key")
    try:
        return SealingKey(binascii.unhexlify(parts[0]), base64.b64decode(parts[1], validate=True))
    except (binascii.Error, ValueError):
        raise ValueError(f"line {number} is not an id and a key") from None


def create(path: Path) -> Keyring:
    """Write a fresh keyring; FileExistsError, and nothing touched, when the file is there already."""
    keyring = Keyring.generate()
    save(path, keyring)
    return keyring


def save(path: Path, keyring: Keyring) -> None:
    """Write a keyring to a new file; FileExistsError, and nothing touched, when the file is there already."""
    _write(path, keyring, os.link)


def load_or_create(path: Path) -> Keyring:
    """Read the keyring, or write a fresh one where there is none; of several processes, one writes and all read it."""
    try:
        return load(path)
    except FileNotFoundError:
        pass
    try:
        return create(path)
    except FileExistsError:
        return load(path)


def replace(path: Path, keyring: Keyring) -> None:
    """Put a rotated keyring in the file's place; after a crash the file holds either the old or the new one."""
    _write(path, keyring, os.replace)


def _write(path: Path, keyring: Keyring, into_place: Callable[[Path, Path], None]) -> None:
    """Write and sync a file beside `path`, then move it there: no reader ever sees half of it."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content(keyring))
            file.flush()
            os.fsync(file.fileno())
        into_place(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def content(keyring: Keyring) -> bytes:
    """What a key file of these keys holds."""
    return b"".join([key.id.hex().encode() + b" " + base64.b64encode(key.secret) + b"\n" for key in keyring.keys])
