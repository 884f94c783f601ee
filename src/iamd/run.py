"""Running: one process that serves until it is told to stop, or several that share the listening socket."""

import asyncio
import contextlib
import gc
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import uvicorn

from iamd import __version__, accounts, start
from iamd.listeners import Listeners
from iamd.runtime import Runtime
from iamd.server import App
from iamd.settings import Settings
from iamd.store.loading import Loading
from iamd.store.stack_records import Stack, StackResource
from iamd.transport import Limits, connection_class, sweep
from iamd.workers import Workers

if TYPE_CHECKING:
    from iamd.stacks.service import Stacks

Ready = Callable[[], None]


def serve(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; gives the exit code when everything is closed."""
    start.allow_open_files(settings)
    with (
        contextlib.closing(start.listening_socket(settings)) as listening,
        contextlib.closing(start.metadata_socket(settings)) as metadata,
        start.data_folder(settings),
    ):
        endpoint = start.url_of(listening)
        with contextlib.ExitStack() as closing:
            runtime = start.open_runtime(settings, loading=Loading(_tell))
            closing.callback(runtime.store.close)
            start.first_start(runtime)
            with start.usable(settings):
                files = settings.data / start.CLIENT_FILES
                accounts.write_client_config(files, endpoint=endpoint, region=settings.region)
            _banner(settings, start.url_of(metadata))
            ready = partial(_ready, endpoint, settings)
            if settings.workers == 1:
                Server(runtime, ready, metadata, endpoint).run(sockets=[listening])
                return 0
        # The store is closed before the workers begin: a database's connections and threads don't survive a fork.
        return Workers(settings.workers, partial(_work, settings, listening, metadata)).run(ready)


def _work(
    settings: Settings, listening: socket.socket, metadata: socket.socket, number: int, ready: Ready, lifeline: int
) -> None:
    """Be one of several processes."""
    runtime = start.open_runtime(settings, worker=number)
    with contextlib.closing(runtime.store):
        Server(runtime, ready, metadata, start.url_of(listening), lifeline).run(sockets=[listening])


def _ready(endpoint: str, settings: Settings) -> None:
    """Print the line that those who wait for iamd wait for."""
    sys.stdout.write(f"iamd ready on {endpoint} account={settings.account} enforce={settings.enforce}\n")
    sys.stdout.flush()


class Server(uvicorn.Server):
    """uvicorn's server with iamd's connections; it says when every request is served.

    `lifeline` is a descriptor whose end says that nobody watches this process any more.
    """

    def __init__(
        self, runtime: Runtime, ready: Ready, metadata: socket.socket, endpoint: str, lifeline: int | None = None
    ) -> None:
        self._runtime, self._ready, self._lifeline = runtime, ready, lifeline
        self._endpoint = runtime.endpoint = endpoint
        self._metadata = metadata
        self._listeners: Listeners | None = None
        self._stacks: Stacks | None = None
        self._making = threading.Lock()
        settings = runtime.settings
        super().__init__(
            uvicorn.Config(
                App(runtime),
                http=connection_class(Limits(settings.header_seconds, settings.idle_seconds, settings.connections)),
                loop="uvloop",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                # SECURITY: uvicorn would believe X-Forwarded-For and -Proto of every client on this machine (GW-04).
                proxy_headers=False,
                headers=[("x-iamd-enforce", settings.enforce)],
                timeout_graceful_shutdown=5,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, then say so."""
        loop = asyncio.get_running_loop()
        if self._lifeline is not None:
            loop.add_reader(self._lifeline, self._abandoned, loop)
        if self._runtime.settings.has_backend:
            # Imported here: without a backend the forwarder's libraries cost start-up time and memory for nothing.
            from iamd.gateway.proxy import Gateway  # noqa: PLC0415

            self._runtime.gateway = gateway = await Gateway.start(self._runtime)
            if gateway.embedded is not None and self._runtime.worker == 0:
                gateway.embedded.on_boot(partial(self._begun_anew, loop))
            if self._runtime.settings.runs_functions and gateway.embedded is not None:
                from iamd.functions.service import Functions  # noqa: PLC0415 - likewise

                self._runtime.functions = Functions(self._runtime, gateway.embedded, self._endpoint)
        self._runtime.stacks = partial(self._stacks_on, loop)
        if self._has_resources() and self._runtime.worker == 0:
            # Whatever was in an embedded backend ended with the process before this one.
            await self._stacks_on(loop).forget_others(None)
        if self._runtime.store.snapshot().has(Stack):
            await self._stacks_on(loop).recover()
        await super().startup(sockets)
        self._listeners = Listeners(self, self._runtime, self._metadata)
        await self._listeners.begin()
        collect_seldom()
        take_turns_often()
        self._ready()

    def _begun_anew(self, loop: asyncio.AbstractEventLoop, boot: str) -> None:
        """The embedded backend has begun without data; stacks, if there are any, hear of it."""
        if self._has_resources():
            self._stacks_on(loop).begun_anew(boot)

    def _has_resources(self) -> bool:
        return self._runtime.store.snapshot().has(StackResource)

    def _stacks_on(self, loop: asyncio.AbstractEventLoop) -> "Stacks":
        """What works on stacks; from any thread, and made when it is first asked for."""
        # Imported here: a server without stacks would pay for it at each start.
        from iamd.stacks.service import Stacks  # noqa: PLC0415

        with self._making:
            if self._stacks is None:
                self._stacks = Stacks(self._runtime, loop)
            return self._stacks

    async def on_tick(self, counter: int) -> bool:
        """Once a second, cut those who are too slow."""
        if counter % 10 == 0:
            sweep(self.server_state.connections, asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what is being served, then the backend."""
        if self._listeners is not None:
            self._listeners.close()
        await super().shutdown(sockets)
        if self._stacks is not None:
            await self._stacks.clear()
        if self._runtime.gateway is not None:
            await self._runtime.gateway.close()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at SIGTERM and SIGINT, once; uvicorn's own would raise the signal again, and iamd ends with 0."""
        watched = (signal.SIGTERM,) if self._lifeline is not None else (signal.SIGTERM, signal.SIGINT)
        before = {number: signal.signal(number, self.handle_exit) for number in watched}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _abandoned(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._lifeline is not None:
            loop.remove_reader(self._lifeline)
        self.should_exit = True


def take_turns_often() -> None:
    """Have who waits for the interpreter wait for a millisecond instead of five.

    A request needs it several times, and while a long page is made, each time would be such a wait.
    """
    sys.setswitchinterval(0.001)


def collect_seldom() -> None:
    """Have the garbage collector leave alone what is there now, and look at the rest once in many requests.

    What a request makes ends by its reference counts; walking modules and models again and again is a tenth of its CPU.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _tell(line: str) -> None:
    sys.stderr.write(line)
    sys.stderr.flush()


def _banner(settings: Settings, metadata: str) -> None:
    lines = [f"iamd {__version__}, data in {settings.data}, enforce={settings.enforce}"]
    if settings.backend == "moto":
        lines.append("backend: embedded moto; what is made there lives in memory and is gone when iamd stops")
    elif settings.backend != "none":
        lines.append(f"backend: {settings.backend}")
    lines += [f"backend `{name}`: {table.url}" for name, table in settings.backends.items()]
    lines.append(f"instance metadata: {metadata}")
    credentials = settings.data / start.CLIENT_FILES / "credentials"
    known = credentials if credentials.exists() else f"the keys that were there before; there is no {credentials}"
    lines.append(f"credentials: {known}")
    sys.stderr.write("\n".join([*lines, ""]))
