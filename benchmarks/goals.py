"""The goals, and the table of what was measured beside them."""

from dataclasses import dataclass

from decisions.goals import GOALS as OF_DECISIONS


@dataclass(frozen=True)
class Goal:
    """A ratio and its bound: `<=` or `>=` a number, or none where a figure is only shown."""

    id: str
    what: str
    sign: str = ""
    bound: float = 0.0
    unit: str = "x"

    def is_met(self, value):
        """Whether a value keeps the bound."""
        return value <= self.bound if self.sign == "<=" else value >= self.bound


GOALS = (
    Goal("H1", "GetCallerIdentity: CPU over an empty uvicorn application's", "<=", 3),
    Goal("H2", "GetCallerIdentity: moto_server's CPU over ours", ">=", 25),
    Goal("H3", "GetCallerIdentity: ministack's CPU (AUTH=true) over ours", ">=", 5),
    Goal("H4", "AssumeRole: ministack's CPU (AUTH=true) over ours", ">=", 6),
    Goal("H5", "AssumeRole: moto_server's CPU over ours", ">=", 16),
    Goal("H6", "GetUser: ministack's CPU (AUTH=true) over ours", ">=", 5),
    Goal("H6m", "GetUser: moto_server's CPU over ours"),
    Goal("H7", "PutUserPolicy: moto_server's CPU, in memory, over ours, durable", ">=", 8),
    Goal("H7s", "PutUserPolicy: ministack's CPU (AUTH=true), in memory, over ours, durable"),
    Goal("G1", "gateway, S3 GET of 1 KiB: CPU over a bare aiohttp proxy's", "<=", 1.5),
    Goal("G2", "gateway, S3 GET of 1 KiB: CPU as a part of moto_server's, backend at a URL", "<=", 10, "%"),
    Goal("G2e", "the same with the embedded backend, the backend's own CPU left out", "<=", 10, "%"),
    Goal("G3", "gateway, 1 connection: median added, as a part of moto_server's", "<=", 16, "%"),
    Goal("G3e", "the same with the embedded backend: median over moto_server's, less 1", "<=", 16, "%"),
    Goal("G4", "the same before 100,000 known resources: CPU over that before 10", "<=", 1.1),
    Goal("I1", "credentials of an instance's role from its metadata: median", "<=", 3, " ms"),
    Goal("S1", "--backend none, cold start to the first answer: CPU over moto_server's", "<=", 0.8),
    Goal("S2", "--backend none, at the first answer: memory over moto_server's", "<=", 0.75),
    Goal("L1", "1 GiB up, streamed: growth of peak memory", "<=", 16, " MiB"),
    Goal("L2", "1 GiB up, its hash checked first: growth of peak memory", "<=", 16, " MiB"),
    Goal("L3", "1 GiB down: growth of peak memory", "<=", 16, " MiB"),
    Goal("W1", "PutUserPolicy a second, 1 connection, over raw SQLite's rows a second"),
    Goal("W2", "PutUserPolicy a second, 16 connections, over raw SQLite's rows a second"),
    Goal("P1", "100,000 users in 20 accounts: from the start to the first answer", "<=", 30, " s"),
    Goal("P2", "the same: memory at the first answer", "<=", 1024, " MiB"),
    Goal("P3", "the same: CPU of a GetUser, 1,000 callers in turn, over a store's of 8"),
    Goal("P4", "5,000 users, paged by 1,000: the longest that another's request waits", "<=", 50, " ms"),
    Goal("P5", "the same account's authorization details, paged by 1,000", "<=", 50, " ms"),
    *(Goal(*goal) for goal in OF_DECISIONS),
)


class Report:
    """What was measured so far; a goal that was measured is printed at once."""

    def __init__(self):
        self._goals = {goal.id: goal for goal in GOALS}
        self._notes = []
        self.missed = 0

    def begin(self):
        """Print the head of the table."""
        print(f"{'id':4} {'what':76} {'bound':>10} {'measured':>10}  met", flush=True)

    def tell(self, id, value):
        """Print a goal's row."""
        goal = self._goals.pop(id)
        met = "" if not goal.sign else "yes" if goal.is_met(value) else "NO"
        self.missed += met == "NO"
        bound = f"{goal.sign} {goal.bound:g}{goal.unit}" if goal.sign else ""
        print(f"{goal.id:4} {goal.what:76} {bound:>10} {_number(value)}{goal.unit:<4.4}  {met}".rstrip(), flush=True)

    def note(self, text):
        """Keep a line of absolute figures for the end."""
        self._notes.append(text)

    def end(self):
        """Print the absolute figures, which hold for this machine and this run alone."""
        print("\nAbsolute figures of this run (the best round of each):")
        for note in self._notes:
            print(f"  {note}")


def _number(value):
    return f"{value:8.2f}" if abs(value) < 10 else f"{value:8.1f}"
