"""What requests to the Resource Groups Tagging API are decided on: each resource's own service is asked as well.

AWS: Resource Groups Tagging API Reference, TagResources and UntagResources, "Minimum permissions".
"""

import pytest
from gateway.condition_keys import Caller
from gateway.parameters import ACCOUNT, REGION
from running import allow, deny

BUCKET, QUEUE = "arn:aws:s3:::bkt", f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"
VOLUME, TABLE = f"arn:aws:ec2:{REGION}:{ACCOUNT}:volume/vol-1", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/t"
DATABASE, CERTIFICATE = f"arn:aws:rds:{REGION}:{ACCOUNT}:db:d", f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/c"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:s-AbCdEf"
RED = {"team": "red"}


@pytest.mark.parametrize(
    ("arn", "tags", "untags"),
    [
        (BUCKET, "s3:PutBucketTagging", "s3:PutBucketTagging"),
        (QUEUE, "sqs:TagQueue", "sqs:UntagQueue"),
        (VOLUME, "ec2:CreateTags", "ec2:DeleteTags"),
        (TABLE, "dynamodb:TagResource", "dynamodb:UntagResource"),
        (DATABASE, "rds:AddTagsToResource", "rds:RemoveTagsFromResource"),
        (CERTIFICATE, "acm:AddTagsToCertificate", "acm:RemoveTagsFromCertificate"),
        (SECRET, "secretsmanager:TagResource", "secretsmanager:UntagResource"),
    ],
)
def test_a_resource_is_tagged_by_who_may_tag_it_at_its_service(counted, arn, tags, untags):
    for name, action, given in (
        ("TagResources", tags, {"Tags": RED}),
        ("UntagResources", untags, {"TagKeys": ["team"]}),
    ):
        told = counted.call("resourcegroupstaggingapi", name, {"ResourceARNList": [arn], **given})
        assert (told.asked, told.sent > 0) == ([(f"tag:{name}", "*"), (action, arn)], True)


def test_of_several_each_is_decided_by_itself_after_the_right_to_tag_at_all(counted):
    caller = Caller.new(counted, "tagging-several")
    given = {"ResourceARNList": [QUEUE, TABLE], "Tags": RED}
    may = allow(["tag:TagResources", "sqs:TagQueue", "dynamodb:TagResource"])
    red = {"aws:RequestTag/team": "red"}
    for statements in ([may], [allow("tag:*"), allow("sqs:*")], [may, deny("dynamodb:TagResource", StringEquals=red)]):
        caller.may(*statements)
        told = caller.call("resourcegroupstaggingapi", "TagResources", given)
        assert (told.sent > 0, told.asked[-1]) == (True, ("dynamodb:TagResource", TABLE))
    caller.may(allow("tag:TagResources"))
    told = caller.call("resourcegroupstaggingapi", "TagResources", given)
    assert (told.status, told.sent) == (200, 0)
    caller.may(allow(["sqs:TagQueue", "dynamodb:TagResource"]))
    told = caller.call("resourcegroupstaggingapi", "TagResources", given)
    assert (told.code, told.sent, told.asked) == ("AccessDeniedException", 0, [("tag:TagResources", "*")])


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:sqs:us-east-1:210987654321:q",
        f"arn:aws:sqs:eu-west-1:{ACCOUNT}:q",
        f"arn:aws:apigateway:{REGION}::/restapis/a",
        f"arn:aws:nothing:{REGION}:{ACCOUNT}:q",
        "a text that is no ARN",
    ],
)
def test_what_cannot_be_decided_is_not_tagged(counted, arn):
    told = counted.call("resourcegroupstaggingapi", "TagResources", {"ResourceARNList": [arn], "Tags": RED})
    assert (told.status, told.sent) in {(400, 0), (403, 0)}


def test_what_is_found_is_decided_as_itself(counted):
    told = counted.call("resourcegroupstaggingapi", "GetResources", {})
    assert (told.asked, told.sent > 0) == ([("tag:GetResources", "*")], True)
