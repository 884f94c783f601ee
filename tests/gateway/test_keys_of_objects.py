"""S3's use of KMS keys for its callers: what is written and read by SSE-KMS needs the key as well.

AWS: S3 User Guide, UsingKMSEncryption and bucket-key; S3 API Reference, CreateMultipartUpload ("Permissions"); KMS
Developer Guide, "kms:ViaService", "kms:EncryptionContext:context-key"; IAM User Guide, access_forward_access_sessions.
"""

import base64
import json
from typing import Any

import pytest
import urllib3
from botocore import UNSIGNED
from botocore.exceptions import ClientError
from gateway.two_accounts import OTHER, code_of, error_of, everybody, policy, to, user_of
from running import ACCOUNT, REGION, allow, deny

FILES = "arn:aws:s3:::files"
OBJECT = f"{FILES}/a"
S3 = allow("s3:*")
VIA = {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}
CONTEXT = "kms:EncryptionContext:aws:s3:arn"
REFUSED, BECAUSE = "is not authorized to perform:", "because no identity-based policy allows the"
ON_CIPHERTEXT = "on the resource associated with this ciphertext"
NOT_SIGNED = "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4."


@pytest.fixture
def s3(cloud):
    """The administrator's S3, with a bucket."""
    client = cloud.client("s3")
    client.create_bucket(Bucket="files")
    return client


@pytest.fixture
def key(cloud):
    """The ARN of a customer key with the default policy."""
    return cloud.client("kms").create_key()["KeyMetadata"]["Arn"]


def user(cloud, *statements, name="user"):
    return cloud.client("s3", cloud.user(name, S3, *statements))


def by(key: str | None = None, algorithm: str = "aws:kms", **more: Any) -> dict[str, Any]:
    """The parameters that have an object encrypted."""
    return {"ServerSideEncryption": algorithm, **({"SSEKMSKeyId": key} if key else {}), **more}


def put(client, name="a", **given):
    return client.put_object(Bucket="files", Key=name, Body=b"data", **given)


def get(client, name="a", **given):
    return client.get_object(Bucket="files", Key=name, **given)["Body"].read()


def default(s3, key: str | None = None, *, bucket_key: bool = False):
    standing = {"SSEAlgorithm": "aws:kms", **({"KMSMasterKeyID": key} if key else {})}
    rule = {"ApplyServerSideEncryptionByDefault": standing, "BucketKeyEnabled": bucket_key}
    s3.put_bucket_encryption(Bucket="files", ServerSideEncryptionConfiguration={"Rules": [rule]})


def test_writing_needs_to_generate_a_data_key_and_reading_to_decrypt(cloud, s3, key):
    without = user(cloud)
    writer = user(cloud, allow("kms:GenerateDataKey", key), name="writer")
    reader = user(cloud, allow("kms:Decrypt", key), name="reader")
    arn = f"arn:aws:iam::{ACCOUNT}:user"
    for client, name in ((without, "user"), (reader, "reader")):
        error = error_of(put, client=client, **by(key))
        assert (error["Code"], error["Message"]) == (
            "AccessDenied",
            f"User: {arn}/{name} {REFUSED} kms:GenerateDataKey on resource: {key} {BECAUSE} kms:GenerateDataKey action",
        )
    told = put(writer, **by(key))
    assert (told["ServerSideEncryption"], told["SSEKMSKeyId"]) == ("aws:kms", key)
    for client, name in ((without, "user"), (writer, "writer")):
        error = error_of(get, client=client)
        assert (error["Code"], error["Message"]) == (
            "AccessDenied",
            f"User: {arn}/{name} {REFUSED} kms:Decrypt {ON_CIPHERTEXT} {BECAUSE} kms:Decrypt action",
        )
    assert get(reader) == b"data"
    put(without, "plain", ServerSideEncryption="AES256")
    assert get(without, "plain") == b"data"


def test_metadata_need_no_key_but_the_checksum_does(cloud, s3, key):
    without = user(cloud)
    put(s3, ChecksumAlgorithm="SHA256", **by(key))
    assert without.head_object(Bucket="files", Key="a")["SSEKMSKeyId"] == key
    assert code_of(without.head_object, Bucket="files", Key="a", ChecksumMode="ENABLED") == "403"
    attributes = without.get_object_attributes(Bucket="files", Key="a", ObjectAttributes=["ObjectSize"])
    assert attributes["ObjectSize"] == 4
    asked = {"Bucket": "files", "Key": "a", "ObjectAttributes": ["ObjectSize", "Checksum"]}
    assert code_of(without.get_object_attributes, **asked) == "AccessDenied"


@pytest.mark.parametrize("algorithm", ["aws:kms", "aws:kms:dsse"])
def test_a_key_goes_by_its_id_and_by_aliases(cloud, s3, key, algorithm):
    kms, other = cloud.client("kms"), cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/app", TargetKeyId=key)
    client = user(cloud, allow(["kms:GenerateDataKey", "kms:Decrypt"], key))
    for name in (key.rpartition("/")[2], "alias/app", f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/app"):
        assert put(client, **by(name, algorithm))["SSEKMSKeyId"] == key
    kms.update_alias(AliasName="alias/app", TargetKeyId=other)
    # What is encrypted stays so by the key that the alias had.
    assert get(client) == b"data"
    assert code_of(put, client=client, **by("alias/app", algorithm)) == "AccessDenied"


def test_the_buckets_default_counts_where_a_request_says_nothing(cloud, s3, key):
    without, client = user(cloud), user(cloud, allow("kms:*", key), name="client")
    default(s3, key)
    assert code_of(put, client=without) == "AccessDenied"
    assert put(client)["SSEKMSKeyId"] == key
    assert code_of(get, client=without) == "AccessDenied"
    put(without, "plain", ServerSideEncryption="AES256")
    s3.delete_bucket_encryption(Bucket="files")
    put(without, "plain")
    assert get(without, "plain") == b"data"


def test_the_aws_managed_key_is_open_to_the_account_through_s3(cloud, s3, other):
    client = user(cloud)
    managed = put(client, **by())["SSEKMSKeyId"]
    assert get(client) == b"data"
    told = cloud.client("kms").describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
    assert managed == told["Arn"]
    s3.put_bucket_policy(Bucket="files", Policy=policy(to({"AWS": OTHER}, allow("s3:GetObject", OBJECT))))
    theirs = cloud.client("s3", other)
    message = error_of(theirs.get_object, Bucket="files", Key="a")["Message"]
    assert message.endswith(
        "no resource-based policies allow access, or a resource-based policy explicitly denies access"
    )
    kms = cloud.client("kms", cloud.user("direct", allow("kms:*")))
    assert code_of(kms.generate_data_key, KeyId=managed, KeySpec="AES_256") == "AccessDeniedException"


@pytest.mark.parametrize("key_id", [None, "alias/aws/s3"])
def test_a_deny_through_s3_holds_for_the_aws_managed_key(cloud, s3, key_id):
    put(s3, **by())
    client = user(cloud, deny("kms:*", StringEquals=VIA))
    assert "explicit deny" in error_of(put, client=client, **by(key_id))["Message"]
    assert "explicit deny" in error_of(get, client=client)["Message"]
    elsewhere = user(cloud, deny("kms:*", StringEquals={"kms:ViaService": "sqs.us-east-1.amazonaws.com"}), name="free")
    put(elsewhere, **by(key_id))
    assert get(elsewhere) == b"data"


def test_condition_keys_of_calls_through_s3(cloud, s3, key):
    wanted = {
        "StringEquals": {**VIA, "kms:CallerAccount": ACCOUNT, CONTEXT: OBJECT, "kms:KeySpec": "SYMMETRIC_DEFAULT"},
        "Bool": {"aws:ViaAWSService": "true"},
        "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["aws:s3:arn"]},
        "Null": {"aws:SourceIp": "true", "kms:RequestAlias": "true"},
    }
    client = user(cloud, allow(["kms:GenerateDataKey", "kms:Decrypt"], key, **wanted))
    put(client, **by(key))
    assert get(client) == b"data"
    assert code_of(put, client=client, name="b", **by(key)) == "AccessDenied"
    put(s3, "b", **by(key))
    assert code_of(get, client=client, name="b") == "AccessDenied"


@pytest.mark.parametrize("at", ["request", "bucket"])
def test_with_bucket_keys_the_context_is_the_bucket(cloud, s3, key, at):
    on_bucket = {"StringEquals": {CONTEXT: FILES}}
    client = user(cloud, allow("kms:*", key, **on_bucket))
    given = by(key)
    if at == "bucket":
        default(s3, key, bucket_key=True)
    else:
        assert code_of(put, client=client, **given) == "AccessDenied"
        given["BucketKeyEnabled"] = True
    assert put(client, **given)["BucketKeyEnabled"] is True
    assert get(client) == b"data"
    assert code_of(put, client=client, **{**given, "BucketKeyEnabled": False}) == "AccessDenied"


def test_a_request_adds_to_the_context(cloud, s3, key):
    client = user(cloud, allow("kms:GenerateDataKey", key, StringEquals={"kms:EncryptionContext:team": "blue"}))
    text = base64.b64encode(json.dumps({"team": "blue"}).encode()).decode()
    put(client, **by(key, SSEKMSEncryptionContext=text))
    assert code_of(put, client=client, **by(key)) == "AccessDenied"
    assert code_of(put, client=client, **by(key, SSEKMSEncryptionContext="team=blue")) == "InvalidArgument"


def test_copying_decrypts_the_source_and_generates_for_the_copy(cloud, s3, key):
    second = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    put(s3, **by(key))
    source = {"Bucket": "files", "Key": "copy", "CopySource": "files/a"}
    reads, writes = allow("kms:Decrypt", key), allow("kms:GenerateDataKey", second)
    assert code_of(user(cloud, writes).copy_object, **source, **by(second)) == "AccessDenied"
    reader = user(cloud, reads, name="reader")
    assert code_of(reader.copy_object, **source, **by(second)) == "AccessDenied"
    assert user(cloud, reads, writes, name="both").copy_object(**source, **by(second))["SSEKMSKeyId"] == second
    reader.copy_object(**source)
    assert get(user(cloud, name="anybody"), "copy") == b"data"


@pytest.mark.parametrize("begun", [{}, by("other"), {"ServerSideEncryption": "AES256"}])
def test_an_upload_is_encrypted_as_it_was_begun(cloud, s3, key, begun):
    """AWS: S3 User Guide, bucket-encryption: a default counts for what is written from then on."""
    if "SSEKMSKeyId" in begun:
        begun = by(cloud.client("kms").create_key()["KeyMetadata"]["Arn"], BucketKeyEnabled=False)
    upload = {"Bucket": "files", "Key": "a"}
    upload["UploadId"] = s3.create_multipart_upload(**upload, **begun)["UploadId"]
    default(s3, key, bucket_key=True)
    tag = s3.upload_part(**upload, PartNumber=1, Body=b"data")["ETag"]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [{"ETag": tag, "PartNumber": 1}]})
    told = s3.head_object(Bucket="files", Key="a")
    assert told["ServerSideEncryption"] == begun.get("ServerSideEncryption", "AES256")
    assert told.get("SSEKMSKeyId") == begun.get("SSEKMSKeyId")
    assert told.get("BucketKeyEnabled", False) is False


def test_uploads_in_parts(cloud, s3, key):
    generates, decrypts = allow("kms:GenerateDataKey", key), allow("kms:Decrypt", key)
    without, begins = user(cloud), user(cloud, generates, name="begins")
    both = user(cloud, generates, decrypts, name="both")
    at = {"Bucket": "files", "Key": "parts"}
    assert code_of(without.create_multipart_upload, **at, **by(key)) == "AccessDenied"
    upload = {**at, "UploadId": begins.create_multipart_upload(**at, **by(key))["UploadId"]}
    part = {**upload, "PartNumber": 1}
    assert code_of(begins.upload_part, **part, Body=b"data") == "AccessDenied"
    tag = both.upload_part(**part, Body=b"data")["ETag"]
    put(s3)
    assert code_of(begins.upload_part_copy, **part, CopySource="files/a") == "AccessDenied"
    both.upload_part_copy(**{**part, "PartNumber": 2}, CopySource="files/a")
    assert code_of(begins.list_parts, **upload) == "AccessDenied"
    whole = {**upload, "MultipartUpload": {"Parts": [{"ETag": tag, "PartNumber": 1}]}}
    assert code_of(begins.complete_multipart_upload, **whole) == "AccessDenied"
    both.complete_multipart_upload(**whole)
    assert code_of(get, client=begins, name="parts") == "AccessDenied"
    assert get(both, "parts") == b"data"


def test_a_key_of_another_account_needs_both(cloud, s3, other):
    kms = cloud.client("kms", other)
    key = kms.create_key()["KeyMetadata"]["Arn"]
    client, without = user(cloud, allow("kms:*", key)), user(cloud, name="without")
    error = error_of(put, client=client, **by(key))
    assert "because no resource-based policy allows the kms:GenerateDataKey action" in error["Message"]
    ours = to({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, allow(["kms:GenerateDataKey*", "kms:Decrypt"]))
    own = to({"AWS": f"arn:aws:iam::{OTHER}:root"}, allow("kms:*"))
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy(own, ours))
    put(client, **by(key))
    assert get(client) == b"data"
    assert code_of(put, client=without, **by(key)) == "AccessDenied"
    # The owner of the key may use it, and is let into the bucket by nobody.
    theirs = cloud.client("s3", user_of(cloud, other, "theirs", allow("*")))
    assert code_of(get, client=theirs) == "AccessDenied"


def test_a_key_policy_and_a_grant_are_enough(cloud, s3):
    kms, arn = cloud.client("kms"), f"arn:aws:iam::{ACCOUNT}:user"
    named, granted = user(cloud, name="named"), user(cloud, name="granted")
    own = to({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, allow("kms:*"))
    text = policy(own, to({"AWS": f"{arn}/named"}, allow("kms:GenerateDataKey", StringEquals=VIA)))
    key = kms.create_key(Policy=text)["KeyMetadata"]["Arn"]
    put(named, **by(key))
    assert code_of(get, client=granted) == "AccessDenied"
    kms.create_grant(
        KeyId=key,
        GranteePrincipal=f"{arn}/granted",
        Operations=["Decrypt"],
        Constraints={"EncryptionContextSubset": {"aws:s3:arn": OBJECT}},
    )
    assert get(granted) == b"data"
    put(named, "b", **by(key))
    assert code_of(get, client=granted, name="b") == "AccessDenied"


def test_keys_that_cannot_be_used(cloud, s3, key):
    kms = cloud.client("kms")
    put(s3, **by(key))
    for name in ("alias/none", "11111111-2222-3333-4444-555555555555", key.replace(REGION, "eu-west-1")):
        assert code_of(put, client=s3, **by(name)) == "KMS.NotFoundException"
    kms.disable_key(KeyId=key)
    assert error_of(put, client=s3, **by(key)) == {"Code": "KMS.DisabledException", "Message": f"{key} is disabled."}
    assert code_of(get, client=s3) == "KMS.DisabledException"
    kms.enable_key(KeyId=key)
    assert get(s3) == b"data"
    kms.schedule_key_deletion(KeyId=key)
    assert code_of(get, client=s3) == "KMS.KMSInvalidStateException"
    assert code_of(put, client=s3, SSEKMSKeyId=key) == "InvalidArgument"


def test_nobody_uses_a_key_without_a_signature(cloud, s3, key):
    s3.delete_public_access_block(Bucket="files")
    s3.put_bucket_policy(
        Bucket="files", Policy=policy(everybody(allow(["s3:GetObject", "s3:PutObject"], f"{FILES}/*")))
    )
    put(s3, **by(key))
    anybody = cloud.client("s3", signature_version=UNSIGNED)
    assert error_of(get, client=anybody) == {"Code": "InvalidArgument", "Message": NOT_SIGNED}
    assert code_of(put, client=anybody, **by(key)) == "InvalidArgument"
    put(anybody, "plain")
    assert get(anybody, "plain") == b"data"


def test_each_use_is_an_event_of_kms(cloud, s3, key):
    client = user(cloud, allow("kms:GenerateDataKey", key))
    put(client, **by(key))
    with pytest.raises(ClientError) as raised:
        get(client)
    (made,) = cloud.events("GenerateDataKey")
    assert (made["eventSource"], made["readOnly"], made["managementEvent"]) == ("kms.amazonaws.com", True, True)
    assert (made["sourceIPAddress"], made["userAgent"]) == ("s3.amazonaws.com", "s3.amazonaws.com")
    assert (made["userIdentity"]["userName"], made["userIdentity"]["invokedBy"]) == ("user", "s3.amazonaws.com")
    assert made["requestParameters"] == {
        "keyId": key, "keySpec": "AES_256", "encryptionContext": {"aws:s3:arn": OBJECT},
    }  # fmt: skip
    assert made["resources"] == [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": key}]
    (refused,) = cloud.events("Decrypt")
    assert refused["errorCode"] == "AccessDenied"
    assert "kms:Decrypt" in refused["errorMessage"]
    told = cloud.explain(raised.value.response["ResponseMetadata"]["RequestId"])
    assert [(one["Action"], one["Resource"]) for one in told["Decisions"]] == [
        ("s3:GetObject", OBJECT), ("kms:Decrypt", key),
    ]  # fmt: skip


def test_a_form_needs_the_key_as_well(cloud, s3, key):
    def posted(name, *statements):
        client = cloud.client("s3", cloud.user(name, S3, *statements), signature_version="s3v4")
        fields = {"x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": key}
        conditions = [{name: value} for name, value in fields.items()]
        form = client.generate_presigned_post("files", "a", Fields=fields, Conditions=conditions)
        with urllib3.PoolManager() as pool:
            return pool.request("POST", form["url"], fields={**form["fields"], "file": ("a", b"data")}).status

    assert posted("without") == 403
    assert posted("writer", allow("kms:GenerateDataKey", key)) == 204
    assert s3.head_object(Bucket="files", Key="a")["SSEKMSKeyId"] == key


def test_tags_of_the_key_count(cloud, s3):
    key = cloud.client("kms").create_key(Tags=[{"TagKey": "team", "TagValue": "blue"}])["KeyMetadata"]["Arn"]
    blue = user(cloud, allow("kms:*", StringEquals={"aws:ResourceTag/team": "blue"}))
    red = user(cloud, allow("kms:*", StringEquals={"aws:ResourceTag/team": "red"}), name="red")
    put(blue, **by(key))
    assert get(blue) == b"data"
    assert code_of(get, client=red) == "AccessDenied"
