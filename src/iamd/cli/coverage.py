"""Which statements the cases exercised: those that applied to the request of at least one of them.

A policy is its text: cases that name the same file, or repeat the same document, exercise one policy together.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from iamd.policy.cases import IMPLIED, Case
from iamd.policy.document import Policy, Statement
from iamd.policy.explain import explain
from iamd.policy.positions import position
from iamd.policy.sets import PolicySet


@dataclass(frozen=True, slots=True)
class Known:
    """A policy under test, and how people find it; only a file has lines that they know."""

    policy: Policy
    name: str
    is_file: bool

    def place_of(self, statement: Statement) -> str:
        """Where a statement stands."""
        sid = f" (Sid {statement.sid})" if statement.sid else ""
        line = f":{position(self.policy.text, statement.start).line}" if self.is_file else ""
        return f"{self.name}{line}: statement {statement.index + 1}{sid}"


class Coverage:
    """The statements of every policy that a case had in play, and those of them that applied."""

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}
        self._exercised: set[tuple[str, int]] = set()

    def add(self, place: str, case: Case, files: Mapping[str, str]) -> None:
        """Count a case, written at `place`; `files` names the policies that stand in files of their own, by text."""
        for found in case.layers.sets():
            for number, policy in enumerate(found.policies, 1):
                self._know(policy, files.get(policy.text), f"{place}: {_name(found, number)}")
        for match in explain(case.request, case.layers).applying:
            self._exercised.add((case.layers.policy_of(match).text, match.statement.index))

    def _know(self, policy: Policy, file: str | None, otherwise: str) -> None:
        if policy.text not in IMPLIED and policy.unreadable is None:
            self._known.setdefault(policy.text, Known(policy, file or otherwise, file is not None))

    @property
    def statements(self) -> int:
        """How many there are."""
        return sum(len(known.policy.statements) for known in self._known.values())

    def missed(self) -> Iterator[str]:
        """The places of the statements that no case exercised."""
        for text, known in self._known.items():
            for statement in known.policy.statements:
                if (text, statement.index) not in self._exercised:
                    yield known.place_of(statement)


def _name(found: PolicySet, number: int) -> str:
    level = "" if found.level is None else f" of level {found.level}"
    return f"{found.layer} {number}{level}"
