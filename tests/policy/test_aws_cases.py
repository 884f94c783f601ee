"""Cases from AWS's documentation, and cases that were run on AWS."""

import json
from pathlib import Path

import pytest

from iamd.policy import cases
from iamd.policy.evaluate import decide

CASES = [json.loads(line) for line in (Path(__file__).parent / "cases" / "aws.jsonl").read_text().splitlines()]


def test_all_cases_are_there():
    assert len(CASES) == 269


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_engine_decides_as_aws(case):
    read = cases.read(case)
    decision = decide(read.request, read.layers)
    assert read.agrees(decision.outcome), decision
