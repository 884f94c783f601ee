"""The sockets of instance metadata beside the server's own, and how long they are open."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

from iamd import start
from iamd.metadata.nobody import NoInstances
from iamd.runtime import Runtime

Application = Callable[[Any, Any, Any], Awaitable[None]]


class Listeners:
    """Listens with the connections of a server, which sees to their number, their time and their end."""

    def __init__(self, server: uvicorn.Server, runtime: Runtime, first: socket.socket) -> None:
        self._server = server
        self._runtime = runtime
        self._first = first
        self._loop = asyncio.get_running_loop()
        self._open: list[asyncio.Server] = []
        self._opening: set[asyncio.Task[None]] = set()

    async def begin(self) -> None:
        """Serve the metadata of the server's instances on the first socket."""
        address = start.url_of(self._first)
        if not self._runtime.settings.has_backend:
            nobody = NoInstances(address)
            self._runtime.metadata = nobody
            await self._listen(nobody, self._first)
            return
        # Imported here: without a backend the gateway's modules cost start-up time and memory for nothing.
        from iamd.metadata.service import Listener, MetadataService  # noqa: PLC0415

        service = MetadataService(self._runtime, self.add, address)
        self._runtime.metadata = service
        await self._listen(Listener(service, service.asking), self._first)

    def add(self, application: Application) -> str:
        """Serve one more application, on a free port of the first one's host, and give its address."""
        listening = start.listen(self._first.getsockname()[0], 0)
        task = self._loop.create_task(self._listen(application, listening))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)
        return start.url_of(listening)

    async def _listen(self, application: Application, listening: socket.socket) -> None:
        of_server, state = self._server.config, self._server.server_state
        config = uvicorn.Config(application, http=of_server.http, ws="none", log_config=None, proxy_headers=False)
        config.load()

        def connection() -> asyncio.Protocol:
            made = config.http_protocol_class
            return made(config=config, server_state=state, app_state={}, _loop=self._loop)  # type: ignore[call-arg]

        self._open.append(await self._loop.create_server(connection, sock=listening, backlog=start.BACKLOG))

    def close(self) -> None:
        """Take no more connections."""
        for server in self._open:
            server.close()
