"""Durable writes a second, beside what raw SQLite takes with the same sync: W1 and W2."""

import time
from pathlib import Path

import apsw
import servers
from rounds import Subject, measure
from signed import Callers

ROUNDS = 3
ROWS = 1500
ROW = "x" * 600
"""About as long as what a PutUserPolicy leaves: the record, its line in the change log, and the event."""


class Raw:
    """An SQLite file that takes one row a transaction, each synced."""

    def __init__(self, folder):
        self._connection = apsw.Connection(str(Path(folder) / "raw.db"))
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT)")
        self.per_second = 0.0

    def run(self):
        """One round."""
        begun = time.perf_counter()
        for _ in range(ROWS):
            self._connection.execute("INSERT INTO rows (text) VALUES (?)", (ROW,))
        self.per_second = max(self.per_second, ROWS / (time.perf_counter() - begun))


def run(report, folder):
    """Measure, and tell the report."""
    with servers.iamd(folder) as ours:
        requests = Callers(ours.port, servers.ADMIN).put_user_policy()
        raw, one, many = Raw(folder), Subject(ours, requests, 500, 1), Subject(ours, requests, 1500, 16)
        for _ in range(ROUNDS):
            raw.run()
            measure([one, many], 1)
    report.tell("W1", one.per_second / raw.per_second)
    report.tell("W2", many.per_second / raw.per_second)
    report.note(
        f"durable writes a second: raw SQLite {raw.per_second:.0f}, "
        f"iamd {one.per_second:.0f} over 1 connection, {many.per_second:.0f} over 16"
    )
