"""Other circumstances of a denied request: all conditions are taken together, and what is told of them is so."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policy import worlds as w
from policy.worlds import HERE, USER

from iamd.policy.decision import Layer
from iamd.policy.document import PolicyType, load
from iamd.policy.evaluate import Gate, Layers, decide
from iamd.policy.other_circumstances import Circumstances, allowing
from iamd.policy.request import UNKNOWN, Principal, PrincipalKind, Request

ACTION, QUEUE = "sqs:SendMessage", f"arn:aws:sqs:us-east-1:{HERE}:q"
NOW = "2026-03-01T00:00:00Z"
PRESENT = {"aws:currenttime": NOW, "aws:securetransport": "false", "aws:sourceip": "127.0.0.1"}
NOT_KNOWN = Circumstances(None)


def statement(effect, condition=None, **more):
    made = {"Effect": effect, "Action": "*", "Resource": "*", **more}
    return made | ({"Condition": condition} if condition else {})


def loaded(kind, *statements):
    return load(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}), kind)


def asked(context=None, principal=USER, resource=QUEUE):
    return Request(principal, ACTION, resource, HERE, PRESENT if context is None else context)


def of(*statements, **more):
    """What circumstances allow a user with these identity policies."""
    return allowing(asked(**more), Layers(identity=(loaded(PolicyType.IDENTITY, *statements),)))


def changes(found):
    assert found is not None
    return found.changes


def both(*conditions):
    """One statement's conditions together."""
    merged = {}
    for one in conditions:
        for operator, entries in one.items():
            merged.setdefault(operator, {}).update(entries)
    return merged


IP = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
TEAM, FUNCTION = "aws:PrincipalTag/team", "lambda:SourceFunctionArn"


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {TEAM: "a"}, "StringNotEquals": {TEAM: "a"}},
        {"StringEquals": {TEAM: "a"}, "StringEqualsIgnoreCase": {TEAM: "b"}},
        {"StringLike": {TEAM: "a*"}, "StringNotLike": {TEAM: "?*"}},
        {"StringLike": {TEAM: ["a*b", "c"]}, "StringNotLike": {TEAM: ["a*", "c?", "C", "*c"]}},
        {"ArnLike": {FUNCTION: "arn:aws:s3:::a*"}, "ArnNotLike": {FUNCTION: "arn:aws:*:::*"}},
        {"StringEquals": {"aws:SourceAccount": "1"}},
        {"StringEquals": {TEAM: "a"}, "Null": {TEAM: "true"}},
        {"IpAddress": {"aws:SourceIp": "10.1.0.0/16"}, "NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
        {"NumericLessThan": {"s3:max-keys": "5"}, "NumericGreaterThanEquals": {"s3:max-keys": "5"}},
        {"NumericLessThan": {"aws:MultiFactorAuthAge": "0"}},
        {"NumericLessThan": {"aws:MultiFactorAuthAge": "9"}, "Bool": {"aws:MultiFactorAuthPresent": "false"}},
        {"DateGreaterThan": {"aws:CurrentTime": "2027-01-01"}, "DateLessThan": {"aws:CurrentTime": "2027-01-01"}},
        {"DateGreaterThan": {"aws:CurrentTime": "2027-01-01"}, "DateLessThan": {"aws:EpochTime": "1798761600"}},
        {"DateLessThan": {"aws:CurrentTime": "2026-02-28"}},
        {"Bool": {"aws:SecureTransport": "maybe"}, "StringEquals": {"aws:SecureTransport": "maybe"}},
        {"Null": {"aws:SecureTransport": "true"}},
        {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}, "StringEquals": {"aws:SourceVpce": "vpce-1"}},
        {"ForAnyValue:StringEquals": {"aws:TagKeys": "a"}, "ForAllValues:StringEquals": {"aws:TagKeys": ["b", "c"]}},
        {"StringEquals": {TEAM: "${aws:PrincipalTag/x}", "aws:PrincipalTag/x": "a"}, "StringNotEquals": {TEAM: "a"}},
        {"StringEquals": {"aws:username": "ana"}, "StringNotEquals": {"aws:SourceAccount": "1"}},
        {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}},
        {"ForAnyValue:StringEquals": {"aws:CalledVia": "kms.amazonaws.com"}, "Bool": {"aws:ViaAWSService": "false"}},
        {"StringMatches": {TEAM: "a"}},
        {"Null": {"aws:TokenIssueTime": "false", "aws:MultiFactorAuthPresent": "true"}},
    ],
    ids=" ".join,
)
def test_conditions_of_one_statement_that_contradict_each_other_never_hold(condition):
    assert of(statement("Allow", condition), context=PRESENT | {"aws:requestedregion": "us-east-1"}) is None


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ({"StringLike": {TEAM: "a*"}, "StringNotLike": {TEAM: "ax*"}}, None),
        ({"StringEqualsIgnoreCase": {TEAM: "ab"}, "StringNotEquals": {TEAM: ["ab", "AB"]}}, None),
        ({"StringEqualsIfExists": {TEAM: "a"}, "Null": {TEAM: "true"}}, {}),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}, "NotIpAddress": {"aws:SourceIp": "10.0.0.0/9"}}, None),
        ({"NumericGreaterThan": {"s3:max-keys": "4"}, "NumericLessThan": {"s3:max-keys": "5"}}, None),
        (
            {"DateGreaterThan": {"aws:CurrentTime": "2027-01-01"}, "DateLessThan": {"aws:EpochTime": "1798761601"}},
            None,
        ),
        (IP | {"Bool": {"aws:SecureTransport": "true"}}, {"aws:sourceip": "10.0.0.0", "aws:securetransport": "true"}),
        ({"StringEquals": {"aws:SourceVpce": "vpce-1"}}, {"aws:sourcevpce": "vpce-1", "aws:sourceip": None}),
        (
            {
                "ForAnyValue:StringEquals": {"aws:TagKeys": "a"},
                "ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]},
            },
            {"aws:tagkeys": ("a",)},
        ),
        ({"StringEquals": {TEAM: "${aws:PrincipalTag/x}"}, "StringNotEquals": {TEAM: "a"}}, None),
        (
            {"ArnLike": {FUNCTION: "arn:aws:s3:::a*"}, "ArnNotLike": {FUNCTION: "arn:aws:s3:::ab*"}},
            None,
        ),
    ],
    ids=lambda value: " ".join(value) if value else "",
)
def test_conditions_that_can_hold_together_do(condition, wanted):
    found = changes(of(statement("Allow", condition)))
    assert wanted is None or found == wanted


def test_an_allow_and_a_deny_that_contradict_each_other_leave_nothing():
    allow, deny = statement("Allow", IP), statement("Deny", IP)
    assert of(allow) == Circumstances({"aws:sourceip": "10.0.0.0"})
    assert of(allow, deny) is None
    assert of(allow, statement("Deny", {"IpAddress": {"aws:SourceIp": "10.0.0.0/9"}})) is not None
    # A Deny whose conditions need not all hold at once spares who escapes one of them.
    found = of(allow, statement("Deny", IP | {"Bool": {"aws:SecureTransport": "false"}}))
    assert changes(found) == {"aws:sourceip": "10.0.0.0", "aws:securetransport": "true"}
    assert of(allow, statement("Deny", IP), statement("Allow", {"Bool": {"aws:SecureTransport": "true"}})) is not None


def test_two_denies_that_leave_no_way_between_them_leave_nothing():
    true, false = ({"BoolIfExists": {"aws:MultiFactorAuthPresent": value}} for value in ("true", "false"))
    assert of(statement("Allow"), statement("Deny", true)) is not None
    assert of(statement("Allow"), statement("Deny", true), statement("Deny", false)) is None


def test_of_many_ways_none_is_left_out_that_another_is_not_better_than_in_all():
    denies = [statement("Deny", {"StringLike": {TEAM: f"{letter}*"}}) for letter in ("ax", "b", "c", "d", "e")]
    over_plain = {"StringNotLike": {TEAM: "ax*"}, "Bool": {"aws:SecureTransport": "false"}}
    found = of(statement("Allow", {"StringLike": {TEAM: "a*"}}), *denies, statement("Deny", over_plain))
    assert changes(found)["aws:securetransport"] == "true"


def test_every_layer_must_allow_in_the_same_circumstances():
    boundary = loaded(PolicyType.BOUNDARY, statement("Allow", {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))
    identity = (loaded(PolicyType.IDENTITY, statement("Allow", IP)),)
    assert allowing(asked(), Layers(identity=identity)) is not None
    assert allowing(asked(), Layers(identity=identity, boundary=boundary)) is None


def test_what_a_resource_must_be_called_is_looked_for_too():
    mine = statement("Allow", Resource="arn:aws:s3:::data/${aws:PrincipalTag/team}/*")
    found = of(mine, resource="arn:aws:s3:::data/red/1")
    assert changes(found) == {"aws:principaltag/team": "red"}
    assert of(mine, resource="arn:aws:s3:::others/red/1") is None
    others = {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::data/${aws:PrincipalTag/team}/*"}
    assert changes(of(statement("Allow"), others, resource="arn:aws:s3:::data/red/1")) == {
        "aws:principaltag/team": "red"
    }


def test_where_it_cannot_be_told_that_is_said():
    # A value of one key as a part of another's, and both bound: texts of every length would have to be tried.
    condition = {"StringLike": {TEAM: "${aws:PrincipalTag/x}-${aws:PrincipalTag/x}"}, "StringNotLike": {TEAM: "*"}}
    assert of(statement("Allow", condition)) == NOT_KNOWN
    # One condition still comes out one way, be it in an Allow or a Deny.
    assert of(statement("Allow", condition), statement("Deny", condition)) is None


def test_what_is_not_known_may_be_anything():
    tag = {"StringEquals": {"aws:ResourceTag/a": "b"}}
    unknown = PRESENT | {"aws:resourcetag/a": UNKNOWN}
    assert changes(of(statement("Allow", tag), context=unknown)) == {"aws:resourcetag/a": "b"}
    assert changes(of(statement("Allow"), statement("Deny", tag), context=unknown)) != {}
    # Who asks is known of a caller, and not of whoever an account lets ask.
    org = statement("Allow", {"StringEquals": {"aws:PrincipalOrgID": "o-1"}})
    assert of(org) is None
    assert changes(of(org, context={"aws:principalorgid": UNKNOWN})) == {"aws:principalorgid": "o-1"}


def test_the_id_of_a_session_begins_with_its_roles():
    session = Principal(PrincipalKind.ROLE_SESSION, HERE, w.SESSION, w.ROLE, "AROAWORKER")
    allow = statement("Allow", {"StringLike": {"aws:userid": "AROA*:ann"}})
    assert changes(of(allow, principal=session)) == {"aws:userid": "AROAWORKER:ann"}
    assert of(statement("Allow", {"StringLike": {"aws:userid": "AROAOTHER:*"}}), principal=session) is None
    assert of(allow) is None


def test_layers_that_are_kept_are_not_looked_into():
    trust = {"Principal": {"AWS": w.ROOT}, "Action": "*", "Condition": {"StringEquals": {"sts:ExternalId": "7"}}}
    policy = load(json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", **trust}}), PolicyType.TRUST)
    identity = (loaded(PolicyType.IDENTITY, statement("Allow", IP)),)
    layers = Layers(identity=identity, resource=(policy,), gate=Gate.TRUST)
    assert changes(allowing(asked(), layers)) == {"aws:sourceip": "10.0.0.0", "sts:externalid": "7"}
    assert allowing(asked(), layers, {Layer.TRUST}) is None
    # Neither where it can't be told of the others whether they hold.
    hard = {"StringLike": {TEAM: "${aws:PrincipalTag/x}-${aws:PrincipalTag/x}"}, "StringNotLike": {TEAM: "*"}}
    unsure = (loaded(PolicyType.IDENTITY, statement("Allow", hard)),)
    assert allowing(asked(), Layers(identity=unsure, resource=(policy,), gate=Gate.TRUST)) == NOT_KNOWN
    assert allowing(asked(), Layers(identity=unsure, resource=(policy,), gate=Gate.TRUST), {Layer.TRUST}) is None
    given_id = PRESENT | {"sts:externalid": "7"}
    assert changes(allowing(asked(given_id), layers, {Layer.TRUST})) == {"aws:sourceip": "10.0.0.0"}


# --- the law: nothing that is tried by chance allows what none is told to, and what is told allows


VALUES = {
    "aws:principaltag/team": ["a", "b", "ab", "A", "", None],
    "aws:principaltag/x": ["a", "b", "ab", "", None],
    "aws:sourceip": ["10.0.0.1", "10.128.0.1", "192.0.2.1", "2001:db8::1", None],
    "aws:sourcevpce": ["vpce-1", "vpce-2", None],
    "aws:securetransport": ["true", "false"],
    "aws:multifactorauthpresent": ["true", "false", None],
    "aws:multifactorauthage": ["1", "5", "5.5", "9", None],
    "aws:currenttime": [NOW, "2026-03-02T00:00:00Z", "2028-01-01T00:00:00Z"],
    "aws:tagkeys": [("a",), ("a", "b"), ("b", "c"), ("a", "b", "c"), None],
    "s3:max-keys": ["1", "4.5", "5", "9", None],
    "lambda:sourcefunctionarn": ["arn:aws:s3:::a", "arn:aws:s3:::b", "arn:aws:sns:us-east-1:1:a", "no-arn", None],
}
POOL = [
    *({operator: {TEAM: values}} for operator in ("StringEquals", "StringNotEquals") for values in ("a", ["a", "b"])),
    *({f"String{kind}": {TEAM: "a*"}} for kind in ("Like", "NotLike", "LikeIfExists")),
    *({f"String{kind}": {TEAM: "ab"}} for kind in ("EqualsIgnoreCase", "NotEqualsIgnoreCase", "EqualsIfExists")),
    {"StringLike": {TEAM: ["?", "b*"]}},
    {"StringNotLike": {TEAM: "?*"}},
    {"StringEquals": {TEAM: "${aws:PrincipalTag/x}"}},
    {"StringNotEquals": {TEAM: "${aws:PrincipalTag/x}"}},
    {"StringLike": {TEAM: "${aws:PrincipalTag/x}*"}},
    {"StringEquals": {"aws:PrincipalTag/x": "b"}},
    *({"Null": {key: value}} for key in (TEAM, "aws:SourceIp", "aws:TagKeys") for value in ("true", "false")),
    *({f"{kind}": {"aws:SourceIp": text}} for kind in ("IpAddress", "NotIpAddress") for text in ("10.0.0.0/8",)),
    {"NotIpAddress": {"aws:SourceIp": ["10.0.0.0/9", "192.0.2.0/24", "2001:db8::/32"]}},
    *({f"{kind}": {"aws:SourceVpce": "vpce-1"}} for kind in ("StringEquals", "StringNotEquals")),
    *({f"{kind}": {"aws:SecureTransport": value}} for kind in ("Bool", "BoolIfExists") for value in ("true", "false")),
    *(
        {f"{kind}": {"aws:MultiFactorAuthPresent": value}}
        for kind in ("Bool", "BoolIfExists")
        for value in ("true", "false")
    ),
    *({f"Numeric{kind}": {"aws:MultiFactorAuthAge": "5"}} for kind in ("LessThan", "GreaterThan", "NotEquals")),
    *({f"Numeric{kind}": {"s3:max-keys": "5"}} for kind in ("LessThan", "GreaterThanEquals", "EqualsIfExists")),
    *({f"Date{kind}": {"aws:CurrentTime": "2027-01-01"}} for kind in ("LessThan", "GreaterThan")),
    *({f"{kind}": {"aws:TagKeys": ["a", "b"]}} for kind in ("ForAllValues:StringEquals", "ForAnyValue:StringEquals")),
    *({f"{kind}": {"aws:TagKeys": "a*"}} for kind in ("ForAllValues:StringNotLike", "ForAnyValue:StringNotLike")),
    {"StringNotEquals": {"aws:TagKeys": "a"}},
    *(
        {f"Arn{kind}": {"lambda:SourceFunctionArn": "arn:aws:s3:::a*"}}
        for kind in ("Like", "NotLike", "EqualsIfExists")
    ),
    {"StringLike": {"lambda:SourceFunctionArn": "arn:*"}},
]
conditions = st.lists(st.sampled_from(POOL), max_size=3).map(lambda some: both(*some))
statements = st.lists(
    st.builds(statement, st.sampled_from(["Allow", "Allow", "Deny"]), conditions), min_size=1, max_size=4
)
contexts = st.fixed_dictionaries({key: st.sampled_from(values) for key, values in VALUES.items()})


def is_possible(context):
    """Whether a request can have these keys together; the module itself says why."""
    if context.get("aws:sourceip") and context.get("aws:sourcevpce"):
        return False
    return not context.get("aws:multifactorauthage") or context.get("aws:multifactorauthpresent") == "true"


@settings(max_examples=150)
@given(
    statements, st.none() | statements, st.none() | statements, st.lists(contexts, min_size=30, max_size=60), contexts
)
def test_what_is_told_of_other_circumstances_is_so(identity, boundary, resource, tried, present):
    def resourced(one):
        return {**one, "Principal": {"AWS": w.ANA}}

    layers = Layers(
        identity=(loaded(PolicyType.IDENTITY, *identity),),
        boundary=loaded(PolicyType.BOUNDARY, *boundary) if boundary else None,
        resource=(loaded(PolicyType.RESOURCE, *map(resourced, resource)),) if resource else (),
    )
    present = {key: value for key, value in present.items() if value is not None} | {"aws:currenttime": NOW}
    if not is_possible(present):
        present.pop("aws:sourceip", None), present.pop("aws:multifactorauthage", None)
    request = asked(present)
    found = allowing(request, layers)
    if decide(request, layers).allowed:
        assert found == Circumstances({})
    if found is not None and found.changes is not None:
        changed = {key: value for key, value in {**present, **found.changes}.items() if value is not None}
        assert decide(replace(request, context=changed), layers).allowed
        assert is_possible(changed)
    if found is None:
        for one in filter(is_possible, tried):
            context = {key: value for key, value in one.items() if value is not None}
            assert not decide(replace(request, context=context), layers).allowed
