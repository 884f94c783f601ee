"""A pack: one file with a small index, read at once, and compressed blocks, read one at a time.

Layout: 8 bytes of magic, two 32-bit lengths, then the block table, the index, and the blocks. The table gives each
block's compressed and full length; all but the blocks is MessagePack under zlib. A block is zlib or xz.
"""

import lzma
import struct
import zlib
from collections.abc import Iterable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

MAGIC = b"IAMDPAK1"
_LENGTHS = struct.Struct(">II")
_XZ = b"\xfd7zXZ\x00"

Index = TypeVar("Index")


class DamagedPack(Exception):
    """A pack that is cut short or altered; it is part of the installed package, so only a new installation helps."""


class Pack(Generic[Index]):
    """A pack on disk: its index in memory, its blocks left where they are."""

    __slots__ = ("_lengths", "_path", "_starts", "index")

    def __init__(self, path: Path, index_type: type[Index]) -> None:
        self._path = path
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise DamagedPack(f"`{path.name}` is not a pack")
            table_length, index_length = _LENGTHS.unpack(_exactly(file.read(_LENGTHS.size), _LENGTHS.size))
            table = _inflated(_exactly(file.read(table_length), table_length))
            index = _inflated(_exactly(file.read(index_length), index_length))
            first = file.tell()
        rows = msgspec.msgpack.decode(table, type=list[tuple[int, int]])
        self.index = msgspec.msgpack.decode(index, type=index_type)
        self._lengths = rows
        self._starts = list(accumulate((row[0] for row in rows), initial=first))

    def block(self, number: int) -> bytes:
        """The block's content, inflated; nothing of it stays in memory here."""
        stored, full = self._lengths[number]
        with self._path.open("rb") as file:
            file.seek(self._starts[number])
            content = _inflated(_exactly(file.read(stored), stored))
        return _exactly(content, full)


def write(path: Path, index: object, blocks: Sequence[bytes]) -> None:
    """Write a pack; the same index and blocks give the same bytes, whatever the day and the machine's name."""
    stored = [_deflated(block) for block in blocks]
    table = [(len(packed), len(block)) for packed, block in zip(stored, blocks, strict=True)]
    head = [zlib.compress(msgspec.msgpack.encode(part), 9) for part in (table, index)]
    path.write_bytes(b"".join(_file(head, stored)))


def _file(head: list[bytes], blocks: list[bytes]) -> Iterable[bytes]:
    yield MAGIC
    yield _LENGTHS.pack(len(head[0]), len(head[1]))
    yield from head
    yield from blocks


def _deflated(content: bytes) -> bytes:
    # xz finds repeats beyond zlib's window of 32 KiB, which is what versions of one long document are; for short
    # content zlib is smaller and several times quicker to inflate.
    if len(content) <= 2**16:
        return zlib.compress(content, 9)
    return lzma.compress(content, lzma.FORMAT_XZ, lzma.CHECK_CRC32, preset=9 | lzma.PRESET_EXTREME)


def _inflated(content: bytes) -> bytes:
    try:
        return lzma.decompress(content) if content.startswith(_XZ) else zlib.decompress(content)
    except (lzma.LZMAError, zlib.error) as error:
        raise DamagedPack(f"a pack's content does not inflate: {error}") from error


def _exactly(content: bytes, length: int) -> bytes:
    if len(content) != length:
        raise DamagedPack(f"a pack is cut short: {len(content)} bytes where {length} should be")
    return content
