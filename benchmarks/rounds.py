"""Rounds: what is compared takes turns within one run, and of each the best round counts."""

import statistics
import time
from dataclasses import dataclass, field
from typing import Any

import load

SETTLE_SECONDS = 0.2
"""How long what a request left to be done, such as its event's commit, is waited for: it belongs to its CPU."""


@dataclass
class Subject:
    """A server and what a round asks of it: `count` of the `requests`, over so many connections."""

    server: Any
    requests: list
    count: int
    connections: int = 16
    tree: bool = False
    """Whether the CPU of the server's children counts."""
    cpu: float = field(default=float("inf"))
    """CPU microseconds per request in the best round."""
    p50: float = field(default=float("inf"))
    """The best round's median latency, in microseconds; it is an answer's with one connection only."""
    per_second: float = 0.0
    """Answers per second in the best round."""

    def run(self):
        """One round."""
        before = self.server.cpu(tree=self.tree)
        seconds, waves = load.run(self.server.port, self.requests, self.count, self.connections)
        time.sleep(SETTLE_SECONDS)
        self.cpu = min(self.cpu, (self.server.cpu(tree=self.tree) - before) / self.count * 1e6)
        self.p50 = min(self.p50, statistics.median(waves) * 1e6)
        self.per_second = max(self.per_second, self.count / seconds)


def measure(subjects, rounds):
    """Warm each subject up, then let them take turns."""
    for subject in subjects:
        load.run(subject.server.port, subject.requests, min(subject.count, 160), subject.connections)
    for _ in range(rounds):
        for subject in subjects:
            subject.run()
