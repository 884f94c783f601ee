"""A handler of a local folder, run once as Lambda runs functions."""

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

import msgspec

from iamd import ids
from iamd.functions import libraries, report, variables
from iamd.functions.definition import Code, Function
from iamd.functions.environment import MEGABYTE, Environment, Launch, Result
from iamd.functions.runtime_events import event_of
from iamd.functions.variables import Places, Server
from iamd.metadata.temporary import Temporary


class Handler(msgspec.Struct, frozen=True, kw_only=True):
    """What is run: a handler such as `app.handler` of a folder, with this name, memory in megabytes and time."""

    folder: Path
    handler: str
    name: str
    memory: int
    timeout: int


async def run(
    handler: Handler, server: Server, credentials: Temporary, content: bytes, now: float
) -> tuple[Result, bytes]:
    """Run it on one event, and give its result and its log."""
    place = Path(tempfile.mkdtemp(prefix="iamd-invoke-"))
    function = _function(handler, server, credentials)
    try:
        places = await asyncio.to_thread(_places, handler, place)
        environment = Environment(place / "own")
        await environment.api.begin()
        stream = report.stream_name(function.version, now)
        told = variables.of(function, places, server, credentials, stream, environment.api.address)
        launch = Launch(
            words=libraries.words_of(handler.handler), folder=handler.folder, memory=handler.memory * MEGABYTE
        )
        await environment.begin(launch, told)
        event = event_of(ids.request_id(), content, function.arn)
        try:
            result = await environment.invoke(event, handler.timeout)
        finally:
            await environment.end()
        return result, report.of(result, event.request_id, function.version, handler.memory)
    finally:
        await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)


def _places(handler: Handler, place: Path) -> Places:
    places = Places(handler.folder, None, place / "runtime", place / "own" / "tmp", place / "own" / "home")
    libraries.link(places.runtime)
    places.temporary.mkdir(parents=True)
    places.home.mkdir()
    return places


def _function(handler: Handler, server: Server, credentials: Temporary) -> Function:
    version = sys.version_info
    return Function(
        name=handler.name,
        version="$LATEST",
        account=credentials.account_id,
        region=server.region,
        role=credentials.role_arn,
        runtime=f"python{version.major}.{version.minor}",
        handler=handler.handler,
        package_type="Zip",
        timeout=handler.timeout,
        memory=handler.memory,
        variables={},
        revision="",
        state="Active",
        storage=512,
        tracing="PassThrough",
        in_vpc=False,
        reserved=None,
        other={},
        events=None,
        code=Code("", None),
        layers=(),
    )
