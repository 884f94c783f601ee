"""Compare the engine with the reference model on many random cases, and write what came of it into docs/proofs.md.

Usage: python tools/prove.py COUNT [SEED] [--check]; with `--check` nothing is written but the cases that differ.
"""

import argparse
import gc
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


def main() -> int:
    """Compare, print progress, and add a line to the ledger; 1 when there are differences."""
    options, begun = _options(), time.monotonic()
    count, seed = options.count, options.seed
    sizes = [min(PIECE, count - at) for at in range(0, count, PIECE)]
    found: list[str] = []
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for number, told in enumerate(pool.map(piece, _seeds(seed, len(sizes)), sizes), 1):
            found += told
            print(f"\r{sum(sizes[:number]):,} of {count:,} cases, {len(found)} differences", end="", file=sys.stderr)
    print(file=sys.stderr)
    print("\n\n".join(found[:10]))
    if not options.check:
        write(count, seed, len(found), time.monotonic() - begun)
    return 1 if found else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("seed", type=int, nargs="?", default=time.time_ns() // 10**9)
    parser.add_argument("--check", action="store_true")
    return parser.parse_args()


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
