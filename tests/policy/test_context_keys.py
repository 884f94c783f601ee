"""The condition keys that a policy speaks of."""

import json

from iamd.policy.context_keys import context_keys
from iamd.policy.document import PolicyType, load


def keys(*statements, version="2012-10-17", **further):
    document = {"Version": version, "Statement": list(statements), **further}
    return context_keys(load(json.dumps(document), PolicyType.IDENTITY))


def statement(resource="*", **condition):
    return {"Effect": "Allow", "Action": "s3:*", "Resource": resource, "Condition": condition}


def test_the_keys_stand_in_the_order_of_the_text():
    """AWS CLI, get-context-keys-for-custom-policy: the example's policy and answer."""
    resource = "arn:aws:dynamodb:us-west-2:128716708097:table/${aws:username}"
    assert keys(statement(resource, DateGreaterThan={"aws:CurrentTime": "2015-08-16T12:00:00Z"})) == [
        "aws:username",
        "aws:CurrentTime",
    ]


def test_a_key_is_listed_once_and_as_it_is_written():
    found = keys(
        statement("arn:aws:s3:::b/${aws:UserName}/${aws:username}"),
        statement(StringLike={"s3:prefix": ["${aws:PrincipalTag/Team, 'none'}*", "${aws:username}"]}),
        statement(Null={"s3:prefix": "true"}, Bool={"S3:Prefix": True}),
    )
    assert found == ["aws:UserName", "aws:username", "s3:prefix", "aws:PrincipalTag/Team", "S3:Prefix"]


def test_escapes_are_no_keys():
    assert keys(statement("arn:aws:s3:::b/${*}${?}${$}")) == []


def test_before_2012_a_variable_is_plain_text():
    found = keys(statement("arn:aws:s3:::${aws:username}", StringEquals={"a:b": "${c:d}"}), version="2008-10-17")
    assert found == ["a:b"]


def test_a_text_that_is_no_policy_has_none():
    assert context_keys(load("{", PolicyType.IDENTITY)) == []
