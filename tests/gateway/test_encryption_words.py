"""What S3 takes as a word for how something is encrypted, and what it refuses, so that a Deny of one word holds.

AWS: S3 API Reference, PutObject, CopyObject, CreateMultipartUpload (x-amz-server-side-encryption, and that of
customers' keys), PutBucketEncryption, PutObjectTagging.
"""

import base64
import hashlib

import pytest
from gateway.forms import post, signed
from gateway.two_accounts import code_of, error_of

CUSTOMER = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
RULE = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}


@pytest.fixture
def s3(cloud):
    client = cloud.client("s3")
    client.create_bucket(Bucket="files")
    client.put_object(Bucket="files", Key="b", Body=b"data")
    return client


def ways(s3):
    """The requests that write an object."""
    at = {"Bucket": "files", "Key": "a"}
    return (
        lambda **more: s3.put_object(**at, Body=b"data", **more),
        lambda **more: s3.copy_object(**at, CopySource="files/b", **more),
        lambda **more: s3.create_multipart_upload(**at, **more),
    )


@pytest.mark.parametrize("algorithm", ["aes256", "AES128", "AWS:KMS", "aws:kms ,AES256", "aws:fsx", "NOT_SET"])
def test_only_algorithms_that_there_are_encrypt(s3, algorithm):
    for write in ways(s3):
        error = error_of(write, ServerSideEncryption=algorithm)
        assert (error["Code"], error["Message"]) == (
            "InvalidArgument",
            "The encryption method specified is not supported",
        )
    assert code_of(s3.head_object, Bucket="files", Key="a") == "404"


def test_a_form_says_it_no_otherwise(cloud, s3):
    url, word = f"{cloud.endpoint}/files", {"x-amz-server-side-encryption": "aes256"}
    form = signed(url, [["starts-with", "$key", ""], word], cloud.server.administrator, key="a", **word)
    told = post(form)
    assert (told.status, told.code) == (400, "InvalidArgument")


def test_a_customers_key_goes_with_nothing_else(s3):
    for write in ways(s3):
        assert code_of(write, ServerSideEncryption="aws:kms", **CUSTOMER) == "InvalidArgument"
        assert code_of(write, ServerSideEncryption="AES256", **CUSTOMER) == "InvalidArgument"
        other = {**CUSTOMER, "SSECustomerAlgorithm": "aws:kms"}
        assert code_of(write, **other) == "InvalidEncryptionAlgorithmError"
        # What is well said is a new bucket's to refuse (test_customer_keys.py of the embedded backend).
        assert code_of(write, **CUSTOMER) == "AccessDenied"
    md5 = base64.b64encode(hashlib.md5(b"k" * 32).digest()).decode()
    given = {"CopySourceSSECustomerAlgorithm": "AES128", "CopySourceSSECustomerKey": "k" * 32}
    given["CopySourceSSECustomerKeyMD5"] = md5
    assert code_of(ways(s3)[1], **given) == "InvalidEncryptionAlgorithmError"


def set_default(s3, *rules):
    s3.put_bucket_encryption(Bucket="files", ServerSideEncryptionConfiguration={"Rules": list(rules)})


@pytest.mark.parametrize("algorithm", ["aes256", "AES128", "AWS:KMS"])
def test_a_bucket_has_one_default_of_an_algorithm_that_there_is(s3, algorithm):
    wrong = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm}}
    for rules in ((), (RULE, RULE), (wrong,), ({"BucketKeyEnabled": True},)):
        with pytest.raises(s3.exceptions.ClientError, match="MalformedXML"):
            set_default(s3, *rules)
    with pytest.raises(s3.exceptions.ClientError, match="InvalidArgument"):
        set_default(s3, {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256", "KMSMasterKeyID": "k"}})
    set_default(s3, RULE)


def test_tags_of_an_object_are_taken_away_by_an_empty_set(s3):
    at = {"Bucket": "files", "Key": "b"}
    s3.put_object_tagging(**at, Tagging={"TagSet": [{"Key": "team", "Value": "red"}]})
    s3.put_object_tagging(**at, Tagging={"TagSet": []})
    assert s3.get_object_tagging(**at)["TagSet"] == []
