"""A process beside a command: it serves the command's credentials until the command has ended.

The command takes the place of `iamd` itself, so that its signals, its exit code and its terminal are its own; the
companion is no child of it, so that no command waits for a process that it has not started.
"""

import contextlib
import ctypes
import itertools
import os
import select
import shutil
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import Final

from iamd.cli.connection import USAGE, Failure
from iamd.cli.endpoint import Endpoint

_PR_SET_DUMPABLE: Final = 4


class Folder:
    """A folder of its owner's own, with what the command is to read; it ends with the command."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="iamd-exec-"))

    def write(self, name: str, text: str) -> str:
        """Write a file that its owner alone can read, and give its path."""
        path = self.path / name
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        return str(path)

    def remove(self) -> None:
        """Remove it and all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)


def serve_beside(endpoint: Endpoint, folder: Folder) -> None:
    """Serve an endpoint from another process until this one has ended, whatever it has become by then."""
    if sys.platform != "linux":
        raise Failure("running a command with a role's credentials needs Linux", USAGE)
    # Before there is another process: the command begins with memory of its own, and this one's is at no time open.
    hide()
    command = os.pidfd_open(os.getpid())
    first = os.fork()
    if first:
        # The first child is waited for at once, so that the second is no child of the command.
        os.waitpid(first, 0)
        endpoint.socket.close()
        os.close(command)
        return
    try:
        os.setsid()
        if not os.fork():
            _serve(endpoint, folder, command)
    finally:
        os._exit(0)


def _serve(endpoint: Endpoint, folder: Folder, command: int) -> None:
    """Serve until the command's descriptor says that it has ended."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    _let_go(endpoint.fileno(), command)
    threading.Thread(target=endpoint.serve_forever, daemon=True).start()
    try:
        select.select([command], [], [])
    finally:
        folder.remove()


def hide() -> None:
    """Let no other process of the same user read the memory and environment of this one and of those that it forks."""
    # SECURITY: the command runs as the same user; the caller's keys, which it could read here, are more than its role.
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _let_go(*kept: int) -> None:
    """Hold none of the command's files open: who reads its output waits for all that could still write there."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nowhere, number)
    edges = [2, *sorted(kept), os.sysconf("SC_OPEN_MAX")]
    for before, after in itertools.pairwise(edges):
        os.closerange(before + 1, after)
