"""Servers that are measured: processes of their own, and what the kernel says they used."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

BIN = Path(sys.executable).parent
PEERS = BIN.parent / "peers" / "bin"
"""Where `make bench` puts the peers whose dependencies differ from iamd's."""

APPS = Path(__file__).with_name("apps.py")
READY_SECONDS = 60


class Server:
    """A running server on a port of 127.0.0.1, with the processes that it started."""

    def __init__(self, command, port, env=None, log=subprocess.DEVNULL):
        self.port = port
        self.started = time.monotonic()
        self._log = log
        self._process = subprocess.Popen(
            [str(part) for part in command],
            env={**_environment(), **(env or {})},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        self.pid = self._process.pid
        self._wait()

    def _wait(self):
        while time.monotonic() - self.started < READY_SECONDS:
            if self._process.poll() is not None:
                raise SystemExit(f"{self._process.args[0]} ended with {self._process.returncode}")
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                self.ready_seconds = time.monotonic() - self.started
                return
            time.sleep(0.01)
        raise SystemExit(f"{self._process.args[0]} does not listen on {self.port}")

    def children(self):
        """Every process that descends from this one."""
        found, wanted = [], [self.pid]
        while wanted:
            pid = wanted.pop()
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                with suppress(OSError):
                    below = [int(child) for child in task.read_text().split()]
                    found += below
                    wanted += below
        return found

    def cpu(self, *, tree=True):
        """CPU seconds so far, user and system, of the process and its threads; of its children too with `tree`."""
        return sum(cpu_of(pid) for pid in [self.pid, *(self.children() if tree else [])])

    def memory(self, *, tree=True):
        """MiB of resident memory."""
        return sum(status_of(pid, "VmRSS") for pid in [self.pid, *(self.children() if tree else [])])

    def peak(self):
        """MiB that the process itself had resident at most."""
        return status_of(self.pid, "VmHWM")

    def stop(self):
        """End it and all that it started."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)
            self._process.wait(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def _environment():
    """Ours without what would make each start compile anew, and without settings that some servers read."""
    dropped = ("PYTHONDONTWRITEBYTECODE", "IAMD_", "MOTO_", "AWS_")
    return {name: value for name, value in os.environ.items() if not name.startswith(dropped)}


def cpu_of(pid):
    """A process's CPU seconds by the kernel's scheduler clock: nanoseconds, threads that ended included."""
    # Linux: clock_getcpuclockid(3) makes this number of the process id; time.clock_gettime takes it as it is.
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


def status_of(pid, name):
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(name)), 0.0)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


ADMIN = ("AKIAQAAAAAAAAEXAMPLE", "bench/mark/secret/bench/mark/secret/bench")
TEST = ("test", "test")
"""The administrators of iamd, and of the peers."""


def iamd(folder, backend="none", data=None):
    """Our server with its defaults, on a new data folder unless one is given; a backend at a URL gets signatures."""
    data, port = data or Path(tempfile.mkdtemp(dir=folder, prefix="data-")), free_port()
    env = {"IAMD_ADMIN_ACCESS_KEY_ID": ADMIN[0], "IAMD_ADMIN_SECRET_ACCESS_KEY": ADMIN[1]}
    if backend.startswith("http"):
        config = data.with_suffix(".toml")
        config.write_text(BACKEND.format(backend))
        env["IAMD_CONFIG"] = str(config)
    return Server([BIN / "iamd", "serve", "--data", data, "--port", port, "--backend", backend], port, env)


BACKEND = """[backends.bench]
url = "{}"
access_key_id = "AKIAQBBBBBBBBEXAMPLE"
secret_access_key = "of/the/backend/of/the/backend/of/the/bac"
"""


def moto():
    """moto_server as it is started by hand: it checks neither signatures nor policies."""
    port = free_port()
    return Server([BIN / "moto_server", "-H", "127.0.0.1", "-p", port], port)


def ministack():
    """ministack with AUTH=true: it verifies signatures and decides by policies; no audit."""
    port = free_port()
    env = {"AUTH": "true", "GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "LOG_LEVEL": "ERROR"}
    return Server([PEERS / "ministack"], port, env)


def peer_version(name):
    """The version of a package that is installed beside us."""
    found = PEERS.parent.glob(f"lib/python*/site-packages/{name}-*.dist-info")
    return next((path.name.removesuffix(".dist-info").partition("-")[2] for path in found), "unknown")


def app(name, *given):
    """One of the applications in apps.py on uvicorn with uvloop and httptools."""
    port = free_port()
    return Server([PEERS / "python", APPS, name, port, *given], port)
