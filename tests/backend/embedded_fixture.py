"""The real embedded backend for a test: one child for all tests of a file, emptied before each."""

import asyncio
import time
from pathlib import Path

from iamd.backend.embedded import EmbeddedBackend
from iamd.backend.verdict import Verdict
from iamd.errors import CommonError
from iamd.gateway.backend import Backend
from iamd.gateway.forward import forward
from iamd.gateway.payload import Payload
from iamd.http import HttpRequest

ACCOUNT = "123456789012"
OTHER = "210987654321"


class Moto:
    """The backend on a loop of its own, called from plain tests."""

    def __init__(self, folder: Path) -> None:
        self.runner = asyncio.Runner()
        self.embedded = self.run(self._begin(folder))
        self.backend = Backend.local(self.embedded)

    async def _begin(self, folder):
        embedded = EmbeddedBackend(folder)
        embedded.start()
        await embedded.ready()
        return embedded

    def run(self, coroutine):
        return self.runner.run(coroutine)

    def close(self):
        self.run(self.backend.close())
        self.run(self.embedded.stop())
        self.runner.close()

    def call(
        self,
        service,
        operation,
        protocol,
        method,
        target,
        body=b"",
        headers=(),
        *,
        account=ACCOUNT,
        region="us-east-1",
        bucket=None,
        host="localhost:4566",
        reached=(),
        **more,
    ):
        """Forward as if this had been decided; give status, headers and body, or the error's kind."""
        path, _, query = target.partition("?")
        fields = [(b"host", host.encode()), *[(k.encode(), v.encode()) for k, v in headers]]
        request = HttpRequest("id", method, path.encode(), query.encode(), fields, None, "127.0.0.1")
        verdict = Verdict(service, operation, protocol, account, region, host, bucket, reached=reached)
        return self.run(self._call(request, Payload(body, len(body)), verdict, more))

    async def _call(self, request, payload, verdict, more):
        try:
            answer = await forward(request, payload, self.backend, verdict, now=time.time(), **more)
        except CommonError as error:
            return error
        return Reply(answer.status, dict(answer.headers), b"".join([piece async for piece in answer]))

    def s3(self, operation, method, target, body=b"", headers=(), **more):
        return self.call("s3", operation, "rest-xml", method, target, body, headers, **more)

    def json(self, service, operation, target, body, *, version="1.0", **more):
        """A JSON call whose X-Amz-Target is `target`."""
        headers = [
            ("x-amz-target", target),
            ("content-type", f"application/x-amz-json-{version}"),
            *more.pop("headers", ()),
        ]
        return self.call(service, operation, "json", "POST", more.pop("path", "/"), body, headers, **more)


class Reply:
    """What came back."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body
