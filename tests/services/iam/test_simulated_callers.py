"""Who makes a simulated request, and whose the resource is: ResourcePolicy, CallerArn and ResourceOwner."""

import pytest
from running import ACCOUNT, allow, deny
from services.iam.simulating import (
    ANN,
    BOB,
    BUCKET,
    GET,
    KEY,
    LOCKED,
    OTHER,
    by_resource,
    document,
    entry,
    for_whom,
    ids,
)


def test_a_resource_policy_allows_within_the_account_and_denies(simulate):
    of_bucket = document(for_whom(allow("s3:*", f"{BUCKET}/*"), ANN), for_whom(deny("s3:*", LOCKED), "*"))
    found = simulate([], ResourcePolicy=of_bucket, CallerArn=ANN, ResourceArns=[KEY, LOCKED])
    assert by_resource(found) == {KEY: "allowed", LOCKED: "explicitDeny"}
    assert found["EvalDecisionDetails"] == {}
    [allowed, denied] = found["ResourceSpecificResults"]
    assert ids(allowed) == ids(denied) == ["ResourcePolicy"]
    assert allowed["MatchedStatements"][0]["SourcePolicyType"] == "Resource Policy"


@pytest.mark.parametrize(
    ("own", "of_bucket", "decision", "details"),
    [
        (allow("s3:*"), allow("s3:*", KEY), "allowed", ("allowed", "allowed")),
        (allow("sqs:*"), allow("s3:*", KEY), "implicitDeny", ("implicitDeny", "allowed")),
        (allow("s3:*"), allow("s3:Put*", KEY), "implicitDeny", ("allowed", "implicitDeny")),
        (allow("s3:*"), deny("s3:*", KEY), "explicitDeny", ("allowed", "explicitDeny")),
    ],
)
def test_across_accounts_both_must_allow(simulate, own, of_bucket, decision, details):
    found = simulate(
        [document(own)],
        ResourcePolicy=document(for_whom(of_bucket, BOB)),
        CallerArn=BOB,
        ResourceOwner=f"arn:aws:iam::{ACCOUNT}:root",
        ResourceArns=[KEY],
    )
    told = dict(zip(("IAM Policy", "Resource Policy"), details, strict=True))
    assert (found["EvalDecision"], found["EvalDecisionDetails"]) == (decision, told)
    assert found["ResourceSpecificResults"][0]["EvalDecisionDetails"] == told
    assert bool(found["MatchedStatements"]) is (decision != "implicitDeny")


def test_across_accounts_the_boundary_is_told_too(simulate):
    found = simulate(
        [document(allow("*"))],
        "sqs:SendMessage",
        PermissionsBoundaryPolicyInputList=[document(allow("s3:*"))],
        ResourceArns=[f"arn:aws:sqs:us-east-1:{OTHER}:jobs"],
        CallerArn=ANN,
    )
    assert found["EvalDecisionDetails"] == {
        "IAM Policy": "allowed",
        "Permissions Boundary Policy": "implicitDeny",
    }


def test_the_owner_is_of_resources_whose_arn_names_none(simulate):
    everything = [document(allow("*"))]
    theirs = {"CallerArn": ANN, "ResourceOwner": f"arn:aws:iam::{OTHER}:root"}
    assert simulate(everything, CallerArn=ANN, ResourceArns=[KEY])["EvalDecision"] == "allowed"
    assert simulate(everything, ResourceArns=[KEY], **theirs)["EvalDecision"] == "implicitDeny"
    queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:jobs"
    assert simulate(everything, "sqs:SendMessage", ResourceArns=[queue], **theirs)["EvalDecision"] == "allowed"
    foreign = f"arn:aws:sqs:us-east-1:{OTHER}:jobs"
    found = simulate(everything, "sqs:SendMessage", CallerArn=ANN, ResourceArns=[foreign])
    assert found["EvalDecision"] == "implicitDeny"


def test_a_simulation_without_a_caller_is_of_the_resources_account(simulate):
    foreign = f"arn:aws:sqs:us-east-1:{OTHER}:jobs"
    found = simulate([document(allow("*"))], "sqs:SendMessage", ResourceArns=[foreign])
    assert (found["EvalDecision"], found["EvalDecisionDetails"]) == ("allowed", {})


def test_partitions_are_kept_apart_as_in_enforcement(simulate):
    asked = {"ResourceArns": ["arn:aws-cn:s3:::reports/k"]}
    everything = [document(allow("s3:*"))]
    assert simulate(everything, **asked, CallerArn=ANN)["EvalDecision"] == "implicitDeny"
    assert simulate(everything, **asked)["EvalDecision"] == "allowed"


def test_a_user_calls_as_somebody_else(aws, iam, simulate_ann):
    aws.user("ann", allow("s3:*", f"{BUCKET}/${{aws:username}}"))
    mine, theirs = f"{BUCKET}/ann", f"{BUCKET}/bob"
    assert by_resource(simulate_ann(ResourceArns=[mine, theirs])) == {mine: "allowed", theirs: "implicitDeny"}
    caller = f"arn:aws:iam::{ACCOUNT}:user/bob"
    found = simulate_ann(ResourceArns=[mine, theirs], CallerArn=caller)
    assert by_resource(found) == {mine: "implicitDeny", theirs: "allowed"}


def test_a_user_with_a_resource_policy_and_an_owner(aws, iam, simulate_ann):
    aws.user("ann", allow("sqs:*"))
    of_bucket = document(for_whom(allow("s3:*", KEY), ANN))
    asked = {"ResourcePolicy": of_bucket, "ResourceArns": [KEY]}
    assert simulate_ann(**asked)["EvalDecision"] == "allowed"
    found = simulate_ann(**asked, ResourceOwner=f"arn:aws:iam::{OTHER}:root")
    assert found["EvalDecisionDetails"] == {"IAM Policy": "implicitDeny", "Resource Policy": "allowed"}


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        ("user", "aws:PrincipalArn", ANN),
        ("user", "aws:PrincipalAccount", ACCOUNT),
        ("user", "aws:username", "ann"),
        ("user", "aws:userid", ANN),
        ("role", "aws:PrincipalArn", f"arn:aws:iam::{ACCOUNT}:role/ann"),
        ("group", "aws:userid", f"arn:aws:iam::{ACCOUNT}:group/ann"),
    ],
)
def test_the_caller_brings_keys(simulate, kind, key, value):
    caller = f"arn:aws:iam::{ACCOUNT}:{kind}/ann"
    own = [document(allow("s3:*", "*", StringEquals={key: value}))]
    assert simulate(own, CallerArn=caller)["EvalDecision"] == "allowed"
    found = simulate(own, CallerArn=caller, ContextEntries=[entry(key, "string", "other")])
    assert found["EvalDecision"] == "implicitDeny"


@pytest.mark.parametrize(
    ("key", "value"),
    [("aws:PrincipalAccount", ACCOUNT), ("aws:userid", "STUB_PRINCIPAL_FOR_POLICY_SIMULATOR")],
)
def test_nobody_brings_keys_too(simulate, key, value):
    assert simulate([document(allow("s3:*", "*", StringEquals={key: value}))])["EvalDecision"] == "allowed"


@pytest.mark.parametrize(
    "caller", [f"arn:aws:iam::{ACCOUNT}:root", f"arn:aws:sts::{ACCOUNT}:assumed-role/app/one", "ann"]
)
def test_a_caller_that_is_no_user_group_or_role(iam, refused, caller):
    with refused("InvalidInput", "Invalid caller - Caller must be an IAM user, role or group in this context."):
        iam.simulate_custom_policy(PolicyInputList=[], ActionNames=[GET], CallerArn=caller)
    iam.create_user(UserName="ann")
    with refused("InvalidInput"):
        iam.simulate_principal_policy(PolicySourceArn=ANN, ActionNames=[GET], CallerArn=caller)


@pytest.mark.parametrize("owner", [ACCOUNT, "arn:aws:s3:::reports", "arn:aws:iam::aws:policy/x"])
def test_an_owner_that_is_no_account(iam, refused, owner):
    with refused("InvalidInput", f"'{owner}' is not a valid as a Resource Owner."):
        iam.simulate_custom_policy(PolicyInputList=[], ActionNames=[GET], ResourceOwner=owner)


def test_a_resource_policy_needs_a_caller_and_resources_that_it_is_for(iam, refused):
    def ask(policy, **parameters):
        iam.simulate_custom_policy(PolicyInputList=[], ActionNames=[GET], ResourcePolicy=policy, **parameters)

    of_bucket = document(for_whom(allow("s3:*", KEY), ANN))
    with refused("InvalidInput", "Invalid caller - Caller cannot be null or empty."):
        ask(of_bucket, ResourceArns=[KEY])
    with refused("InvalidInput", "Invalid Entity Arn: * does not clearly define entity type and name."):
        ask(of_bucket, CallerArn=ANN)
    with refused("InvalidInput", f"The resource policy is not applicable to the resource: {LOCKED}."):
        ask(of_bucket, CallerArn=ANN, ResourceArns=[KEY, LOCKED])
    with refused("InvalidInput", "ResourceNames are not in a valid ARN format: *."):
        ask(document(for_whom(allow("s3:*"), ANN)), CallerArn=ANN, ResourceArns=[KEY])
    with refused("InvalidInput", "Resource policy has invalid content"):
        ask(document(allow("s3:*", KEY)), CallerArn=ANN, ResourceArns=[KEY])


def test_a_key_policy_alone_opens_a_kms_key(simulate):
    key = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1"
    asked = {"CallerArn": ANN, "ResourceArns": [key]}
    own = [document(allow("kms:*"))]
    assert simulate(own, "kms:Decrypt", **asked)["EvalDecision"] == "allowed"
    others = document(for_whom(allow("kms:*", key), f"arn:aws:iam::{ACCOUNT}:user/bob"))
    assert simulate(own, "kms:Decrypt", **asked, ResourcePolicy=others)["EvalDecision"] == "implicitDeny"
    account = document(for_whom(allow("kms:*", key), f"arn:aws:iam::{ACCOUNT}:root"))
    assert simulate(own, "kms:Decrypt", **asked, ResourcePolicy=account)["EvalDecision"] == "allowed"
