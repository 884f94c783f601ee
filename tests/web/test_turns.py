"""Turns: what takes long waits, and little of it for one address."""

import asyncio

import pytest

from iamd.web.turns import NoTurn, Turns


def test_an_address_that_fills_its_places_takes_none_of_anothers():
    async def scene():
        turns, order = Turns(1, 3), []
        go_on = asyncio.Event()

        async def work(address, number):
            async with turns.turn(address):
                await go_on.wait()
                order.append((address, number))

        first = [asyncio.create_task(work("a", number)) for number in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(NoTurn):
            await work("a", 3)
        other = asyncio.create_task(work("b", 0))
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(*first, other)
        await work("a", 4)
        return order

    assert asyncio.run(scene()) == [("a", 0), ("a", 1), ("a", 2), ("b", 0), ("a", 4)]


def test_who_gives_up_waiting_leaves_the_place():
    async def scene():
        turns = Turns(1, 2)
        async with turns.turn("a"):

            async def work():
                async with turns.turn("a"):
                    raise AssertionError("the turn is another's")

            waiting = asyncio.create_task(work())
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        async with turns.turn("a"):
            return "free"

    assert asyncio.run(scene()) == "free"
