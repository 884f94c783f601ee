"""Servers that iamd's presets are for, as their packages have them, each started on a free port of the loopback."""

import os
import random
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from clients.installed import ROOT, installed, installed_by_npm, run

SOURCE = Path(__file__).parent / "javascript"
READY_SECONDS = 90

SEAWEEDFS_KEY = ("SEAWEEDFSTESTKEY", "seaweedfs-test-secret")
_SEAWEEDFS_IDENTITY = """{"identities": [{"name": "iamd", "actions": ["Admin", "Read", "List", "Tagging", "Write"],
  "credentials": [{"accessKey": "%s", "secretKey": "%s"}]}]}"""


def node_program(name: str) -> Path:
    """A program of npm's."""
    return installed_by_npm("backends", SOURCE) / "node_modules" / ".bin" / name


def python_folder(name: str) -> Path:
    """The folder with what a file of requirements names."""
    lock = ROOT / "requirements" / f"{name}.txt"

    def install(folder: Path) -> None:
        run(sys.executable, "-m", "pip", "install", "-q", "--require-hashes", "--target", folder, "-r", lock)

    return installed(name, lock, install)


def free_port() -> int:
    """A port that nobody listens on now, and that the system gives nobody who asks for any."""
    while True:
        port = random.randrange(10_000, 32_000)
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue


@contextmanager
def running(command: list[object], port: int, folder: Path, path: str = "/", **environment: str) -> Iterator[str]:
    """The URL of a server that runs within the block; ready when it answers for `path`, whatever it says."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "IAMD_"))}
    log = folder / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            stdout=out,
            stderr=out,
            env={**clean, "HOME": str(folder), **environment},
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url + path, process, log)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait(15)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except urllib.error.HTTPError as error:
            error.close()
            if error.code < 500:
                return
        except (urllib.error.URLError, OSError):
            pass
        else:
            return
        time.sleep(0.1)
    raise RuntimeError(f"no server at {url}: {log.read_text(errors='replace')[-2000:]}")


def moto(folder: Path) -> object:
    port = free_port()
    return running([Path(sys.executable).parent / "moto_server", "-p", port], port, folder, "/moto-api/data.json")


def ministack(folder: Path) -> object:
    port, packages = free_port(), python_folder("backends")
    command = [sys.executable, packages / "bin" / "ministack"]
    place = {"PYTHONPATH": str(packages), "GATEWAY_PORT": str(port), "PORT": str(port)}
    return running(command, port, folder, "/_ministack/health", **place)


def seaweedfs(folder: Path) -> object:
    port, rest = free_port(), [free_port() for _ in range(6)]
    (folder / "s3.json").write_text(_SEAWEEDFS_IDENTITY % SEAWEEDFS_KEY)
    names = ("master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc")
    ports = [f"-{name}={one}" for name, one in zip(names, rest, strict=True)]
    weed = python_folder("backends") / "bin" / "weed"
    options = ["-ip=127.0.0.1", f"-dir={folder}", "-s3", f"-s3.port={port}", f"-s3.port.grpc={free_port()}"]
    options += [
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        f"-s3.config={folder / 's3.json'}",
        "-master.volumeSizeLimitMB=64",
        "-volume.max=100",
        *ports,
    ]
    return running([weed, "server", *options], port, folder, "/healthz")


def dynalite(folder: Path) -> object:
    port = free_port()
    return running(
        [node_program("dynalite"), "--host", "127.0.0.1", "--port", port, "--createTableMs", "0"], port, folder
    )


def kinesalite(folder: Path) -> object:
    port = free_port()
    return running([node_program("kinesalite"), "--port", port, "--createStreamMs", "0"], port, folder)


def s3rver(folder: Path) -> object:
    port = free_port()
    return running([node_program("s3rver"), "-d", folder / "buckets", "-p", port], port, folder)


def fauxqs(folder: Path) -> object:
    port = free_port()
    place = {"FAUXQS_PORT": str(port), "FAUXQS_LOGGER": "false"}
    return running([node_program("fauxqs")], port, folder, "/health", **place)


STARTED: dict[str, Callable[[Path], object]] = {
    one.__name__: one for one in (moto, ministack, seaweedfs, dynalite, kinesalite, s3rver, fauxqs)
}
