"""One execution environment: a process that runs one invocation after the other, and stands still between them.

AWS: Lambda Developer Guide, "Understanding the Lambda execution environment lifecycle" (lambda-runtime-environment).
"""

import asyncio
import contextlib
import os
import shutil
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from iamd.functions import keeper
from iamd.functions.runtime_events import LARGEST_RESPONSE, Event, Said, error

BEGIN_SECONDS: Final = 10.0
"""AWS: the Init phase is limited to 10 seconds; what takes longer goes on within the invocation's own time."""
_END_SECONDS: Final = 5.0
_READ: Final = 65536
_READS: Final = 16
"""How many times a process is read from before all else has its turn."""
LONGEST_LOG: Final = 4 * 1024 * 1024
"""Of what a process puts out in one invocation, in bytes."""
_DROPPED: Final = b"\n[iamd keeps the first 4 MiB of what an invocation puts out]\n"
MEGABYTE: Final = 1024 * 1024


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """How a process is begun."""

    words: Sequence[str]
    folder: Path
    memory: int
    """In bytes."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """How an invocation ended; `failure` is the type of the error, None when there was none."""

    content: bytes
    failure: str | None
    log: bytes
    seconds: float
    began_in: float | None
    """How long the process took to begin, when it began for this invocation."""
    memory: int
    """The most that it used so far, in bytes."""
    is_timeout: bool = False


class Environment:
    """A function's process. `is_usable` ends when the process does."""

    def __init__(self, own: Path) -> None:
        # Imported here: a server whose functions never run would pay for aiohttp at each start.
        from iamd.functions.runtime_api import RuntimeApi  # noqa: PLC0415

        self.api = RuntimeApi()
        self._own = own
        """What is the process's alone, and ends with it."""
        self.is_usable = False
        self._process: Process | None = None
        self._log = bytearray()
        self._output: int | None = None
        self._ended: asyncio.Task[str] | None = None
        self._began_in: float | None = None

    async def begin(self, launch: Launch, variables: Mapping[str, str]) -> None:
        """Start the process; whether it can begin is told by the first invocation."""
        status, say_status = socket.socketpair()
        output, put = os.pipe()
        os.set_blocking(output, False)
        try:
            words = ("-I", "-S", keeper.__file__, str(say_status.fileno()), str(launch.memory), *launch.words)
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, *words,
                stdin=PIPE, stdout=put, stderr=put, env=dict(variables), cwd=launch.folder,
                pass_fds=(say_status.fileno(),), start_new_session=True,
            )  # fmt: skip
        except BaseException:
            status.close()
            os.close(output)
            raise
        finally:
            say_status.close()
            os.close(put)
        self._output = output
        asyncio.get_running_loop().add_reader(output, self._read)
        self._ended = asyncio.create_task(self._watch(status))
        self.is_usable = True

    async def _watch(self, status: socket.socket) -> str:
        """Wait for the process to end, and give how it did."""
        # A socket and no pipe: uvloop closes a pipe's descriptor twice, which may be another's by then.
        reader, writer = await asyncio.open_unix_connection(sock=status)
        try:
            told = (await reader.read()).decode().strip()
        finally:
            writer.close()
        self.is_usable = False
        return told

    def _read(self) -> None:
        """Take what the process has put out so far; of what is too much the rest is dropped."""
        if self._output is None:
            return
        # SECURITY: a process that never stops writing does not keep its reader from all else.
        with contextlib.suppress(BlockingIOError):
            for _ in range(_READS):
                piece = os.read(self._output, _READ)
                if not piece:
                    self._close_output()
                    break
                self._log += piece[: LONGEST_LOG - len(self._log)]

    def _close_output(self) -> None:
        if self._output is not None:
            asyncio.get_running_loop().remove_reader(self._output)
            os.close(self._output)
            self._output = None

    async def invoke(self, event: Event, seconds: int) -> Result:
        """Run one invocation of this time at most."""
        fresh = self._began_in is None
        if fresh:
            await self._begun()
        began = time.monotonic()
        self._tell(b"r")
        deadline = {"Lambda-Runtime-Deadline-Ms": str(int((time.time() + seconds) * 1000))}
        said = self.api.give(msgspec.structs.replace(event, headers={**event.headers, **deadline}))
        if self._ended is None:
            raise TypeError("not begun")
        waited: set[asyncio.Future[Said] | asyncio.Task[str]] = {said, self._ended}
        await asyncio.wait(waited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        taken = time.monotonic() - began
        return await self._result(event, said, seconds, taken, fresh=fresh)

    async def _begun(self) -> None:
        """Wait for the runtime to ask for its first event, or to end."""
        if self._ended is None:
            raise TypeError("not begun")
        began = time.monotonic()
        asking = asyncio.create_task(self.api.asked.wait())
        try:
            await asyncio.wait({asking, self._ended}, timeout=BEGIN_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            asking.cancel()
        self._began_in = time.monotonic() - began

    async def _result(
        self, event: Event, future: "asyncio.Future[Said]", seconds: int, taken: float, *, fresh: bool
    ) -> Result:
        is_timeout = False
        if future.done():
            content, failure = _of(future.result())
            memory = self.memory()
            await self._stand_still()
        else:
            memory = self.memory()
            if self._ended is not None and self._ended.done():
                content, failure = self._of_end(event)
            else:
                is_timeout, failure = True, "Sandbox.Timedout"
                words = f"RequestId: {event.request_id} Error: Task timed out after {seconds}.00 seconds"
                content = error(failure, words)
                await self.end()
        self._read()
        log = bytes(self._log) + (_DROPPED if len(self._log) >= LONGEST_LOG else b"")
        self._log = bytearray()
        return Result(
            content=content, failure=failure, log=log, seconds=taken, memory=memory, is_timeout=is_timeout,
            began_in=self._began_in if fresh else None,
        )  # fmt: skip

    def _of_end(self, event: Event) -> tuple[bytes, str]:
        """What is told of a process that has ended before its answer."""
        if self.api.failed is not None:
            content, failure = _of(self.api.failed)
            return content, failure or "Runtime.Unknown"
        told = self._ended.result() if self._ended is not None else ""
        kind, _, number = told.partition(" ")
        how = {"exit": f"exit status {number}", "signal": f"signal: {_SIGNALS.get(number, number)}"}
        failure = "Runtime.OutOfMemory" if kind == "memory" else "Runtime.ExitError"
        words = how.get(kind, "signal: killed")
        ended = "" if kind == "exit" and number == "0" else f"exited with error: {words}"
        message = f"RequestId: {event.request_id} Error: Runtime {ended or 'exited without providing a reason'}"
        return error(failure, message), failure

    async def _stand_still(self) -> None:
        """Have the process stop once it waits for its next event."""
        if self._ended is None:
            return
        asking = asyncio.create_task(self.api.asked.wait())
        try:
            await asyncio.wait({asking, self._ended}, timeout=_END_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            asking.cancel()
        self._tell(b"s")

    def _tell(self, word: bytes) -> None:
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(ConnectionError, RuntimeError):
                self._process.stdin.write(word)

    def memory(self) -> int:
        """The most memory that the process has used, in bytes."""
        if self._process is None:
            return 0
        most = 0
        for process in keeper.descendants(self._process.pid):
            with contextlib.suppress(OSError):
                for line in Path(f"/proc/{process}/status").read_text().splitlines():
                    if line.startswith("VmHWM:"):
                        most = max(most, int(line.split()[1]) * 1024)
        return most

    async def end(self) -> None:
        """End the process and all that it has started."""
        self.is_usable = False
        process = self._process
        if process is not None:
            if process.stdin is not None:
                process.stdin.close()
            try:
                async with asyncio.timeout(_END_SECONDS):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        self._read()
        self._close_output()
        await self.api.end()
        await asyncio.to_thread(shutil.rmtree, self._own, ignore_errors=True)


_SIGNALS: Final = {"9": "killed", "11": "segmentation fault", "6": "aborted", "15": "terminated", "24": "cpu limit"}
"""Signals as Lambda's words have them."""


def _of(said: Said) -> tuple[bytes, str | None]:
    """What an invocation answers, and the type of its error."""
    if said.is_error:
        try:
            kind = msgspec.json.decode(said.content, type=_Error).errorType
        except msgspec.DecodeError:
            kind = "Runtime.Unknown"
        return said.content, kind or "Runtime.Unknown"
    if len(said.content) > LARGEST_RESPONSE:
        kind = "Function.ResponseSizeTooLarge"
        words = f"Response payload size exceeded maximum allowed payload size ({LARGEST_RESPONSE} bytes)."
        return error(kind, words), kind
    return said.content, None


class _Error(msgspec.Struct):
    errorType: str = ""  # noqa: N815 - Lambda's name
