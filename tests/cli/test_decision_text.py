"""How a decision reads: the answer first, the statement that made it, and what would change it."""

import sys

import pytest

from iamd.cli.decision_text import GRANTS, NEAR, WITHOUT_POLICY, decision_text
from iamd.cli.explain_command import explained
from iamd.policy.decision import Layer

ANN = "arn:aws:iam::123456789012:user/ann"
LIMIT = "arn:aws:iam::123456789012:policy/limit"
IDENTITY, BOUNDARY, RESOURCE = "identity-based policy", "permissions boundary", "resource-based policy"


def statement(effect, layer=IDENTITY, policy="own (inline policy of user ann)", index=0, **more):
    placed = {"Line": 3, "Column": 5}
    return {"Layer": layer, "Policy": policy, "Index": index, "Sid": "", "Effect": effect} | placed | more


def decision(outcome, layer=IDENTITY, *statements, **more):
    asked = {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/k"}
    return asked | {"Outcome": outcome, "Layer": layer, "Message": "", "Statements": list(statements)} | more


def near(effect, *conditions, **more):
    return statement(effect, **more) | {"Conditions": list(conditions)}


def condition(key, values, found):
    return {"Operator": "StringEquals", "Key": key, "Values": values, "Found": found}


def lines(told, **options):
    return list(decision_text(told, ANN, **options))


@pytest.fixture(autouse=True)
def _plain(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")


def test_what_is_allowed_names_the_deciding_layers_statement_first():
    both = [statement("Allow", BOUNDARY, LIMIT), statement("Allow", index=1, Sid="Read")]
    assert lines(decision("Allowed", IDENTITY, *both)) == [
        "Allowed: s3:GetObject on arn:aws:s3:::b/k",
        f"  by         Allow, statement 2 `Read` (line 3, column 5) of own (inline policy of user ann), {IDENTITY}",
        f"  and by     Allow, statement 1 (line 3, column 5) of {LIMIT}, {BOUNDARY}",
    ]


@pytest.mark.parametrize("layer", WITHOUT_POLICY)
def test_what_no_policy_allowed_says_why(layer):
    assert lines(decision("Allowed", layer))[1] == f"  because    {WITHOUT_POLICY[layer]}"


def test_an_explicit_denial_names_the_deny_and_aws_words():
    shut = statement("Deny", RESOURCE, f"{RESOURCE} of arn:aws:s3:::b")
    told = decision("ExplicitlyDenied", RESOURCE, shut, Message="User: x")
    assert lines(told)[1:] == [
        f"  by         Deny, statement 1 (line 3, column 5) of {RESOURCE} of arn:aws:s3:::b",
        "  to allow   Narrow this Deny or take it out: a Deny wins over every Allow.",
        "  message    User: x",
    ]
    assert lines(told, message=False) == lines(told)[:-1]


def test_a_denial_of_another_account_tells_no_statement():
    assert lines(decision("ExplicitlyDenied", RESOURCE))[1:] == [
        f"  by         a Deny in a {RESOURCE} of the resource's account"
    ]


def test_an_implicit_denial_tells_where_it_looked_and_what_to_allow():
    layers = [
        {"Layer": IDENTITY, "Outcome": "Allowed", "Policies": ["own (inline policy of user ann)"]},
        {"Layer": BOUNDARY, "Outcome": "ImplicitlyDenied", "Policies": [LIMIT]},
    ]
    told = decision("ImplicitlyDenied", BOUNDARY, statement("Allow"), Layers=layers)
    because, allowed_by, to_allow = lines(told)[1:]
    assert because == f"  because    no {BOUNDARY} allows it; looked at: {LIMIT}"
    assert allowed_by.startswith("  allowed by Allow, statement 1 ")
    assert to_allow.startswith("  to allow   Allow s3:GetObject on this resource in the permissions boundary, too")
    nothing = decision("ImplicitlyDenied", Layers=[{"Layer": IDENTITY, "Outcome": "ImplicitlyDenied", "Policies": []}])
    assert lines(nothing)[1] == f"  because    no {IDENTITY} allows it; there is none"
    assert ANN in lines(nothing)[2]


def test_near_misses_say_what_was_asked_and_what_was_there():
    failed = [condition("aws:a", ["x", "y"], ["z"]), condition("aws:b", ["true"], [])]
    told = decision("ImplicitlyDenied", NearMisses=[near("Allow", *failed), near("Deny", *failed, index=7)])
    assert lines(told)[2:5] == [
        f"  near miss  Allow, statement 1 (line 3, column 5) of own (inline policy of user ann), {IDENTITY}",
        "             would apply if StringEquals aws:a x or y; the request has z",
        "             and if StringEquals aws:b true; the request has no such key",
    ]
    assert lines(told)[5].startswith("  to allow   Make the conditions above hold, or: Allow s3:GetObject")
    allowed = decision("Allowed", IDENTITY, statement("Allow"), NearMisses=[near("Allow", index=3), near("Deny")])
    assert [line for line in lines(allowed) if "near miss" in line] == [
        f"  near miss  Deny, statement 1 (line 3, column 5) of own (inline policy of user ann), {IDENTITY}"
    ]


def test_many_near_misses_are_cut():
    misses = [near("Allow", condition("aws:a", ["x"], []), index=number) for number in range(NEAR + 2)]
    told = lines(decision("ImplicitlyDenied", NearMisses=misses))
    assert len([line for line in told if "near miss" in line]) == NEAR
    assert "             and 2 more, which `-o json` shows" in told


def test_every_layer_that_may_not_allow_has_advice():
    assert set(GRANTS) == {str(layer) for layer in Layer} - set(WITHOUT_POLICY)
    for layer in GRANTS:
        assert lines(decision("ImplicitlyDenied", layer))[-1].startswith("  to allow   ")


def test_a_record_of_an_older_iamd_is_told_as_far_as_it_goes():
    old = {"Layer": IDENTITY, "Policy": "own", "Index": 0, "Sid": ""}
    assert lines(decision("ExplicitlyDenied", IDENTITY, old))[1] == f"  by         statement 1 of own, {IDENTITY}"


def test_a_terminal_gets_wrapped_and_coloured_lines_and_no_control_characters(monkeypatch):
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "60")
    told = lines(decision("ExplicitlyDenied", IDENTITY, statement("Deny", Sid="\x1b[2J" + "x" * 10)))
    assert told[0].startswith("\x1b[31m\x1b[1mExplicitlyDenied:\x1b[0m")
    assert not any("\x1b[2J" in line for line in told)
    widths = [len(line.replace("\x1b[2m", "").replace("\x1b[0m", "")) for line in told[1:]]
    assert max(widths) <= 60
    assert len(told) > 4


def test_a_value_without_a_space_is_not_cut_in_two(monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "40")
    long = f"arn:aws:iam::123456789012:policy/{'x' * 60}"
    assert any(long in line for line in lines(decision("Allowed", BOUNDARY, statement("Allow", BOUNDARY, long))))


def test_keys_that_are_not_known_are_told_with_what_follows():
    told = decision("ExplicitlyDenied", IDENTITY, statement("Deny"), UnknownKeys=["aws:resourcetag/team"])
    assert lines(told)[2] == (
        "  unknown    iamd cannot know aws:ResourceTag/team of this request, which AWS would: a Deny that asks for it "
        "applies"
    )
    missed = near("Allow", condition("aws:resourcetag/team", ["red"], []))
    told = decision("ImplicitlyDenied", IDENTITY, NearMisses=[missed], UnknownKeys=["aws:resourcetag/team"])
    assert lines(told)[3].endswith(
        "would apply if StringEquals aws:ResourceTag/team red; the request's value is not known"
    )
    assert lines(told)[4].endswith("of this request, which AWS would: an Allow that asks for it does not apply")


def test_an_explanation_tells_a_refusals_words_once_however_the_service_writes_them():
    words = "User: ann is not authorized to perform: s3:GetObject on resource: {} because no policy allows it"
    denied = decision("ImplicitlyDenied", IDENTITY, Message=words.format("arn:aws:s3:::b/k"), Context={})
    answer = {"PrincipalArn": ANN, "EventName": "GetObject", "EventSource": "s3.amazonaws.com", "Decisions": [denied]}
    for shown in ("arn:aws:s3:::b/k", '"arn:aws:s3:::b/k"'):
        told = list(explained(answer | {"ErrorCode": "AccessDenied", "ErrorMessage": words.format(shown)}))
        assert sum("is not authorized" in line for line in told) == 1
    told = list(explained(answer | {"ErrorCode": "AccessDenied", "ErrorMessage": "Access Denied"}))
    assert sum("is not authorized" in line for line in told) == 1
