"""The catalog of bugs that others had: each can still be put in, and the tests that must then fail are there."""

import ast
import re

import pytest
import seeded_bugs

BUGS = seeded_bugs.catalog()
ELSEWHERE = {
    "B13": "there is no door that tells whether a signature holds",
    "B15": "no request that somebody else signed is sent on as proof",
    "B31": "authorization codes belong to IAM Identity Center",
    "B34": "SCIM belongs to IAM Identity Center",
}
"""Classes of bugs for which there is no place yet."""


def test_every_class_of_bugs_up_to_b36_is_there_or_has_no_place():
    assert sorted([bug.id for bug in BUGS] + list(ELSEWHERE)) == [f"B{number:02}" for number in range(1, 37)]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.id)
def test_its_place_is_there_once_and_its_tests_are(bug):
    package = seeded_bugs.ROOT / "src" / "iamd"
    assert (package / bug.file).read_text("utf-8").count(bug.old) == 1
    assert bug.new != bug.old
    for test in bug.tests:
        file, _, name = test.partition("::")
        tree = ast.parse((seeded_bugs.ROOT / file).read_text("utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_a_bug_without_a_place_is_told(tmp_path):
    bug = seeded_bugs.Bug("B99", "nothing", (), "a.py", "old", "new", ())
    (tmp_path / "a.py").write_text("old old")
    with pytest.raises(ValueError, match=re.escape("B99: its place stands in a.py 2 times")):
        bug.seed(tmp_path)
    (tmp_path / "a.py").write_text("old")
    bug.seed(tmp_path)
    assert (tmp_path / "a.py").read_text() == "new"
