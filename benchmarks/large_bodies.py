"""1 GiB up and down through the gateway: how much its peak memory grows; L1 to L3."""

import hashlib
import socket
import time

import servers
from signed import BUCKET, caught, client, upload

GIB = 1024**3
PIECE = b"x" * (1024 * 1024)
PIECES = GIB // len(PIECE)
PATH = f"/{BUCKET}/large"


def run(report, folder):
    """Measure, and tell the report."""
    with servers.app("backend") as backend:
        for goal, work in (("L1", _streamed), ("L2", _checked), ("L3", _down)):
            with servers.iamd(folder, backend=f"http://127.0.0.1:{backend.port}") as ours:
                client("s3", ours.port, servers.ADMIN).create_bucket(Bucket=BUCKET)
                _get(ours.port)
                before, begun = ours.peak(), time.perf_counter()
                work(ours.port)
                report.tell(goal, ours.peak() - before)
                report.note(f"{goal}: {1024 / (time.perf_counter() - begun):.0f} MiB a second")


def _streamed(port):
    _up(port, "UNSIGNED-PAYLOAD")


def _checked(port):
    digest = hashlib.sha256()
    for _ in range(PIECES):
        digest.update(PIECE)
    _up(port, digest.hexdigest())


def _up(port, sha256):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(upload(port, servers.ADMIN, PATH, GIB, sha256))
        for _ in range(PIECES):
            connection.sendall(PIECE)
        answer = connection.recv(65536)
    if not answer.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"the upload failed: {answer!r}")


def _down(port):
    # The backend of apps.py gives as many bytes as this says.
    received = _get(port, VersionId=str(GIB))
    if received != GIB:
        raise SystemExit(f"the download ended after {received} bytes")


def _get(port, **parameters):
    asked = {"Bucket": BUCKET, "Key": "large", **parameters}
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(caught(client("s3", port, servers.ADMIN), "get_object", asked))
        head, _, body = connection.recv(65536).partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        received = len(body)
        while received < length and (piece := connection.recv(1024 * 1024)):
            received += len(piece)
    if not head.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"the download failed: {head!r}")
    return received
