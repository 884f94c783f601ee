"""CPU of forwarding: iamd's forward beside a bare uvicorn + aiohttp proxy and beside moto itself, S3 GET of 1 KiB.

Run: python benchmarks/gateway_forward.py [--requests 3000] [--rounds 3] [--large]
`--large` sends and fetches 1 GiB and prints how the proxy's memory grew.
"""

import argparse
import asyncio
import multiprocessing
import os
import socket
import sys
import tempfile
import time
from pathlib import Path

CONNECTIONS = 16
TICKS = os.sysconf("SC_CLK_TCK")
GIB = 1024**3
SCOPE = "AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/s3/aws4_request"
SIGNATURE = f"authorization: AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=host;x-amz-date, Signature={'0' * 64}"


def serve(app, sock):
    import uvicorn

    config = uvicorn.Config(app, log_level="error", loop="uvloop", http="httptools", access_log=False, lifespan="off")
    uvicorn.Server(config).run(sockets=[sock])


async def no_op(scope, receive, send):
    """A backend that takes any body and answers 1 KiB, or as much as `?size=` says."""
    while (await receive()).get("more_body"):
        pass
    size = int(scope["query_string"].partition(b"size=")[2] or 1024)
    headers = [(b"content-length", str(size).encode()), (b"etag", b'"e"')]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    piece = b"x" * 65536
    while size > 0:
        part = piece[:size]
        size -= len(part)
        await send({"type": "http.response.body", "body": part, "more_body": size > 0})


def bare(url):
    """What anyone writes first: every header on, the body through, nothing checked."""
    import aiohttp
    from yarl import URL

    session = None

    async def app(scope, receive, send):
        nonlocal session
        session = session or aiohttp.ClientSession(auto_decompress=False)
        target = URL(f"{url}{scope['raw_path'].decode()}?{scope['query_string'].decode()}", encoded=True)
        headers = [(k.decode(), v.decode()) for k, v in scope["headers"]]
        async with session.request(scope["method"], target, headers=headers) as answer:
            await send({"type": "http.response.start", "status": answer.status, "headers": answer.raw_headers})
            async for piece in answer.content.iter_any():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})

    return app


def ours(url, data=None):
    from iamd.backend.embedded import EmbeddedBackend
    from iamd.backend.verdict import Verdict
    from iamd.gateway.backend import Backend, Credentials
    from iamd.gateway.bodies import s3_object
    from iamd.gateway.forward import forward
    from iamd.gateway.payload import EMPTY
    from iamd.http import HttpRequest

    backend = None
    verdicts = {
        method: Verdict("s3", name, "rest-xml", "123456789012", "us-east-1")
        for method, name in {"GET": "GetObject", "PUT": "PutObject"}.items()
    }
    create = Verdict("s3", "CreateBucket", "rest-xml", "123456789012", "us-east-1")

    async def begin():
        if url is not None:
            return Backend.remote(url, Credentials("AKIDEXAMPLE", "secret"))
        embedded = EmbeddedBackend(Path(data), owner=False)
        embedded.start()
        await embedded.ready()
        return Backend.local(embedded)

    async def app(scope, receive, send):
        nonlocal backend
        backend = backend or await begin()
        method, path = scope["method"], scope["raw_path"]
        request = HttpRequest("id", method, path, scope["query_string"], scope["headers"], None, "127.0.0.1")
        payload = await s3_object(request, receive, content_sha256=None) if method == "PUT" else EMPTY
        verdict = create if path.count(b"/") == 1 else verdicts[method]
        answer = await forward(request, payload, backend, verdict, now=time.time(), receive=receive)
        await answer.relay(send, receive)

    return app


def started(target, *given):
    sock = socket.create_server(("127.0.0.1", 0))
    process = multiprocessing.get_context("fork").Process(target=run_app, args=(target, given, sock), daemon=True)
    process.start()
    return process.pid, sock.getsockname()[1]


def run_app(make, given, sock):
    serve(make(*given) if given else make, sock)


def cpu(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


async def load(port, requests, path="/bucket/k"):
    """Keep 16 connections busy; each answer is checked."""
    date = "x-amz-date: 20260101T000000Z"
    fields = (f"GET {path} HTTP/1.1", "host: localhost:4566", SIGNATURE, "user-agent: bench", date)
    wanted = ("\r\n".join(fields) + "\r\n\r\n").encode()
    left = requests

    async def one():
        nonlocal left
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while left > 0:
            left -= 1
            writer.write(wanted)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"wrong answer: {head!r}")
            if b"chunked" in head.lower():
                await reader.readuntil(b"0\r\n\r\n")
            else:
                await reader.readexactly(1024)
            if b"connection: close" in head.lower():
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()

    await asyncio.gather(*[one() for _ in range(CONNECTIONS)])


def measured(port, pids, requests, rounds):
    """The best round's CPU microseconds per request, of each process."""
    asyncio.run(load(port, 300))
    best = None
    for _ in range(rounds):
        before = [cpu(pid) for pid in pids]
        asyncio.run(load(port, requests))
        used = [(cpu(pid) - was) / requests * 1e6 for pid, was in zip(pids, before, strict=True)]
        best = used if best is None or used[0] < best[0] else best
    return best


async def put(port, path, body):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"PUT {path} HTTP/1.1\r\nhost: localhost:4566\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
    head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    if b" 200 " not in head:
        raise SystemExit(f"wrong answer: {head!r}")


async def large(port, pid):
    """1 GiB up and 1 GiB down; gives the growth of the process's peak memory in MiB after each."""
    before = memory(pid)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"PUT /bucket/big HTTP/1.1\r\nhost: x\r\ncontent-length: {GIB}\r\n\r\n".encode())
    piece = b"x" * 1024 * 1024
    for _ in range(1024):
        writer.write(piece)
        await writer.drain()
    if b" 200 " not in await reader.readuntil(b"\r\n\r\n"):
        raise SystemExit("the upload failed")
    up = memory(pid) - before
    writer.close()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /bucket/big?size={GIB} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    got = 0
    while got < GIB:
        got += len(await reader.read(1024 * 1024))
    writer.close()
    return up, memory(pid) - before


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--requests", type=int, default=3000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--large", action="store_true")
    given = options.parse_args()
    many = (given.requests, given.rounds)

    backend_pid, backend_port = started(no_op)
    url = f"http://127.0.0.1:{backend_port}"
    bare_pid, bare_port = started(bare, url)
    ours_pid, ours_port = started(ours, url)
    time.sleep(1.5)
    direct = measured(backend_port, [backend_pid], *many)[0]
    proxy = measured(bare_port, [bare_pid], *many)[0]
    mine = measured(ours_port, [ours_pid], *many)[0]
    print(f"no-op backend itself               {direct:7.0f} us")
    print(f"bare uvicorn + aiohttp proxy       {proxy:7.0f} us")
    print(f"iamd forward, signed anew          {mine:7.0f} us   {mine / proxy:.2f} of the bare proxy")
    if given.large:
        up, down = asyncio.run(large(ours_port, ours_pid))
        print(f"1 GiB up, then down: peak memory grew by {up:.1f} MiB, then {down:.1f} MiB in all")
    with tempfile.TemporaryDirectory() as data:
        asyncio.run(beside_moto(data, many))


async def beside_moto(data, many):
    from iamd.backend.embedded import EmbeddedBackend

    embedded = EmbeddedBackend(Path(data))
    embedded.start()
    await embedded.ready()
    pid, port = started(ours, None, data)
    sock = socket.create_server(("127.0.0.1", 0))
    moto_port = sock.getsockname()[1]
    sock.close()
    moto = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).with_name("moto_server")), "-p", str(moto_port)), stdout=-3, stderr=-3
    )
    try:
        await asyncio.sleep(3)
        for at in (port, moto_port):
            await put(at, "/bucket", b"")
            await put(at, "/bucket/k", b"x" * 1024)
        mine, child = await asyncio.to_thread(measured, port, [pid, embedded.pid], *many)
        peer = (await asyncio.to_thread(measured, moto_port, [moto.pid], *many))[0]
    finally:
        moto.kill()
        await moto.wait()
        await embedded.stop()
    print(f"moto_server itself                 {peer:7.0f} us")
    print(f"iamd forward to the embedded moto  {mine:7.0f} us   {mine / peer:.1%} of moto_server")
    print(f"the embedded moto behind it        {child:7.0f} us   {child / peer:.1%} of moto_server")


if __name__ == "__main__":
    main()
