"""The process of one engine: it reads a command a line, and answers a line; both are JSON.

    {"do": "start"}  -> {}: the engine's library is there
    {"do": "load", "statements": [...], "asks": [[action, resource, context], ...]}
        -> {"seconds": CPU that the engine took to load its translation of them, "first": CPU of first uses}
    {"do": "answer", "seconds": 5}   -> {"answers": "10x..."}: allowed, denied, failed, as far as the time reached
    {"do": "time", "seconds": 0.5}   -> {"cpu": s, "wall": s, "count": n, "p50": ns, "p99": ns}

What fails is answered by {"error": one line}. Run: python -m decisions.child MODULE CLASS
"""

import gc
import importlib
import json
import os
import sys
import time
from array import array
from itertools import cycle, islice

from . import workload
from .workload import Ask

SLICE_SECONDS = 0.01
WINDOWS = 6
"""Of the time that decisions are counted in, the best sixth counts: others use the machine too."""
WARMING, WARMING_SEED = 100, 8
"""The statements that are loaded before those of the measurement, and what draws them."""


class Child:
    """An engine with its policies and requests."""

    def __init__(self, engine):
        self._engine = engine
        self._asked = []
        self._failed = set()

    def start(self):
        # As iamd's server does, and for all engines in Python: the libraries' own objects are no garbage, and searching
        # what policies are made of again and again while they are loaded is no engine's work.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)
        return {}

    def load(self, statements, asks):
        # Code that runs for the first time is slow in every language: a server has loaded policies before.
        self._engine.load(self._engine.translate(workload.statements(min(len(statements), WARMING), seed=WARMING_SEED)))
        translated = self._engine.translate(statements)
        begun = time.process_time()
        self._engine.load(translated)
        loaded = time.process_time()
        getattr(self._engine, "settle", int)()
        settled = time.process_time()
        self._asked = [self._engine.prepare(Ask(*ask)) for ask in asks]
        return {"seconds": loaded - begun, "first": settled - loaded}

    def answer(self, seconds):
        answers, end = [], time.perf_counter() + seconds
        for number, asked in enumerate(self._asked):
            try:
                answers.append("1" if self._engine.decide(asked) else "0")
            except Exception as failure:  # noqa: BLE001 - whatever a peer raises is no answer
                print(f"{type(failure).__name__}: {failure}", file=sys.stderr)
                answers.append("x")
                self._failed.add(number)
            if time.perf_counter() > end:
                break
        return {"answers": "".join(answers)}

    def time(self, seconds):
        asked = [one for number, one in enumerate(self._asked) if number not in self._failed]
        if not asked:
            raise ValueError("it answers no request")
        decide = self._engine.decide
        # The first are slower: caches fill, and Node.js compiles what is called often.
        _throughput(decide, asked, seconds)
        windows = [_throughput(decide, asked, seconds / WINDOWS) for _ in range(WINDOWS)]
        return {**max(windows, key=lambda window: window["count"] / window["cpu"]), **_latency(decide, asked, seconds)}


def _throughput(decide, asked, seconds):
    """Decisions one after the other, and what they took; the clock is looked at once a slice."""
    begun = time.perf_counter()
    decide(asked[0])
    size = max(1, int(SLICE_SECONDS / max(time.perf_counter() - begun, 1e-7)))
    turns, count = cycle(asked), 0
    begun, cpu = time.perf_counter(), time.process_time()
    while time.perf_counter() - begun < seconds:
        for one in list(islice(turns, size)):
            decide(one)
        count += size
    return {"count": count, "cpu": time.process_time() - cpu, "wall": time.perf_counter() - begun}


def _latency(decide, asked, seconds):
    """Each decision by itself."""
    took, clock = array("q"), time.perf_counter_ns
    end = clock() + int(seconds * 1e9)
    for one in cycle(asked):
        begun = clock()
        decide(one)
        ended = clock()
        took.append(ended - begun)
        if ended > end:
            break
    ordered = sorted(took)
    return {"p50": ordered[len(ordered) // 2], "p99": ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]}


def main(module, name):
    """Answer until the input ends."""
    # What an engine prints must not come between the answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    child = None
    for line in sys.stdin:
        command = json.loads(line)
        do = command.pop("do")
        try:
            if child is None:
                engine = getattr(importlib.import_module(f".{module}", __package__), name)
                child = Child(engine())
            said = getattr(child, do)(**command)
        except BaseException as failure:  # noqa: BLE001 - Rust's panics are no Exception
            said = {"error": f"{type(failure).__name__}: {failure}".splitlines()[0]}
        print(json.dumps(said), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
