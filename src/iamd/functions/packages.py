"""Packages of code: unpacked into folders of their own, which every process that runs the code reads."""

import asyncio
import hashlib
import io
import os
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from iamd.functions.errors import InvalidZipFile

LARGEST: Final = 250 * 1024 * 1024
"""AWS: a function with its layers, unpacked (Lambda Developer Guide, "Lambda quotas")."""


class Packages:
    """The packages that iamd has, by their digests, and what is unpacked of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._archives = folder / "archives"
        self._locks: dict[str, asyncio.Lock] = {}

    def digests(self) -> list[str]:
        """The digests of the packages that are there."""
        return [one.name for one in self._archives.iterdir()] if self._archives.is_dir() else []

    def keep(self, digest: str, content: bytes) -> None:
        """Keep a package."""
        self._archives.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self._folder)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(name).rename(self._archives / digest)

    async def unpacked(self, digests: Sequence[str]) -> Path:
        """The folder of these packages, each over the one before; InvalidZipFile when one can't be unpacked."""
        name = hashlib.sha256("\n".join(digests).encode()).hexdigest()
        async with self._locks.setdefault(name, asyncio.Lock()):
            return await asyncio.to_thread(self._unpacked, name, digests)

    def _unpacked(self, name: str, digests: Sequence[str]) -> Path:
        place = self._folder / name
        if place.is_dir():
            return place
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        making = Path(tempfile.mkdtemp(dir=self._folder))
        try:
            for digest in digests:
                unpack((self._archives / digest).read_bytes(), making)
            making.rename(place)
        except BaseException:
            shutil.rmtree(making, ignore_errors=True)
            raise
        return place

    def clear(self) -> None:
        """Remove all of it."""
        shutil.rmtree(self._folder, ignore_errors=True)


def unpack(content: bytes, folder: Path) -> None:
    """Unpack a zip file; InvalidZipFile when it is none, is too large, or leads out of its folder."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > LARGEST:
                raise InvalidZipFile(f"Unzipped size must be smaller than {LARGEST} bytes")
            for entry in entries:
                _place(archive, entry, folder)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise InvalidZipFile(f"Could not unzip uploaded file: {error}") from error


def _place(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path) -> None:
    # SECURITY: neither a name nor a link may lead out of the folder: what is unpacked is somebody's upload.
    path = PurePosixPath(entry.filename)
    if path.is_absolute() or ".." in path.parts:
        raise InvalidZipFile(f"The name {entry.filename} leads out of the package.")
    mode = entry.external_attr >> 16
    if stat.S_ISLNK(mode):
        raise InvalidZipFile(f"{entry.filename} is a symbolic link, which iamd does not unpack.")
    place = folder / path
    if entry.is_dir():
        place.mkdir(parents=True, exist_ok=True)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(entry) as source, place.open("wb") as target:
        shutil.copyfileobj(source, target)
    place.chmod(0o755 if mode & stat.S_IXUSR else 0o644)
