"""A disk that can fail, fill up, and lose its power: SQLite VFSs over the real files."""

# ruff: noqa: N802 (SQLite names these methods)

import random
import threading
from pathlib import Path

import apsw

SECTOR = 512


class Disk(apsw.VFS):
    """Knows of each file what is on the platter (synced) and what is only in the cache (written since)."""

    def __init__(self, name):
        super().__init__(name, "")
        self.name = name
        self.full = False
        self.broken = False
        self.lock = threading.RLock()
        self.synced: dict[str, bytearray] = {}
        self.unsynced: dict[str, list[tuple[int, bytes | None]]] = {}
        self.operations = 0
        self.syncs = 0
        self.before_operation = lambda: None

    def xOpen(self, name, flags):
        return File(self, name, flags)

    def xDelete(self, filename, syncdir):
        super().xDelete(filename, syncdir)
        with self.lock:
            self.synced.pop(filename, None)
            self.unsynced.pop(filename, None)

    def operation(self):
        self.operations += 1
        self.before_operation()

    def after_power_cut(self, mode, chance):
        """Each file as it may be found then: `none`, `all` or a random part of the unsynced sectors made it."""
        with self.lock:
            return {Path(path).name: self._remains(path, mode, chance) for path in self.synced}

    def _remains(self, path, mode, chance):
        content = bytearray(self.synced[path])
        for offset, data in self.unsynced[path]:
            if mode == "none" or (data is None and mode == "some" and chance.random() < 0.5):
                continue
            if data is None:
                del content[offset:]
                continue
            for start in range(0, len(data), SECTOR):
                if mode == "all" or chance.random() < 0.5:
                    put(content, offset + start, data[start : start + SECTOR])
        return bytes(content)


class File(apsw.VFSFile):
    def __init__(self, disk, name, flags):
        self.disk = disk
        self.path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        super().__init__("", name, flags)
        with disk.lock:
            disk.synced.setdefault(self.path, bytearray())
            disk.unsynced.setdefault(self.path, [])

    def excepthook(self, *_):
        """A failure while a failed connection is closed reaches nobody, and needs not."""
        return True

    def xWrite(self, data, offset):
        with self.disk.lock:
            self.disk.operation()
            if self.disk.full:
                raise apsw.FullError("no space left")
            if self.disk.broken:
                raise apsw.IOError("the disk does not write")
            super().xWrite(data, offset)
            self.disk.unsynced[self.path].append((offset, bytes(data)))

    def xTruncate(self, size):
        with self.disk.lock:
            self.disk.operation()
            super().xTruncate(size)
            self.disk.unsynced[self.path].append((size, None))

    def xSync(self, flags):
        with self.disk.lock:
            self.disk.operation()
            if self.disk.broken:
                raise apsw.IOError("the disk does not sync")
            self.disk.syncs += 1
            content = self.disk.synced[self.path]
            for offset, data in self.disk.unsynced[self.path]:
                if data is None:
                    del content[offset:]
                else:
                    put(content, offset, data)
            self.disk.unsynced[self.path].clear()


def put(content, offset, data):
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


def chance(seed):
    return random.Random(seed)
