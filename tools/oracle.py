"""Ask npm's @cloud-copilot/iam-simulate, in a process of its own, what it says of random near-misses.

Usage: python tools/oracle.py COUNT [SEED] [--write PAGE]. Nobody has to have it: it's AGPL-3.0, is run and never
imported, copied or shipped, and is where `make oracle` puts it. A difference that the table of known ones does not
cover is shown, and the exit code is 1.
"""

import argparse
import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

from oracle_differences import KNOWN, Case

ROOT = Path(__file__).resolve().parent.parent
NODE = ROOT / ".venv" / "peers-decisions" / "node"
PACKAGE = NODE / "node_modules" / "@cloud-copilot" / "iam-simulate" / "package.json"
SHOWN = 5
HEAD = """# What another engine says

Written by `make oracle`; don't edit it. Of {day}, with @cloud-copilot/iam-simulate {version}, seed {seed}.

`make oracle` asks iam-simulate, which other people wrote from AWS's pages and tried on AWS, about random near-misses
(`tests/policy/near_misses.py`). It runs in a process of its own (`tools/oracle.mjs`), is optional and no part of iamd;
its licence is the AGPL-3.0. Of {count:,} cases {differences:,} were decided otherwise, and {unknown:,} of these
have nothing that is known to be.

Where the two are known to differ, with the number of cases that were decided otherwise and have it; a case may have
several. iamd's side is AWS's pages', or is chosen in
[decisions/0001](decisions/0001-uncertain-points-of-policy-evaluation.md).

| what | iam-simulate | iamd | cases |
| --- | --- | --- | --: |
"""


def askable(case: Case) -> Case | None:
    """A case as the oracle can be asked: documents as objects, one session policy and resource policy; or None."""
    held: dict[str, Any] = {}
    for name, found in case["policies"].items():
        several = found if isinstance(found, list) else [found]
        if any(isinstance(one, str) for one in several) or (name in {"session", "resource"} and len(several) != 1):
            return None
        held[name] = several
    made = {**case, "policies": held}
    return made if all(_is_whole(one) for one in _documents(held)) else None


def _documents(held: dict[str, Any]) -> Iterator[Any]:
    for several in held.values():
        for one in several:
            yield from one.get("policies", [one])


def _is_whole(document: Any) -> bool:
    """Whether a document could be stored: what is damaged the oracle does not refuse."""
    if not isinstance(document, dict) or document.get("Version", "2012-10-17") not in {"2012-10-17", "2008-10-17"}:
        return False
    found = document["Statement"]
    several = [found] if isinstance(found, dict) else found
    return bool(several) and all(one.get("Effect") in {"Allow", "Deny"} for one in several)


def cases(seed: int, count: int) -> list[Case]:
    """So many cases that the oracle can be asked."""
    sys.path.insert(0, str(ROOT / "tests"))
    near = import_module("policy.difference").near(seed, sys.maxsize)
    return list(islice((found for case in near if (found := askable(case)) is not None), count))


def answers(asked: list[Case]) -> list[str]:
    """What the oracle says."""
    node = shutil.which("node")
    if node is None or not PACKAGE.exists():
        raise SystemExit("iam-simulate is not installed: `make oracle` installs it where npm is")
    told = "".join(json.dumps(case) + "\n" for case in asked)
    command = [node, str(Path(__file__).with_suffix(".mjs")), str(NODE)]
    done = subprocess.run(command, input=told, capture_output=True, encoding="utf-8", check=True)
    return done.stdout.splitlines()


def main() -> int:
    """Compare, tell, and write the page; 1 when a difference is not known."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("seed", type=int, nargs="?", default=1)
    parser.add_argument("--write", type=Path)
    chosen = parser.parse_args()
    asked = cases(chosen.seed, chosen.count)
    difference = import_module("policy.difference")
    counts: Counter[int] = Counter()
    unknown: list[str] = []
    differences = 0
    for case, said in zip(asked, answers(asked), strict=True):
        ours = difference.of_engine(case).partition(" by ")[0]
        if ours == said:
            continue
        differences += 1
        rows = [number for number, row in enumerate(KNOWN) if row.has(case)]
        counts.update(rows)
        if not rows:
            unknown.append(f"iamd: {ours}\niam-simulate: {said}\n{json.dumps(case, indent=1)}")
    print("\n\n".join(unknown[:SHOWN]))
    print(f"{len(asked):,} cases, {differences:,} decided otherwise, {len(unknown):,} of them as is not known")
    if chosen.write is not None:
        chosen.write.write_text(page(chosen.seed, len(asked), differences, len(unknown), counts), "utf-8")
    return 1 if unknown else 0


def page(seed: int, count: int, differences: int, unknown: int, counts: Counter[int]) -> str:
    """The page of docs/."""
    head = HEAD.format(
        day=f"{datetime.now(UTC):%Y-%m-%d}",
        version=json.loads(PACKAGE.read_text("utf-8"))["version"],
        seed=seed,
        count=count,
        differences=differences,
        unknown=unknown,
    )
    rows = (f"| {row.what} | {row.oracle} | {row.here} | {counts[n]:,} |\n" for n, row in enumerate(KNOWN))
    return head + "".join(rows)


if __name__ == "__main__":
    sys.exit(main())
