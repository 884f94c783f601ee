"""Every condition operator: what it holds for, what a missing key does, and what does not parse."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iamd.policy.conditions import REMEMBERED, REMEMBERED_CHARACTERS, condition
from iamd.policy.operators import OPERATORS, address, moment, network, number
from iamd.policy.request import UNKNOWN


def holds(operator, wanted, value=None, **context):
    wanted = [wanted] if isinstance(wanted, str) else wanted
    test = condition(operator, "Test:Key", wanted, substitute=True).test
    keys = {name.replace("_", ":"): given for name, given in context.items()}
    return test(keys if value is None else {**keys, "test:key": value})


NEGATED = {name for name, operator in OPERATORS.items() if operator.negated}


def test_the_operators_are_awss():
    """IAM User Guide, reference_policies_elements_condition_operators; Null stands apart from the table."""
    assert len(OPERATORS) == 26
    assert {
        "StringNotEquals",
        "StringNotEqualsIgnoreCase",
        "StringNotLike",
        "NumericNotEquals",
        "DateNotEquals",
        "NotIpAddress",
        "ArnNotEquals",
        "ArnNotLike",
    } == NEGATED


@pytest.mark.parametrize("operator", OPERATORS)
def test_auz_15_missing_keys(operator):
    """Positive false, negated true, IfExists true, ForAllValues true, ForAnyValue false; an empty list is missing."""
    for missing in (None, ()):
        assert holds(operator, "x", missing) is (operator in NEGATED)
        assert holds(f"{operator}IfExists", "x", missing) is True
        assert holds(f"ForAllValues:{operator}", "x", missing) is True
        assert holds(f"ForAnyValue:{operator}", "x", missing) is False
        assert holds(f"ForAllValues:{operator}IfExists", "x", missing) is True
        assert holds(f"ForAnyValue:{operator}IfExists", "x", missing) is True


@pytest.mark.parametrize(
    ("operator", "wanted", "value", "answer"),
    [
        ("StringEquals", "a*", "ab", False),
        ("StringEquals", ["a", "b"], "b", True),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringEquals", "é", "e\u0301", False),
        ("StringEqualsIgnoreCase", "STRASSE", "straße", False),
        ("StringEqualsIgnoreCase", "É", "é", True),
        ("StringEqualsIgnoreCase", "ΑΣ", "ας", True),
        ("StringEqualsIgnoreCase", "ΑΣ", "ασ", False),
        ("StringLike", "a*c", "a/\n/c", True),
        ("StringLike", "a?c", "ac", False),
        ("StringNotLike", "a*", "b", True),
        ("NumericEquals", "10", "10.0", True),
        ("NumericEquals", "10", "1e1", True),
        ("NumericEquals", "10", "10abc", False),
        ("NumericNotEquals", "10", "10abc", True),
        ("NumericNotEquals", ["10", "x"], "11", True),
        ("NumericEquals", ["x", "11"], "11", True),
        ("NumericLessThan", "10", "-3.5", True),
        ("NumericLessThanEquals", "10", "10", True),
        ("NumericGreaterThan", "10", "10", False),
        ("NumericGreaterThanEquals", "10", "10.00", True),
        ("NumericEquals", "${aws:epochtime}", "10", False),
        ("DateEquals", "2020-01-01T00:00:00Z", "1577836800", True),
        ("DateEquals", "2020-01-01T01:00:00+01:00", "2020-01-01", True),
        ("DateEquals", "2020-01-01T00:00:00.5Z", "1577836800.5", True),
        ("DateEquals", "1577836800000", "2020-01-01T00:00Z", True),
        ("DateNotEquals", "2020-01", "2020-01-01T00:00:00", False),
        ("DateLessThan", "2020", "1999-01-01", False),
        ("DateLessThan", "2020-01-01", "2019-12-31T23:59:59.999Z", True),
        ("DateLessThanEquals", "2020-01-01", "2020-01-01", True),
        ("DateGreaterThan", "2020-01-01", "2020-01-01", False),
        ("DateGreaterThanEquals", "2020-01-01", "2020-01-01", True),
        ("DateEquals", "2020-02-30", "2020-02-30", False),
        ("DateNotEquals", "2020-01-01", "2025011T00:00:00Z", True),
        ("Bool", "true", "TRUE", True),
        ("Bool", "false", "asdf", True),
        ("Bool", "False", "false", True),
        ("Bool", "yes", "true", False),
        ("Bool", "${aws:securetransport}", "true", False),
        ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", True),
        ("BinaryEquals", "QmluYXJ5", "QmluYXJ6", False),
        ("BinaryEquals", "QmluYXJ5", "Qmlu*YXJ5", False),
        ("BinaryEquals", "!", "QmluYXJ5", False),
        # What it ends in is no byte's, and other texts than this stand for the same bytes.
        ("BinaryEquals", "QUJ=", "QUI=", False),
        ("IpAddress", "203.0.113.0/24", "203.0.113.77", True),
        ("IpAddress", "203.0.113.9/24", "203.0.113.77", True),
        ("IpAddress", "203.0.113.7", "203.0.113.77", False),
        ("IpAddress", "10.0.0.0/8", "::ffff:10.0.0.1", True),
        ("IpAddress", "::ffff:10.0.0.0/104", "10.0.0.1", True),
        ("IpAddress", "2001:DB8::1", "2001:db8:0:0::1", True),
        ("IpAddress", "2001:db8::1", "2001:db8::2", False),
        ("NotIpAddress", "203.0.113.0/24", "2001:db8::1", True),
        ("NotIpAddress", "203.0.113.0/24", "nowhere", False),
        ("NotIpAddress", "nowhere", "203.0.113.7", True),
        ("IpAddress", "10.0.0.0/255.0.0.0", "10.0.0.1", False),
        ("IpAddress", "0.0.0.0/0", "fe80::1%eth0", False),
        ("IpAddress", "fe80::1%eth0/64", "fe80::1", False),
        ("ArnLike", "arn:aws:sns:*:*:t*", "arn:aws:sns:us-east-1:1:t/x:y", True),
        ("ArnEquals", "arn:aws:sns:*:*:t*", "arn:aws:sns:us-east-1:1:t", True),
        ("ArnLike", "arn:aws:sns:*", "arn:aws:sns:us-east-1:1:t", None),
        ("ArnNotLike", "arn:aws:sns:*", "arn:aws:sns:us-east-1:1:t", None),
        ("ArnNotEquals", "arn:aws:sns:*:*:*", "no-arn", False),
        ("ArnNotEquals", "arn:aws:sns:*:*:*", "arn:aws:sqs:us-east-1:1:t", True),
        ("ArnLike", "arn:aws:SNS:*:*:*", "arn:aws:sns:us-east-1:1:t", False),
        ("Null", "true", "", True),
        ("Null", "false", "x", True),
        ("Null", "FALSE", "x", True),
        ("Null", "maybe", "x", True),
        ("Null", ["true", "false"], "x", True),
        ("Null", "true", ("", ""), True),
        ("ForAllValues:Null", "false", "x", True),
    ],
)
def test_operator(operator, wanted, value, answer):
    assert holds(operator, wanted, value) is answer


def test_who_write_the_same_short_condition_share_it():
    short, long = "x" * 4_096, "x" * 4_097
    assert condition("StringLike", "aws:a", [short], substitute=True) is condition(
        "StringLike", "AWS:A", [short], substitute=True
    )
    made = [condition("StringLike", "aws:a", [long], substitute=True) for _ in range(2)]
    assert made[0] is not made[1]


@pytest.mark.parametrize(
    ("quantifier", "value"),
    [("", "ana1"), *itertools.product(["ForAllValues:", "ForAnyValue:"], ["ana1", ("ana1",)])],
)
def test_a_variable_is_of_the_request_whatever_the_quantifier(quantifier, value):
    test = condition(f"{quantifier}StringLike", "aws:b", ["${aws:a}?"], substitute=True).test
    assert test({"aws:a": "ana", "aws:b": value}) is True
    assert test({"aws:a": "bob", "aws:b": value}) is False


def test_null_of_a_missing_key():
    assert holds("Null", "true") is True
    assert holds("Null", "false") is False


def test_auz_15_negation_is_per_value_before_the_quantifier():
    assert holds("ForAnyValue:StringNotEquals", "a", ("a", "c")) is True
    assert holds("ForAllValues:StringNotEquals", "a", ("a", "c")) is False
    assert holds("ForAnyValue:StringNotEquals", ["a", "c"], ("a", "c")) is False


def test_values_that_are_all_empty_are_a_null_dataset():
    assert holds("ForAllValues:StringEquals", "a", ("", "")) is True
    assert holds("ForAnyValue:StringNotEquals", "a", ("",)) is False
    assert holds("ForAllValues:StringEquals", "a", ("", "a")) is False


@pytest.mark.parametrize("operator", ["StringEquals", "StringNotEquals"])
def test_several_values_want_a_set_operator(operator):
    """Access Analyzer calls it "Missing qualifier"; the condition is false, negated or not."""
    assert holds(operator, "z", ("a", "b")) is False


def test_an_empty_list_of_wanted_values():
    assert holds("StringEquals", [], "a") is False
    assert holds("StringNotEquals", [], "a") is True
    assert holds("ForAllValues:StringEquals", [], ("a",)) is False


@pytest.mark.parametrize(
    "operator",
    [
        "StringMatches",
        "stringequals",
        "NullIfExists",
        "ForAllValues:Like",
        "ForSomeValues:StringEquals",
        "",
        "NotBool",
        "BinaryNotEquals",
        "StringEqualsIfExistsIfExists",
        "StringNotMatchesIfExists",
    ],
)
def test_auz_14_an_unknown_operator_is_neither_true_nor_false(operator):
    for value in (None, "x", ("x", "y")):
        assert holds(operator, "x", value) is None


def test_variables_in_conditions():
    """Valueless: not equal, so a positive operator is false and a negated one true (reference_policies_variables)."""
    assert holds("StringEquals", "${aws:username}", "ana", aws_username="ana") is True
    assert holds("StringEqualsIgnoreCase", "${aws:username}", "ANA", aws_username="ana") is True
    assert holds("StringEquals", "${aws:username}", "ana") is False
    assert holds("StringNotEquals", "${aws:username}", "ana") is True
    assert holds("StringNotEqualsIgnoreCase", "${aws:username}", "ana") is True
    assert holds("ArnNotLike", "arn:aws:iam::1:user/${aws:username}", "arn:aws:iam::1:user/ana") is True
    assert holds("Bool", "${aws:flag}", "true", aws_flag="true") is True
    assert holds("Bool", "${aws:flag}", "true", aws_flag="no") is False


def test_a_variable_may_be_a_whole_arn():
    """As `"aws:SourceArn": "${aws:PrincipalArn}"`; its value has no wildcards."""
    ann = "arn:aws:iam::1:user/ann"
    assert holds("ArnEquals", "${aws:principalarn}", ann, aws_principalarn=ann) is True
    assert holds("ArnEquals", "${aws:principalarn}", ann, aws_principalarn="arn:aws:iam::1:user/*") is False
    assert holds("ArnNotEquals", "${aws:principalarn}", ann, aws_principalarn="ann") is None
    assert holds("ArnNotEquals", "${aws:principalarn}", ann) is True


def test_numbers_and_digits_are_ascii():
    assert number("١٠") is None
    assert moment("١٠") is None
    assert number("0x10") is number("NaN") is number("inf") is number("1e9999") is number(" 1") is number("1\n") is None
    assert address("10.0.0.010") is address("10.0.0.08") is address("10.0.0.1\n") is None
    assert network("10.0.0.0/٨") is network("10.0.0.0/") is network("10.0.0.0/33") is None


def test_instants_to_the_second():
    """Each field has its bounds, and an offset may leave its minutes out."""
    second = 1000
    assert moment("1970-01-01T23:59:59Z") == 86399 * second
    for odd in ("24:00:00Z", "00:60:00Z", "00:00:60Z", "00:00:00+24:00", "00:00:00+00:60"):
        assert moment(f"1970-01-01T{odd}") is None, odd
    assert moment("1970-01-01T02:00:00+02") == moment("1970-01-01T02:00:00+0200") == moment("1970-01-01T00:00z") == 0
    assert moment("1970-01-01T00:00:00-01:30") == 5400 * second
    assert moment("1970-01-01T00:00:00.5Z") == second // 2
    assert moment("1970-02") == 31 * 86400 * second


@given(st.datetimes(), st.integers(-23, 23))
def test_an_instant_is_the_same_in_every_offset(when, hours):
    text = when.isoformat(timespec="microseconds").rjust(26, "0")
    sign = "-" if hours < 0 else "+"
    utc, shifted = moment(f"{text}Z"), moment(f"{text}{sign}{abs(hours):02}:00")
    assert utc is not None
    assert shifted is not None
    assert utc - shifted == hours * 3600 * 1000


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9))
def test_a_number_equals_itself_however_it_is_written(value):
    assert holds("NumericEquals", f"{value:f}", f"{value:f}0") is True


@pytest.mark.parametrize("operator", sorted(NEGATED))
@given(
    value=st.sampled_from(["a", "1", "2020-01-01", "10.0.0.1", "arn:aws:s3:::b", ""]),
    wanted=st.sampled_from(["a", "1", "2020-01-01", "10.0.0.0/8", "arn:aws:s3:::b"]),
)
def test_a_negated_operator_is_its_twins_opposite_for_a_key_that_parses(operator, value, wanted):
    found, twins = holds(operator, wanted, value), holds(operator.replace("Not", "", 1), wanted, value)
    if OPERATORS[operator].read(value) is None:
        assert twins is False
        assert found is operator.startswith(("Numeric", "Date"))
    elif twins is None:
        assert found is None  # the policy's value is no ARN
    else:
        assert found is not twins


@pytest.mark.parametrize("wanted", ["1", "${test:other}"])
@pytest.mark.parametrize("value", [("1",), ("2",), ("1", "1"), ("",)])
@pytest.mark.parametrize(
    "operator", ["StringEquals", "StringNotEquals", "StringLike", "NumericEquals", "NumericNotEquals"]
)
def test_a_key_with_a_list_needs_a_set_operator(operator, value, wanted):
    """Without one the condition is false, negated or not, even of one value; a list without any is missing."""
    for name in (operator, f"{operator}IfExists"):
        assert holds(name, wanted, value, test_other="1") is False
        assert holds(name, wanted, (), test_other="1") is (name != operator or operator in NEGATED)
    assert holds(f"ForAnyValue:{operator}", "1", ("1", "2")) is True


@pytest.mark.parametrize(("operator", "negated"), [("StringEquals", False), ("StringNotEquals", True)])
def test_a_key_is_compared_with_the_value_of_another(operator, negated):
    def same(value, other, name=operator):
        given = {"test:key": value, "test:other": other}
        context = {key: told for key, told in given.items() if told is not None}
        return condition(name, "Test:Key", ["${Test:Other}"], substitute=True).test(context)

    assert same("a", "a") is not negated
    assert same(("a",), "a") is False
    assert same("a", "b") is negated
    assert same(("b",), "a") is False
    assert same("a", None) is negated
    assert same("a", ("a",)) is negated
    assert same("", "") is negated
    assert same(("a", "b"), "a") is False
    for missing in (None, ()):
        assert same(missing, "a") is negated
        assert same(missing, "a", f"{operator}IfExists") is True
        assert same(missing, None, f"{operator}IfExists") is True
    for value, other in ((UNKNOWN, "a"), ("a", UNKNOWN), (UNKNOWN, None), (None, UNKNOWN)):
        assert same(value, other) is None


@pytest.mark.parametrize("unknown", ["one", "other"])
def test_a_value_of_two_variables_is_unknown_with_either(unknown):
    test = condition("StringEquals", "Test:Key", ["${aws:one}-${aws:other}"], substitute=True).test
    keys = {"test:key": "a-b", "aws:one": "a", "aws:other": "b"}
    assert test(keys) is True
    assert test({**keys, f"aws:{unknown}": UNKNOWN}) is None


def test_a_condition_goes_by_each_value_that_its_key_has():
    """However many there were before, and however long: it remembers what it said of the last few."""
    test = condition("NumericLessThan", "Test:Key", ["50"], substitute=True).test
    told = [str(number) for number in range(4 * REMEMBERED)] + ["0" * REMEMBERED_CHARACTERS + "1", "x", ""]
    for value in (*told, *told):
        assert test({"test:key": value}) is (value.isdigit() and int(value) < 50)
    assert test({}) is False
    assert test({"test:key": UNKNOWN}) is None


@pytest.mark.parametrize("operator", ["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"])
@pytest.mark.parametrize("value", ["arn:aws:s3", "arn", "x:aws:s3:::b", ":aws:s3:::b", "arn:aws:s3::b", ""])
def test_what_is_no_arn_satisfies_no_arn_operator(operator, value):
    """Six segments, of which the first is `arn`; a negated operator is no more lenient (AWS leaves that open)."""
    for wanted in ("*:aws:s3:::b", "*:*:*:*:*:*", "arn:aws:s3:::b"):
        assert holds(operator, wanted, value) is False


@pytest.mark.parametrize(("value", "lacks"), [(None, True), ((), True), ("", False), ("x", False), (("",), False)])
def test_a_condition_tells_whether_its_key_is_missing(value, lacks):
    context = {} if value is None else {"test:key": value}
    assert condition("StringEquals", "Test:Key", ["a"], substitute=True).lacks_key(context) is lacks


def test_what_was_said_of_a_value_is_not_worked_out_again(monkeypatch):
    read = []
    counted = replace(OPERATORS["NumericLessThan"], read=lambda value: read.append(value) or number(value))
    monkeypatch.setitem(OPERATORS, "NumericLessThan", counted)
    test = condition("NumericLessThan", "Test:Counted", ["50"], substitute=True).test
    assert [test({"test:counted": value}) for value in ("7", "7", "70", "7")] == [True, True, False, True]
    assert read == ["7", "70"]
