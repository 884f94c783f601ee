"""The engines that are compared, and the processes they run in, each with its own dependencies."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PEERS = ROOT / ".venv" / "peers-decisions"
"""Where `make bench-decisions` puts the peers."""
COMPILED = ROOT / ".venv" / "compiled"
"""Where `make wheel-compiled` puts iamd with its compiled engine."""
PATIENCE_SECONDS = 180


class NotRunError(Exception):
    """Why an engine cannot be measured, in a few words."""


@dataclass(frozen=True)
class Engine:
    """An engine: what it is called, which class of which module drives it, and whose interpreter runs that.

    `largest` is the number of statements beyond which one decision takes too long to measure.
    """

    name: str
    package: str
    module: str
    of: str
    own: bool = False
    largest: int = 10_000
    library: Path | None = None
    """The folder of an installation that comes before the interpreter's own packages."""

    def command(self):
        """What starts its process; NotRunError when the interpreter or package is not there."""
        if self.module.endswith(".mjs"):
            return [*_node(), HERE / self.module, PEERS / "node"]
        if self.library is not None and not list(self.library.glob("iamd/policy/index.*.so")):
            raise NotRunError("there is none: `make wheel-compiled` makes it where there is a C compiler")
        python = Path(sys.executable) if self.own else PEERS / "bin" / "python"
        if not python.exists():
            raise NotRunError("its environment is not installed: `make bench-decisions` installs it")
        return [python, "-m", "decisions.child", self.module, self.of]


OURS = Engine("iamd", "iamd", "in_aws", "Iamd", own=True)
OURS_COMPILED = Engine("iamd, compiled", "iamd", "in_aws", "Iamd", own=True, library=COMPILED)
MODEL = Engine("the reference model", "", "in_aws", "Model", own=True)
CEDAR = Engine("cedarpy", "cedarpy", "in_cedar", "Cedar")
CEDAR_PARSING = Engine("cedarpy, parsing each time", "cedarpy", "in_cedar", "CedarParsing", largest=1_000)
SIMULATE = Engine("iam-simulate", "@cloud-copilot/iam-simulate", "simulate.mjs", "", largest=1_000)
PEER_ENGINES = (
    CEDAR,
    CEDAR_PARSING,
    Engine("opa-eval (regorus)", "opa-eval", "in_rego", "Regorus"),
    Engine("regopy", "regopy", "in_rego", "Regopy"),
    Engine("casbin", "casbin", "in_casbin", "Casbin"),
    Engine("moto", "moto", "in_aws", "Moto", own=True),
    Engine("ministack", "ministack", "in_aws", "Ministack"),
    SIMULATE,
)


def _node():
    node = shutil.which("node")
    if node is None:
        raise NotRunError("there is no Node.js")
    if not (PEERS / "node" / "node_modules" / "@cloud-copilot" / "iam-simulate").exists():
        raise NotRunError("its package is not installed: `make bench-decisions` installs it where npm is")
    return [node, "--max-old-space-size=4096"]


class Running:
    """An engine's process, which answers one command at a time."""

    def __init__(self, engine):
        command = [str(part) for part in engine.command()]
        folders = (*([engine.library] if engine.library else []), HERE.parent, ROOT / "tests")
        self._engine = engine
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
        self._process = subprocess.Popen(
            command,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        # What it had not read when it ended can't be sent any more.
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.stdout.close()
        self._log.close()

    def load(self, statements, documents, asks):
        """Load the policies; gives the seconds that took, and those of what is else done on first uses."""
        self._ask("start")
        told = [(ask.action, ask.resource, ask.context) for ask in asks]
        given = {"documents": documents} if self._engine.module.endswith(".mjs") else {"statements": statements}
        said = self._ask("load", **given, asks=told)
        return said["seconds"], said["first"]

    def answers(self, seconds):
        """The answers to the first requests, as many as the seconds suffice for."""
        return self._ask("answer", seconds=seconds)["answers"]

    def times(self, seconds):
        """What decisions cost."""
        return Times(**self._ask("time", seconds=seconds))

    def memory(self):
        """The resident MiB of the process now."""
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise NotRunError("its process has ended")

    def _ask(self, do, **command):
        watch, begun = threading.Timer(PATIENCE_SECONDS, self._process.kill), time.monotonic()
        watch.start()
        try:
            self._process.stdin.write(json.dumps({"do": do, **command}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            watch.cancel()
        if not line and time.monotonic() - begun >= PATIENCE_SECONDS:
            raise NotRunError(f"no answer in {PATIENCE_SECONDS} s")
        if not line:
            raise NotRunError(f"its process ended: {self._last_line()}")
        said = json.loads(line)
        if "error" in said:
            raise NotRunError(said["error"])
        return said

    def _last_line(self):
        self._process.wait(10)
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


@dataclass(frozen=True)
class Times:
    """So many decisions in so many seconds of CPU and of the clock, and the latency of one, in nanoseconds."""

    count: int
    cpu: float
    wall: float
    p50: int
    p99: int


def versions():
    """The version of each peer's package that is installed, by its name."""
    found = {}
    for engine in PEER_ENGINES:
        try:
            found[engine.package] = _version(engine)
        except (NotRunError, OSError, subprocess.CalledProcessError):
            continue
    return found


def _version(engine):
    command = engine.command()
    if engine.module.endswith(".mjs"):
        told = PEERS / "node" / "node_modules" / engine.package / "package.json"
        return json.loads(told.read_text())["version"]
    script = f"import importlib.metadata as m; print(m.version({engine.package!r}))"
    return subprocess.run([str(command[0]), "-c", script], capture_output=True, text=True, check=True).stdout.strip()
