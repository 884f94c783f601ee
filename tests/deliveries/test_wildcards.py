"""Wildcards of event patterns, as moto's rules are given them.

AWS: EventBridge User Guide, "Comparison operators for use in event patterns" (eb-create-pattern-operators).
"""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iamd.backend.deliveries.wildcards import matches

PARTS = st.lists(st.sampled_from(["a", "b", "*"]), max_size=8).map("".join)


@given(PARTS, st.text("ab", max_size=10))
def test_a_star_stands_for_anything(pattern, text):
    assert matches(text, pattern) is (re.fullmatch(pattern.replace("*", ".*"), text) is not None)


@pytest.mark.parametrize(
    ("pattern", "text", "is_match"),
    [
        (r"a\*b", "a*b", True), (r"a\*b", "axb", False), (r"a\\*", r"a\x", True), (r"a\b", r"a\b", True),
        ("*", 1, False), ("*", "", True), ("", "", True), ("a\nb*", "a\nb\nc", True),
    ],
)  # fmt: skip
def test_a_backslash_takes_a_stars_meaning_away(pattern, text, is_match):
    assert matches(text, pattern) is is_match


@pytest.mark.timeout(10)
def test_no_pattern_takes_for_ever():
    assert not matches("a" * 5000 + "c", "*a" * 400 + "*b")
