"""Running: one process that serves until it is told to stop, or several that share the listening socket."""

import contextlib
import signal
import socket
import sys
from collections.abc import Iterator

import uvicorn

from iamd import __version__, accounts, start
from iamd.runtime import Runtime
from iamd.server import App
from iamd.settings import Settings


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; returns when everything is closed."""
    with contextlib.closing(start.listening_socket(settings)) as listening:
        runtime = start.open_runtime(settings)
        with contextlib.closing(runtime.store):
            start.first_start(runtime)
            host, port = listening.getsockname()[:2]
            endpoint = f"http://{host if ':' not in host else f'[{host}]'}:{port}"
            accounts.write_client_config(settings.data / start.CLIENT_FILES, endpoint=endpoint, region=settings.region)
            _banner(settings)
            Server(runtime, endpoint).run(sockets=[listening])


class Server(uvicorn.Server):
    """uvicorn's server; it says when every request is served."""

    def __init__(self, runtime: Runtime, endpoint: str) -> None:
        self._runtime, self._endpoint = runtime, endpoint
        super().__init__(
            uvicorn.Config(
                App(runtime),
                http="httptools",
                loop="uvloop",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                # SECURITY: uvicorn would believe X-Forwarded-For and -Proto of every client on this machine (GW-04).
                proxy_headers=False,
                limit_concurrency=None,
                timeout_graceful_shutdown=5,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, then print the line that those who wait for iamd wait for."""
        if self._runtime.settings.backend != "none":
            # Imported here: without a backend the forwarder's libraries cost start-up time and memory for nothing.
            from iamd.gateway.proxy import Gateway  # noqa: PLC0415

            self._runtime.gateway = await Gateway.start(self._runtime)
        await super().startup(sockets)
        settings = self._runtime.settings
        sys.stdout.write(f"iamd ready on {self._endpoint} account={settings.account} enforce={settings.enforce}\n")
        sys.stdout.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what is being served, then the backend."""
        await super().shutdown(sockets)
        if self._runtime.gateway is not None:
            await self._runtime.gateway.close()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at SIGTERM and SIGINT, once; uvicorn's own would raise the signal again, and iamd ends with 0."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _banner(settings: Settings) -> None:
    lines = [f"iamd {__version__}, data in {settings.data}, enforce={settings.enforce}"]
    if settings.backend == "moto":
        lines.append("backend: embedded moto; what is made there lives in memory and is gone when iamd stops")
    elif settings.backend != "none":
        lines.append(f"backend: {settings.backend}")
    lines.append(f"credentials: {settings.data / start.CLIENT_FILES / 'credentials'}")
    sys.stderr.write("\n".join([*lines, ""]))
