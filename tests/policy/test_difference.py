"""The engine decides as the reference model, which was written from AWS's pages by somebody who has not seen it.

These are some of the 200,000 cases that every `make check` compares (`make compare`), which takes all processors.
"""

import json
from pathlib import Path

import pytest
from policy.difference import difference, differences, near, smallest

SHARDS, CASES = 2, 10_000
SEED = 20_260_301
"""Beside what `make compare` begins with."""
KEPT = sorted((Path(__file__).parent / "cases" / "differences").glob("*.json"))


@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_difference_among_many_near_misses(shard):
    found = next(differences(SEED + shard, CASES), None)
    assert found is None, str(found)


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_what_once_differed_does_not_any_more(path):
    assert difference(json.loads(path.read_text("utf-8"))) is None


def test_a_fault_is_found_and_made_small(monkeypatch):
    """The comparison can fail: with a wrong rule in it, it does, and shows the least that it takes."""
    monkeypatch.setattr("policy.reference.glob", lambda pattern, text: "".join(map(str, pattern)) == text)
    found = next(d for case in near(1, 3000) if (d := difference(case)) is not None)
    least = smallest(found)
    assert least.engine != least.model
    assert len(json.dumps(least.case)) < len(json.dumps(found.case))
