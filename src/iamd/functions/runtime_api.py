"""The Lambda Runtime API of one execution environment: what a runtime asks for the next event, and answers.

AWS: Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes" (runtimes-api).
"""

import asyncio
import os
import socket
from typing import Final

from aiohttp import web

from iamd.functions.runtime_events import LARGEST_RESPONSE, Event, Said

_PREFIX: Final = "/2018-06-01/runtime/"
_TAKEN: Final = 202
_LOOKS: Final = 3


class RuntimeApi:
    """One runtime's API: `address` is what `AWS_LAMBDA_RUNTIME_API` says."""

    def __init__(self) -> None:
        self.address = ""
        self.asked = asyncio.Event()
        """Set while the runtime waits for an event."""
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()
        self._current: str | None = None
        self._said: asyncio.Future[Said] | None = None
        self.failed: Said | None = None
        """What it said when it could not begin."""
        self._runner: web.ServerRunner | None = None

    async def begin(self) -> None:
        """Listen on a port of its own."""
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listening.bind(("127.0.0.1", 0))
        host, port = listening.getsockname()
        self.address = f"{host}:{port}"
        self._runner = web.ServerRunner(web.Server(self._answer), shutdown_timeout=0.01)
        await self._runner.setup()
        await web.SockSite(self._runner, listening).start()

    async def end(self) -> None:
        """Listen no more; who waits for an event is told that there will be none."""
        if self._events.empty():
            self._events.put_nowait(None)
        if self._runner is not None:
            await self._runner.cleanup()

    def give(self, event: Event) -> asyncio.Future[Said]:
        """Have the runtime take an event; what it says of it comes later."""
        self._current = event.request_id
        self._said = asyncio.get_running_loop().create_future()
        self._events.put_nowait(event)
        return self._said

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        # SECURITY: whoever asks for the next event gets it: only processes of this user may.
        if not is_own(request.transport):
            return _refused(403, "Forbidden")
        path = request.path.removeprefix(_PREFIX)
        if request.method == "GET" and path == "invocation/next":
            return await self._next()
        if request.method != "POST":
            return _refused(404, "NotFound")
        content = await _body(request)
        if path == "init/error":
            self.failed = Said(content, is_error=True, in_beginning=True)
            return _taken()
        kind, _, rest = path.partition("/")
        request_id, _, what = rest.partition("/")
        if kind != "invocation" or what not in {"response", "error"}:
            return _refused(404, "NotFound")
        return self._note(request_id, Said(content, is_error=what == "error"))

    async def _next(self) -> web.Response:
        self.asked.set()
        event = await self._events.get()
        self.asked.clear()
        if event is None:
            return _refused(503, "Ended")
        headers = {"Lambda-Runtime-Aws-Request-Id": event.request_id, **event.headers}
        return web.Response(body=event.content, content_type="application/json", headers=headers)

    def _note(self, request_id: str, said: Said) -> web.Response:
        if request_id != self._current or self._said is None or self._said.done():
            return _refused(400, "InvalidRequestID")
        self._said.set_result(said)
        return _taken()


async def _body(request: web.BaseRequest) -> bytes:
    """The body; of one that is too long no more is kept than shows that it is."""
    parts, size = [], 0
    async for piece in request.content.iter_any():
        size += len(piece)
        if size <= LARGEST_RESPONSE + len(piece):
            parts.append(piece)
    return b"".join(parts)


def _taken() -> web.Response:
    return web.json_response({"status": "OK"}, status=_TAKEN)


def _refused(status: int, kind: str) -> web.Response:
    return web.json_response({"errorType": kind, "errorMessage": kind}, status=status)


def is_own(transport: asyncio.Transport | None) -> bool:
    """Whether the other end of a connection over loopback is a process of this user."""
    peer = transport.get_extra_info("peername") if transport is not None else None
    own = transport.get_extra_info("sockname") if transport is not None else None
    if peer is None or own is None:
        return False
    # The kernel tells its connections bit by bit, and of those that come and go meanwhile one may be passed over.
    owners = (_owner((_form(peer), _form(own))) for _ in range(_LOOKS))
    return next((owner for owner in owners if owner is not None), None) == os.getuid()


def _owner(connection: tuple[str, str]) -> int | None:
    """The user whose process holds the end of a connection that is told first; None when it is not found."""
    try:
        with open("/proc/net/tcp") as file:  # noqa: PTH123 - the kernel's own, and no disk's
            for line in file:
                fields = line.split()
                if (fields[1], fields[2]) == connection:
                    return int(fields[7])
    except OSError:
        return None
    return None


def _form(address: tuple[str, int]) -> str:
    """An IPv4 address as /proc/net/tcp has it: its bytes in the machine's order."""
    number = int.from_bytes(socket.inet_aton(address[0]), "little")
    return f"{number:08X}:{address[1]:04X}"
