"""The embedded moto as its parent sees it: started, watched, started again, reset, stopped."""

import asyncio
import base64
import contextlib
import logging
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from iamd.backend.folder import socket_folder
from iamd.delivery import Delivery, Outcome, Scheduled, Timing

log = logging.getLogger(__name__)

START_SECONDS: Final = 60.0
CONTROL_SECONDS: Final = 30.0
STOP_SECONDS: Final = 5.0
FOLLOW_SECONDS: Final = 0.2
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0

# SECURITY: everything else stays here: iamd's own secrets, and settings by which moto would decide on its own.
_ENVIRONMENT: Final = frozenset(
    {"DOCKER_HOST", "HOME", "LANG", "LC_ALL", "PATH", "PYTHONPATH", "SSL_CERT_FILE", "TMPDIR", "TZ", "VIRTUAL_ENV"}
)
_SETTINGS: Final = {
    "AWS_ACCESS_KEY_ID": "embedded",
    "AWS_SECRET_ACCESS_KEY": "embedded",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    # AWS sends CORS headers only where a resource asks for them.
    "MOTO_DISABLE_GLOBAL_CORS": "true",
    "PYTHONDONTWRITEBYTECODE": "1",
}


class BackendDown(Exception):
    """The backend does not answer now."""


@dataclass(frozen=True, slots=True)
class MirroredRole:
    """A role that a request hands to a service, as moto is to find it."""

    arn: str
    id: str
    name: str
    path: str
    trust: str
    """The trust policy's text."""


@dataclass(frozen=True, slots=True)
class MirroredProfile:
    """An instance profile that a request hands to EC2; `roles` are the ARNs of its roles."""

    id: str
    name: str
    path: str
    roles: tuple[str, ...] = ()


class EmbeddedBackend:
    """moto in a child process. Only one process of a host owns the child; the others follow it.

    `boot` names the present life of its data, which is in memory: None while it is down, another after each start.
    """

    def __init__(self, data: Path, *, owner: bool = True) -> None:
        self.folder = socket_folder(data)
        self.requests = self.folder / "requests"
        self.boot: str | None = None
        self._owner = owner
        self._up = asyncio.Event()
        self._listeners: list[Callable[[str], None]] = []
        self._task: asyncio.Task[None] | None = None
        self._process: Process | None = None
        self._mirrored: set[tuple[str, object]] = set()
        self._resets = 0

    @property
    def pid(self) -> int | None:
        """The child's process id, in the process that owns it and while it lives."""
        return self._process.pid if self._process is not None else None

    def on_boot(self, listener: Callable[[str], None]) -> None:
        """Call this with the new boot each time the backend begins without data."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Begin to start the backend; requests to it wait, nothing else does."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._supervise() if self._owner else self._follow())

    async def ready(self, seconds: float = START_SECONDS) -> str:
        """Give the boot as soon as the backend takes requests; BackendDown when it does not within this time."""
        if self.boot is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._up.wait()
        if self.boot is None:
            raise BackendDown("the embedded backend has not started")
        return self.boot

    async def reset(self) -> None:
        """Empty the backend."""
        await self.ready()
        self._resets = (await self._ask("/reset", {}))["resets"]
        self._mirrored.clear()

    async def mirror(
        self, account_id: str, region: str, roles: Sequence[MirroredRole], profiles: Sequence[MirroredProfile] = ()
    ) -> None:
        """Let moto find these roles and instance profiles in its own IAM; free when it has them already."""
        await self.ready()
        fresh = {(account_id, item) for item in (*roles, *profiles)} - self._mirrored
        if not fresh:
            return
        body = {"roles": [asdict(role) for role in roles], "instance_profiles": [asdict(item) for item in profiles]}
        await self._ask("/mirror", {"account_id": account_id, "region": region, **body})
        self._mirrored |= fresh

    async def regions(self, account_id: str) -> frozenset[str]:
        """The Regions in which an account may have anything."""
        await self.ready()
        return frozenset((await self._ask("/regions", {"account_id": account_id}))["regions"])

    async def function(
        self, account_id: str, region: str, name: str, qualifier: str | None, has: Sequence[str], version: str | None
    ) -> dict[str, Any] | None:
        """A function with its configuration and code, as moto holds it; None when there is none of this name.

        Of an alias it is the version that it points to, unless another is named. Code whose digest iamd `has` is left
        out.
        """
        await self.ready()
        asked = {"account_id": account_id, "region": region, "name": name, "qualifier": qualifier}
        told = await self._ask("/function", {**asked, "has": list(has), "version": version})
        found: dict[str, Any] | None = told["function"]
        return found

    async def function_url(self, url_id: str) -> dict[str, Any] | None:
        """What moto holds of a function's URL; None when there is none of this id."""
        await self.ready()
        found: dict[str, Any] | None = (await self._ask("/function_url", {"id": url_id}))["url"]
        return found

    async def execute_api(self, api_id: str, stage: str, known: Sequence[str]) -> dict[str, Any]:
        """What moto holds of an API that is served: an HTTP API as `http`, or a REST API with one stage as `rest`.

        Both are None when there is none of this id. `known` are the tokens of deployments that need not be told again.
        """
        await self.ready()
        return await self._ask("/execute_api", {"id": api_id, "stage": stage, "known": list(known)})

    async def user_codes(self, account_id: str, user_pool_id: str) -> list[dict[str, Any]] | None:
        """The codes that a pool's users could use now; None when there is no such pool in the account."""
        await self.ready()
        asked = {"account_id": account_id, "user_pool_id": user_pool_id}
        found: list[dict[str, Any]] | None = (await self._ask("/user_codes", asked))["codes"]
        return found

    async def mappings(self) -> list[dict[str, Any]]:
        """Every event source mapping that moto holds, with its account and region."""
        await self.ready()
        found: list[dict[str, Any]] = (await self._ask("/mappings", {}))["mappings"]
        return found

    async def deliveries(self) -> list[Delivery | Timing]:
        """What its services have to send to others, and when, since this was asked before; none when nothing came."""
        await self.ready()
        told: str = (await self._ask("/deliveries", {}))["deliveries"]
        found = msgspec.msgpack.decode(base64.b64decode(told, validate=True), type=list[tuple[int, Delivery | Timing]])
        return [item for resets, item in found if resets >= self._resets]

    async def due(self, scheduled: Scheduled, version: int, time: float) -> dict[str, Any] | None:
        """Have a rule send what it sends at a time, or a secret rotated, or give a schedule's target; None when it is
        not due any more.
        """
        await self.ready()
        asked = {"of": scheduled, "version": version, "time": time}
        found: dict[str, Any] | None = (await self._ask("/due", asked))["due"]
        return found

    async def completed(self, scheduled: Scheduled, version: int) -> None:
        """Do with a schedule what is to be done when it is due no more, unless it has been changed since."""
        await self.ready()
        await self._ask("/completed", {"of": scheduled, "version": version})

    async def replied(self, reply: str, outcome: Outcome) -> None:
        """Tell a service what came of what it asked for and waits for."""
        told = base64.b64encode(msgspec.msgpack.encode(outcome)).decode()
        await self._ask("/replied", {"reply": reply, "outcome": told})

    async def has_news(self, account_id: str, region: str, service: str, iterator: str) -> bool:
        """Whether a shard's iterator leads to anything: records, the shard's end, or an error."""
        await self.ready()
        asked = {"account_id": account_id, "region": region, "service": service, "iterator": iterator}
        return bool((await self._ask("/news", asked))["news"])

    async def stop(self) -> None:
        """End the child, and with it its data."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self._end()

    async def _supervise(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            began = asyncio.get_running_loop().time()
            try:
                await self._live()
            except (OSError, TimeoutError, BackendDown) as error:
                log.warning("the embedded backend did not start: %s", error)
            finally:
                await self._end()
            lasted = asyncio.get_running_loop().time() - began
            pause = _FIRST_PAUSE if lasted > _LONGEST_PAUSE else min(pause * 2, _LONGEST_PAUSE)
            await asyncio.sleep(pause)

    async def _live(self) -> None:
        self._process = process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "iamd.backend.moto_server", "--folder", str(self.folder)),
            stdin=PIPE,
            stdout=PIPE,
            env=_environment(),
        )
        if process.stdout is None:
            raise BackendDown("no pipe")
        async with asyncio.timeout(START_SECONDS):
            line = await process.stdout.readline()
        if not line.endswith(b"\n"):
            raise BackendDown(f"it ended with {await process.wait()}")
        self._began(line.decode().strip())
        code = await process.wait()
        log.warning("the embedded backend ended (%s); its data is gone, and it is started again", code)

    async def _follow(self) -> None:
        while True:
            found: str | None = None
            with contextlib.suppress(BackendDown):
                found = (await self._ask("/status", {}))["boot"]
            if found is None:
                self._lost()
            elif found != self.boot:
                self._began(found)
            await asyncio.sleep(FOLLOW_SECONDS)

    def _began(self, boot: str) -> None:
        self.boot = boot
        self._resets = 0
        self._mirrored.clear()
        self._up.set()
        for listener in self._listeners:
            listener(boot)

    def _lost(self) -> None:
        self.boot = None
        self._up.clear()

    async def _end(self) -> None:
        self._lost()
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    await process.wait()

    async def _ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        try:
            async with asyncio.timeout(CONTROL_SECONDS):
                answer = await self._posted(path, msgspec.json.encode(body))
        except (OSError, EOFError, TimeoutError) as error:
            raise BackendDown(str(error)) from error
        head, _, content = answer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            raise BackendDown(f"control: {head[:40]!r}")
        told: dict[str, Any] = msgspec.json.decode(content)
        return told

    async def _posted(self, path: str, body: bytes) -> bytes:
        """The whole answer of the child's control socket, which closes behind it."""
        reader, writer = await asyncio.open_unix_connection(str(self.folder / "control"))
        try:
            head = f"POST {path} HTTP/1.1\r\nhost: control\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            return await reader.read()
        finally:
            writer.close()


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in _ENVIRONMENT}
    return {**kept, **_SETTINGS}
