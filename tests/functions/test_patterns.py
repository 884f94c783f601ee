"""Event patterns.

AWS: Lambda Developer Guide, "Filter rule syntax" (invocation-eventfiltering) and with-ddb-filtering; EventBridge User
Guide, "Comparison operators for use in event patterns" (eb-create-pattern-operators).
"""

import json

import pytest

from iamd.functions import patterns
from iamd.functions.patterns import Malformed, pattern_of, read

CASES = [
    ("null", {"UserID": [None]}, {"UserID": None}, {"UserID": ""}),
    ("empty", {"LastName": [""]}, {"LastName": ""}, {"LastName": None}),
    ("equals", {"Name": ["Alice"]}, {"Name": "Alice"}, {"Name": "alice"}),
    ("a number as text", {"n": ["1"]}, {"n": "1"}, {"n": 1}),
    ("true", {"on": [True]}, {"on": True}, {"on": 1}),
    ("equals, ignoring case", {"Name": [{"equals-ignore-case": "alice"}]}, {"Name": "ALICE"}, {"Name": "Bob"}),
    ("and", {"a": ["x"], "b": ["y"]}, {"a": "x", "b": "y", "c": 1}, {"a": "x", "b": "z"}),
    ("or", {"Type": ["Credit", "Debit"]}, {"Type": "Debit"}, {"Type": "Cash"}),
    ("or of fields", {"$or": [{"a": ["x"]}, {"b": ["y"]}]}, {"b": "y"}, {"a": "y", "b": "x"}),
    ("or beside a field", {"$or": [{"a": [1]}, {"b": [1]}], "c": [1]}, {"a": 1, "c": 1}, {"a": 1}),
    ("not", {"Weather": [{"anything-but": ["Raining"]}]}, {"Weather": "Sunny"}, {"Weather": "Raining"}),
    ("not one", {"Weather": [{"anything-but": "Raining"}]}, {"Weather": 1}, {}),
    ("not a number", {"n": [{"anything-but": [1, 2]}]}, {"n": 3}, {"n": 2}),
    ("numeric equals", {"Price": [{"numeric": ["=", 100]}]}, {"Price": 100.0}, {"Price": 101}),
    ("numeric range", {"P": [{"numeric": [">", 10, "<=", 20]}]}, {"P": 20}, {"P": 10}),
    ("numeric from", {"P": [{"numeric": [">=", 10]}]}, {"P": 10}, {"P": "10"}),
    ("numeric below", {"P": [{"numeric": ["<", -1.5]}]}, {"P": -2}, {"P": -1.5}),
    ("exists", {"a": [{"exists": True}]}, {"a": None}, {"b": 1}),
    ("exists, and is no leaf", {"a": [{"exists": True}]}, {"a": [1]}, {"a": {"b": 1}}),
    ("exists not", {"a": [{"exists": False}]}, {"b": 1}, {"a": None}),
    ("exists not, deep", {"a": {"b": [{"exists": False}]}}, {"c": 1}, {"a": {"b": 1}}),
    ("begins", {"Region": [{"prefix": "us-"}]}, {"Region": "us-east-1"}, {"Region": "eu-us-"}),
    ("begins, ignoring case", {"s": [{"prefix": {"equals-ignore-case": "eventb"}}]}, {"s": "EventBridge"}, {"s": "Ev"}),
    ("ends", {"File": [{"suffix": ".png"}]}, {"File": "a.png"}, {"File": "a.png.txt"}),
    ("ends, ignoring case", {"s": [{"suffix": {"equals-ignore-case": ".PNG"}}]}, {"s": "a.png"}, {"s": "png"}),
    ("one of an array", {"a": ["x"]}, {"a": ["w", "x"]}, {"a": []}),
    ("an object of an array", {"a": {"b": [1], "c": [2]}}, {"a": [{"b": 1, "c": 2}]}, {"a": [{"b": 1}, {"c": 2}]}),
    ("not in an array", {"a": {"b": [{"exists": False}]}}, {"a": [{"c": 1}]}, {"a": [{"c": 1}, {"b": 1}]}),
    ("an object that is none", {"a": {"b": ["x"]}}, {"a": {"b": "x"}}, {"a": "x"}),
]


@pytest.mark.parametrize(("pattern", "kept", "dropped"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_an_operator_keeps_and_drops(pattern, kept, dropped):
    known = pattern_of(json.dumps(pattern))
    assert known.matches(read(json.dumps(kept)))
    assert not known.matches(read(json.dumps(dropped)))


@pytest.mark.parametrize(("written", "is_kept"), [("300", True), ("300.0", False), ("3.0e2", False)])
def test_numbers_are_equal_as_they_are_written(written, is_kept):
    assert pattern_of('{"n": [300]}').matches(read(f'{{"n": {written}}}')) is is_kept


def test_an_object_that_is_named_twice_has_the_fields_of_both():
    both = pattern_of('{"d": {"New": {"S": ["a"]}}, "d": {"Old": {"S": ["b"]}}}')
    assert both.matches(read('{"d": {"New": {"S": "a"}, "Old": {"S": "b"}}}'))
    assert not both.matches(read('{"d": {"New": {"S": "a"}, "Old": {"S": "c"}}}'))


@pytest.mark.parametrize("number", ["6e9", "1e999999999", "-1e10"])
def test_a_number_out_of_range_is_compared_with_none(number):
    assert not pattern_of('{"n": [{"numeric": [">", 0]}]}').matches(read(f'{{"n": {number}}}'))
    with pytest.raises(Malformed):
        pattern_of(f'{{"n": [{{"numeric": [">", {number}]}}]}}')


@pytest.mark.parametrize(
    "text",
    [
        "", "no JSON", "[]", "{}", "1", '"a"', '{"a": "x"}', '{"a": 1}', '{"a": []}', '{"a": {}}', '{"a": [["x"]]}',
        '{"a": [{}]}', '{"a": [{"wildcard": "*"}]}', '{"a": [{"cidr": "10.0.0.0/8"}]}', '{"a": [{"Prefix": "x"}]}',
        '{"a": [{"prefix": "x", "suffix": "y"}]}', '{"a": [{"prefix": 1}]}', '{"a": [{"suffix": {"prefix": "x"}}]}',
        '{"a": [{"anything-but": {"prefix": "x"}}]}', '{"a": [{"anything-but": []}]}',
        '{"a": [{"anything-but": ["x", 1]}]}', '{"a": [{"anything-but": [null]}]}', '{"a": [{"exists": "true"}]}',
        '{"a": [{"equals-ignore-case": ["x"]}]}', '{"a": [{"numeric": [">"]}]}', '{"a": [{"numeric": ["!=", 1]}]}',
        '{"a": [{"numeric": ["<", 1, ">", 0]}]}', '{"a": [{"numeric": [">", "1"]}]}', '{"a": [{"numeric": ">"}]}',
        '{"a": [{"numeric": ["=", 1, "=", 1]}]}', '{"$or": [{"a": [1]}]}', '{"$or": {"a": [1]}}', '{"a": [1], "a": [2]}',
        '{"a": [NaN]}', '{"a":' * 60 + "[1]" + "}" * 60, "[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_pattern_is_refused(text):
    with pytest.raises(Malformed):
        pattern_of(text)


@pytest.mark.parametrize("pattern", [{"exists": False}, {"numeric": ["=", 1]}])
def test_the_work_does_not_grow_with_the_square_of_what_arrays_hold(monkeypatch, pattern):
    looked = 0

    def counted(value, original=patterns._flat):
        nonlocal looked
        for one in original(value):
            looked += 1
            yield one

    monkeypatch.setattr(patterns, "_flat", counted)
    wanted = pattern_of(json.dumps({"a": {"a": {"a": {"b": [pattern]}}}}))

    def cost(width):
        nonlocal looked
        looked, inner = 0, {"b": 2}
        for _ in range(3):
            inner = {"a": [inner] * width}
        assert not wanted.matches(read(json.dumps(inner)))
        return looked

    # Eight times as many objects.
    assert cost(16) < 10 * cost(8)


@pytest.mark.parametrize("number", ["1e9999999999999999999", "-1E+99999999999999999999", "1e-9999999999999999999"])
def test_a_number_that_no_decimal_holds_is_compared_with_nothing(number):
    for rule in ({"numeric": [">", 2]}, {"numeric": ["<", 2]}):
        assert not pattern_of(json.dumps({"n": [rule]})).matches(read(f'{{"n": {number}}}'))
