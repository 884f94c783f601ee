"""Requests as no SDK would send them, rightly signed: any target, any headers in any number, any host."""

import hashlib
import http.client
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from running import REGION, Credentials, Server

from iamd.auth.signer import sign

Pairs = Iterable[tuple[str, str]]
IDLE = 1.0


@dataclass(frozen=True)
class Reply:
    """An answer; header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Wire:
    """One kept connection to a server; it is opened anew after an answer that ends it, and when it was idle.

    The server ends idle connections, and a request that meets that end is lost.
    """

    def __init__(self, server: Server) -> None:
        self._address = server.endpoint.removeprefix("http://")
        self._connection = http.client.HTTPConnection(self._address, timeout=60)
        self._administrator = server.administrator
        self._used = time.monotonic()

    def send(
        self,
        service: str,
        method: str,
        target: str,
        headers: Pairs = (),
        body: bytes = b"",
        *,
        host: str | None = None,
        credentials: Credentials | None = None,
        **more: Any,
    ) -> Reply:
        """Sign for `service` (its signing name), send, and read the answer whole."""
        given = [("host", host or self._address), *headers]
        return self.send_unsigned(
            method, target, self.signed(service, method, target, given, body, credentials, **more), body
        )

    def signed(
        self,
        service: str,
        method: str,
        target: str,
        headers: Pairs,
        body: bytes = b"",
        credentials: Credentials | None = None,
        *,
        region: str = REGION,
        payload: str | None = None,
    ) -> list[tuple[str, str]]:
        """The headers with those that sign them."""
        of = credentials or self._administrator
        path, _, query = target.partition("?")
        raw = [(name.lower().encode(), value.encode()) for name, value in headers]
        added = sign(
            method,
            path.encode(),
            query.encode(),
            raw,
            payload or hashlib.sha256(body).hexdigest(),
            access_key_id=of.access_key_id,
            secret_access_key=of.secret_access_key,
            session_token=of.session_token,
            region=region,
            service=service,
            now=time.time(),
        )
        return [(name.decode(), value.decode()) for name, value in [*raw, *added]]

    def send_unsigned(self, method: str, target: str, headers: Pairs, body: bytes = b"") -> Reply:
        """Send these headers and no others but the length of the body."""
        connection = self._connection
        if time.monotonic() - self._used > IDLE:
            connection.close()
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value.encode())
        if body or method in {"PUT", "POST"}:
            connection.putheader("content-length", str(len(body)))
        connection.endheaders(body or None)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        reply = Reply(answer.status, found, answer.read())
        self._used = time.monotonic()
        return reply

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
