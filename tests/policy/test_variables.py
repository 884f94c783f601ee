"""Policy variables (IAM User Guide, "Policy variables", reference_policies_variables)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iamd.policy import variables
from iamd.policy.request import UNKNOWN

CONTEXT = {"aws:username": "ana", "aws:principaltag/t": "a*", "aws:tagkeys": ("x",), "aws:empty": ""}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("home/${aws:username}/x", "home/ana/x"),
        ("${AWS:UserName}", "ana"),
        ("${aws:PrincipalTag/t}", "a*"),
        ("${aws:missing}", None),
        ("${aws:empty}", None),
        ("${aws:tagkeys}", None),
        ("${aws:missing, 'none'}", "none"),
        ("${aws:missing,'none'}", "none"),
        ("${aws:missing, 'a, b}'}", "a, b}"),
        ("${aws:missing, ''}", ""),
        ("${aws:empty, 'none'}", "none"),
        ("${aws:username, 'none'}", "ana"),
        ("a,${aws:username}", "a,ana"),
        ("${aws:username},x}", "ana,x}"),
        ("${aws:missing, '}", "${aws:missing, '}"),
        ("${aws:missing, 'none'}xy", "nonexy"),
        ("${*}${?}${$}", "*?$"),
        ("${$}{aws:username}", "${aws:username}"),
        ("${}", "${}"),
        ("${aws:username", "${aws:username"),
        ("${ ${aws:username}", "${ ana"),
        ("${aws:missing, none}", "${aws:missing, none}"),
        ("$ana", "$ana"),
        ("", ""),
    ],
)
def test_text_of_a_template(text, value):
    assert variables.text_of(variables.parse(text), CONTEXT) == value


@pytest.mark.parametrize(
    ("text", "well_formed"),
    [
        ("${aws:a}", True),
        ("${*}", True),
        ("a$b", True),
        ("${", False),
        ("${}", False),
        ("${a, b}", False),
        ("x${ y", False),
    ],
)
def test_open_variables_are_seen(text, well_formed):
    assert variables.is_well_formed(text) is well_formed


@given(st.text("${}*?,' a:", max_size=20))
def test_parts_spell_the_text(text):
    """Nothing is lost and nothing added when a text is cut into parts, or into segments."""
    template = variables.parse(text)
    assert variables.source(template) == text
    assert variables.joined(variables.segments(template)) == text


def test_a_variables_colon_is_no_separator():
    parts = variables.segments(variables.parse("arn:aws:iam::${aws:PrincipalAccount}:user/${aws:username}"))
    assert [variables.source(part) for part in parts] == [
        "arn",
        "aws",
        "iam",
        "",
        "${aws:PrincipalAccount}",
        "user/${aws:username}",
    ]


@given(st.text("ab*?/", min_size=1, max_size=6), st.text("ab*?/", max_size=6))
def test_a_variables_value_is_literal(value, text):
    """AUZ-16: what a tag brings matches itself alone, and a typed wildcard beside it still works."""
    context = {"aws:principaltag/t": value}
    assert variables.glob(variables.parse("${aws:PrincipalTag/t}"))(text, context) == (text == value)
    assert variables.glob(variables.parse("${aws:PrincipalTag/t}*"))(text, context) == text.startswith(value)


def test_a_valueless_variable_matches_nothing():
    match = variables.glob(variables.parse("home/${aws:missing}*"))
    assert not match("home/", {})
    assert not match("home/x", {})


@pytest.mark.parametrize("key", ["aws:a", "aws:b"])
@pytest.mark.parametrize(("value", "answer"), [(None, False), ("", False), (("x",), False), (UNKNOWN, None)])
def test_one_valueless_variable_of_two_is_enough(key, value, answer):
    match = variables.glob(variables.parse("${aws:a}/${aws:b}"))
    context = {"aws:a": "x", "aws:b": "x"}
    assert match("x/x", context) is True
    assert match("x/y", context) is False
    assert match("x/x", {**context, key: value}) is answer
    assert variables.glob(variables.parse(f"${{{key}}}"))("x", {key: value}) is answer


def test_a_variable_is_called_by_its_key_as_it_is_written():
    parts = variables.parse("${aws:UserName}${aws:PrincipalTag/Team, 'none'}-${aws:a, 'x'}")
    assert [part.name for part in parts if not isinstance(part, str)] == [
        "aws:UserName", "aws:PrincipalTag/Team", "aws:a",
    ]  # fmt: skip
    assert [part.default for part in parts if not isinstance(part, str)] == [None, "none", "x"]


def test_a_pattern_goes_by_each_value_that_its_variable_has():
    """However many there were before: it keeps what the last few made of it."""
    match = variables.glob(variables.parse("home/${aws:username}/*"))
    names = [f"user{number}" for number in range(2 * variables.REMEMBERED + 1)]
    names.append("n" * (variables.REMEMBERED_CHARACTERS + 1))
    for name in (*names, *names):
        assert match(f"home/{name}/x", {"aws:username": name})
        assert not match(f"home/{name}x/x", {"aws:username": name})
        assert not match(f"home/{name}/x", {})


@pytest.mark.parametrize(
    ("text", "beginning", "end", "literals"),
    [
        ("abc", "abc", "abc", ["abc"]),
        ("a*bcd?e", "a", "e", ["a", "bcd", "e"]),
        ("a${*}b*c", "a*b", "c", ["a", "b", "c"]),
        ("a${*}${?}bc", "a*?bc", "bc", ["a", "bc"]),
        ("ab${aws:a}c", "ab", "c", ["ab", "c"]),
        ("${aws:a}bc*", "", "", ["bc"]),
        ("x${aws:a}", "x", "", ["x"]),
        ("a*${*}b", "a", "b", ["a", "b"]),
        ("?x", "", "x", ["x"]),
        ("", "", "", []),
    ],
)
def test_what_the_text_of_a_template_tells_alone(text, beginning, end, literals):
    """An index goes by it: too long loses a match, too short is work."""
    template = variables.parse(text)
    assert variables.literal_beginning(template) == beginning
    assert variables.literal_end(template) == end
    assert [literal for literal in variables.literals(template) if literal] == literals
    assert variables.literal_end(()) == ""
    assert variables.literals(()) == []
