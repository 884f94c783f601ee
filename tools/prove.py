"""Compare the engine with the reference model on many random cases, and write what came of it into docs/proofs.md.

Usage: python tools/prove.py COUNT [SEED] [--check]; with `--check` nothing is written but the cases that differ.

A run that was interrupted goes on where it stopped, while engine and model are the same: without a seed it is the last
one's. How far it came stands in `.prove`.
"""

import argparse
import gc
import hashlib
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UNFINISHED = ROOT / ".prove"
LEDGER = ROOT / "docs" / "proofs.md"
KEPT = ROOT / "tests" / "policy" / "cases" / "differences"
PIECE = 20_000
MOST_PIECES = 1_000_000
"""No two seeds have a piece in common."""


def piece(seed: int, count: int) -> list[str]:
    """Give the differences among so many cases, each as text; what differs is kept as a case for ever."""
    # As iamd's server does: looking for garbage in what policies are made of is half of the work.
    gc.set_threshold(20_000, 20, 20)
    sys.path.insert(0, str(ROOT / "tests"))
    # The tests are no package until their folder is on the path.
    found = list(import_module("policy.difference").differences(seed, count))
    for number, difference in enumerate(found):
        KEPT.mkdir(exist_ok=True)
        (KEPT / f"seed-{seed}-{number}.json").write_text(json.dumps(difference.case, indent=1) + "\n", "utf-8")
    return [str(difference) for difference in found]


class Run:
    """How far a run of one seed came with one engine and model: pieces compared, differences found, seconds taken."""

    def __init__(self, seed: int, folder: Path = UNFINISHED) -> None:
        self._file = folder / f"{seed}-{_compared()}.json"
        self._begun = time.monotonic()
        self.pieces, self.found, self._seconds = 0, list[str](), 0.0
        if self._file.exists():
            self.pieces, self.found, self._seconds = json.loads(self._file.read_text("utf-8"))

    @property
    def seconds(self) -> float:
        """What it took, all its parts together."""
        return self._seconds + time.monotonic() - self._begun

    def note(self, told: list[str]) -> None:
        """Take down the differences of one more piece."""
        self.pieces += 1
        self.found += told
        self._file.parent.mkdir(exist_ok=True)
        written = self._file.with_suffix(".new")
        written.write_text(json.dumps([self.pieces, self.found, self.seconds]), "utf-8")
        written.replace(self._file)

    def end(self) -> None:
        """Forget how far it came: it is at its end."""
        self._file.unlink(missing_ok=True)


def unfinished(folder: Path = UNFINISHED) -> int | None:
    """The seed of the last run that was interrupted with this engine and model."""
    found = sorted(folder.glob(f"*-{_compared()}.json"), key=lambda one: one.stat().st_mtime)
    return int(found[-1].name.partition("-")[0]) if found else None


def _compared() -> str:
    """What tells one state of engine and model from another."""
    files = sorted([*(ROOT / "src/iamd/policy").rglob("*.py"), *(ROOT / "tests/policy").glob("*.py")])
    return hashlib.sha256(b"".join(one.read_bytes() for one in files)).hexdigest()[:16]


def main() -> int:
    """Compare, print progress, and add a line to the ledger; 1 when there are differences."""
    options = _options()
    count, seed = options.count, options.seed
    run = Run(seed)
    sizes = [min(PIECE, count - at) for at in range(0, count, PIECE)]
    if run.pieces:
        print(f"seed {seed}: going on behind {sum(sizes[: run.pieces]):,} cases", file=sys.stderr)
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for told in pool.map(piece, _seeds(seed, len(sizes))[run.pieces :], sizes[run.pieces :]):
            run.note(told)
            done = sum(sizes[: run.pieces])
            print(f"\r{done:,} of {count:,} cases, {len(run.found)} differences", end="", file=sys.stderr)
    print(file=sys.stderr)
    print("\n\n".join(run.found[:10]))
    run.end()
    if not options.check:
        write(count, seed, len(run.found), run.seconds)
    return 1 if run.found else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("seed", type=int, nargs="?")
    parser.add_argument("--check", action="store_true")
    found = parser.parse_args()
    if found.seed is None:
        found.seed = unfinished() or time.time_ns() // 10**9
    return found


def _seeds(seed: int, pieces: int) -> range:
    return range(seed * MOST_PIECES, seed * MOST_PIECES + pieces)


def write(count: int, seed: int, differences: int, seconds: float) -> None:
    """Add a line to the ledger."""
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    with LEDGER.open("a", encoding="utf-8") as ledger:
        ledger.write(f"| {day} | `{commit[:12]}` | {seed} | {count:,} | {differences} | {seconds:.0f} s |\n")


if __name__ == "__main__":
    sys.exit(main())
