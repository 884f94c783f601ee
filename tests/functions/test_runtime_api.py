"""The Runtime API by itself (runtimes-api); what functions make of it is in the other files."""

import asyncio

import aiohttp

from iamd.functions.runtime_api import RuntimeApi


def test_who_waits_for_an_event_is_told_that_there_will_be_none():
    """A request that nobody answers would be left behind, and its end written to the log."""

    async def waited():
        api = RuntimeApi()
        await api.begin()
        async with aiohttp.ClientSession() as session:
            waiting = asyncio.create_task(session.get(f"http://{api.address}/2018-06-01/runtime/invocation/next"))
            await asyncio.wait_for(api.asked.wait(), 20)
            await api.end()
            async with asyncio.timeout(20), await waiting as answer:
                return answer.status

    assert asyncio.run(waited()) == 503
