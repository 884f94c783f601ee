"""The condition keys that policies speak of (IAM API Reference, GetContextKeysForCustomPolicy)."""

import json

from running import ACCOUNT, allow, deny

ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


BY_DATE = document(allow("s3:*", "arn:aws:s3:::${aws:username}", DateLessThan={"aws:CurrentTime": "2030-01-01"}))
BY_TAG = document(deny("sqs:*", "*", StringEquals={"aws:PrincipalTag/Team": "${aws:ResourceTag/Team}"}))


def test_the_keys_of_given_policies(iam, refused):
    iam.create_user(UserName="ann")
    keys = iam.get_context_keys_for_custom_policy(PolicyInputList=[BY_DATE, BY_TAG, BY_DATE])["ContextKeyNames"]
    assert keys == ["aws:username", "aws:CurrentTime", "aws:PrincipalTag/Team", "aws:ResourceTag/Team"]
    assert iam.get_context_keys_for_custom_policy(PolicyInputList=[document(allow("s3:*"))])["ContextKeyNames"] == []
    with refused("InvalidInput", "Policy input list item 2 has invalid content"):
        iam.get_context_keys_for_custom_policy(PolicyInputList=[BY_DATE, "{}"])


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


def test_the_keys_of_nobody(iam, refused):
    with refused("NoSuchEntity", "Unable to retrieve specified IAM entity."):
        iam.get_context_keys_for_principal_policy(PolicySourceArn=ANN)
    root = f"arn:aws:iam::{ACCOUNT}:root"
    with refused("InvalidInput", f"Invalid ARN provided in the request: {root}"):
        iam.get_context_keys_for_principal_policy(PolicySourceArn=root)
