"""The load: keeps connections busy with prepared requests in turn, checks every answer, and takes the time."""

import asyncio
import time
from itertools import cycle

import httptools
import uvloop

ANSWER_SECONDS = 60


class WrongAnswer(Exception):
    """An answer that is not what was asked for."""


class Client(asyncio.Protocol):
    """One connection: sends a request when the last one is answered; opens anew when the server closed."""

    def __init__(self, work):
        self.work = work
        self.closing = False

    def connection_made(self, transport):
        self.transport = transport
        self.parser = httptools.HttpResponseParser(self)
        self.send()

    def send(self):
        if self.work.left <= 0:
            self.closing = True
            self.transport.close()
            return
        self.work.left -= 1
        self.content, self.wanted = next(self.work.requests)
        self.body = b""
        self.sent = time.perf_counter()
        self.transport.write(self.content)

    def data_received(self, data):
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError as error:
            self.work.failed(error)

    def on_body(self, body):
        self.body += body

    def on_message_complete(self):
        self.work.times.append(time.perf_counter() - self.sent)
        status = self.parser.get_status_code()
        if status != 200 or self.wanted not in self.body:
            self.work.failed(WrongAnswer(f"{status} {self.body[:600]!r}, wanted {self.wanted!r}"))
        if self.parser.should_keep_alive():
            self.parser = httptools.HttpResponseParser(self)
            self.send()
        else:
            self.closing = True
            self.transport.close()

    def connection_lost(self, error):
        if not self.closing:
            self.work.failed(error or WrongAnswer("the server closed the connection"))
        self.work.ended.set_result(None) if self.work.left <= 0 and self.work.is_last() else self.work.again(self)


class Work:
    """So many requests over so many connections."""

    def __init__(self, port, requests, count, connections):
        self.port = port
        self.requests = cycle(requests)
        self.left = count
        self.connections = connections
        self.times = []
        self.ended = asyncio.get_running_loop().create_future()
        self.opening = set()

    async def run(self):
        for _ in range(self.connections):
            await self.connect()
        async with asyncio.timeout(ANSWER_SECONDS + len(self.times)):
            await self.ended

    async def connect(self):
        await asyncio.get_running_loop().create_connection(lambda: Client(self), "127.0.0.1", self.port)

    def is_last(self):
        self.connections -= 1
        return self.connections == 0

    def again(self, client):
        if self.left > 0 and client.closing:
            task = asyncio.ensure_future(self.connect())
            self.opening.add(task)
            task.add_done_callback(self.opening.discard)

    def failed(self, error):
        if not self.ended.done():
            self.ended.set_exception(error)


def run(port, requests, count, connections=16):
    """Send `count` of the requests in turn; gives seconds in all, and of each request in order of the answers."""

    async def work():
        todo = Work(port, requests, count, connections)
        begun = time.perf_counter()
        await todo.run()
        return time.perf_counter() - begun, todo.times

    return uvloop.run(work())
