"""LIM-02: ten policies of the largest size, written to be slow, are compiled and decided in little work.

Work is counted as calls of functions, Python's and C's, which does not move with the machine.
"""

import json
import sys
import tracemalloc
from time import thread_time

import pytest

from iamd.policy import malformed, variables
from iamd.policy.conditions import condition
from iamd.policy.decision import Outcome
from iamd.policy.document import PolicyType, load
from iamd.policy.evaluate import Layers, decide
from iamd.policy.request import Principal, PrincipalKind, Request

LARGEST = 6144
HERE = "111122223333"
USER = Principal(PrincipalKind.USER, HERE, f"arn:aws:iam::{HERE}:user/ana")
PLAIN = "a" * 1000
DIGITS = "".join(map(str, range(340)))

HOSTILE = {
    "a gap and a star": ("arn:*:s3:*:*:?{i}?*x", PLAIN),
    "many stars": ("arn:*:s3:*:*:*a*a*a*a*a*{i}", PLAIN),
    "gaps in a run": ("arn:aws:s3:::*a?a?a?a?a?{last}b{i}*", PLAIN),
    "as short as can be": ("arn:*:s3:::*{i}*", PLAIN),
    "gaps that fit until the last letter": ("arn:*:s3:::*a?a?a?a?a?b{i}?a", PLAIN.replace("aaaaaa", "aaaaab")),
    "every literal is there": ("arn:*:s3:::*{last}?{last}*?{last}?x*", DIGITS + "x"),
    "variables": ("arn:*:s3:::*${{aws:username}}*{i}*?b", PLAIN + DIGITS),
    "the longest literal is there": ("arn:*:s3:::*aaaaaa?{last}?{i}?*b", PLAIN + "b"),
    "the literals around a variable are there": ("arn:*:s3:::*aaaaaa${{aws:username}}?{i}?*b", PLAIN + "b"),
    "stars that all but match": ("arn:*:s3:::*a*a*a*a*aaaaaaa*{i}*b", PLAIN + DIGITS[:20] + "b"),
    "all literals are there, and nowhere so": ("arn:*:s3:::*aaaaaa?{last}?{i}?*b", PLAIN + DIGITS * 2 + "b"),
    "an ending": ("arn:aws:s3:::*{i}zzz", PLAIN + "zzz"),
}


def policies(shape):
    """Ten policies of the largest size, of one statement whose patterns have the shape; how many patterns they are."""
    found, count = [], 0
    for _ in range(10):
        patterns, size = [], len(json.dumps(document([]), separators=(",", ":")))
        while size < LARGEST - len(shape) - 3:
            patterns.append(shape.format(i=count, last=count % 10))
            size += len(patterns[-1]) + 3
            count += 1
        found.append(json.dumps(document(patterns), separators=(",", ":")))
    return found, count


def document(patterns):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": patterns}]}


def calls_of(act):
    count = 0

    def counted(_frame, event, _argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counted)
    try:
        act()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("name", HOSTILE)
def test_the_slowest_legal_policies_are_little_work(name):
    shape, path = HOSTILE[name]
    texts, patterns = policies(shape)
    for text in texts:
        malformed.check(text, PolicyType.IDENTITY)
    request = Request(USER, "s3:GetObject", f"arn:aws:s3:::{path}", HERE, {"aws:username": "a" * 64})
    layers = Layers(identity=tuple(load(text, PolicyType.IDENTITY) for text in texts))

    first = calls_of(lambda: decide(request, layers))
    later = calls_of(lambda: decide(request, layers))

    assert patterns < first < 120 * patterns
    assert later < 150 * patterns


def lines_of(act):
    """How many lines of Python it takes."""
    count = 0

    def traced(_frame, event, _argument):
        nonlocal count
        count += event == "line"
        return traced

    sys.settrace(traced)
    try:
        act()
    finally:
        sys.settrace(None)
    return count


@pytest.mark.parametrize("shape", ["*aaaaaa?{last}?{i}?*b", "*" + "a" * 60 + "?b{i}*", "*aaa?b0?a{i}*"])
def test_a_long_value_is_not_gone_through_for_each_pattern(shape):
    """LIM-02: a header may have 30,000 characters; each pattern once took as many steps."""
    wanted = [shape.format(i=number, last=number % 10) for number in range(60)]
    one = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringLike": {"aws:referer": wanted}}}
    layers = Layers(identity=(load(json.dumps({"Version": "2012-10-17", "Statement": one}), PolicyType.IDENTITY),))
    for number in range(2):
        value = "a" * 29_000 + "b0123456789" * 90 + f"{number}b"
        request = Request(USER, "s3:GetObject", "arn:aws:s3:::b/x", HERE, {"aws:referer": value})
        steps = lines_of(lambda request=request: decide(request, layers))
    assert 60 < steps < 20_000


REFERER = "${aws:referer}"
MANY_TIMES = {
    "StringLike": {"aws:userid": REFERER * 400},
    "StringNotLike": {"aws:userid": f"*{REFERER}" * 350},
    "StringEquals": {"aws:userid": REFERER * 400},
    "StringEqualsIgnoreCase": {"aws:userid": REFERER * 400},
    "Bool": {"aws:securetransport": REFERER * 400},
    "ArnLike": {"aws:principalarn": f"arn:aws:iam::*:user/{REFERER * 390}"},
}


@pytest.mark.parametrize("operator", MANY_TIMES)
def test_a_long_value_that_is_put_in_many_times_makes_no_long_text(operator):
    one = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {operator: MANY_TIMES[operator]}}
    policy = load(json.dumps({"Version": "2012-10-17", "Statement": one}), PolicyType.IDENTITY)
    context = {"aws:userid": "AIDAX", "aws:securetransport": "true", "aws:principalarn": USER.arn}

    def decided(end):
        request = Request(
            USER, "s3:GetObject", "arn:aws:s3:::b/x", HERE, {**context, "aws:referer": "x" * 30_000 + end}
        )
        return decide(request, Layers(identity=(policy,)))

    assert decided("a").outcome is (Outcome.EXPLICITLY_DENIED if "Not" in operator else Outcome.IMPLICITLY_DENIED)
    tracemalloc.start()
    try:
        for number in range(20):
            decided(str(number))
        kept, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 1_000_000  # 400 times 30,000 is twelve millions
    assert kept < 100_000


def test_a_value_that_is_put_in_twice_is_still_matched():
    for operator, wanted, given, holds in (
        ("StringLike", f"*{REFERER}{REFERER}", "-" + "x" * 4000, True),
        ("StringLike", f"*{REFERER}{REFERER}", "x" * 3999, False),
        ("StringEquals", f"{REFERER}*{REFERER}", "x" * 2000 + "*" + "x" * 2000, True),
        ("StringEquals", f"{REFERER}{REFERER}", "x" * 4001, False),
        ("StringEqualsIgnoreCase", f"{REFERER}{REFERER}", "X" * 4000, True),
    ):
        test = condition(operator, "aws:userid", [wanted], substitute=True).test
        assert test({"aws:userid": given, "aws:referer": "x" * 2000}) is holds


@pytest.mark.parametrize("end", ["", "}", "'}", "${aws:x}"])
@pytest.mark.parametrize("part", ["${", "${a, '", "${a,", "${a, ", "$"])
def test_text_that_begins_many_variables_is_read_once(part, end):
    """Each beginning once looked for its end through all of the rest."""
    began = thread_time()
    assert len(variables.parse(part * 20_000 + end)) <= 3
    assert thread_time() - began < 0.5
