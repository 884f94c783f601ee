"""The way of one signed request: who is let in, what is decided, how a refusal looks."""

import pytest
from botocore.exceptions import ClientError
from running import allow


def test_get_caller_identity_names_the_caller(aws):
    answer = aws.client("sts").get_caller_identity()
    assert answer["Arn"] == f"arn:aws:iam::{aws.account_id}:user/admin"
    assert answer["Account"] == aws.account_id


def test_a_user_without_policies_may_do_nothing(aws):
    nobody = aws.user("nobody")
    with pytest.raises(ClientError) as refusal:
        aws.client("iam", nobody).list_users()
    assert refusal.value.response["Error"]["Code"] == "AccessDenied"
    assert refusal.value.response["Error"]["Message"] == (
        f"User: arn:aws:iam::{aws.account_id}:user/nobody is not authorized to perform: iam:ListUsers "
        f"on resource: arn:aws:iam::{aws.account_id}:user/ "
        "because no identity-based policy allows the iam:ListUsers action"
    )
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_a_policy_binds_the_next_request(aws):
    reader = aws.user("reader", allow("iam:ListUsers"))
    names = [user["UserName"] for user in aws.client("iam", reader).list_users()["Users"]]
    assert names == ["admin", "reader"]
