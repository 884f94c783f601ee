"""Other people's programs, installed once for each state of their lock file, beside what iamd needs."""

import fcntl
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
    folder.parent.mkdir(exist_ok=True)
    # Of several processes one installs, and the others wait.
    with folder.with_name(f"{folder.name}.lock").open("w") as only:
        fcntl.flock(only, fcntl.LOCK_EX)
        if not folder.exists():
            part = folder.with_name(f"{folder.name}.{time.monotonic_ns()}")
            part.mkdir()
            install(part)
            part.rename(folder)
    return folder


def installed_by_npm(name: str, source: Path) -> Path:
    """The folder in which npm has put what the lock file in `source` names."""

    def install(folder: Path) -> None:
        for file in ("package.json", "package-lock.json"):
            shutil.copy(source / file, folder)
        # A connection that says nothing is given up after 15 seconds and not npm's five minutes.
        patience = ("--fetch-timeout=15000", "--fetch-retries=5", "--fetch-retry-mintimeout=500")
        run("npm", "ci", "--silent", "--no-audit", "--no-fund", *patience, folder=folder)

    return installed(name, source / "package-lock.json", install)


def run(*command: object, folder: Path | None = None) -> None:
    """Run an installer; its words are shown when it fails."""
    ran = subprocess.run(
        [str(part) for part in command], cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    if ran.returncode:
        raise RuntimeError(f"{command[0]} ended with {ran.returncode}: {ran.stdout[-2000:]}{ran.stderr[-2000:]}")
