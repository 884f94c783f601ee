"""The lines that Lambda itself writes about an invocation, around those of the function.

AWS: Lambda Developer Guide, "Log formats" and "Using CloudWatch Logs with Lambda": START, END and REPORT.
"""

import math
import secrets
from datetime import UTC, datetime
from typing import Final

import msgspec

from iamd.functions.environment import MEGABYTE, Result

TAIL: Final = 4096
"""AWS: X-Amz-Log-Result is the last 4 KB of the log (Lambda API Reference, Invoke)."""


def stream_name(version: str, now: float) -> str:
    """The name of a new process's log stream: its day, the function's version, and an id."""
    day = datetime.fromtimestamp(now, UTC).strftime("%Y/%m/%d")
    return f"{day}/[{version}]{secrets.token_hex(16)}"


def of(result: Result, request_id: str, version: str, memory: int) -> bytes:
    """The whole log of an invocation."""
    lines = [f"START RequestId: {request_id} Version: {version}\n".encode(), result.log]
    if result.log and not result.log.endswith(b"\n"):
        lines.append(b"\n")
    lines += [_failure(result, request_id), f"END RequestId: {request_id}\n".encode()]
    return b"".join([*lines, _report(result, request_id, memory)])


def _failure(result: Result, request_id: str) -> bytes:
    """What is told of a process that did not come to its end by itself."""
    if result.is_timeout:
        return f"{request_id} Task timed out after {result.seconds:.2f} seconds\n\n".encode()
    if result.failure in {"Runtime.ExitError", "Runtime.OutOfMemory"}:
        words = msgspec.json.decode(result.content)["errorMessage"]
        return f"{words}\n{result.failure}\n".encode()
    return b""


def _used(result: Result, memory: int) -> int:
    if result.failure == "Runtime.OutOfMemory":
        return memory
    return min(memory, math.ceil(result.memory / MEGABYTE))


def _report(result: Result, request_id: str, memory: int) -> bytes:
    taken = result.seconds * 1000
    billed = math.ceil(taken + (result.began_in or 0) * 1000)
    parts = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {taken:.2f} ms",
        f"Billed Duration: {billed} ms",
        f"Memory Size: {memory} MB",
        f"Max Memory Used: {_used(result, memory)} MB",
    ]
    if result.began_in is not None:
        parts.append(f"Init Duration: {result.began_in * 1000:.2f} ms")
    if result.is_timeout:
        parts.append("Status: timeout")
    elif result.failure in {"Runtime.ExitError", "Runtime.OutOfMemory"}:
        parts += ["Status: error", f"Error Type: {result.failure}"]
    return ("\t".join(parts) + "\t\n").encode()
