"""The plain applications that iamd is compared with; run: python benchmarks/apps.py NAME PORT [URL]."""

import sys

import uvicorn

ONE_KIB = b"x" * 1024


async def empty(scope, receive, send):
    """Answer at once: what the server itself costs."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


async def backend(scope, receive, send):
    """A backend that takes any body; a GET's answer has 1 KiB, or as much as `versionId=` in the query says."""
    while (await receive()).get("more_body"):
        pass
    size = int(scope["query_string"].partition(b"versionId=")[2] or 1024) if scope["method"] == "GET" else 0
    headers = [(b"content-length", str(size).encode()), (b"etag", b'"e"'), (b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    piece = b"x" * 65536 if size > 1024 else ONE_KIB
    while size > len(piece):
        size -= len(piece)
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": piece[:size]})


class Proxy:
    """What anyone writes first: every header on, the body through, nothing checked."""

    def __init__(self, url):
        self.url = url
        self.session = None

    async def __call__(self, scope, receive, send):
        import aiohttp
        from yarl import URL

        self.session = self.session or aiohttp.ClientSession(auto_decompress=False)
        query = b"?" + scope["query_string"] if scope["query_string"] else b""
        target = URL(self.url + (scope["raw_path"] + query).decode(), encoded=True)
        headers = [(name.decode(), value.decode()) for name, value in scope["headers"]]
        async with self.session.request(scope["method"], target, headers=headers) as answer:
            await send({"type": "http.response.start", "status": answer.status, "headers": answer.raw_headers})
            async for piece in answer.content.iter_any():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


if __name__ == "__main__":
    named = {"empty": lambda: empty, "backend": lambda: backend, "proxy": lambda: Proxy(sys.argv[3])}
    uvicorn.run(
        named[sys.argv[1]](),
        port=int(sys.argv[2]),
        loop="uvloop",
        http="httptools",
        lifespan="off",
        log_level="error",
        access_log=False,
    )
