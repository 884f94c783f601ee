"""What was encrypted by one key stays so when its queue or stream has another, or none.

AWS: SQS Developer Guide, sqs-server-side-encryption: neither the end of encryption nor a dead-letter queue decrypts what
is there; Kinesis Data Streams Developer Guide, what-is-sse and permissions-user-key-KMS: who reads a record needs its key.
"""

import json
from typing import Any

import pytest
from gateway.two_accounts import code_of
from running import ACCOUNT, AWS, REGION, allow, deny


def key(cloud: AWS) -> str:
    return cloud.client("kms").create_key()["KeyMetadata"]["Arn"]


def without(cloud: AWS, service: str, *keys: str) -> Any:
    """The client of somebody who may do everything, but nothing with these keys."""
    return cloud.client(service, cloud.user("mallory", allow("*"), deny("kms:*", list(keys))))


def queue(cloud: AWS, name: str, **attributes: str) -> str:
    return cloud.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]


def redrive(to: str) -> dict[str, str]:
    policy = {"deadLetterTargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{to}", "maxReceiveCount": 1}
    return {"VisibilityTimeout": "0", "RedrivePolicy": json.dumps(policy)}


@pytest.mark.parametrize("to", ["none", "other", "alias", "alias made anew"])
def test_messages_stay_encrypted_by_the_key_of_their_time(cloud, to):
    first, second, kms = key(cloud), key(cloud), cloud.client("kms")
    kms.create_alias(AliasName="alias/app", TargetKeyId=first)
    url = queue(cloud, "q", KmsMasterKeyId="alias/app" if "alias" in to else first)
    admin, mallory = cloud.client("sqs"), without(cloud, "sqs", first)
    admin.send_message(QueueUrl=url, MessageBody="hidden")
    if to == "alias":
        kms.update_alias(AliasName="alias/app", TargetKeyId=second)
    elif to == "alias made anew":
        kms.delete_alias(AliasName="alias/app")
        kms.create_alias(AliasName="alias/app", TargetKeyId=second)
    else:
        mallory.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": second if to == "other" else ""})
    assert code_of(mallory.receive_message, QueueUrl=url) == "KMS.AccessDeniedException"
    (message,) = admin.receive_message(QueueUrl=url)["Messages"]
    # What is received but not deleted is there still.
    assert code_of(mallory.receive_message, QueueUrl=url) == "KMS.AccessDeniedException"
    admin.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    # Nothing of that time is left.
    mallory.receive_message(QueueUrl=url)
    mallory.send_message(QueueUrl=url, MessageBody="new")
    assert mallory.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "new"


def test_a_key_that_was_refused_is_none_that_a_queue_had(cloud):
    first, second = key(cloud), key(cloud)
    url = queue(cloud, "q", KmsMasterKeyId=first)
    given = {"KmsMasterKeyId": second, "RedrivePolicy": json.dumps({"maxReceiveCount": 1})}
    assert code_of(cloud.client("sqs").set_queue_attributes, QueueUrl=url, Attributes=given) == "InvalidParameterValue"
    cloud.client("sqs").send_message(QueueUrl=url, MessageBody="here")
    assert without(cloud, "sqs", second).receive_message(QueueUrl=url)["Messages"]


def test_a_queue_that_was_emptied_needs_no_former_key(cloud):
    first, sqs = key(cloud), cloud.client("sqs")
    url = queue(cloud, "q", KmsMasterKeyId=first)
    sqs.send_message(QueueUrl=url, MessageBody="hidden")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": ""})
    sqs.purge_queue(QueueUrl=url)
    sqs.send_message(QueueUrl=url, MessageBody="open")
    assert without(cloud, "sqs", first).receive_message(QueueUrl=url)["Messages"][0]["Body"] == "open"


@pytest.mark.parametrize("how", ["at once", "after a change", "when its source is gone", "over another"])
def test_dead_letters_stay_encrypted(cloud, how):
    first, second, sqs = key(cloud), key(cloud), cloud.client("sqs")
    dead = queue(cloud, "dead")
    middle = queue(cloud, "middle", **redrive("dead")) if how == "over another" else None
    url = queue(cloud, "q", KmsMasterKeyId=first, **redrive("middle" if middle else "dead"))
    sqs.send_message(QueueUrl=url, MessageBody="hidden")
    for one in (url, middle):
        for _ in range(3 if one else 0):
            sqs.receive_message(QueueUrl=one)
    if how == "after a change":
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": second, "RedrivePolicy": ""})
    elif how == "when its source is gone":
        sqs.delete_queue(QueueUrl=url)
    mallory = without(cloud, "sqs", first)
    assert code_of(mallory.receive_message, QueueUrl=dead) == "KMS.AccessDeniedException"
    assert sqs.receive_message(QueueUrl=dead)["Messages"][0]["Body"] == "hidden"


def test_a_queue_that_gets_no_dead_letters_of_an_encrypted_one_needs_no_key(cloud):
    first = key(cloud)
    queue(cloud, "dead")
    url = queue(cloud, "plain", **redrive("dead"))
    queue(cloud, "q", KmsMasterKeyId=first)
    cloud.client("sqs").send_message(QueueUrl=url, MessageBody="open")
    assert without(cloud, "sqs", first).receive_message(QueueUrl=url)["Messages"]


@pytest.mark.parametrize("to", ["none", "other"])
def test_records_stay_encrypted_by_the_key_of_their_time(cloud, to):
    first, second, kinesis = key(cloud), key(cloud), cloud.client("kinesis")
    kinesis.create_stream(StreamName="s", ShardCount=1)
    kinesis.start_stream_encryption(StreamName="s", EncryptionType="KMS", KeyId=first)
    kinesis.put_record(StreamName="s", Data=b"hidden", PartitionKey="a")
    shard = kinesis.list_shards(StreamName="s")["Shards"][0]["ShardId"]
    given = {"StreamName": "s", "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
    iterator, mallory = kinesis.get_shard_iterator(**given)["ShardIterator"], without(cloud, "kinesis", first)
    if to == "none":
        mallory.stop_stream_encryption(StreamName="s", EncryptionType="KMS", KeyId=first)
    else:
        mallory.start_stream_encryption(StreamName="s", EncryptionType="KMS", KeyId=second)
    assert code_of(mallory.get_records, ShardIterator=iterator) == "KMSAccessDeniedException"
    assert [one["Data"] for one in kinesis.get_records(ShardIterator=iterator)["Records"]] == [b"hidden"]
    mallory.put_record(StreamName="s", Data=b"new", PartitionKey="a")


def test_a_dead_letter_queue_that_was_empty_may_get_what_was_encrypted_before(cloud):
    first, sqs = key(cloud), cloud.client("sqs")
    dead = queue(cloud, "dead")
    url = queue(cloud, "q", KmsMasterKeyId=first, **redrive("dead"))
    sqs.send_message(QueueUrl=url, MessageBody="hidden")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": ""})
    mallory, refused = without(cloud, "sqs", first), "KMS.AccessDeniedException"
    # Nothing is here yet, and it may come at any time.
    assert code_of(mallory.receive_message, QueueUrl=dead) == refused
    for _ in range(3):
        sqs.receive_message(QueueUrl=url)
    assert "Messages" not in mallory.receive_message(QueueUrl=url)
    assert code_of(mallory.receive_message, QueueUrl=dead) == refused
    (message,) = sqs.receive_message(QueueUrl=dead)["Messages"]
    sqs.delete_message(QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])
    # Nothing is left in either, which shows when they are read.
    sqs.receive_message(QueueUrl=dead)
    assert "Messages" not in mallory.receive_message(QueueUrl=dead)
