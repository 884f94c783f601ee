"""A body that waits until it is verified: in memory while it is small, else in a file without a name."""

import tempfile
from collections.abc import AsyncIterator
from typing import IO, Final

from iamd.errors import Common, CommonError

IN_MEMORY: Final = 1024 * 1024
_PIECE: Final = 256 * 1024


class Spool:
    """Bytes in order of arrival. The file has no name and mode 0600, so it ends with the process that wrote it."""

    def __init__(self, folder: str | None = None) -> None:
        self._folder = folder
        self._memory = bytearray()
        self._file: IO[bytes] | None = None

    def add(self, piece: bytes) -> None:
        """Take more; the service is unavailable when the disk is full."""
        if self._file is None and len(self._memory) + len(piece) <= IN_MEMORY:
            self._memory += piece
            return
        try:
            self._spill().write(piece)
        except OSError as error:
            self.close()
            raise CommonError(Common.UNAVAILABLE, "There is no room for the request body.") from error

    def _spill(self) -> IO[bytes]:
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - closed by `close`
            self._file.write(self._memory)
            self._memory.clear()
        return self._file

    def content(self) -> bytes | AsyncIterator[bytes]:
        """Give what was taken, once."""
        if self._file is None:
            return bytes(self._memory)
        return self._pieces(self._file)

    async def _pieces(self, file: IO[bytes]) -> AsyncIterator[bytes]:
        file.seek(0)
        while piece := file.read(_PIECE):
            yield piece

    def close(self) -> None:
        """Give back what it holds."""
        self._memory.clear()
        if self._file is not None:
            self._file.close()
            self._file = None
