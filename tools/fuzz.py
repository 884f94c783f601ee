"""Fuzz the policy engine with libFuzzer, two targets at a time: what breaks it is kept in tests/policy/corpus.

Usage: python tools/fuzz.py SECONDS [TARGET]; the seconds are each target's.
"""

import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "tests" / "policy" / "corpus"
LONGEST = {"documents": 20_480, "arns": 2_048, "patterns": 2_048, "conditions": 2_048}
"""Bytes: the largest policy that AWS takes (Service Quotas, a bucket's policy), and ARNs of twice the largest."""
MEMORY_MB, HANG_SECONDS = 2_048, 20
DONE = re.compile(r"^Done (\d+) ", re.MULTILINE)


def fuzz(target: str, seconds: int) -> None:
    """Fuzz one target in this process; it ends here."""
    atheris = import_module("atheris")
    sys.path.insert(0, str(ROOT / "tests"))
    with atheris.instrument_imports(include=["iamd.policy"]):
        targets = import_module("policy.targets")
    with tempfile.TemporaryDirectory() as found:
        options = [
            f"-max_total_time={seconds}",
            f"-max_len={LONGEST[target]}",
            f"-timeout={HANG_SECONDS}",
            f"-rss_limit_mb={MEMORY_MB}",
            f"-artifact_prefix={CORPUS / target}/",
        ]
        atheris.Setup([sys.argv[0], *options, found, str(CORPUS / target)], one_of(targets, target))
        atheris.Fuzz()


def one_of(targets: object, name: str) -> object:
    """What libFuzzer calls: a target of tests/policy/targets.py, within its limit of work."""
    target, within_limit = getattr(targets, "TARGETS")[name], getattr(targets, "within_limit")  # noqa: B009

    def call(data: bytes) -> None:
        within_limit(target, data)

    return call


def apart(target: str, seconds: int) -> tuple[str, subprocess.CompletedProcess[str]]:
    """Fuzz a target in a process of its own."""
    command = [sys.executable, __file__, str(seconds), target]
    return target, subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def main() -> int:
    """Fuzz the target, or all of them, and tell what came of it; 1 when something breaks the engine."""
    seconds = int(sys.argv[1])
    if find_spec("atheris") is None:
        print("nothing is fuzzed: atheris has no wheel for this system")
        return 0
    if len(sys.argv) > 2:
        fuzz(sys.argv[2], seconds)
    broken = False
    with ThreadPoolExecutor(2) as pool:
        for target, ended in pool.map(lambda name: apart(name, seconds), LONGEST):
            done = DONE.search(ended.stderr)
            print(f"{target}: {int(done[1]):,} inputs" if done else f"{target}: broken", flush=True)
            if ended.returncode or done is None:
                broken = True
                print(ended.stdout[-4000:], ended.stderr[-4000:])
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
