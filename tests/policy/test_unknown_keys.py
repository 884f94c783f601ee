"""Keys that AWS would know and iamd does not: whatever they are, nothing is allowed that might be refused."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policy.worlds import HERE, USER, gates, layers, requests, worlds

from iamd.policy.decision import Outcome
from iamd.policy.document import PolicyType, load
from iamd.policy.evaluate import Layers, decide
from iamd.policy.explain import explain
from iamd.policy.request import UNKNOWN, Request

BUCKET = "arn:aws:s3:::data/red"
VALUES = {
    "aws:username": [None, "a", "b", "*", ""],
    "aws:tagkeys": [None, (), ("a",), ("a", "b"), ("ab", "")],
    "aws:securetransport": [None, "true", "false"],
}


def statement(effect, **members):
    return {"Effect": effect, "Action": "s3:GetObject", "Resource": "*", **members}


def outcome(*statements, context=None):
    policy = load(json.dumps({"Version": "2012-10-17", "Statement": statements}), PolicyType.IDENTITY)
    request = Request(
        USER, "s3:GetObject", BUCKET, HERE, {"aws:resourcetag/team": UNKNOWN} if context is None else context
    )
    assert explain(request, Layers((policy,))).decision == decide(request, Layers((policy,)))
    return decide(request, Layers((policy,))).outcome


CONDITIONS = [
    {operator: {"aws:ResourceTag/team": value}}
    for operator, value in [
        ("StringEquals", "red"),
        ("StringNotEquals", "red"),
        ("StringLike", "r*"),
        ("StringEqualsIfExists", "red"),
        ("StringLike", "${aws:PrincipalTag/team}"),
        ("StringEquals", ["${aws:username}", "red"]),
        ("ForAllValues:StringEquals", "red"),
        ("ForAnyValue:StringLike", "red"),
        ("ForAnyValue:StringNotEqualsIfExists", "red"),
        ("Null", "true"),
        ("Null", "false"),
        ("NumericLessThan", "7"),
    ]
] + [
    {"StringEquals": {"aws:username": "${aws:ResourceTag/team}"}},
    {"StringNotLike": {"aws:username": "${aws:ResourceTag/team, 'x'}"}},
]


@pytest.mark.parametrize("condition", CONDITIONS, ids=str)
def test_a_condition_on_what_is_not_known_allows_nothing_and_denies(condition):
    assert outcome(statement("Allow", Condition=condition)) is Outcome.IMPLICITLY_DENIED
    assert outcome(statement("Allow"), statement("Deny", Condition=condition)) is Outcome.EXPLICITLY_DENIED


@pytest.mark.parametrize("element", ["Resource", "NotResource"])
def test_a_resource_with_a_variable_that_is_not_known_allows_nothing_and_denies(element):
    entry = {element: "arn:aws:s3:::data/${aws:ResourceTag/team}"}
    only = {key: value for key, value in statement("Allow").items() if key != "Resource"}
    assert outcome({**only, **entry}) is Outcome.IMPLICITLY_DENIED
    assert outcome(statement("Allow"), {**only, "Effect": "Deny", **entry}) is Outcome.EXPLICITLY_DENIED


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_another_entry_of_a_not_resource_settles_it(effect):
    only = {key: value for key, value in statement(effect).items() if key != "Resource"}
    listed = {**only, "NotResource": ["arn:aws:s3:::data/${aws:ResourceTag/team}", BUCKET]}
    wanted = Outcome.IMPLICITLY_DENIED if effect == "Allow" else Outcome.ALLOWED
    assert outcome(listed, *([statement("Allow")] if effect == "Deny" else [])) is wanted


def test_a_value_that_reads_the_same_is_known():
    spoken = {"aws:resourcetag/team": UNKNOWN[0]}
    condition = {"StringEquals": {"aws:ResourceTag/team": UNKNOWN[0]}}
    assert outcome(statement("Allow", Condition=condition), context=spoken) is Outcome.ALLOWED


@settings(max_examples=300, deadline=None)
@given(requests, worlds(), gates, st.sampled_from(sorted(VALUES)))
def test_what_is_allowed_without_knowing_a_key_is_allowed_whatever_it_is(request, world, gate, key):
    found = layers(world, gate)
    if not decide(replace(request, context={**request.context, key: UNKNOWN}), found).allowed:
        return
    rest = {name: value for name, value in request.context.items() if name != key}
    for value in VALUES[key]:
        known = rest if value is None else {**rest, key: value}
        assert decide(replace(request, context=known), found).allowed


TEAM = "aws:resourcetag/team"


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
@pytest.mark.parametrize(
    ("member", "keys"),
    [
        ({"Condition": {"StringEquals": {"aws:ResourceTag/team": "red"}}}, {TEAM}),
        ({"Condition": {"StringLike": {"aws:username": "${aws:ResourceTag/team}"}}}, {TEAM}),
        ({"Resource": "arn:aws:s3:::${aws:ResourceTag/team}/*"}, {TEAM}),
        ({"Condition": {"StringEquals": {"aws:ResourceTag/team": "red", "aws:username": "bob"}}}, set()),
        ({"Condition": {"StringEqualz": {"aws:username": "ana"}}}, set()),
        ({"Resource": "arn:aws:s3:::other/*"}, set()),
        ({"Resource": ["arn:aws:s3:::${aws:ResourceTag/team}/*", "*"]}, set()),
        ({"Action": "s3:PutObject", "Condition": {"StringEquals": {"aws:ResourceTag/team": "red"}}}, set()),
    ],
    ids=str,
)
def test_an_explanation_tells_the_unknown_keys_that_statements_rest_on(effect, member, keys):
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement(effect, **member)]})
    context = {TEAM: UNKNOWN, "aws:username": "ana"}
    found = explain(Request(USER, "s3:GetObject", BUCKET, HERE, context), Layers((load(text, PolicyType.IDENTITY),)))
    assert {key for unsure in found.unsure for key in unsure.keys} == keys
