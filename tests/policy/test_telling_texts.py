"""Texts that tell patterns apart: every set of patterns that some text matches alone has one."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iamd.policy.operators import OPERATORS
from iamd.policy.telling_texts import MOST, arn_glob, glob, told_apart
from iamd.policy.variables import parse
from iamd.policy.wildcard import matches, tokens

patterns = st.lists(st.text("ab*?", max_size=3), min_size=1, max_size=3, unique=True)


@settings(max_examples=200)
@given(patterns)
def test_every_way_in_which_patterns_match_has_a_text(texts):
    globs = tuple(glob(tokens(text)) for text in texts)
    told = told_apart(globs)
    assert told.is_whole
    kinds = {tuple(matches(text, found) for text in texts) for found in told.texts}
    assert len(kinds) == len(told.texts)
    assert "" not in told.texts
    short = ("".join(letters) for length in range(1, 6) for letters in product("abz", repeat=length))
    assert {tuple(matches(text, one) for text in texts) for one in short} <= kinds
    for text, one in zip(texts, globs, strict=True):
        assert all(one.matches(found) == matches(text, found) for found in told.texts)


def test_without_case_the_letters_of_a_pattern_have_both():
    told = told_apart((glob(["ab"], folds=True), glob(["ab"]), glob(["AB"])))
    kinds = {
        tuple(one.matches(text) for one in (glob(["ab"], folds=True), glob(["ab"]), glob(["AB"])))
        for text in told.texts
    }
    assert kinds == {(True, True, False), (True, False, True), (True, False, False), (False, False, False)}


@pytest.mark.parametrize(
    ("pattern", "like", "unlike"),
    [
        ("arn:aws:s3:*:*:b", "arn:aws:s3:::b", "arn:aws:s3::::b"),
        ("arn:aws:s3:?::b*", "arn:aws:s3:x::b:c", "arn:aws:s3::::b"),
    ],
)
def test_wildcards_of_the_first_parts_of_an_arn_end_at_a_colon(pattern, like, unlike):
    found = arn_glob([tokens(part) for part in pattern.split(":", 5)])
    assert (found.matches(like), found.matches(unlike)) == (True, False)
    operator = OPERATORS["ArnLike"]
    compare = operator.compare(parse(pattern))
    for text in (like, unlike, *told_apart((found,)).texts):
        segments = operator.read(text)
        assert found.matches(text) is bool(segments and compare(segments, {}))


def test_what_would_take_too_long_says_so():
    many = tuple(glob(tokens(f"*{letter}*" + "?" * 40)) for letter in "abcdefgh")
    told = told_apart(many)
    assert not told.is_whole
    assert len(told.texts) < MOST
