import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iamd.policy.syntax import MAX_DEPTH
from iamd.policy.tree import Array, Into, NotJson, Object, Scalar, Step, read

values = st.recursive(
    st.none() | st.booleans() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


def parts(node):
    """The node and everything in it."""
    yield node
    if isinstance(node, Object):
        for member in node.members:
            yield from parts(member.value)
    elif isinstance(node, Array):
        for item in node.items:
            yield from parts(item)


def value_of(node):
    if isinstance(node, Object):
        return {member.name: value_of(member.value) for member in node.members}
    if isinstance(node, Array):
        return [value_of(item) for item in node.items]
    return node.value


@settings(max_examples=200, deadline=None)
@given(value=values, indent=st.sampled_from([None, 0, 3]), ascii=st.booleans())
def test_every_part_holds_what_its_span_says(value, indent, ascii):
    text = f" \n{json.dumps(value, indent=indent, ensure_ascii=ascii)}\t"
    whole = read(text)
    assert value_of(whole) == value
    for node in parts(whole):
        assert json.loads(text[node.place.start : node.place.end]) == value_of(node)
        if isinstance(node, Object):
            for member in node.members:
                assert json.loads(text[member.key.start : member.key.end]) == member.name


def test_a_path_names_each_step_to_a_part():
    whole = read('{"a": [{"b": "c"}]}')
    *_, last = parts(whole)
    assert isinstance(last, Scalar)
    assert last.place.path == (Step(Into.VALUE, "a"), Step(Into.INDEX, 0), Step(Into.VALUE, "b"))
    (member,) = whole.member("a").value.items[0].members
    assert member.key.path == (Step(Into.VALUE, "a"), Step(Into.INDEX, 0), Step(Into.KEY, "b"))


def test_numbers_keep_their_digits():
    assert read("1e9999999").value == "1e9999999"


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("", 0),
        ("  ", 2),
        ("{", 1),
        ('{"a"', 4),
        ('{"a":', 5),
        ('{"a" 1}', 5),
        ('{"a":1', 6),
        ('{"a":1,', 7),
        ('{"a":1,}', 7),
        ('{"a":1 "b":2}', 7),
        ('{"a":1, "a":2}', 8),
        ("{a:1}", 1),
        ("[1 2]", 3),
        ("[1,]", 3),
        ("[1", 2),
        ("{} {}", 3),
        ("NaN", 0),
        ("[-Infinity]", 1),
        ("tru", 0),
        ('["a', 1),
        ('["\\x"]', 2),
        ('["a\nb"]', 3),
        ('["\\ud800"]', 1),
        ('["\ud800"]', 2),
        ('{"\\udfff":1}', 1),
        ("\ufeff{}", 0),
    ],
)
def test_a_fault_is_told_where_it_shows(text, offset):
    with pytest.raises(NotJson) as raised:
        read(text)
    assert raised.value.offset == offset


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_only_so_much_is_nested(opening, closing):
    assert len(list(parts(read(deep(opening, closing, MAX_DEPTH))))) == MAX_DEPTH + 1
    with pytest.raises(NotJson):
        read(deep(opening, closing, MAX_DEPTH + 1))


def deep(opening: str, closing: str, depth: int) -> str:
    return f"{opening * depth}0{closing * depth}"
