"""What functions put out, in CloudWatch Logs: written with the function's own role, which may not be allowed to.

AWS: Lambda Developer Guide, "Using CloudWatch Logs with Lambda": a role without the permissions has no logs, and its
function runs all the same.
"""

import asyncio
import logging
from collections.abc import Iterator
from typing import Final

from iamd.functions import report
from iamd.functions.calls import call
from iamd.functions.definition import Function
from iamd.metadata.temporary import Temporary
from iamd.runtime import Runtime

log = logging.getLogger(__name__)

_SERVICE: Final = "logs"
_LARGEST: Final = 256 * 1024 - 26
"""CloudWatch Logs API Reference, PutLogEvents: an event is at most 256 KB, 26 bytes of which are counted for itself."""
_LARGEST_PUT: Final = 1_048_576
_MOST: Final = 10_000
"""The same page: a request has at most so many bytes and events."""
_THERE: Final = "ResourceAlreadyExistsException"
_NOT_THERE: Final = "ResourceNotFoundException"


class LogStream:
    """The log stream of one process, made when it is first written to."""

    def __init__(self, runtime: Runtime, function: Function, credentials: Temporary) -> None:
        self.name = report.stream_name(function.version, runtime.clock.machine_timestamp())
        self._runtime = runtime
        self._function = function
        self._credentials = credentials
        self._is_made = False
        self._lock = asyncio.Lock()

    async def write(self, text: bytes) -> None:
        """Write the log of an invocation, line by line; nobody is told when the role may not."""
        async with self._lock:
            try:
                if not self._is_made:
                    self._is_made = await self._make()
                if self._is_made:
                    await self._put(text)
            except Exception:
                log.exception("the log of %s is lost", self._function.arn)

    async def _make(self) -> bool:
        code = await self._ask("CreateLogStream", logStreamName=self.name)
        if code == _NOT_THERE and await self._ask("CreateLogGroup") in {None, _THERE}:
            code = await self._ask("CreateLogStream", logStreamName=self.name)
        return code in {None, _THERE}

    async def _put(self, text: bytes) -> None:
        now = int(self._runtime.clock.machine_timestamp() * 1000)
        for batch in batches(messages(text)):
            events = [{"timestamp": now, "message": message} for message in batch]
            await self._ask("PutLogEvents", logStreamName=self.name, logEvents=events)

    async def _ask(self, operation: str, **parameters: object) -> str | None:
        given = {"logGroupName": self._function.log_group, **parameters}
        region = self._function.region
        told = await call(self._runtime, self._credentials, _SERVICE, operation, given, region=region)
        return told.code


def messages(text: bytes) -> list[str]:
    """The events of a log: its lines, cut where one is too long."""
    found = []
    for line in text.split(b"\n"):
        cut = range(0, len(line), _LARGEST)
        found += [line[start : start + _LARGEST].decode("utf-8", "replace") + "\n" for start in cut]
    return found


def batches(lines: list[str]) -> Iterator[list[str]]:
    """The lines as so many requests as they take."""
    batch: list[str] = []
    size = 0
    for line in lines:
        length = len(line.encode()) + 26
        if batch and (size + length > _LARGEST_PUT or len(batch) == _MOST):
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += length
    if batch:
        yield batch
