"""The process above one function's process: it ends it, and whatever that has started, when iamd ends or says so.

It is run as a file, with nothing but the standard library: `keeper.py STATUS-FD MEMORY-BYTES PROGRAM [ARG]...`.
Standard input is iamd's: `r` lets the function run, `s` stops it until then, and its end is the end of all. What
becomes of the function is one line on the status descriptor: `exit CODE`, `signal NUMBER` or `memory`.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator

PR_SET_CHILD_SUBREAPER = 36
LOOK_SECONDS = 0.02
"""How often a running function's memory is looked at."""


class Keeper:
    """One function's process, and the processes that it has started."""

    def __init__(self, status: int, memory: int, words: list[str]) -> None:
        self._status, self._memory = status, memory
        self._running = True
        # What a function leaves behind becomes a child of this process, and so is found.
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self._child = subprocess.Popen(words, stdin=subprocess.DEVNULL, start_new_session=True).pid  # noqa: S603

    def run(self) -> None:
        """Watch until it has ended, or is to end."""
        wake, waker = os.pipe()
        os.set_blocking(waker, False)
        signal.set_wakeup_fd(waker)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        told = None
        while told is None:
            ready, _, _ = select.select([0, wake], [], [], LOOK_SECONDS if self._running else None)
            if 0 in ready and not self._obey(os.read(0, 64)):
                break
            if wake in ready:
                os.read(wake, 4096)
            told = self._ended() or self._outgrown()
        self._end()
        if told is not None:
            os.write(self._status, f"{told}\n".encode())

    def _obey(self, words: bytes) -> bool:
        for word in words:
            self._running = word == ord("r")
            for process in descendants(os.getpid()):
                _tell(process, signal.SIGCONT if self._running else signal.SIGSTOP)
        return bool(words)

    def _ended(self) -> str | None:
        while True:
            try:
                process, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return None
            if process == 0:
                return None
            if process == self._child:
                code = os.waitstatus_to_exitcode(status)
                return f"exit {code}" if code >= 0 else f"signal {-code}"

    def _outgrown(self) -> str | None:
        return "memory" if memory(list(descendants(os.getpid()))) > self._memory else None

    def _end(self) -> None:
        """Kill all that is left: what one of them has just started is found the next time."""
        while True:
            for process in descendants(os.getpid()):
                _tell(process, signal.SIGKILL)
            try:
                os.waitpid(-1, 0)
            except ChildProcessError:
                return


def descendants(process: int) -> Iterator[int]:
    """The processes that a process has started, and those that they have."""
    try:
        threads = os.listdir(f"/proc/{process}/task")  # noqa: PTH208 - pathlib takes long to import
        children = [child for thread in threads for child in _children(process, thread)]
    except OSError:
        return
    for child in children:
        yield child
        yield from descendants(child)


def _children(process: int, thread: str) -> list[int]:
    with open(f"/proc/{process}/task/{thread}/children") as file:  # noqa: PTH123
        return [int(word) for word in file.read().split()]


def memory(processes: list[int]) -> int:
    """How much memory they have between them, in bytes."""
    if len(processes) == 1:
        return _resident(processes[0])
    return sum(_shared(process) for process in processes)


def _resident(process: int) -> int:
    try:
        with open(f"/proc/{process}/statm") as file:  # noqa: PTH123
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def _shared(process: int) -> int:
    """The process's part of what it shares with others, and all of the rest."""
    try:
        with open(f"/proc/{process}/smaps_rollup") as file:  # noqa: PTH123
            return sum(int(line.split()[1]) * 1024 for line in file if line.startswith("Pss:"))
    except OSError:
        return 0


def _tell(process: int, number: int) -> None:
    try:
        os.kill(process, number)
    except ProcessLookupError:
        return


if __name__ == "__main__":
    Keeper(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]).run()
