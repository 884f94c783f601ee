"""Put bugs that others had into a copy of iamd, one at a time, and see whether the named tests fail.

Usage: python tools/seeded_bugs.py [ID...]; without one, all of seeded_bugs.toml.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parent.parent
CATALOG = Path(__file__).with_suffix(".toml")
SECONDS = 900
TESTS_FAILED = 1
"""pytest's exit code for tests that ran and failed; others say that they did not run."""


class Bug(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One bug: where `old` stands in iamd's `file`, `new` makes it; `seen` names who had it."""

    id: str
    what: str
    seen: tuple[str, ...]
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def seed(self, package: Path) -> None:
        """Put the bug into a copy of the package; ValueError when the place is not found, or found twice."""
        path = package / self.file
        text = path.read_text("utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"{self.id}: its place stands in {self.file} {text.count(self.old)} times")
        path.write_text(text.replace(self.old, self.new), "utf-8")


def catalog() -> list[Bug]:
    """Every bug of the catalog, in its order."""
    return msgspec.convert(tomllib.loads(CATALOG.read_text("utf-8"))["bug"], list[Bug])


def is_noticed(bug: Bug) -> bool:
    """Whether one of the bug's tests fails when it is there."""
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "src" / "iamd"
        shutil.copytree(ROOT / "src" / "iamd", package, ignore=shutil.ignore_patterns("__pycache__"))
        bug.seed(package)
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", *bug.tests]
        environment = {**os.environ, "PYTHONPATH": str(package.parent)}
        ran = subprocess.run(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS,
            check=False,
        )  # fmt: skip
    if ran.returncode not in {0, TESTS_FAILED}:
        raise RuntimeError(f"{bug.id}: its tests did not run:\n{ran.stdout.decode()[-2000:]}")
    return ran.returncode == TESTS_FAILED


def main(names: list[str]) -> int:
    """Tell of each bug whether it is noticed; 1 when one is not."""
    missed = 0
    for bug in catalog():
        if names and bug.id not in names:
            continue
        noticed = is_noticed(bug)
        missed += not noticed
        sys.stdout.write(f"{bug.id} {'noticed' if noticed else 'NOT NOTICED'}: {bug.what}\n")
        sys.stdout.flush()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
