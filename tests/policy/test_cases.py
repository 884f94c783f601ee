"""Cases of our own, many and small, each with the AWS page it rests on."""

from pathlib import Path

import pytest
import yaml

from iamd.policy import cases
from iamd.policy.evaluate import decide
from iamd.policy.explain import explain

FILES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
CASES = [
    pytest.param(case, id=f"{file.stem}: {case['id']}")
    for file in FILES
    for case in yaml.safe_load(file.read_text())["cases"]
]


@pytest.mark.parametrize("case", CASES)
def test_case(case):
    read = cases.read(case)
    decision = decide(read.request, read.layers)
    assert (decision.outcome, decision.layer) == (read.expected, case.get("layer", decision.layer)), read.source
    assert explain(read.request, read.layers).decision == decision
    assert read.source
