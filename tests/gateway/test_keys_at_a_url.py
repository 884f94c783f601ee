"""Keys of what lies at a backend at a URL: it is asked by which key, and its answers tell of their own.

AWS: S3 User Guide, bucket-encryption; S3 API Reference, GetBucketEncryption and GetObject.
"""

import json

import pytest
from gateway.counting import answer
from gateway.parameters import ACCOUNT, REGION
from running import allow

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/77777777-2222-3333-4444-555555555555"
OWN = KEY.replace("77777777", "88888888")
STANDING = """<ServerSideEncryptionConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule>
<ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>{}</KMSMasterKeyID>
</ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>"""
DESCRIBED = answer(json.dumps({"KeyMetadata": {"Arn": OWN, "KeyId": OWN[-36:], "KeyManager": "AWS"}}).encode())
OBJECT = {"Bucket": "at-a-url", "Key": "a"}
WRITTEN = ("s3:PutObject", "arn:aws:s3:::at-a-url/a")


@pytest.fixture(scope="module")
def users(counted):
    """Who may do all of S3, and who may use the key besides; iamd finds out which key is S3's own."""
    counted.backend.answers = [encrypted(KEY), DESCRIBED]
    counted.call("s3", "GetObject", OBJECT)
    return (
        counted.user("s3-alone", allow("s3:*")),
        counted.user("s3-and-key", allow("s3:*"), allow(["kms:GenerateDataKey", "kms:Decrypt"], KEY)),
    )


def asked_of(counted, before):
    """What the backend has been asked since then, by first lines and targets."""
    return [head.split(b" HTTP/", 1)[0].decode() for head in counted.backend.raw.heads[before:]]


def encrypted(key):
    headers = ("x-amz-server-side-encryption: aws:kms", f"x-amz-server-side-encryption-aws-kms-key-id: {key}")
    return answer(b"secret", "200 OK", *headers)


def test_the_backend_tells_the_buckets_default_and_once(counted, users):
    alone, both = users
    counted.backend.answers = [answer(STANDING.format(KEY).encode())]
    before = len(counted.backend.raw.heads)
    told = counted.call("s3", "PutObject", {**OBJECT, "Body": b"m"}, alone)
    assert (told.code, told.asked) == ("AccessDenied", [WRITTEN, ("kms:GenerateDataKey", KEY)])
    assert asked_of(counted, before) == ["GET /at-a-url?encryption"]
    before = len(counted.backend.raw.heads)
    told = counted.call("s3", "PutObject", {**OBJECT, "Body": b"m"}, both)
    assert (told.status, told.asked) == (200, [WRITTEN, ("kms:GenerateDataKey", KEY)])
    assert asked_of(counted, before) == ["PUT /at-a-url/a"]


def test_an_answer_tells_by_which_key_its_object_is_encrypted(counted, users):
    alone, both = users
    for key, user, code in ((KEY, alone, "AccessDenied"), (KEY, both, ""), (OWN, alone, "")):
        counted.backend.answers = [encrypted(key)]
        told = counted.call("s3", "GetObject", OBJECT, user)
        assert (told.code, told.asked[-1]) == (code, ("kms:Decrypt", key))
    # One of another account, of which nobody has seen a policy, is open to nobody.
    counted.backend.answers = [encrypted(KEY.replace(ACCOUNT, "444455556666"))]
    assert counted.call("s3", "GetObject", OBJECT, counted.user("able", allow("*"))).code == "AccessDenied"


def test_an_answer_that_tells_it_twice_is_believed_when_it_names_a_key(counted, users):
    alone, both = users
    headers = ("x-amz-server-side-encryption: AES256", "x-amz-server-side-encryption: aws:kms")
    twice = answer(b"secret", "200 OK", *headers, f"x-amz-server-side-encryption-aws-kms-key-id: {KEY}")
    for user, code in ((alone, "AccessDenied"), (both, "")):
        counted.backend.answers = [twice]
        told = counted.call("s3", "GetObject", OBJECT, user)
        assert (told.code, told.asked[-1]) == (code, ("kms:Decrypt", KEY))


def test_a_source_that_is_not_told_of_is_not_copied(counted, users):
    alone, both = users
    copied = {"Bucket": "plain", "Key": "b", "CopySource": "at-a-url/a", "ServerSideEncryption": "AES256"}
    counted.backend.answers = [answer(b"", "500 Internal Server Error")]
    told = counted.call("s3", "CopyObject", copied, both)
    assert (told.code, told.message) == ("AccessDenied", "The backend does not tell by which key this is encrypted.")
    for user, code in ((alone, "AccessDenied"), (both, "")):
        counted.backend.answers = [encrypted(KEY)]
        assert counted.call("s3", "CopyObject", copied, user).code == code
