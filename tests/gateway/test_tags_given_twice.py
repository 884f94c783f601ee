"""Tags that two readers could read differently: a request with them is refused, and no backend gets it.

AWS: S3 API Reference, PutObject and PutObjectTagging (InvalidTag) and CopyObject (COPY or REPLACE); KMS API Reference,
CreateKey (TagException); Secrets Manager API Reference, CreateSecret; IAM User Guide, aws:RequestTag.
"""

import pytest
from gateway.two_accounts import error_of
from running import allow, deny

TWICE = [{"Key": "env", "Value": "prod"}, {"Key": "env", "Value": "dev"}]
NOT_PROD = deny("*", StringEquals={"s3:RequestObjectTag/env": "prod"})
FILE = {"Bucket": "files", "Key": "a"}


@pytest.fixture
def files(cloud):
    """The administrator's client, with an object that has a tag."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="files")
    s3.put_object(Bucket="files", Key="source", Body=b"data", Tagging="env=prod")
    return s3


def test_an_objects_tag_has_one_value(files):
    named, tags = {**FILE, "Tagging": "env=prod&env=dev"}, {"TagSet": TWICE}
    refused = [
        error_of(files.put_object, **named, Body=b"data"),
        error_of(files.create_multipart_upload, **named),
        error_of(files.copy_object, **named, CopySource="files/source", TaggingDirective="REPLACE"),
        error_of(files.put_object_tagging, Bucket="files", Key="source", Tagging=tags),
    ]
    assert [one["Code"] for one in refused] == ["InvalidTag"] * 4
    assert {one["Message"] for one in refused} == {"Cannot provide multiple Tags with the same key"}
    assert [one["Key"] for one in files.list_objects_v2(Bucket="files")["Contents"]] == ["source"]
    assert files.get_object_tagging(Bucket="files", Key="source")["TagSet"] == [{"Key": "env", "Value": "prod"}]


@pytest.mark.parametrize("directive", ["replace", "Copy", "none"])
@pytest.mark.parametrize(("member", "word"), [("TaggingDirective", "tagging"), ("MetadataDirective", "metadata")])
def test_a_directive_is_one_of_two_words(files, member, word, directive):
    refused = error_of(files.copy_object, **FILE, CopySource="files/source", **{member: directive})
    assert (refused["Code"], refused["Message"]) == ("InvalidArgument", f"Unknown {word} directive.")
    assert refused["ArgumentValue"] == directive


def test_of_keys_that_differ_by_case_the_first_counts(cloud, files):
    """Which of them AWS takes for s3:RequestObjectTag no page says: docs/divergences.md."""
    mallory = cloud.client("s3", cloud.user("mallory", allow("s3:*"), NOT_PROD))
    for order in ("ENV=prod&env=dev", "env=dev&ENV=prod"):
        assert error_of(mallory.put_object, **FILE, Body=b"data", Tagging=order)["Code"] == "AccessDenied"
    mallory.put_object(**FILE, Body=b"data", Tagging="ENV=dev&env=prod")


@pytest.mark.parametrize(
    ("service", "operation", "given", "code"),
    [
        ("kms", "create_key", {"Tags": [{"TagKey": one["Key"], "TagValue": one["Value"]} for one in TWICE]}, "Tag"),
        ("secretsmanager", "create_secret", {"Name": "s", "SecretString": "x", "Tags": TWICE}, "InvalidParameter"),
        (
            "dynamodb",
            "create_table",
            {
                "TableName": "tab",
                "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
                "BillingMode": "PAY_PER_REQUEST",
                "Tags": TWICE,
            },
            "Validation",
        ),
        (
            "directconnect",
            "create_lag",
            {
                "numberOfConnections": 1,
                "location": "x",
                "connectionsBandwidth": "1Gbps",
                "lagName": "lag",
                "tags": [{"key": "env", "value": "prod"}],
                "childConnectionTags": [{"key": "env", "value": "dev"}],
            },
            "Validation",
        ),
    ],
)
def test_a_tag_of_a_request_has_one_value(cloud, service, operation, given, code):
    refused = error_of(getattr(cloud.client(service), operation), **given)
    assert (refused["Code"], refused["Message"]) == (f"{code}Exception", "Duplicate tag key 'env' specified.")
