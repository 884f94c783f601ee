"""A function's process by itself; what users see of it is in the other files."""

import asyncio

from iamd.functions.environment import MEGABYTE, Environment, Launch
from iamd.functions.runtime_events import event_of


def test_a_process_that_is_ended_while_it_begins_fails_its_invocation(tmp_path):
    """When all begins anew, whoever waits is told how the process ended, and of no fault of iamd's."""

    async def ended():
        own = tmp_path / "own"
        own.mkdir()
        environment = Environment(own)
        await environment.api.begin()
        await environment.begin(Launch(words=("sleep", "60"), folder=tmp_path, memory=64 * MEGABYTE), {})
        waiting = asyncio.create_task(environment.invoke(event_of("1", b"{}", "arn"), 60))
        await asyncio.sleep(0)
        await environment.end()
        async with asyncio.timeout(20):
            return await waiting

    result = asyncio.run(ended())
    assert (result.failure, result.is_timeout, list(tmp_path.iterdir())) == ("Runtime.ExitError", False, [])
    assert b"RequestId: 1 Error: Runtime exited" in result.content
