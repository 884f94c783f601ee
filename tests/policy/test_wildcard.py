"""`*` and `?` against their definition."""

import time
import tracemalloc
from functools import cache
from unittest import mock

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from iamd.policy import wildcard
from iamd.policy.wildcard import Wild, covers, matcher, matches, overlap, tokens, typed_matcher


def defined(pattern, text):
    """The definition, quadratic: one row of `which prefixes of the text match` for each token of the pattern."""
    row = [True] + [False] * len(text)
    for token in pattern:
        if token == "*":
            row = [any(row[: end + 1]) for end in range(len(text) + 1)]
        else:
            row = [False] + [row[end] and token in ("?", text[end]) for end in range(len(text))]
    return row[-1]


ALPHABET = "ab/.:\n*?$"


@settings(max_examples=1500, deadline=None)
@given(st.one_of(st.text("ab*?.\n", max_size=12), st.text("a*?", max_size=5)), st.text("ab*?.\n", max_size=14))
@example("a?*a", "aa")
@example("?*?", "a")
@example("a*?b*b", "ab")
@example("*?a*", "ba")
@example("*a?*b*", "ab")
@example("*a?b*bc", "xaxbc")
@example("*a?b*", "axb")
def test_matcher_is_the_definition(pattern, text):
    assert matches(pattern, text) == defined(pattern, text)


@settings(max_examples=500, deadline=None)
@given(
    st.text("ab*?\x01\u0100", max_size=10), st.text("ab?\x01\x02\u0100\u0101", max_size=14), st.sampled_from([0, 1, 8])
)
@example("*?\x01", "?\x01", 0)
@example("*a?\u0100*", "aa?\u0100", 0)
def test_a_long_text_is_matched_as_a_short_one(pattern, text, tries):
    with mock.patch.multiple(wildcard, REMEMBERED=-1, TRIES=tries):
        assert typed_matcher(pattern)(text) == defined(pattern, text)


LONG = "abx" * 5
"""Three times as many beginnings as are tried one by one."""


@pytest.mark.parametrize(
    ("pattern", "text", "answer"),
    [
        ("*ab?cd*", f"{LONG}abYcd", True),
        ("*ab?cd*fg*", f"{LONG}abYcdfg", True),
        ("*ab?cd*fg*", f"{LONG}fgabYcd", False),
        ("*ab?cd*de", f"{LONG}abYcde", False),
        ("*ab?cd*de", f"{LONG}abYcdde", True),
        # So many of them that all its characters leave several places: the first counts.
        ("*ab?cd*fg*", f"{LONG}abWcdfg{'abYcd' * 6}", True),
        ("*ab?cd*fg*", f"fg{LONG}{'abYcd' * 6}", False),
        ("*ab?cd*fg*", f"{LONG}fg{'abYcd' * 6}", False),
        ("*ab?cd*de*", f"{LONG}abYcde{'abYcd' * 6}", False),
        ("*ab?cd*" * 6, LONG + "abYcd" * 6, True),
        ("*ab?cd*" * 7, LONG + "abYcd" * 6, False),
        # Where it stands there is room for it alone.
        ("*a?b", "aaaXb", True),
        ("*a?b*", "aaaXb", True),
        ("*a?b*", "aaaXc", False),
        ("*aa?b*", "aaaXb", True),
    ],
)
def test_what_is_sought_everywhere_at_once_is_the_leftmost(pattern, text, answer):
    assert typed_matcher(pattern)(text) is answer
    assert defined(pattern, text) is answer


@cache
def meeting(one, other):
    """Whether a text matches both, by the definition: a run takes nothing, or one more character of the other."""
    for first, second in ((one, other), (other, one)):
        if first[:1] == "*":
            return meeting(first[1:], second) or bool(second and meeting(first, second[1:]))
    if not one or not other:
        return one == other
    return ("?" in (one[0], other[0]) or one[0] == other[0]) and meeting(one[1:], other[1:])


@settings(max_examples=1500, deadline=None)
@given(st.text("ab*?", max_size=8), st.text("ab*?", max_size=8))
@example("a*", "*b")
@example("*a*", "b?b")
@example("**", "")
def test_patterns_overlap_where_a_text_matches_both(one, other):
    assert overlap(tokens(one), tokens(other)) == meeting(one, other)


@given(st.text("ab*?", max_size=8), st.text("ab*?", max_size=8), st.text("ab", max_size=8))
def test_what_matches_both_is_a_text_of_both(one, other, text):
    if matches(one, text) and matches(other, text):
        assert overlap(tokens(one), tokens(other))


@settings(max_examples=1500, deadline=None)
@given(st.text("ab*?", max_size=8), st.text("ab*?", max_size=8), st.text("abc", max_size=8))
def test_what_a_pattern_covers_it_matches(one, other, text):
    if covers(tokens(one), tokens(other)) and matches(other, text):
        assert matches(one, text)


def test_what_a_pattern_covers():
    for one, other in [("*", "*"), ("*", "a*b?"), ("a*", "ab*"), ("a*b*", "acb*b"), ("?b", "?b"), ("a?*", "ab*")]:
        assert covers(tokens(one), tokens(other))
    for one, other in [("a", "*"), ("?", "*"), ("a*b", "a*"), ("ab*", "a*"), ("b", "?"), ("", "*"), ("?*", "*")]:
        assert not covers(tokens(one), tokens(other))


def test_a_star_that_a_variable_brought_overlaps_nothing_but_stars():
    assert not overlap(["a", "*"], tokens("ab"))
    assert overlap(["a", "*"], tokens("a?"))
    assert overlap(["a", "*"], tokens("a*"))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "*", "?", "a*b"]), max_size=6), st.text("ab*?", max_size=8))
def test_literal_tokens_are_literal(literals, text):
    """Text in a token matches only itself, whatever it holds; typed wildcards around it still work."""
    whole = "".join(literals)
    assert matcher(literals)(text) == (text == whole)
    assert matcher([*literals, Wild.RUN])(text) == text.startswith(whole)


@given(st.text(ALPHABET, max_size=10))
def test_star_matches_everything(text):
    assert matches("*", text)
    assert matches(text.replace("*", "?").replace("?", "a"), text.replace("*", "?").replace("?", "a"))


def test_other_characters_of_regular_expressions_are_ordinary():
    assert not matches("a.b", "axb")
    assert matches("a+b?[c]", "a+bx[c]")
    assert not matches("a.?b", "axxb")


def test_tokens_are_what_was_typed():
    assert tokens("a*?b") == ("a", Wild.RUN, Wild.ONE, "b")
    assert tokens("") == ()


def test_hostile_patterns_stay_quick():
    """LIM-02: patterns that make a backtracking matcher take minutes take milliseconds."""
    text = "a" * 6000
    started = time.process_time()
    assert not matches("*a" * 1500 + "b", text)
    assert not matches("*" + "a?" * 300 + "b*" + "a*" * 300, text)
    assert not matches("*?" * 1000 + "b", text)
    assert time.process_time() - started < 0.5


def test_long_texts_leave_no_memory_behind():
    different = "".join(map(chr, range(0x4000, 0x5000)))
    fits = matcher(tokens("*\u4001?\u4003*"))
    tracemalloc.start()
    try:
        assert all(fits("x" * number + different) for number in range(10))
        assert tracemalloc.get_traced_memory()[0] < 4_000_000
    finally:
        tracemalloc.stop()
