"""Policies that a simulation leaves out (IAM API Reference, PolicyIdentifier)."""

import pytest
from running import ACCOUNT, allow
from services.iam.simulating import ANN, GET, document, ids


@pytest.fixture(autouse=True)
def policies(aws, iam):
    aws.user("ann", allow("s3:*"))
    iam.create_group(GroupName="devs")
    iam.add_user_to_group(GroupName="devs", UserName="ann")
    iam.put_group_policy(GroupName="devs", PolicyName="test", PolicyDocument=document(allow("s3:*")))
    for name in ("reader", "reader2"):
        made = iam.create_policy(PolicyName=name, Path="/team/", PolicyDocument=document(allow("s3:*")))
        iam.attach_user_policy(UserName="ann", PolicyArn=made["Policy"]["Arn"])
    iam.attach_user_policy(UserName="ann", PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")


ALL = ("user_ann_test", "reader", "reader2", "AmazonS3FullAccess", "group_devs_test")


@pytest.mark.parametrize(
    ("identifier", "left"),
    [
        ({"PolicyType": "inline"}, ("reader", "reader2", "AmazonS3FullAccess")),
        ({"PolicyType": "aws-managed"}, ("user_ann_test", "reader", "reader2", "group_devs_test")),
        ({"PolicyType": "user-managed"}, ("user_ann_test", "AmazonS3FullAccess", "group_devs_test")),
        ({"PolicyType": "permission-boundary"}, ALL),
        ({"PolicyType": "scp"}, ALL),
        ({"PolicyType": "rcp"}, ALL),
        ({"PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/team/reader"}, (ALL[0], *ALL[2:])),
        ({"PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/reader"}, (ALL[0], *ALL[2:])),
        ({"PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/reader?"}, (*ALL[:2], *ALL[3:])),
        ({"PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/team/*"}, (ALL[0], *ALL[3:])),
        ({"PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/nothing"}, ALL),
    ],
)
def test_by_type_and_by_arn(simulate_ann, identifier, left):
    assert ids(simulate_ann(PolicyExclusionList=[identifier])) == list(left)


@pytest.mark.parametrize(
    ("kind", "name", "left"),
    [
        ("user", "ann", ALL[1:]),
        ("group", "ann", ALL),
        ("group", "d?vs", ALL[:-1]),
        ("group", "*", ALL[:-1]),
        ("role", "*", ALL),
    ],
)
def test_inline_policies_by_their_bearer(simulate_ann, kind, name, left):
    inline = {"PolicyName": "test", "AttachmentType": kind, "AttachmentName": name}
    assert ids(simulate_ann(PolicyExclusionList=[{"InlinePolicyIdentifier": inline}])) == list(left)


def test_what_the_request_brings_stays(simulate_ann):
    found = simulate_ann(
        PolicyInputList=[document(allow("s3:*"))],
        PolicyExclusionList=[{"PolicyType": kind} for kind in ("inline", "aws-managed", "user-managed")],
    )
    assert ids(found) == ["PolicyInputList.1"]


@pytest.mark.parametrize(
    "identifier",
    [
        {"PolicyArn": "x" * 20},
        {"PolicyArn": f"arn:aws:iam::{ACCOUNT}:user/ann"},
        {"PolicyArn": "arn:aws:iam::*:policy/reader"},
        {"PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/*reader*"},
        {"InlinePolicyIdentifier": {"PolicyName": "test", "AttachmentType": "user", "AttachmentName": "*a*"}},
    ],
)
def test_identifiers_that_are_none(iam, refused, identifier):
    with refused("InvalidInput"):
        iam.simulate_principal_policy(PolicySourceArn=ANN, ActionNames=[GET], PolicyExclusionList=[identifier])


def test_an_identifier_is_one_of_three(aws, refused):
    loose = aws.client("iam", parameter_validation=False)
    two = [{"PolicyType": "inline", "PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/reader"}]
    with refused("InvalidInput"):
        loose.simulate_principal_policy(PolicySourceArn=ANN, ActionNames=[GET], PolicyExclusionList=two)
