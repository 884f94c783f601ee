"""Requests to a backend that come together are written together, and only what is still wanted."""

import asyncio

import pytest
from gateway.raw_backend import RawBackend
from gateway.test_forward import CREDENTIALS, QUICK, VERDICT, request

from iamd.gateway.backend import Backend
from iamd.gateway.connection import Broken, Connection
from iamd.gateway.forward import forward
from iamd.gateway.outbox import MOST, Outbox
from iamd.gateway.payload import EMPTY


def run_with_outbox(steps):
    """Run steps in a loop of their own, with an outbox and the list of what it does; gives the list."""
    done = []

    async def main():
        outbox = Outbox(asyncio.get_running_loop())
        await steps(outbox, done)

    asyncio.run(main())
    return done


def put(outbox, done, name):
    outbox.put(lambda content: done.append(("sent", content)), name, lambda: done.append(("meanwhile", name)))


def test_what_is_put_in_goes_out_in_its_order_when_what_was_ready_has_run():
    async def steps(outbox, done):
        put(outbox, done, b"first")
        put(outbox, done, b"second")
        done.append("others run")
        await asyncio.sleep(0)
        done.append("the loop went on")

    assert run_with_outbox(steps) == [
        "others run",
        ("sent", b"first"),
        ("sent", b"second"),
        ("meanwhile", b"first"),
        ("meanwhile", b"second"),
        "the loop went on",
    ]


def test_a_full_outbox_goes_out_at_once():
    async def steps(outbox, done):
        for _ in range(MOST - 1):
            put(outbox, done, b"early")
        assert done == []
        put(outbox, done, b"last")
        assert done[MOST - 1] == ("sent", b"last")
        done.clear()
        put(outbox, done, b"next")
        assert done == []
        await asyncio.sleep(0)

    assert run_with_outbox(steps) == [("sent", b"next"), ("meanwhile", b"next")]


def test_what_is_to_go_out_at_once_does_and_takes_what_waits_along():
    async def steps(outbox, done):
        put(outbox, done, b"waits")
        outbox.put(done.append, b"at once", None, at_once=True)
        done.append("others run")
        await asyncio.sleep(0)

    assert run_with_outbox(steps) == [("sent", b"waits"), b"at once", ("meanwhile", b"waits"), "others run"]


def test_a_request_waits_for_others_only_where_there_are_some():
    async def main():
        async with RawBackend() as raw:
            backend = Backend.remote(raw.url, CREDENTIALS, limits=QUICK)
            await asyncio.gather(*(forward(request("GET"), EMPTY, backend, VERDICT, now=0) for _ in range(2)))
            alone, beside = backend.opened().kept(), backend.opened().kept()
            found = alone.is_lone, beside.is_lone
            await backend.close()
            return found

    assert asyncio.run(main()) == (True, False)


def test_nothing_need_be_done_meanwhile():
    async def steps(outbox, done):
        outbox.put(done.append, b"alone", None)
        await asyncio.sleep(0)

    assert run_with_outbox(steps) == [b"alone"]


@pytest.mark.parametrize("count", [1, MOST - 1, MOST, 3 * MOST + 1])
def test_as_many_requests_as_come_are_all_answered(count):
    async def main():
        async with RawBackend() as raw:
            backend = Backend.remote(raw.url, CREDENTIALS, limits=QUICK)
            asking = [forward(request("GET"), EMPTY, backend, VERDICT, now=0) for _ in range(count)]
            answers = await asyncio.gather(*asking)
            await backend.close()
            return [answer.whole for answer in answers], len(raw.heads)

    assert asyncio.run(main()) == ([b"ok"] * count, count)


def test_what_fails_meanwhile_is_no_other_requests():
    def fail():
        raise RuntimeError("no event")

    async def steps(outbox, done):
        outbox.put(done.append, b"failing", fail)
        for _ in range(MOST - 1):
            put(outbox, done, b"other")

    done = run_with_outbox(steps)
    assert done.count(("sent", b"other")) == done.count(("meanwhile", b"other")) == MOST - 1


def test_a_request_that_cannot_be_written_fails_alone():
    class Torn(Written):
        def write(self, _):
            raise RuntimeError("the handler is closed")

    async def main():
        outbox = Outbox(asyncio.get_running_loop())
        torn, whole = Torn(), Written()
        connections = [Connection((1.0, 1.0), lambda _: None, lambda _: None, outbox) for _ in range(2)]
        for connection, transport in zip(connections, (torn, whole), strict=True):
            connection.connection_made(transport)
        asked, _ = [connection.ask("DELETE", b"DELETE", whole=True) for connection in connections]
        await asked.awaited()
        with pytest.raises(Broken, match="the request cannot be written"):
            asked.awaited()
        return whole, [connection.is_open for connection in connections]

    assert asyncio.run(main()) == ([b"DELETE"], [False, True])


class Written(list):
    """A transport that keeps what is written to it."""

    write = list.append

    def abort(self):
        """Be cut."""


@pytest.mark.parametrize("end", [Connection.close, lambda connection: connection.connection_lost(None)])
def test_a_request_whose_connection_has_ended_is_not_sent(end):
    async def main():
        outbox = Outbox(asyncio.get_running_loop())
        transports = Written(), Written()
        connections = [Connection((1.0, 1.0), lambda _: None, lambda _: None, outbox) for _ in transports]
        for connection, transport in zip(connections, transports, strict=True):
            connection.connection_made(transport)
            connection.ask("DELETE", b"DELETE", whole=True)
        end(connections[0])
        await asyncio.sleep(0)
        return transports

    assert asyncio.run(main()) == ([], [b"DELETE"])
