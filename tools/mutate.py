"""Change the decision core in one place at a time, and see whether the tests of the policy engine notice.

Usage: python tools/mutate.py COUNT [SEED]; a COUNT of 0 takes every mutant there is.

The operators are mutmut's. Its runner isn't used: it leaves decorated functions out (here the memoised ones, which
read numbers, dates, addresses and ARNs), and it forks its mutants from a process whose memos hold what unchanged code
compiled.
"""

import gc
import importlib
import os
import random
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import unified_diff
from functools import cached_property
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

import hypothesis
import libcst as cst
import pytest
from mutmut.mutation.mutators import mutation_operators

ROOT = Path(__file__).resolve().parent.parent
LEDGER = ROOT / "docs" / "mutants.md"
SOURCE = ROOT / "src" / "iamd" / "policy"
CORE = (
    "conditions", "elements", "evaluate", "index", "operators", "principals", "request", "sets", "variables",
    "wildcard",
)  # fmt: skip
TESTS = ROOT / "tests" / "policy"
QUICK = ("cases", "elements", "principals", "variables", "decision", "operators", "aws_cases", "malformed")
OF_MODULE = {
    "wildcard": ("wildcard", "worst_case"),
    "index": ("index", "worst_case"),
    "elements": ("worst_case",),
    "evaluate": ("index",),
    "operators": ("worst_case",),
    "variables": ("worst_case",),
}
"""Slower tests, of what a module alone does. The laws are left out: near-misses show the same, at less cost."""
NEAR_MISSES, NEAR_SEED = 2_000, 20_260_301
NEAR_SECONDS, QUICK_SECONDS, SLOW_SECONDS = 6, 12, 40
"""Of CPU, for the near-misses, the quick tests and the slower ones: a mutant that takes as long hangs."""
MEMORY = 4 * 2**30

KILLED, SURVIVED, UNLOADABLE = 1, 0, 3

Known = list[tuple[dict[str, Any], str]]
"""Cases, each with what the model says of it."""


@dataclass(frozen=True)
class Mutant:
    """One module of the core with one of its nodes changed."""

    name: str
    module: Any
    old: Any
    new: Any

    @cached_property
    def text(self) -> str:
        """The changed module."""
        return str(self.module.deep_replace(self.old, self.new).code)

    def change(self) -> str:
        """What is changed, as lines of a diff."""
        lines = list(unified_diff(self.module.code.splitlines(), self.text.splitlines(), n=0, lineterm=""))[2:]
        return f"{self.name}.py {lines[0].split()[1]}\n" + "\n".join(lines[1:])


def mutants(name: str) -> Iterator[Mutant]:
    """Every mutant of a module: of its functions, decorated ones too, and of its tables."""
    module = cst.parse_module((SOURCE / f"{name}.py").read_text("utf-8"))
    for part in module.body:
        if is_mutable(part):
            yield from (Mutant(name, module, old, new) for old, new in changes(part))


def is_mutable(part: Any) -> bool:
    """Whether a part of a module is code or data; a name in CamelCase is a type's."""
    if not isinstance(part, cst.SimpleStatementLine):
        return isinstance(part, (cst.FunctionDef, cst.ClassDef))
    first = part.body[0]
    targets = (
        [first.target] if isinstance(first, cst.AnnAssign) else [one.target for one in getattr(first, "targets", ())]
    )
    names = [target.value for target in targets if isinstance(target, cst.Name)]
    return bool(names) and all(name in {name.upper(), name.lower()} for name in names)


def changes(node: Any) -> Iterator[tuple[Any, Any]]:
    """The nodes within `node` that an operator changes, each with what it becomes."""
    if isinstance(node, (cst.Annotation, cst.Decorator)) or is_type_check(node):
        return
    if isinstance(node, cst.ClassDef):
        for part in node.body.body:
            yield from changes(part) if isinstance(part, cst.FunctionDef) else ()
        return
    for kind, operator in mutation_operators:
        if isinstance(node, kind):
            yield from ((node, new) for new in operator(node))
    for child in node.children:
        yield from changes(child)


def is_type_check(node: Any) -> bool:
    """Whether a node is a call that mutmut leaves alone too: without its argument it is a TypeError and no test."""
    return isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value in {"len", "isinstance"}


class Changed(MetaPathFinder, Loader):
    """Loads one module of the engine from a mutant's text."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The mutant's module, and no other."""
        return spec_from_loader(fullname, self) if fullname == f"iamd.policy.{self.mutant.name}" else None

    def exec_module(self, module: ModuleType) -> None:
        """Run the mutant's text as the module."""
        exec(compile(self.mutant.text, str(SOURCE / f"{self.mutant.name}.py"), "exec"), vars(module))


def outcome(mutant: Mutant | None, known: Known) -> int:
    """What becomes of a mutant, in a process of its own: nothing that another one compiled is there."""
    child = os.fork()
    if child == 0:
        code = KILLED
        try:
            code = run(mutant, known)
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else KILLED


def run(mutant: Mutant | None, known: Known) -> int:
    """Load the engine with the mutant in it and run the tests, the quick ones first."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    gc.disable()
    silence = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2) if mutant else ():
        os.dup2(silence, stream)
    if mutant is not None:
        sys.meta_path.insert(0, Changed(mutant))
    try:
        for name in CORE:
            importlib.import_module(f"iamd.policy.{name}")
    except Exception:  # noqa: BLE001  whatever it is, it does not load
        return UNLOADABLE
    allow_cpu(NEAR_SECONDS)
    if not agrees(known):
        return KILLED
    allow_cpu(QUICK_SECONDS)
    if not passes(QUICK):
        return KILLED
    allow_cpu(SLOW_SECONDS)
    return SURVIVED if passes(OF_MODULE.get(mutant.name if mutant else "", ())) else KILLED


def allow_cpu(seconds: int) -> None:
    """Let this process take so much more CPU before it's killed."""
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + seconds, resource.RLIM_INFINITY))


def passes(names: Sequence[str]) -> bool:
    """Whether these tests of the engine pass; so they do when there are none."""
    files = [str(path) for name in names if (path := TESTS / f"test_{name}.py").exists()]
    # No plugin and no setting: starting pytest would take longer than most of the tests do.
    options = ["-x", "-q", "--tb=no", "--noconftest", "--assert=plain", "--import-mode=importlib", "-c", os.devnull]
    plugins = [f"-pno:{name}" for name in ("cacheprovider", "unraisableexception", "threadexception")]
    return not files or pytest.main([*options, *plugins, f"--rootdir={ROOT}", *files]) == 0


def near_misses() -> Known:
    """Some near-misses with what the model says of them."""
    difference = importlib.import_module("policy.difference")
    return [(case, difference.of_model(case)) for case in difference.near(NEAR_SEED, NEAR_MISSES)]


def agrees(known: Known) -> bool:
    """Whether the engine says of near-misses what the model said."""
    difference = importlib.import_module("policy.difference")
    return all(difference.of_engine(case) == said for case, said in known)


def main() -> int:
    """Run a sample of the mutants, tell which survive, and add a line to the ledger; 1 under 95 %."""
    wanted, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    found = [mutant for name in CORE for mutant in mutants(name)]
    random.Random(seed).shuffle(found)
    load_what_stays()
    with ProcessPoolExecutor(1) as pool:
        known = pool.submit(near_misses).result()
    if outcome(None, known) != SURVIVED:
        print("the tests fail without any mutant")
        return 2
    begun, outcomes = time.monotonic(), Counter[int]()
    for mutant in islice((one for one in found if one.text != one.module.code), wanted or None):
        end = outcome(mutant, known)
        outcomes[end] += 1
        if end == SURVIVED:
            print(f"survived: {mutant.change()}\n", flush=True)
        print(f"\r{outcomes.total()} run, {outcomes[KILLED]} killed ", end="", file=sys.stderr, flush=True)
    write(len(found), seed, outcomes, time.monotonic() - begun)
    return 0 if share(outcomes) >= 0.95 else 1


def load_what_stays() -> None:
    """Import what no mutant changes, once for all."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    sys.path[:0] = [str(ROOT / name) for name in ("tests", "benchmarks")]
    for name in ("pytest", "yaml", "policy.reference", "policy.near_misses"):
        importlib.import_module(name)
    # The same examples for every mutant, however busy the machine is, and the first that fails is enough.
    hypothesis.settings.register_profile(
        "mutants",
        deadline=None,
        database=None,
        derandomize=True,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.settings.load_profile("mutants")


def share(outcomes: Counter[int]) -> float:
    """How many of the mutants that load are killed."""
    return outcomes[KILLED] / (outcomes[KILLED] + outcomes[SURVIVED])


def write(found: int, seed: int, outcomes: Counter[int], seconds: float) -> None:
    """Add a line to the ledger, and print it."""
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    counts = f"{outcomes.total()} | {outcomes[UNLOADABLE]} | {outcomes[KILLED]} | {outcomes[SURVIVED]}"
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    line = f"| {day} | `{commit[:12]}` | {seed} | {found:,} | {counts} | {share(outcomes):.1%} | {seconds:.0f} s |\n"
    print(line)
    with LEDGER.open("a", encoding="utf-8") as ledger:
        ledger.write(line)


if __name__ == "__main__":
    sys.exit(main())
