"""Several processes that share the listening socket and the data folder: started, watched, started again, ended."""

import contextlib
import os
import selectors
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Final

import click

from iamd.settings import StartError
from iamd.store.errors import Unavailable

STOP_SECONDS: Final = 15.0
RESTARTS: Final = 5
"""How often workers may end within a minute before all are ended."""

_ENDING: Final = (signal.SIGTERM, signal.SIGINT)

FAILED: Final = 1
CANNOT_START: Final = 2


class Workers:
    """The processes, by their numbers; this process only watches them, and answers nothing itself.

    `serve(number, ready, lifeline)` is a worker's whole life: it calls `ready` when it serves, and ends when the
    descriptor `lifeline` becomes readable, for then nobody watches it any more.
    """

    def __init__(self, count: int, serve: Callable[[int, Callable[[], None], int], None]) -> None:
        self._count = count
        self._serve = serve
        self._numbers: dict[int, int] = {}
        self._serving = 0
        self._stopping = False
        self._ends: list[float] = []
        self._code = 0
        self._ready, self._say_ready = os.pipe()
        self._lifeline, self._hold = os.pipe()

    def run(self, ready: Callable[[], None]) -> int:
        """Run them until SIGTERM or SIGINT; calls `ready` once, when all serve; gives the exit code."""
        with self._woken() as selector:
            for number in range(self._count):
                self._start(number)
            while self._numbers:
                for key, _ in selector.select():
                    said = os.read(key.fd, 4096)
                    if key.fd == self._ready:
                        self._note(len(said), ready)
                self._look()
        return self._code

    def _note(self, serving: int, ready: Callable[[], None]) -> None:
        before = self._serving
        self._serving += serving
        if before < self._count <= self._serving:
            ready()

    @contextlib.contextmanager
    def _woken(self) -> Iterator[selectors.BaseSelector]:
        """Signals and workers that serve make the selector return."""
        wake, waker = os.pipe()
        os.set_blocking(waker, False)
        signal.set_wakeup_fd(waker)
        before = {number: signal.signal(number, self._told) for number in _ENDING}
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(wake, selectors.EVENT_READ)
                selector.register(self._ready, selectors.EVENT_READ)
                yield selector
        finally:
            signal.set_wakeup_fd(-1)
            for number, handler in before.items():
                signal.signal(number, handler)
            for descriptor in (wake, waker, self._ready, self._say_ready, self._lifeline, self._hold):
                os.close(descriptor)

    def _told(self, *_: object) -> None:
        self._stop(0)

    def _stop(self, code: int) -> None:
        """End all, once; those that do not end in time are killed by the alarm."""
        if self._stopping:
            return
        self._stopping, self._code = True, code
        signal.signal(signal.SIGALRM, lambda *_: self._tell(signal.SIGKILL))
        signal.setitimer(signal.ITIMER_REAL, STOP_SECONDS)
        self._tell(signal.SIGTERM)

    def _tell(self, number: int) -> None:
        for process in self._numbers:
            os.kill(process, number)

    def _start(self, number: int) -> None:
        # A signal to end that comes between the two lines would miss this worker.
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
        process = os.fork()
        if process == 0:
            self._live(number)
        self._numbers[process] = number
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)

    def _live(self, number: int) -> None:
        """Be a worker; the process ends here, whatever happens."""
        code = FAILED
        try:
            signal.set_wakeup_fd(-1)
            # A terminal sends SIGINT to all; the one that watches passes it on.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            for other in (signal.SIGTERM, signal.SIGCHLD):
                signal.signal(other, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
            os.close(self._hold)
            os.close(self._ready)
            self._serve(number, self._is_ready, self._lifeline)
            code = 0
        except (StartError, Unavailable) as error:
            click.echo(f"iamd: worker {number}: {error}", err=True)
            code = CANNOT_START
        except BaseException:  # noqa: BLE001 (nothing above this frame is the worker's)
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _is_ready(self) -> None:
        os.write(self._say_ready, b".")

    def _look(self) -> None:
        """Take note of those that ended, and start them again."""
        for process, number in list(self._numbers.items()):
            found, status = os.waitpid(process, os.WNOHANG)
            if found:
                del self._numbers[process]
                self._ended(number, process, os.waitstatus_to_exitcode(status))

    def _ended(self, number: int, process: int, code: int) -> None:
        if self._stopping:
            # One that was still starting is ended by the signal itself.
            self._code = self._code or (0 if code in {0, -signal.SIGTERM} else FAILED)
            return
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        self._ends = [end for end in self._ends if end > time.monotonic() - 60] + [time.monotonic()]
        if self._serving < self._count or len(self._ends) > RESTARTS:
            click.echo(f"iamd: worker {number} (process {process}) ended {how}; all are ended", err=True)
            self._stop(CANNOT_START if self._serving < self._count else FAILED)
        else:
            click.echo(f"iamd: worker {number} (process {process}) ended {how}; it is started again", err=True)
            self._start(number)
