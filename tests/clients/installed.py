"""Other people's programs, installed once for each state of their lock file, beside what iamd needs."""

import hashlib
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]


def installed(name: str, lock: Path, install: Callable[[Path], None]) -> Path:
    """The folder in which `install` has put what a lock file names; the processes of one test run share it."""
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    folder = Path(sys.prefix) / "clients" / f"{name}-{digest}"
    if not folder.exists():
        part = folder.with_name(f"{folder.name}.{time.monotonic_ns()}")
        part.mkdir(parents=True)
        install(part)
        try:
            part.rename(folder)
        except OSError:
            # Another process was first.
            shutil.rmtree(part)
    return folder


def run(*command: object, folder: Path | None = None) -> None:
    """Run an installer; its words are shown when it fails."""
    ran = subprocess.run(
        [str(part) for part in command], cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    if ran.returncode:
        raise RuntimeError(f"{command[0]} ended with {ran.returncode}: {ran.stdout[-2000:]}{ran.stderr[-2000:]}")
