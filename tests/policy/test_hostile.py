"""Policies, requests and cases that were written to crash the engine, to keep it busy, or to be let in."""

import json

import pytest
from policy.worlds import HERE, USER

from iamd.policy import cases
from iamd.policy.conditions import condition
from iamd.policy.decision import Outcome
from iamd.policy.document import MalformedPolicy, PolicyType, load, validate
from iamd.policy.evaluate import Layers, decide
from iamd.policy.request import Principal, PrincipalKind, Request

HUGE = 10_000_000
OPEN = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"'
ASKED = Request(USER, "s3:GetObject", "arn:aws:s3:::data/a", HERE, {"aws:username": "ana"})


def asked_of(text, kind=PolicyType.IDENTITY, request=ASKED):
    """The decision when this is the caller's one policy."""
    policy = load(text, kind)
    return decide(request, Layers(identity=(policy,)) if kind is PolicyType.IDENTITY else Layers(resource=(policy,)))


BROKEN = {
    "brackets": "[" * HUGE,
    "objects in objects": '{"Statement":' * (HUGE // 13),
    "a condition as deep as it is long": f'{OPEN},"Condition":'
    + '{"a":' * (HUGE // 5)
    + "1"
    + "}" * (HUGE // 5)
    + "}}",
    "a number": f'{OPEN},"Condition":{{"NumericEquals":{{"a":{"9" * HUGE}',
    "an open string": f'{OPEN},"Sid":"' + "a" * HUGE,
    "escapes": '"' + "\\" * HUGE,
    "blanks": " " * HUGE,
    "zero bytes": "\0" * HUGE,
    "commas": f"{OPEN}" + "," * HUGE,
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("kind", [PolicyType.IDENTITY, PolicyType.RESOURCE])
def test_ten_megabytes_of_nonsense_are_refused_and_deny(name, kind):
    text = BROKEN[name]
    with pytest.raises(MalformedPolicy):
        validate(text, kind)
    assert asked_of(text, kind).outcome is Outcome.EXPLICITLY_DENIED
    load.cache_clear()  # it would keep the text


@pytest.mark.timeout(120)
def test_ten_megabytes_of_policy_are_read_as_written():
    """How long a policy may be is the caller's to say; what it says holds whatever its length."""
    others = [f"arn:aws:s3:::data/{number:06}/{'x' * 2000}" for number in range(HUGE // 2000)]
    for last, outcome in [(ASKED.resource, Outcome.ALLOWED), ("arn:aws:s3:::data/b", Outcome.IMPLICITLY_DENIED)]:
        one = {"Effect": "Allow", "Action": ["s3:" + "G" * 1_000_000, "s3:GetObject"], "Resource": [*others, last]}
        text = json.dumps({"Version": "2012-10-17", "Statement": one})
        assert asked_of(text).outcome is outcome
    load.cache_clear()


NOT_QUITE = [
    ('"Effect":"Allow"', '"Effect":"allow"'),
    ('"Effect":"Allow"', '"Effect":"ALLOW"'),
    ('"Effect":"Allow"', '"Effect":"Allow\\n"'),
    ('"Effect":"Allow"', '"Effect":"Allow\\u0000"'),
    ('"Effect":"Allow"', '"Effect":"\\u0410llow"'),  # CYRILLIC CAPITAL LETTER A
    ('"Effect":"Allow"', '"Effect":["Allow"]'),
    ('"Effect":"Allow"', '"effect":"Allow"'),
    ('"Effect":"Allow"', '"Effect":"Deny","Effect":"Allow"'),
    ('"Effect":"Allow"', '"Effect":"Deny","\\u0045ffect":"Allow"'),
    ("2012-10-17", "2012-10-17\\n"),
    ("2012-10-17", "\\uff12012-10-17"),  # FULLWIDTH DIGIT TWO
    ("2012-10-17", "2012-10-17 "),
    ('"2012-10-17"', "20121017"),
    ('"Action":"*"', '"Action":"\\uff0a"'),  # FULLWIDTH ASTERISK
    ('"Action":"*"', '"Action":"s3:GetObject\\n"'),
    ('"Action":"*"', '"Action":"s3:GetObject\\u0000"'),
    ('"Action":"*"', '"Action":"\\u017f3:GetObject"'),  # LATIN SMALL LETTER LONG S
    ('"Action":"*"', '"Action":"s3\\uff1aGetObject"'),  # FULLWIDTH COLON
    ('"Action":"*"', '"Action":"s3:Get.bject"'),
    ('"Action":"*"', '"Action":"s3:.*"'),
    ('"Action":"*"', '"\\u0410ction":"*"'),
    ('"Action":"*"', '"Action":{"*":"*"}'),
    ('"Action":"*"', '"Action":[["*"]]'),
    ('"Action":"*"', '"Action":null'),
    ('"Action":"*"', '"Action":true'),
    ('"Resource":"*"', '"Resource":"\\uff0a"'),
    ('"Resource":"*"', '"Resource":"arn:aws:s3:::data/a\\n"'),
    ('"Resource":"*"', '"Resource":"arn:aws:s3:::data/\\u0430"'),  # CYRILLIC SMALL LETTER A
    ('"Resource":"*"', '"Resource":"arn:aws:s3:::data/\\ud800"'),
    ('"Resource":"*"', '"Resource":"arn:aws:s3:::.*"'),
    ('"Resource":"*"', '"Resource":NaN'),
    ('"Resource":"*"', '"Resource":"*","Condition":{"StringEquals":{"aws:username":NaN}}'),
    ('"Resource":"*"', '"Resource":"*","Condition":{"NumericLessThan":{"aws:username":Infinity}}'),
    ('"Resource":"*"', '"Resource":"*","Condition":{"NumericLessThan":{"aws:username":1e999}}'),
    ('"Resource":"*"', '"Resource":"*","Condition":{"StringEquals":{"aws:username":null}}'),
    ('"Resource":"*"', '"Resource":"*","Condition":{"StringEquals":{"aws:username":"ana\\n"}}'),
    ('"Resource":"*"', '"Resource":"*","Condition":{"StringEquals":{"aws:u\\u017fername":"ana"}}'),
    ('"Resource":"*"', '"Resource":"*","Condition":{"stringEquals":{"aws:username":"ana"}}'),
    ('"Resource":"*"', '"Resource":"*","Condition":{"STRINGEQUALS":{"aws:username":"ana"}}'),
    ('"Resource":"*"', '"Resource":"*","Condition":{"StringEqualsifexists":{"aws:username":"ana"}}'),
    ('"Resource":"*"', '"Resource":"*","Condition":{"forAnyValue:StringEquals":{"aws:username":"ana"}}'),
    ('"Resource":"*"', '"Resource":"*","Condition":{"StringEquals ":{"aws:username":"ana"}}'),
    ('"Resource":"*"', '"Resource":"*","Condition":{"StringEquals\\n":{"aws:username":"ana"}}'),
    ('"Resource":"*"', '"Resource":"*","Condition":{"":{"aws:username":"ana"}}'),
    ('"Resource":"*"', '"Resource":"*","condition":{"StringEquals":{"aws:username":"bob"}}'),
]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", [PolicyType.TRUST, PolicyType.RESOURCE])
def test_a_principal_in_folders_without_end_is_refused_at_once(kind):
    """Each folder once doubled the time that it took to see that the name at the end is none."""
    folders = f"arn:aws:iam::{HERE}:user/" + "a/" * 10_000
    one = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": folders + "*"}}
    if kind is PolicyType.RESOURCE:
        one["Resource"] = "*"
    text = json.dumps({"Version": "2012-10-17", "Statement": one})
    with pytest.raises(MalformedPolicy, match="Invalid principal in policy"):
        validate(text, kind)
    validate(text.replace("/*", "/ana"), kind)


@pytest.mark.parametrize(("good", "bad"), NOT_QUITE)
def test_what_is_not_quite_a_policy_allows_nothing(good, bad):
    assert asked_of(f"{OPEN}}}}}").allowed
    changed = f"{OPEN}}}}}".replace(good, bad)
    assert changed != f"{OPEN}}}}}"
    assert not asked_of(changed).allowed


@pytest.mark.parametrize("damage", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\x80", b"\xf8\x88\x80\x80\x80"])
def test_bytes_that_are_no_utf8_are_not_taken_for_other_characters(damage):
    """Read with or without replacement, they are no `*`, no `/` and no letter."""
    for handler in ("surrogateescape", "replace"):
        text = OPEN.replace('"Resource":"*"', '"Resource":"arn:aws:s3:::data\udc00a"') + "}}"
        text = text.replace("\udc00", damage.decode("utf-8", handler))
        assert not asked_of(text).allowed


VALUES = [
    ("NumericEquals", "1", ["1\n", " 1", "\uff11", "\u0661", "1_0", "0x1", "NaN", "1e9999", "1" + "\0", "\ud800"]),
    ("NumericLessThan", "1", ["-inf", "-Infinity", "\uff0d1", "NaN", "", "0\n"]),
    ("DateLessThan", "2026-01-01T00:00:00Z", ["2025011T00:00:00Z", "2025-01-01T00:00:00Z\n", "\uff12025-01-01", "-", ""]),
    ("Bool", "true", ["true\n", "TRUE\0", "tru\u0435", "1", "yes", "", "\ud800"]),
    ("IpAddress", "10.0.0.0/8", ["10.0.0.1\n", "10.0.0.010", "10.1", "\uff11\uff10.0.0.1", "0x0a.0.0.1", "10.0.0.1/8", "167772161"]),
    ("IpAddress", "fe80::/10", ["fe80::1%eth0", "fe80::1\n", ""]),
    ("BinaryEquals", "QUJD", ["QUJD\n", "QUJD=", "QUJD====", "QU=JD", "QU JD", "\uff31UJD", "QUJ"]),
    ("ArnLike", "arn:aws:iam::*:role/a", ["arn:aws:iam::1:2:role/a", "arn:aws:iam::1:role/a\n", "ARN:aws:iam::1:role/a", "a"]),
    ("StringEquals", "kim", ["\u212aim", "kim\n", "kim\0", "KIM", "k\u0131m"]),
    ("StringEqualsIgnoreCase", "stress", ["\u017ftress", "stre\u00df", "STRESS\n"]),
    ("StringLike", "a*z", ["a\n", "az\n", "Az", "\uff41z"]),
]  # fmt: skip


@pytest.mark.parametrize(("operator", "wanted", "given"), VALUES)
def test_values_that_only_look_alike_do_not_match(operator, wanted, given):
    test = condition(operator, "k", [wanted], substitute=True).test
    for value in given:
        assert test({"k": value}) is False, value
        assert test({"k": (value,)}) is False, value


def test_names_that_only_look_alike_are_nobody():
    for principal in (f"{HERE}\n", "\uff11" + HERE[1:], f"arn:aws:iam::{HERE}:root\n", f"{USER.arn}\n", f" {USER.arn}"):
        one = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "*", "Resource": "*"}
        text = json.dumps({"Version": "2012-10-17", "Statement": one})
        allowed = load('{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}', PolicyType.IDENTITY)
        other = Request(
            Principal(PrincipalKind.USER, HERE, USER.arn), "s3:GetObject", "arn:aws:s3:::data/a", "444455556666", {}
        )
        policy = load(text, PolicyType.RESOURCE)
        assert not decide(other, Layers(identity=(allowed,), resource=(policy,))).allowed


ROLE = f"arn:aws:iam::{HERE}:role/r"


@pytest.mark.parametrize(
    ("action", "role"), [("sts:AssumeRole", ROLE + "\nx"), ("sts:AssumeRole", ROLE + "\n"), ("sts:AssumeRole", ROLE)]
)
def test_a_role_of_a_case_is_one_whatever_its_name(action, role):
    """What is in a case decides which rules hold: a newline does not make a role a thing that needs no trust policy."""
    everything = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    asked = {"principal": USER.arn, "action": action, "resource": role, "resource_account": HERE}
    read = cases.read({"request": asked, "policies": {"identity": everything}, "expected": "ImplicitlyDenied"})
    assert not decide(read.request, read.layers).allowed
