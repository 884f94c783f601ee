"""Encryption of S3's objects by a customer's key, which new buckets block (S3 User Guide, "Blocking or unblocking SSE-C").

Without that the embedded backend would take the key and show the object to whoever reads without it.
"""

import pytest
from gateway.forms import post, signed
from gateway.two_accounts import code_of, error_of

KEY = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
SOURCE_KEY = {"CopySourceSSECustomerAlgorithm": "AES256", "CopySourceSSECustomerKey": "k" * 32}
BY_S3 = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}


@pytest.fixture
def s3(cloud):
    client = cloud.client("s3")
    client.create_bucket(Bucket="files")
    client.put_object(Bucket="files", Key="a", Body=b"data")
    return client


def test_nothing_is_written_by_a_customers_key(s3):
    begun = s3.create_multipart_upload(Bucket="files", Key="parts")["UploadId"]
    part = {"Bucket": "files", "Key": "parts", "UploadId": begun, "PartNumber": 1}
    for write, given in (
        (s3.put_object, {"Bucket": "files", "Key": "b", "Body": b"data"}),
        (s3.copy_object, {"Bucket": "files", "Key": "b", "CopySource": "files/a"}),
        (s3.create_multipart_upload, {"Bucket": "files", "Key": "b"}),
        (s3.upload_part, {**part, "Body": b"data"}),
        (s3.upload_part_copy, {**part, "CopySource": "files/a"}),
    ):
        assert code_of(write, **given, **KEY) == "AccessDenied"
    assert code_of(s3.head_object, Bucket="files", Key="b") == "404"
    assert "Parts" not in s3.list_parts(Bucket="files", Key="parts", UploadId=begun)


def test_a_form_writes_nothing_by_one_either(cloud, s3):
    words = {
        "x-amz-server-side-encryption-customer-algorithm": "AES256",
        "x-amz-server-side-encryption-customer-key": "a2traw==",
    }
    conditions = [["starts-with", "$key", ""], *({name: value} for name, value in words.items())]
    told = post(signed(f"{cloud.endpoint}/files", conditions, cloud.server.administrator, key="b", **words))
    assert (told.status, told.code) == (403, "AccessDenied")
    assert code_of(s3.head_object, Bucket="files", Key="b") == "404"


def test_a_customers_key_opens_no_object_that_none_encrypts(s3):
    error = error_of(s3.get_object, Bucket="files", Key="a", **KEY)
    assert error["Code"] == "InvalidRequest"
    assert error["Message"] == "The encryption parameters are not applicable to this object."
    assert code_of(s3.head_object, Bucket="files", Key="a", **KEY) == "400"
    copy = {"Bucket": "files", "Key": "b", "CopySource": "files/a"}
    assert code_of(s3.copy_object, **copy, **SOURCE_KEY) == "InvalidRequest"
    assert code_of(s3.head_object, Bucket="files", Key="b") == "404"


def test_an_object_that_is_not_there_is_missing_with_a_key_too(s3):
    assert code_of(s3.get_object, Bucket="files", Key="missing", **KEY) == "NoSuchKey"
    assert code_of(s3.head_object, Bucket="files", Key="missing", **KEY) == "404"


def test_a_bucket_goes_on_blocking_them(s3):
    def blocks(*types):
        rule = {**BY_S3, "BlockedEncryptionTypes": {"EncryptionType": list(types)}}
        s3.put_bucket_encryption(Bucket="files", ServerSideEncryptionConfiguration={"Rules": [rule]})

    blocks("SSE-C")
    for types in (("NONE",), ("NONE", "SSE-C")):
        with pytest.raises(s3.exceptions.ClientError, match="NotImplemented"):
            blocks(*types)
    assert code_of(s3.put_object, Bucket="files", Key="b", Body=b"data", **KEY) == "AccessDenied"
