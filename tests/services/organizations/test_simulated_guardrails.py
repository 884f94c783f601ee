"""Simulations in an organization: a member's SCPs count, as AWS says of OrganizationsDecisionDetail."""

import json

import pytest
from running import ACCOUNT, Credentials, allow, deny

SCP = "SERVICE_CONTROL_POLICY"
FULL = "p-FullAWSAccess"
ACTION = "s3:GetObject"
DETAIL = "OrganizationsDecisionDetail"


def role(one):
    return f"arn:aws:iam::{one.account_id}:role/OrganizationAccountAccessRole"


def simulated(iam, source_arn, **parameters):
    """The result of simulating an entity that asks for one action."""
    [result] = iam.simulate_principal_policy(PolicySourceArn=source_arn, ActionNames=[ACTION], **parameters)[
        "EvaluationResults"
    ]
    return result


def said(result):
    """The decision, and what the organization has to do with it."""
    return result["EvalDecision"], result.get(DETAIL, {}).get("AllowedByOrganizations")


def test_a_members_scps_count(organizations, root_id, member, policy):
    one = member()
    iam = one.client("iam")
    before = simulated(iam, role(one))
    assert said(before) == ("allowed", True)
    assert len(before["MatchedStatements"]) == 1
    policy_id = policy(deny("s3:*"))
    organizations.attach_policy(PolicyId=policy_id, TargetId=root_id)
    found = simulated(iam, role(one))
    assert (said(found), found["MatchedStatements"]) == (("explicitDeny", False), [])
    without = simulated(iam, role(one), PolicyExclusionList=[{"PolicyType": "scp"}])
    assert said(without) == ("allowed", None)
    organizations.detach_policy(PolicyId=policy_id, TargetId=root_id)
    assert said(simulated(iam, role(one))) == ("allowed", True)


def test_every_level_must_allow(organizations, root_id, member, policy):
    one = member()
    organizations.attach_policy(PolicyId=policy(allow("iam:*")), TargetId=one.account_id)
    organizations.detach_policy(PolicyId=FULL, TargetId=one.account_id)
    assert said(simulated(one.client("iam"), role(one))) == ("implicitDeny", False)


def test_what_identity_policies_do_not_allow_is_no_matter_of_the_organization(member):
    one = member()
    one.user("ann")
    iam = one.client("iam")
    iam.create_group(GroupName="devs")
    for entity in ("user/ann", "group/devs"):
        found = simulated(iam, f"arn:aws:iam::{one.account_id}:{entity}")
        assert said(found) == ("implicitDeny", True)


@pytest.mark.parametrize("kind", ["group", "user"])
def test_scps_bind_users_and_groups(organizations, root_id, member, policy, kind):
    one = member()
    organizations.attach_policy(PolicyId=policy(deny("s3:*")), TargetId=root_id)
    iam = one.client("iam")
    name = {f"{kind.capitalize()}Name": "some"}
    getattr(iam, f"create_{kind}")(**name)
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow("*")]})
    getattr(iam, f"put_{kind}_policy")(**name, PolicyName="all", PolicyDocument=document)
    assert said(simulated(iam, f"arn:aws:iam::{one.account_id}:{kind}/some")) == ("explicitDeny", False)


def test_conditions_of_scps_see_the_context_of_the_simulation(organizations, root_id, member, policy):
    one = member()
    abroad = {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}
    organizations.attach_policy(PolicyId=policy(deny("s3:*", **abroad)), TargetId=root_id)
    found = {}
    for region in ("eu-west-1", "us-east-1"):
        entry = {"ContextKeyName": "aws:RequestedRegion", "ContextKeyValues": [region], "ContextKeyType": "string"}
        found[region] = said(simulated(one.client("iam"), role(one), ContextEntries=[entry]))
    assert found == {"eu-west-1": ("allowed", True), "us-east-1": ("explicitDeny", False)}


def test_the_management_account_is_not_bound(aws, organizations, root_id, member, policy):
    member()
    organizations.attach_policy(PolicyId=policy(deny("s3:*")), TargetId=root_id)
    found = simulated(aws.client("iam"), f"arn:aws:iam::{ACCOUNT}:user/admin")
    assert found["EvalDecision"] == "allowed"
    assert DETAIL not in found


def test_an_account_outside_is_not_bound(aws, organizations, root_id, policy):
    organizations.attach_policy(PolicyId=policy(deny("s3:*")), TargetId=root_id)
    added = aws.iamd("CreateAccount", Name="alone")
    iam = aws.client("iam", Credentials(added["AccessKeyId"], added["SecretAccessKey"]))
    found = simulated(iam, f"arn:aws:iam::{added['AccountId']}:user/admin")
    assert found["EvalDecision"] == "allowed"
    assert DETAIL not in found


def test_a_service_linked_role_is_not_bound(organizations, root_id, member, policy):
    one = member()
    organizations.attach_policy(PolicyId=policy(deny("organizations:*")), TargetId=root_id)
    [linked] = one.client("iam").list_roles(PathPrefix="/aws-service-role/")["Roles"]
    assert DETAIL not in simulated(one.client("iam"), linked["Arn"])


def test_a_policy_type_that_is_not_enabled_counts_for_nothing(organizations, root_id, member, policy):
    one = member()
    organizations.attach_policy(PolicyId=policy(deny("s3:*")), TargetId=root_id)
    organizations.disable_policy_type(RootId=root_id, PolicyType=SCP)
    found = simulated(one.client("iam"), role(one))
    assert found["EvalDecision"] == "allowed"
    assert DETAIL not in found
