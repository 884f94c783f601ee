"""Requests of which nobody can tell which of many resources they are for: a Deny of any of these holds."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policy.worlds import HERE, USER

from iamd.policy.any_of_kind import decide_any
from iamd.policy.decision import Outcome
from iamd.policy.document import PolicyType, load
from iamd.policy.evaluate import Layers, decide
from iamd.policy.explain import explain
from iamd.policy.request import UNKNOWN, Request

ANY = f"arn:aws:rds:us-east-1:{HERE}:db-proxy:*"
ONE = f"arn:aws:rds:us-east-1:{HERE}:db-proxy:prx-1"
ALLOW = {"Effect": "Allow", "Action": "rds:*", "Resource": "*"}


def deny(**members):
    return {"Effect": "Deny", "Action": "rds:*", **members}


def outcome(*statements, resource=ANY, context=None, kind=PolicyType.IDENTITY, version="2012-10-17"):
    layers = Layers((load(json.dumps({"Version": version, "Statement": statements}), kind),))
    request = Request(USER, "rds:DeleteDBProxy", resource, HERE, context or {}, any_of_kind=True)
    found = explain(request, layers)
    assert found.decision == decide_any(request, layers)
    if found.decision.outcome is Outcome.EXPLICITLY_DENIED:
        assert set(found.decision.matched) <= set(found.applying)
    return found.decision.outcome


@pytest.mark.parametrize(
    "resource",
    [
        ONE,
        "arn:aws:rds:*:*:db-proxy:prx-?",
        f"arn:aws:rds:us-east-1:{HERE}:*1",
        "*",
        "arn:aws:rds:us-east-1",
        "arn:aws:rds*",
        f"arn:aws:rds:us-east-1:{HERE}:db-proxy:${{aws:username}}",
        f"arn:aws:rds:us-east-1:{HERE}:db-proxy:${{aws:ResourceTag/id}}",
    ],
)
def test_a_deny_of_one_holds(resource):
    context = {"aws:username": "ann", "aws:resourcetag/id": UNKNOWN}
    assert outcome(ALLOW, deny(Resource=resource), context=context) is Outcome.EXPLICITLY_DENIED


@pytest.mark.parametrize(
    "resource",
    [
        f"arn:aws:rds:us-east-1:{HERE}:db:prx-1",
        f"arn:aws:rds:eu-west-1:{HERE}:db-proxy:prx-1",
        f"arn:aws:rds:us-east-1:{HERE}:db-proxy",
        "arn:aws:rds:us-east-1:999999999999:db-proxy:*",
        f"arn:aws:rds:us-east-1:{HERE}:db-proxy:${{aws:username}}",
    ],
)
def test_a_deny_of_others_does_not(resource):
    assert outcome(ALLOW, deny(Resource=resource)) is Outcome.ALLOWED


def test_a_variable_is_text_in_the_old_version():
    resource = f"arn:aws:rds:us-east-1:{HERE}:db-proxy:${{aws:username}}"
    assert outcome(ALLOW, deny(Resource=resource), version="2008-10-17") is Outcome.EXPLICITLY_DENIED


def test_a_deny_of_all_but_one_holds_unless_all_are_left_out():
    assert outcome(ALLOW, deny(NotResource=ONE)) is Outcome.EXPLICITLY_DENIED
    assert outcome(ALLOW, deny(NotResource=[ONE, "arn:aws:rds:*:*:db-proxy:*"])) is Outcome.ALLOWED


def test_conditions_and_actions_of_a_deny_still_count():
    met = {"Condition": {"StringEquals": {"aws:PrincipalTag/team": "red"}}}
    denied = deny(Resource=ONE, **met)
    assert outcome(ALLOW, denied, context={"aws:principaltag/team": "blue"}) is Outcome.ALLOWED
    assert outcome(ALLOW, denied, context={"aws:principaltag/team": "red"}) is Outcome.EXPLICITLY_DENIED
    assert outcome(ALLOW, denied, context={"aws:principaltag/team": UNKNOWN}) is Outcome.EXPLICITLY_DENIED
    assert outcome(ALLOW, {**deny(Resource=ONE), "Action": "rds:ModifyDBProxy"}) is Outcome.ALLOWED


def test_an_allow_of_one_is_not_enough():
    assert outcome({**ALLOW, "Resource": ONE}) is Outcome.IMPLICITLY_DENIED
    assert outcome({**ALLOW, "Resource": "arn:aws:rds:*:*:db-proxy:?"}) is Outcome.IMPLICITLY_DENIED
    assert outcome({**ALLOW, "Resource": "arn:aws:rds:*:*:db-proxy:*"}) is Outcome.ALLOWED
    assert outcome({**ALLOW, "Resource": "arn:aws:rds:*:db-proxy:*"}) is Outcome.IMPLICITLY_DENIED


def test_an_allow_of_all_but_one_is_not_enough():
    others = {"Effect": "Allow", "Action": "rds:*"}
    assert outcome({**others, "NotResource": ONE}) is Outcome.IMPLICITLY_DENIED
    assert outcome({**others, "NotResource": "arn:aws:rds:*:*:db:*"}) is Outcome.ALLOWED


SEGMENT = st.sampled_from(["a", "b", "ab", "*", "?", "a*", "*b", "a?b", ""])


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["Allow", "Deny"]), st.booleans(), SEGMENT, SEGMENT), min_size=1, max_size=4),
    st.text("ab", max_size=4),
)
def test_what_is_allowed_of_any_is_allowed_of_each(statements, name):
    """THEOREM: a request that stands for any of a kind passes only if it would pass for each of them."""
    written = [
        {
            "Effect": effect,
            "Action": "rds:*",
            "NotResource" if inverted else "Resource": f"arn:aws:rds:us-east-1:{HERE}:{kind}:{pattern}",
        }
        for effect, inverted, kind, pattern in statements
    ]
    policy = load(json.dumps({"Version": "2012-10-17", "Statement": written}), PolicyType.IDENTITY)
    layers = Layers((policy,))
    place = f"arn:aws:rds:us-east-1:{HERE}:a:"
    of_any = Request(USER, "rds:DeleteDBProxy", f"{place}*", HERE, {}, any_of_kind=True)
    if decide_any(of_any, layers).allowed:
        assert decide(Request(USER, "rds:DeleteDBProxy", place + name, HERE, {}), layers).allowed
