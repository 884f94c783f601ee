"""Requests that a test asks about are decided as real ones are, and a wrong policy shows."""

import json
from pathlib import Path

import pytest

from iamd.testing import assert_allowed, assert_denied, decide

HERE, THERE = "111122223333", "444455556666"
ANN = f"arn:aws:iam::{HERE}:user/team/ann"
APP = f"arn:aws:iam::{HERE}:role/service/app"
KEY = "arn:aws:s3:::reports/k"


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def statement(effect, action="s3:GetObject", resource=KEY, **more):
    return {"Effect": effect, "Action": action, "Resource": resource} | more


def of(effect, *words, **more):
    return policy(statement(effect, *words, **more))


def trust(principal, **more):
    return policy({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"} | more)


ALLOW, DENY = of("Allow"), of("Deny")
OTHER = of("Allow", "sqs:*", "*")
SHARED = of("Allow", Principal={"AWS": ANN})


@pytest.mark.parametrize(
    ("given", "outcome", "layer"),
    [
        ({"identity": ALLOW}, "Allowed", "identity-based policy"),
        ({"identity": [OTHER, json.dumps(ALLOW)]}, "Allowed", "identity-based policy"),
        ({}, "ImplicitlyDenied", "identity-based policy"),
        ({"identity": [ALLOW, DENY]}, "ExplicitlyDenied", "identity-based policy"),
        ({"identity": ALLOW, "boundary": OTHER}, "ImplicitlyDenied", "permissions boundary"),
        ({"identity": ALLOW, "session": [OTHER]}, "ImplicitlyDenied", "session policy"),
        ({"identity": ALLOW, "session": [OTHER, ALLOW]}, "Allowed", "identity-based policy"),
        ({"resource_policy": SHARED}, "Allowed", "resource-based policy"),
        ({"identity": ALLOW, "scp": [ALLOW, [OTHER]]}, "ImplicitlyDenied", "service control policy"),
        ({"identity": ALLOW, "scp": [ALLOW, [OTHER, ALLOW]]}, "Allowed", "identity-based policy"),
        (
            {"identity": ALLOW, "rcp": [of("Deny", Principal="*")]},
            "ExplicitlyDenied",
            "resource control policy",
        ),
        ({"identity": ALLOW, "endpoint": of("Allow", "sqs:*", "*", Principal="*")}, "ImplicitlyDenied", "VPC endpoint policy"),
        ({"identity": ALLOW, "resource_account": THERE}, "ImplicitlyDenied", "resource-based policy"),
        ({"identity": ALLOW, "resource_policy": SHARED, "resource_account": THERE}, "Allowed", "identity-based policy"),
    ],
)  # fmt: skip
def test_every_type_of_policy_counts(given, outcome, layer):
    answer = decide(ANN, "s3:GetObject", KEY, **given)
    assert (answer.outcome, answer.layer, answer.allowed) == (outcome, layer, outcome == "Allowed")
    assert bool(answer.message) is not answer.allowed


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("aws:username", "ann"),
        ("aws:PrincipalArn", ANN),
        ("aws:PrincipalAccount", HERE),
        ("aws:ResourceAccount", HERE),
    ],
)
def test_a_user_brings_keys_that_the_context_may_replace(key, value):
    guarded = of("Allow", Condition={"StringEquals": {key: value}})
    assert decide(ANN, "s3:GetObject", KEY, identity=guarded).allowed
    assert not decide(ANN, "s3:GetObject", KEY, identity=guarded, context={key.upper(): "x"}).allowed


def test_the_context_has_values_of_every_kind():
    guarded = of(
        "Allow",
        Condition={
            "Bool": {"aws:SecureTransport": "true"},
            "NumericLessThan": {"s3:max-keys": "10"},
            "ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]},
        },
    )
    context = {"aws:SecureTransport": True, "s3:max-keys": 9, "aws:TagKeys": ["a"]}
    assert decide(ANN, "s3:GetObject", KEY, identity=guarded, context=context).allowed
    for key, value in {"aws:SecureTransport": False, "s3:max-keys": 10, "aws:TagKeys": ["c"]}.items():
        assert not decide(ANN, "s3:GetObject", KEY, identity=guarded, context=context | {key: value}).allowed
    with pytest.raises(ValueError, match="differ by case only"):
        decide(ANN, "s3:GetObject", KEY, context={"aws:TagKeys": "a", "aws:tagkeys": "b"})


def test_a_role_is_asked_about_as_a_session_of_it():
    guarded = of("Allow", Condition={"ArnEquals": {"aws:PrincipalArn": APP}})
    assert decide(APP, "s3:GetObject", KEY, identity=guarded).allowed
    session = f"arn:aws:sts::{HERE}:assumed-role/app/session"
    pathless = of("Allow", Condition={"ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{HERE}:role/app"}})
    assert decide(session, "s3:GetObject", KEY, identity=pathless).allowed
    assert decide(APP, "s3:GetObject", KEY, resource_policy=of("Allow", Principal={"AWS": APP})).allowed
    denied = decide(APP, "s3:GetObject", KEY)
    assert f"User: arn:aws:sts::{HERE}:assumed-role/app/test is not authorized" in denied.message


def test_the_owner_is_in_the_arn_and_a_trust_policy_is_a_resource_policy():
    foreign = f"arn:aws:iam::{THERE}:role/app"
    may = of("Allow", "sts:AssumeRole", foreign)
    assert decide(ANN, "sts:AssumeRole", foreign, identity=may, resource_policy=trust(ANN)).allowed
    assert not decide(ANN, "sts:AssumeRole", foreign, resource_policy=trust(ANN)).allowed
    assert decide(ANN, "sts:AssumeRole", foreign, identity=may).layer == "role trust policy"


def test_others_than_users_and_roles_call_too():
    for_service = of("Allow", Principal={"Service": "logs.amazonaws.com"})
    assert decide("logs.amazonaws.com", "s3:GetObject", KEY, resource_policy=for_service).allowed
    assert not decide("anonymous", "s3:GetObject", KEY, resource_policy=for_service).allowed
    assert decide(f"arn:aws:iam::{HERE}:root", "s3:GetObject", KEY).allowed
    with pytest.raises(ValueError, match="is no principal"):
        decide(f"arn:aws:iam::{HERE}:group/g", "s3:GetObject", KEY)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"identity": [ALLOW, {"Version": "2012-10-17"}]}, "identity-based policy 2: "),
        ({"boundary": '{"Statement": '}, "permissions boundary 1: "),
        ({"identity": {**ALLOW, "Statment": []}}, "identity-based policy 1: "),
        ({"identity": SHARED}, "identity-based policy 1: "),
        ({"resource_policy": ALLOW}, "resource-based policy 1: "),
    ],
)
def test_a_policy_that_aws_would_not_store_is_an_error_and_no_denial(given, told):
    with pytest.raises(ValueError, match=told):
        decide(ANN, "s3:GetObject", KEY, **given)


def test_policies_may_stand_in_files(tmp_path: Path):
    (tmp_path / "read.json").write_text(json.dumps(policy(statement("Allow"), statement("Deny", Sid="No")), indent=1))
    for named in ("read.json", Path("read.json"), tmp_path / "read.json"):
        answer = decide(ANN, "s3:GetObject", KEY, identity=[named], folder=tmp_path)
        assert f"Deny, statement 2 `No` (line 9, column 3) of {named}, identity-based policy" in answer.explanation
    with pytest.raises(FileNotFoundError):
        decide(ANN, "s3:GetObject", KEY, identity="none.json", folder=tmp_path)


def test_a_failed_assertion_is_explained():
    guarded = of("Allow", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})
    answer = decide(ANN, "s3:GetObject", KEY, identity=guarded)
    with pytest.raises(AssertionError) as caught:
        assert_allowed(answer)
    told = str(caught.value).splitlines()
    assert told[:2] == ["denied, and should be allowed", f"ImplicitlyDenied: s3:GetObject on {KEY}"]
    assert "             would apply if Bool aws:MultiFactorAuthPresent true; the request has no such key" in told
    assert_denied(answer)
    with pytest.raises(AssertionError, match="allowed, and should be denied\nAllowed: s3:GetObject"):
        assert_denied(decide(ANN, "s3:GetObject", KEY, identity=ALLOW))


def test_a_denial_is_asserted_with_who_denied_and_how():
    answer = decide(ANN, "s3:GetObject", KEY, identity=ALLOW, boundary=OTHER)
    assert_denied(answer, by="permissions boundary", explicitly=False)
    with pytest.raises(AssertionError, match="denied by permissions boundary, and should be by session policy\nImpl"):
        assert_denied(answer, by="session policy")
    with pytest.raises(AssertionError, match="ImplicitlyDenied, and a Deny should do it"):
        assert_denied(answer, explicitly=True)
    with pytest.raises(AssertionError, match="ExplicitlyDenied, and a Deny should not do it"):
        assert_denied(decide(ANN, "s3:GetObject", KEY, identity=DENY), explicitly=False)
    with pytest.raises(ValueError, match="`boundary` is no type of policy"):
        assert_denied(answer, by="boundary")
