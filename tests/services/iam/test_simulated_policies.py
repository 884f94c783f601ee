"""The policies of a simulation: given ones, those of an entity, boundaries, SCPs."""

import json

import pytest
from running import ACCOUNT, allow, deny
from services.iam.simulating import ANN, BOB, GET, KEY, OTHER, document, for_whom, ids


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        document(allow("s3:*"), Sid="x"),
        document({"Effect": "Maybe", "Action": "*", "Resource": "*"}),
        document(for_whom(allow("*"), "*")),
        document(allow("*", "*", NoSuchOperator={"aws:username": "ann"})),
    ],
)
def test_a_text_that_is_no_policy_of_the_kind(iam, refused, text):
    with refused("InvalidInput", "Policy input list item 2 has invalid content"):
        iam.simulate_custom_policy(PolicyInputList=[document(allow("*")), text], ActionNames=[GET])
    boundaries = {"PermissionsBoundaryPolicyInputList": [text]}
    with refused("InvalidInput", "Policy input list item 1 has invalid content"):
        iam.simulate_custom_policy(PolicyInputList=[], ActionNames=[GET], **boundaries)


def test_a_policy_may_be_without_a_version(simulate):
    assert simulate([json.dumps({"Statement": allow("s3:*")})])["EvalDecision"] == "allowed"


def test_the_policies_of_a_user_by_their_names(aws, iam, simulate_ann):
    aws.user("ann", allow("s3:*"))
    iam.create_group(GroupName="devs")
    iam.add_user_to_group(GroupName="devs", UserName="ann")
    iam.put_group_policy(GroupName="devs", PolicyName="own", PolicyDocument=document(allow("s3:Get*")))
    arn = iam.create_policy(PolicyName="reader", Path="/team/", PolicyDocument=document(allow("s3:*")))
    iam.attach_user_policy(UserName="ann", PolicyArn=arn["Policy"]["Arn"])
    iam.attach_group_policy(GroupName="devs", PolicyArn=arn["Policy"]["Arn"])
    iam.attach_group_policy(GroupName="devs", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    found = simulate_ann(PolicyInputList=[document(allow("*"))])
    assert ids(found) == ["user_ann_test", "reader", "group_devs_own", "AdministratorAccess", "PolicyInputList.1"]
    assert {one["SourcePolicyType"] for one in found["MatchedStatements"]} == {"IAM Policy"}


def test_the_policies_of_roles_and_groups(iam):
    trust = document({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"})
    iam.create_role(RoleName="app", Path="/team/", AssumeRolePolicyDocument=trust)
    iam.put_role_policy(RoleName="app", PolicyName="own", PolicyDocument=document(allow("s3:*")))
    iam.create_group(GroupName="devs")
    iam.put_group_policy(GroupName="devs", PolicyName="own", PolicyDocument=document(allow("s3:*")))
    # AWS finds the entity by its name, whatever path the ARN has.
    for source, name in (
        ("role/team/app", "role_app_own"),
        ("role/app", "role_app_own"),
        ("group/devs", "group_devs_own"),
    ):
        source_arn = f"arn:aws:iam::{ACCOUNT}:{source}"
        answer = iam.simulate_principal_policy(PolicySourceArn=source_arn, ActionNames=[GET])
        assert ids(answer["EvaluationResults"][0]) == [name]


@pytest.mark.parametrize(
    "source", [f"arn:aws:iam::{ACCOUNT}:root", f"arn:aws:sts::{ACCOUNT}:assumed-role/app/one", "x" * 20]
)
def test_a_source_that_is_no_user_group_or_role(iam, refused, source):
    with refused("InvalidInput", f"Invalid ARN provided in the request: {source}"):
        iam.simulate_principal_policy(PolicySourceArn=source, ActionNames=[GET])


def test_a_source_that_is_not_there_or_not_here(iam, refused):
    with refused("NoSuchEntity", "Unable to retrieve specified IAM entity."):
        iam.simulate_principal_policy(PolicySourceArn=ANN, ActionNames=[GET])
    words = (
        f"Invalid Policy Source Arn: caller's account {ACCOUNT} does not have access to policies in account {OTHER}."
    )
    with refused("InvalidInput", words):
        iam.simulate_principal_policy(PolicySourceArn=BOB, ActionNames=[GET])


def test_another_path_does_not_get_around_a_policy(aws, iam, denied):
    iam.create_user(UserName="ann", Path="/secret/")
    arn = f"arn:aws:iam::{ACCOUNT}:user/secret/ann"
    pathless = allow("iam:SimulatePrincipalPolicy", ANN)
    denied("SimulatePrincipalPolicy", arn, pathless, PolicySourceArn=ANN, ActionNames=[GET])


def test_tags_of_the_source_are_keys_of_the_request(aws, iam):
    iam.create_user(UserName="ann", Tags=[{"Key": "Team", "Value": "blue"}])
    tagged = allow("iam:SimulatePrincipalPolicy", "*", StringEquals={"aws:ResourceTag/Team": "blue"})
    caller = aws.client("iam", aws.user("caller", tagged))
    assert caller.simulate_principal_policy(PolicySourceArn=ANN, ActionNames=[GET])["EvaluationResults"]


def test_a_boundary_limits_and_grants_nothing(simulate):
    detail = "PermissionsBoundaryDecisionDetail"
    wide, narrow, denying = document(allow("*")), document(allow("sqs:*")), document(allow("*"), deny("s3:*"))
    own = [document(allow("s3:*"))]
    found = simulate(own, PermissionsBoundaryPolicyInputList=[wide])
    assert (found["EvalDecision"], found[detail]) == ("allowed", {"AllowedByPermissionsBoundary": True})
    assert ids(found) == ["PolicyInputList.1"]
    found = simulate(own, PermissionsBoundaryPolicyInputList=[narrow])
    assert (found["EvalDecision"], found[detail]) == ("implicitDeny", {"AllowedByPermissionsBoundary": False})
    assert ids(found) == []
    found = simulate(own, PermissionsBoundaryPolicyInputList=[denying], ResourceArns=[KEY])
    assert (found["EvalDecision"], found[detail]) == ("explicitDeny", {"AllowedByPermissionsBoundary": False})
    assert found["ResourceSpecificResults"][0][detail] == {"AllowedByPermissionsBoundary": False}
    [statement] = found["MatchedStatements"]
    assert statement["SourcePolicyId"] == "PermissionsBoundaryPolicyInputList.1"
    assert statement["SourcePolicyType"] == "Permissions Boundary Policy"
    assert simulate([], PermissionsBoundaryPolicyInputList=[wide])["EvalDecision"] == "implicitDeny"
    assert detail not in simulate(own)


def test_the_boundary_of_a_user_can_be_replaced_and_left_out(aws, iam, simulate_ann):
    aws.user("ann", allow("*"))
    guard = iam.create_policy(PolicyName="guard", PolicyDocument=document(deny("s3:*"), allow("*")))
    iam.put_user_permissions_boundary(UserName="ann", PermissionsBoundary=guard["Policy"]["Arn"])
    found = simulate_ann()
    assert (found["EvalDecision"], ids(found)) == ("explicitDeny", ["guard"])
    wide = {"PermissionsBoundaryPolicyInputList": [document(allow("*"))]}
    assert simulate_ann(**wide)["EvalDecision"] == "allowed"
    without = {"PolicyExclusionList": [{"PolicyType": "permission-boundary"}]}
    found = simulate_ann(**without)
    assert found["EvalDecision"] == "allowed"
    assert "PermissionsBoundaryDecisionDetail" not in found
    by_arn = {"PolicyExclusionList": [{"PolicyArn": guard["Policy"]["Arn"]}]}
    assert simulate_ann(**by_arn)["EvalDecision"] == "explicitDeny"


def test_there_is_one_boundary_at_most(iam, refused):
    two = [document(allow("*"))] * 2
    words = "The list of Permissions Boundary policies cannot exceed 1 items."
    with refused("InvalidInput", words):
        iam.simulate_custom_policy(PolicyInputList=[], ActionNames=[GET], PermissionsBoundaryPolicyInputList=two)
    iam.create_user(UserName="ann")
    with refused("InvalidInput", words):
        iam.simulate_principal_policy(PolicySourceArn=ANN, ActionNames=[GET], PermissionsBoundaryPolicyInputList=two)


@pytest.mark.parametrize(
    ("levels", "decision", "allowed"),
    [
        ([[allow("*")]], "allowed", True),
        ([[allow("*")], [allow("s3:*")]], "allowed", True),
        ([[allow("*")], [allow("sqs:*")]], "implicitDeny", False),
        ([[allow("*")], []], "implicitDeny", False),
        ([[allow("*"), deny("s3:*")]], "explicitDeny", False),
        ([[allow("*")], [allow("*", "*", StringEquals={"a:key": "b"})]], "implicitDeny", False),
    ],
)
def test_every_level_must_allow(simulate, levels, decision, allowed):
    lists = [{"ServiceControlPolicyInputList": [document(one) for one in level]} for level in levels]
    own = [document(allow("s3:*", "*", Bool={"aws:SecureTransport": "true"}), allow("s3:*"))]
    found = simulate(own, OrderedOrganizationPolicyInputList=lists, ResourceArns=[KEY])
    assert (found["EvalDecision"], found["OrganizationsDecisionDetail"]) == (
        decision,
        {"AllowedByOrganizations": allowed},
    )
    assert bool(found["MatchedStatements"]) is allowed
    assert found["MissingContextValues"] == []
    assert ("EvalDecisionDetails" in found) is allowed


def test_the_keys_of_scps_are_not_told(iam):
    scp = document(allow("*"), allow("s3:*", "*", StringEquals={"a:scp": "x"}))
    own = document(allow("s3:*", "*", StringEquals={"a:own": "x"}))
    assert iam.get_context_keys_for_custom_policy(PolicyInputList=[own, scp])["ContextKeyNames"] == ["a:own", "a:scp"]
    answer = iam.simulate_custom_policy(
        PolicyInputList=[own],
        OrderedOrganizationPolicyInputList=[{"ServiceControlPolicyInputList": [scp]}],
        ActionNames=[GET],
    )
    assert answer["EvaluationResults"][0]["MissingContextValues"] == ["a:own"]


def test_scps_grant_nothing(simulate):
    lists = [{"ServiceControlPolicyInputList": [document(allow("*"))]}]
    found = simulate([], OrderedOrganizationPolicyInputList=lists)
    assert (found["EvalDecision"], found["OrganizationsDecisionDetail"]["AllowedByOrganizations"]) == (
        "implicitDeny",
        True,
    )


def test_an_scp_is_a_policy_too(iam, refused):
    lists = [{"ServiceControlPolicyInputList": ["{}"]}]
    with refused("InvalidInput", "Policy input list item 1 has invalid content"):
        iam.simulate_custom_policy(PolicyInputList=[], ActionNames=[GET], OrderedOrganizationPolicyInputList=lists)
