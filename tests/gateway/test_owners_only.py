"""What only callers of the owner's account can be allowed, whatever the policy of the resource says.

AWS: S3 API Reference, PutBucketPolicy ("405 Method Not Allowed"); KMS API Reference, "Cross-account use"; SQS API
Reference, "Cross-account permissions don't apply to this action".
"""

import gzip
import json
import re
from pathlib import Path

import botocore
import pytest
from gateway.two_accounts import OTHER, code_of, error_of, policy, to
from running import ACCOUNT, allow

from iamd.authz import owners_only

THEM = {"AWS": OTHER}
OURS = {"AWS": ACCOUNT}
NAMED = {
    "kms": re.compile(r"Cross-account use ?: ?No"),
    "sqs": re.compile("Cross-account permissions don.t apply to this action"),
}
ON_ALL = frozenset(
    {
        "kms:ConnectCustomKeyStore", "kms:CreateCustomKeyStore", "kms:CreateKey", "kms:DeleteCustomKeyStore",
        "kms:DescribeCustomKeyStores", "kms:DisconnectCustomKeyStore", "kms:GenerateRandom", "kms:ListAliases",
        "kms:ListKeys", "kms:UpdateCustomKeyStore", "sqs:ListQueues",
    }
)  # fmt: skip
"""What is on no resource that has a policy."""


def said(service):
    """The actions of which the service's own documentation says it."""
    path = max((Path(botocore.__file__).parent / "data" / service).glob("*/service-2.json.gz"))
    model = json.loads(gzip.decompress(path.read_bytes()))
    for name, operation in model["operations"].items():
        text = re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", operation.get("documentation", "")))
        if NAMED[service].search(text):
            yield f"{service}:{name}"


def test_the_list_is_what_the_services_say():
    assert {action for service in NAMED for action in said(service)} - ON_ALL == owners_only.WITHOUT_POLICY


@pytest.mark.parametrize("name", ["get_bucket_policy", "put_bucket_policy", "delete_bucket_policy"])
def test_a_buckets_policy_is_its_owners(cloud, other, name):
    s3, theirs = cloud.client("s3"), cloud.client("s3", other)
    s3.create_bucket(Bucket="files")
    text = policy(to(THEM, allow("s3:*", ["arn:aws:s3:::files", "arn:aws:s3:::files/*"])))
    given = {"Bucket": "files", **({"Policy": text} if name.startswith("put") else {})}
    assert code_of(getattr(theirs, name), **given) == "AccessDenied"
    s3.put_bucket_policy(Bucket="files", Policy=text)
    assert theirs.list_objects_v2(Bucket="files")["KeyCount"] == 0
    error = error_of(getattr(theirs, name), **given)
    assert (error["Code"], error["Message"]) == (
        "MethodNotAllowed",
        "The specified method is not allowed against this resource.",
    )
    assert json.loads(s3.get_bucket_policy(Bucket="files")["Policy"]) == json.loads(text)
    assert getattr(s3, name)(**given)


@pytest.mark.parametrize("action", ["s3:GetBucketPolicy", "S3:getbucketpolicy"])
def test_can_says_that_others_may_not(cloud, other, action):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="files")
    s3.put_bucket_policy(Bucket="files", Policy=policy(to(THEM, allow("s3:*", "arn:aws:s3:::files"))))
    asked = {"PrincipalArn": f"arn:aws:iam::{OTHER}:user/admin", "ResourceArn": "arn:aws:s3:::files"}
    assert cloud.iamd("Can", other, **asked, Action="s3:ListBucket")["Allowed"] is True
    assert cloud.iamd("Can", other, **asked, Action=action)["Allowed"] is False


def test_a_key_is_its_accounts_to_manage(cloud, other):
    kms, theirs = cloud.client("kms"), cloud.client("kms", other)
    key = kms.create_key()["KeyMetadata"]["Arn"]
    text = policy(to(OURS, allow("kms:*", "*")), to(THEM, allow("kms:*", "*")))
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=text)
    assert theirs.describe_key(KeyId=key)["KeyMetadata"]["Arn"] == key
    for call, given in (
        (theirs.put_key_policy, {"PolicyName": "default", "Policy": text}),
        (theirs.get_key_policy, {"PolicyName": "default"}),
        (theirs.disable_key, {}),
        (theirs.tag_resource, {"Tags": [{"TagKey": "a", "TagValue": "b"}]}),
        (theirs.schedule_key_deletion, {"PendingWindowInDays": 7}),
    ):
        assert code_of(call, KeyId=key, **given) == "AccessDeniedException"
    assert code_of(theirs.create_alias, AliasName="alias/theirs", TargetKeyId=key) == "AccessDeniedException"
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled"
    kms.disable_key(KeyId=key)


def test_a_queue_is_its_accounts_to_manage(cloud, other):
    sqs, theirs = cloud.client("sqs"), cloud.client("sqs", other)
    url = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    text = policy(to(THEM, allow("sqs:*", f"arn:aws:sqs:us-east-1:{ACCOUNT}:jobs")))
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": text})
    assert theirs.send_message(QueueUrl=url, MessageBody="m")["MessageId"]
    for call, given in (
        (theirs.set_queue_attributes, {"Attributes": {"VisibilityTimeout": "5"}}),
        (theirs.add_permission, {"Label": "a", "AWSAccountIds": [OTHER], "Actions": ["SendMessage"]}),
        (theirs.remove_permission, {"Label": "a"}),
        (theirs.tag_queue, {"Tags": {"a": "b"}}),
        (theirs.list_queue_tags, {}),
        (theirs.untag_queue, {"TagKeys": ["a"]}),
        (theirs.delete_queue, {}),
    ):
        assert code_of(call, QueueUrl=url, **given) in {"AccessDenied", "AccessDeniedException"}
    sqs.tag_queue(QueueUrl=url, Tags={"a": "b"})
