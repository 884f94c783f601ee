"""Answer: what a backend said, with a body that is whole or still arriving."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec

from iamd.gateway import framing
from iamd.gateway.connection import SMALL, Incoming
from iamd.gateway.watch import Receive, Watch
from iamd.http import BrokenOff, Headers

Send = Callable[[dict[str, Any]], Awaitable[None]]


class BackendBroke(BrokenOff):
    """The backend's answer ended, or stood still, in its middle: the client must not take it for whole."""


class Answer(msgspec.Struct):
    """Status and headers to hand on; the body can be taken once, by `relay` or by iterating.

    `is_for_all` says that the headers are the backend's and none is for some clients alone; nor is there the length of
    what is whole.
    """

    status: int
    headers: Headers
    _body: bytes | Incoming
    is_for_all: bool = False

    @property
    def whole(self) -> bytes | None:
        """The body when it is all there."""
        return self._body if isinstance(self._body, bytes) else None

    def with_headers(self, headers: Headers) -> "Answer":
        """The same with other headers; its body can still be taken once."""
        return Answer(self.status, headers, self._body)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Give the body piece by piece, as fast as they are taken; BackendBroke when it does not come whole."""
        if isinstance(self._body, bytes):
            if self._body:
                yield self._body
            return
        try:
            while piece := await self._body.piece():
                yield piece
        except (OSError, TimeoutError) as error:
            raise BackendBroke("the backend's answer broke off") from error
        finally:
            self.close()

    def close(self) -> None:
        """Drop what is left of the body, and its connection with it when something is."""
        if not isinstance(self._body, bytes):
            self._body.close()

    async def relay(self, send: Send, receive: Receive | None = None, headers: Headers | None = None) -> None:
        """Send it as an ASGI response, with these headers instead of its own when they are given.

        With `receive` a client that goes ends the backend's part, and ClientGone is raised.
        """
        begun = {"type": "http.response.start", "status": self.status, "headers": list(headers or self.headers)}
        if isinstance(self._body, bytes):
            await send(begun)
            await send({"type": "http.response.body", "body": self._body})
        elif receive is None:
            await self._relay(send, begun)
        else:
            with Watch(receive):
                await self._relay(send, begun)

    async def _relay(self, send: Send, begun: dict[str, Any]) -> None:
        try:
            await send(begun)
            async for piece in self:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            self.close()


def read(incoming: Incoming) -> Answer:
    """Make an answer of what has come: small ones whole, others streaming."""
    length = incoming.length
    is_whole = length is not None and length <= SMALL
    server_tells = is_whole and incoming.method != "HEAD"
    headers, is_for_all = framing.answer_headers(incoming.headers, incoming.fields, server_tells)
    return Answer(incoming.status, headers, incoming.take() if is_whole else incoming, server_tells and is_for_all)
