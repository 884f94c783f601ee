"""Whom a trust policy may name, and what becomes of the names."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iamd.services.iam import trust_policies
from iamd.services.iam.errors import MalformedPolicyDocument
from iamd.store.account import Snapshot
from iamd.store.change import Change
from iamd.store.records import AccountRecord, Role, User

NOBODY = "AROAAAAAAAAAAAAAAAAAA"


def trust(principal: Any) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def principal_of(iam: Any, name: str = "app") -> Any:
    document = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    return document["Statement"][0]["Principal"]


def test_users_and_roles_are_shown_by_arn_while_they_live_and_by_id_after(iam):
    ann = iam.create_user(UserName="ann", Path="/team/")["User"]
    base = iam.create_role(RoleName="base", AssumeRolePolicyDocument=trust({"Service": "ec2.amazonaws.com"}))["Role"]
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=trust({"AWS": [ann["Arn"], base["Arn"]]}))
    assert principal_of(iam) == {"AWS": [ann["Arn"], base["Arn"]]}
    iam.delete_user(UserName="ann")
    iam.delete_role(RoleName="base")
    assert principal_of(iam) == {"AWS": [ann["UserId"], base["RoleId"]]}
    iam.create_user(UserName="ann", Path="/team/")
    assert principal_of(iam) == {"AWS": [ann["UserId"], base["RoleId"]]}


def test_a_renamed_user_stays_trusted_under_the_new_name(iam, arn_of):
    iam.create_user(UserName="ann")
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=trust({"AWS": arn_of("user/ann")}))
    iam.update_user(UserName="ann", NewUserName="anna", NewPath="/team/")
    assert principal_of(iam) == {"AWS": arn_of("user/team/anna")}


def test_a_unique_id_is_taken_while_its_bearer_lives(iam, refused):
    ann = iam.create_user(UserName="ann")["User"]
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=trust({"AWS": ann["UserId"]}))
    assert principal_of(iam) == {"AWS": ann["Arn"]}
    iam.delete_user(UserName="ann")
    with refused("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{ann["UserId"]}"'):
        iam.update_assume_role_policy(RoleName="app", PolicyDocument=trust({"AWS": ann["UserId"]}))


def test_an_account_is_shown_by_the_arn_of_its_root(aws, iam, arn_of):
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=trust({"AWS": aws.account_id}))
    assert principal_of(iam) == {"AWS": arn_of("root")}


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": "*"},
        {"Service": "ec2.amazonaws.com"},
        {"Service": ["states.us-east-1.amazonaws.com", "edgelambda.amazonaws.com"]},
        {"Federated": "accounts.google.com"},
        {"Federated": "arn:aws:iam::111122223333:saml-provider/Corp"},
        {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},
    ],
)
def test_everyone_services_and_providers_are_kept_as_they_are(iam, principal):
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=trust(principal))
    assert principal_of(iam) == principal


def test_sessions_of_a_role_that_exists_are_kept_as_arns(iam, aws):
    iam.create_role(RoleName="base", AssumeRolePolicyDocument=trust({"Service": "ec2.amazonaws.com"}))
    sessions = {
        "AWS": [
            f"arn:aws:sts::{aws.account_id}:assumed-role/base/job-1",
            f"arn:aws:sts::{aws.account_id}:federated-user/carol",
        ],
    }
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=trust(sessions))
    assert principal_of(iam) == sessions


@pytest.mark.parametrize(
    "resource",
    [
        "user/none",
        "user/ann",
        "user/team/Ann",
        "user/team/*",
        "user/*",
        "role/none",
        "role/team/ann",
        "group/devs",
        "federated-user/ann",
        "root/x",
        "",
    ],
)
def test_an_arn_must_be_that_of_a_user_or_role(iam, refused, arn_of, resource):
    iam.create_user(UserName="ann", Path="/team/")
    iam.create_group(GroupName="devs")
    value = arn_of(resource)
    with refused("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{value}"'):
        iam.create_role(RoleName="app", AssumeRolePolicyDocument=trust({"AWS": value}))


@pytest.mark.parametrize(
    "value",
    [
        "arn:aws:iam::999999999999:root",
        "999999999999",
        "arn:aws:iam::999999999999:user/ann",
        "arn:aws:iam::global:root",
        "arn:aws:iam:::root",
        "arn:aws:iam:us-east-1:{account}:root",
        "arn:aws-cn:iam::{account}:root",
        "arn:aws:sts::{account}:root",
        "arn:aws:sts::{account}:assumed-role/none/session",
        "arn:aws:sts::{account}:assumed-role/Base/session",
        "arn:aws:sts::{account}:assumed-role/base/*",
        "arn:aws:sts::{account}:assumed-role/base",
        "arn:aws:iam::{account}:assumed-role/base/session",
        "{account}0",
        NOBODY,
        "ann",
        "**",
    ],
)
def test_nobody_elses_arn_is_a_principal(aws, iam, refused, value):
    iam.create_role(RoleName="base", AssumeRolePolicyDocument=trust({"Service": "ec2.amazonaws.com"}))
    value = value.format(account=aws.account_id)
    with refused("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{value}"'):
        iam.create_role(RoleName="app", AssumeRolePolicyDocument=trust({"AWS": value}))


@pytest.mark.parametrize("value", ["foo", "ec2.example.com", "*", "*.amazonaws.com"])
def test_a_service_has_a_name_of_awss(iam, refused, value):
    with refused("MalformedPolicyDocument", f'Invalid principal in policy: "SERVICE":"{value}"'):
        iam.create_role(RoleName="app", AssumeRolePolicyDocument=trust({"Service": value}))


@pytest.mark.parametrize(
    "value",
    [
        "corp",
        "*",
        "arn:aws:iam::111122223333:user/ann",
        "arn:aws:iam::1:saml-provider/Corp",
        "https://accounts.google.com",
    ],
)
def test_a_provider_is_a_domain_or_a_providers_arn(iam, refused, value):
    with refused("MalformedPolicyDocument", "Federated principals must be valid domain names or SAML metadata ARNs"):
        iam.create_role(RoleName="app", AssumeRolePolicyDocument=trust({"Federated": value}))


def test_a_new_role_is_answered_with_the_policy_as_it_was_given_and_shown_with_it_in_order(aws, iam, arn_of):
    """AWS's answers to CreateRole and GetRole, recorded in February and September 2026."""
    given = {
        "Version": "2012-10-17",
        "Statement": [{"Action": ["sts:AssumeRole"], "Effect": "Allow", "Principal": {"AWS": [aws.account_id]}}],
    }
    made = iam.create_role(RoleName="app", AssumeRolePolicyDocument=json.dumps(given))["Role"]
    assert ordered(made) == json.dumps(given)
    normal = [("Effect", "Allow"), ("Principal", {"AWS": arn_of("root")}), ("Action", "sts:AssumeRole")]
    shown = json.dumps({"Version": "2012-10-17", "Statement": [dict(normal)]})
    assert ordered(iam.get_role(RoleName="app")["Role"]) == shown
    assert ordered(iam.list_roles()["Roles"][0]) == shown
    assert ordered(iam.update_role_description(RoleName="app", Description="d")["Role"]) == shown


def ordered(role: Any) -> str:
    """A role's trust policy with its members in the order in which the answer has them."""
    return json.dumps(role["AssumeRolePolicyDocument"])


def test_lists_of_several_and_what_else_a_statement_says_stay(iam):
    statement = {
        "Condition": {"StringEquals": {"sts:ExternalId": ["x"]}},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Principal": {"Service": ["ec2.amazonaws.com", "ecs.amazonaws.com"]},
        "Effect": "Allow",
        "Sid": "one",
    }
    document = {"Version": "2012-10-17", "Statement": [statement]}
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=json.dumps(document))
    role = iam.get_role(RoleName="app")["Role"]
    assert role["AssumeRolePolicyDocument"] == document
    assert list(role["AssumeRolePolicyDocument"]["Statement"][0]) == [
        "Sid",
        "Effect",
        "Principal",
        "Action",
        "Condition",
    ]


def test_statement_ids_are_letters_and_digits(iam, refused):
    """AWS: IAM User Guide, reference_policies_elements_sid."""
    statement = {"Sid": "one_two", "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": statement})
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=document.replace("_", ""))
    words = (
        "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
    )
    with refused("MalformedPolicyDocument", words):
        iam.create_role(RoleName="web", AssumeRolePolicyDocument=document)
    with refused("MalformedPolicyDocument", words):
        iam.update_assume_role_policy(RoleName="app", PolicyDocument=document)
    assert iam.get_role(RoleName="app")["Role"]["AssumeRolePolicyDocument"]["Statement"]["Sid"] == "onetwo"


def test_everyone_without_a_member_is_refused(iam, refused):
    """AWS takes `{"AWS": "*"}` in a trust policy and refuses `"*"`."""
    with refused("MalformedPolicyDocument", 'AssumeRolepolicy contained an invalid principal: "STAR":"*".'):
        iam.create_role(RoleName="app", AssumeRolePolicyDocument=trust("*"))


def test_condition_values_keep_their_meaning(iam):
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": "sts:AssumeRole",
        "Condition": {"NumericLessThan": {"aws:MultiFactorAuthAge": 3600}, "Bool": {"aws:SecureTransport": True}},
    }
    document = {"Version": "2012-10-17", "Statement": statement}
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=json.dumps(document, indent=2))
    assert iam.get_role(RoleName="app")["Role"]["AssumeRolePolicyDocument"] == document


OWN, OTHER = "111111111111", "222222222222"


def two_accounts() -> Change:
    """Two accounts, each with a user `ann` and a role `app`."""
    change = Change(Snapshot(0, {}, {}))
    for account, mark in ((OWN, "A"), (OTHER, "B")):
        change.put(account, AccountRecord(account_id=account, name=mark, created=0))
        change.put(account, User(user_name="ann", user_id="AIDA" + mark * 17, path="/team/", created=0))
        change.put(account, Role(role_name="app", role_id="AROA" + mark * 17, created=0, trust_policy=""))
    return change


def call_on(change: Change) -> Any:
    """What trust policies use of a Call."""
    return SimpleNamespace(view=change)


def shown(change: Change, stored: str) -> str:
    record = Role(role_name="r", role_id="AROACCCCCCCCCCCCCCCCC", created=0, trust_policy=stored)
    return trust_policies.shown(call_on(change), record)


def test_users_of_another_account_of_this_server_are_kept_by_their_ids():
    change = two_accounts()
    stored = trust_policies.stored(call_on(change), trust({"AWS": f"arn:aws:iam::{OTHER}:user/team/ann"}))
    assert json.loads(stored) == json.loads(trust({"AWS": "AIDABBBBBBBBBBBBBBBBB"}))
    with pytest.raises(MalformedPolicyDocument, match="Invalid principal in policy"):
        trust_policies.stored(call_on(change), trust({"AWS": f"arn:aws:iam::{OTHER}:user/ann"}))


LIVING = [
    *(f"arn:aws:iam::{account}:{resource}" for account in (OWN, OTHER) for resource in ("user/team/ann", "role/app")),
    *(f"arn:aws:iam::{account}:root" for account in (OWN, OTHER)),
    f"arn:aws:sts::{OTHER}:assumed-role/app/session",
    "*",
]


@given(st.lists(st.sampled_from(LIVING), min_size=1))
def test_what_is_shown_is_what_was_saved(arns):
    change = two_accounts()
    stored = trust_policies.stored(call_on(change), trust({"AWS": arns}))
    assert json.loads(shown(change, stored)) == json.loads(trust({"AWS": arns if len(arns) > 1 else arns[0]}))
    assert ":user/" not in stored
    assert ":role/" not in stored
