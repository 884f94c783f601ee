"""The condition keys that policies speak of (IAM API Reference, GetContextKeysForCustomPolicy)."""

import json

import pytest
from running import ACCOUNT, allow, deny

ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


BY_DATE = document(allow("s3:*", "arn:aws:s3:::${aws:username}", DateLessThan={"aws:CurrentTime": "2030-01-01"}))
BY_TAG = document(deny("sqs:*", "*", StringEquals={"aws:PrincipalTag/Team": "${aws:ResourceTag/Team}"}))


def test_the_keys_of_given_policies(iam, refused):
    iam.create_user(UserName="ann")
    keys = iam.get_context_keys_for_custom_policy(PolicyInputList=[BY_DATE, BY_TAG, BY_DATE])["ContextKeyNames"]
    by_date = ["aws:username", "aws:CurrentTime"]
    assert keys == [*by_date, "aws:PrincipalTag/Team", "aws:ResourceTag/Team", *by_date]
    assert iam.get_context_keys_for_custom_policy(PolicyInputList=[document(allow("s3:*"))])["ContextKeyNames"] == []
    with refused("InvalidInput", "Policy input list item 2 has invalid content"):
        iam.get_context_keys_for_custom_policy(PolicyInputList=[BY_DATE, "{"])


OF_NAME = {"StringEquals": {"aws:username": "a"}}


@pytest.mark.parametrize(
    ("statement", "keys"),
    [
        ({"Action": "*", "Resource": "*", "Principal": "*", "Condition": OF_NAME}, ["aws:username"]),
        ({"Action": "*", "Condition": OF_NAME}, ["aws:username"]),
        ({"Resource": "*", "Condition": OF_NAME}, ["aws:username"]),
        ({"Action": "abc", "Resource": "*", "Condition": OF_NAME}, ["aws:username"]),
        ({"Action": "madeup:Thing", "Resource": "bad", "Condition": OF_NAME}, ["aws:username"]),
        ({"Action": "*", "Resource": "*", "Condition": {"NumericEquals": {"aws:MultiFactorAuthAge": "nope"}}},
         ["aws:MultiFactorAuthAge"]),
        ({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/${aws:username, 'default'}/${*}/${?}/${$}"},
         ["aws:username", "*", "?", "$"]),
        ({"Action": "*", "NotResource": "arn:aws:s3:::bucket/${aws:PrincipalTag/project}"}, ["aws:PrincipalTag/project"]),
        ({"Action": "*", "Resource": "*/${aws:username}/${AWS:username}", "Condition": {
            "StringEquals": {"aws:username": "${aws:username}", "AWS:username": "a"}}}, ["aws:username", "AWS:username"]),
        ({"Condition": {"StringEquals": {"${aws:username}": "a"}}}, ["${aws:username}"]),
        ({"Action": "${aws:username}", "Resource": "*", "Principal": {"AWS": "${aws:username}"}}, []),
        ({"Action": [], "Resource": []}, []),
        ({"Condition": {}}, []),
    ],
)  # fmt: skip
def test_a_policy_need_not_be_one_that_iam_stores(iam, statement, keys):
    """AWS's answers, recorded in September 2026; their order says nothing."""
    policy = document({"Effect": "Allow", **statement})
    assert iam.get_context_keys_for_custom_policy(PolicyInputList=[policy])["ContextKeyNames"] == keys


@pytest.mark.parametrize(
    "policy",
    [
        '{"Statement": []}',
        '{"Version": "2012-10-17"}',
        '{"Version": "2012-10-17", "Id": "${*}", "Statement": []}',
        '{"Version": "2008-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "${aws:username}/${*}"}}',
    ],
)
def test_a_policy_without_statements_or_variables_has_no_keys(iam, policy):
    """AWS's answers, recorded in September 2026."""
    assert iam.get_context_keys_for_custom_policy(PolicyInputList=[policy])["ContextKeyNames"] == []


@pytest.mark.parametrize(
    "policy",
    [
        document({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"MadeUp": {"aws:username": "a"}}}),
        document({"Action": "*", "Resource": "*", "Condition": OF_NAME}),
        json.dumps({"Version": "2012-10-17", "Statement": [], "Foo": "x"}),
        json.dumps({"Version": "2012-10-18", "Statement": []}),
        document({"Effect": "Allow", "Foo": "x"}),
        document({"Effect": "Allow", "Action": 1}),
        document({"Effect": "Allow", "Condition": {"StringEquals": {"aws:username": "\ud800"}}}),
        document({"Effect": "Allow", "Condition": {"StringEquals": []}}),
        document("Allow"),
        "[]",
        "{} {}",
        '{"Statement": ' + "[" * 5000,
    ],
)
def test_what_is_no_policy_has_no_keys(iam, refused, policy):
    """The first three are AWS's answers, recorded in September 2026."""
    with refused("InvalidInput", "Policy input list item 1 has invalid content"):
        iam.get_context_keys_for_custom_policy(PolicyInputList=[policy])


def test_the_keys_of_a_user_are_those_of_its_groups_too(iam):
    iam.create_user(UserName="ann", Path="/team/")
    iam.create_group(GroupName="devs")
    iam.add_user_to_group(GroupName="devs", UserName="ann")
    iam.put_user_policy(UserName="ann", PolicyName="date", PolicyDocument=BY_DATE)
    arn = iam.create_policy(PolicyName="tag", PolicyDocument=BY_TAG)["Policy"]["Arn"]
    iam.attach_group_policy(GroupName="devs", PolicyArn=arn)
    of_date, of_tag = ["aws:username", "aws:CurrentTime"], ["aws:PrincipalTag/Team", "aws:ResourceTag/Team"]

    def keys(source, *given):
        answer = iam.get_context_keys_for_principal_policy(PolicySourceArn=source, PolicyInputList=list(given))
        return answer["ContextKeyNames"]

    assert keys(f"arn:aws:iam::{ACCOUNT}:user/team/ann") == of_date + of_tag
    group = f"arn:aws:iam::{ACCOUNT}:group/devs"
    assert keys(group) == of_tag
    further = document(allow("s3:*", "*", Bool={"aws:SecureTransport": "true"}))
    assert keys(group, further) == [*of_tag, "aws:SecureTransport"]


def test_the_keys_of_a_user_are_those_of_its_boundary_too(iam):
    """AWS's answer, recorded in September 2026; what a request adds is listed once more."""
    boundary = iam.create_policy(PolicyName="tag", PolicyDocument=BY_TAG)["Policy"]["Arn"]
    iam.create_user(UserName="ann", PermissionsBoundary=boundary)
    iam.put_user_policy(UserName="ann", PolicyName="date", PolicyDocument=BY_DATE)
    answer = iam.get_context_keys_for_principal_policy(PolicySourceArn=ANN, PolicyInputList=[BY_DATE])
    by_date = ["aws:username", "aws:CurrentTime"]
    assert answer["ContextKeyNames"] == [*by_date, "aws:PrincipalTag/Team", "aws:ResourceTag/Team", *by_date]


def test_the_keys_of_nobody(iam, refused):
    with refused("NoSuchEntity", "Unable to retrieve specified IAM entity."):
        iam.get_context_keys_for_principal_policy(PolicySourceArn=ANN)
    root = f"arn:aws:iam::{ACCOUNT}:root"
    with refused("InvalidInput", f"Invalid ARN provided in the request: {root}"):
        iam.get_context_keys_for_principal_policy(PolicySourceArn=root)
