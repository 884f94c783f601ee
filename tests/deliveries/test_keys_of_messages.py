"""SQS's and SNS's use of KMS keys: for those who send and receive, and for services that send for themselves.

AWS: SQS Developer Guide, sqs-key-management ("Configure KMS permissions for AWS services"); SNS Developer Guide,
sns-key-management.
"""

import json

import pytest
from botocore import UNSIGNED
from deliveries.conftest import of_source
from gateway.two_accounts import code_of, error_of, policy, to
from running import ACCOUNT, REGION, allow, deny

SNS = "sns.amazonaws.com"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:news"
OWN = to({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, allow("kms:*"))
BOTH = ["kms:GenerateDataKey", "kms:Decrypt"]


@pytest.fixture
def key(cloud):
    """The ARN of a customer key with the default policy."""
    return cloud.client("kms").create_key()["KeyMetadata"]["Arn"]


def test_sending_generates_and_decrypts_and_receiving_decrypts(cloud, inbox, key):
    queue = inbox()
    queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"KmsMasterKeyId": key})
    context = {"kms:EncryptionContext:aws:sqs:arn": queue.arn, "kms:ViaService": f"sqs.{REGION}.amazonaws.com"}

    def client(name, *actions):
        granted = [allow(list(actions), key, StringEquals=context)] if actions else []
        return cloud.client("sqs", cloud.user(name, allow("sqs:*"), *granted))

    none, half, both, reader = client("none"), client("half", BOTH[0]), client("both", *BOTH), client("reader", BOTH[1])
    for sender in (none, half, reader):
        error = error_of(sender.send_message, QueueUrl=queue.url, MessageBody="m")
        assert error["Code"] == "KMS.AccessDeniedException"
        assert "is not authorized to perform: kms:" in error["Message"]
    entries = [{"Id": "1", "MessageBody": "m"}]
    assert code_of(half.send_message_batch, QueueUrl=queue.url, Entries=entries) == "KMS.AccessDeniedException"
    both.send_message(QueueUrl=queue.url, MessageBody="m")
    assert code_of(half.receive_message, QueueUrl=queue.url) == "KMS.AccessDeniedException"
    assert [one["Body"] for one in reader.receive_message(QueueUrl=queue.url)["Messages"]] == ["m"]
    cloud.client("kms").disable_key(KeyId=key)
    assert code_of(both.send_message, QueueUrl=queue.url, MessageBody="m") == "KMS.DisabledException"
    # Without a key nothing is asked of it.
    queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"KmsMasterKeyId": ""})
    none.send_message(QueueUrl=queue.url, MessageBody="m")


def test_the_own_key_of_sqs_is_open_to_the_account(cloud):
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName="own", Attributes={"KmsMasterKeyId": "alias/aws/sqs"})["QueueUrl"]
    plain, refused = (
        cloud.client("sqs", cloud.user(name, allow("sqs:*"), *more))
        for name, more in (("plain", []), ("refused", [deny("kms:*")]))
    )
    plain.send_message(QueueUrl=url, MessageBody="m")
    assert code_of(refused.send_message, QueueUrl=url, MessageBody="m") == "KMS.AccessDeniedException"


def test_publishing_to_an_encrypted_topic(cloud, key):
    arn = cloud.client("sns").create_topic(Name="news", Attributes={"KmsMasterKeyId": key})["TopicArn"]
    context = {"kms:EncryptionContext:aws:sns:topicArn": arn}
    none, both = (
        cloud.client("sns", cloud.user(name, allow("sns:*"), *more))
        for name, more in (("none", []), ("both", [allow(BOTH, key, StringEquals=context)]))
    )
    assert code_of(none.publish, TopicArn=arn, Message="m") == "KMSAccessDenied"
    both.publish(TopicArn=arn, Message="m")
    cloud.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="KmsMasterKeyId", AttributeValue="")
    none.publish(TopicArn=arn, Message="m")


def test_nobody_sends_to_an_encrypted_queue_without_a_signature(cloud):
    open_key = policy(OWN, to("*", allow("kms:*")))
    key = cloud.client("kms").create_key(Policy=open_key)["KeyMetadata"]["Arn"]
    text = policy(to("*", allow("sqs:SendMessage")))
    attributes = {"KmsMasterKeyId": key, "Policy": text}
    url = cloud.client("sqs").create_queue(QueueName="open", Attributes=attributes)["QueueUrl"]
    anybody = cloud.client("sqs", signature_version=UNSIGNED)
    assert code_of(anybody.send_message, QueueUrl=url, MessageBody="m") == "KMS.AccessDeniedException"


def test_who_asks_for_a_queue_that_is_there_gives_it_no_key(cloud, key):
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName="q", Attributes={"KmsMasterKeyId": key})["QueueUrl"]
    client = cloud.client("sqs", cloud.user("ann", allow("sqs:*")))
    assert client.create_queue(QueueName="q")["QueueUrl"] == url
    assert code_of(client.send_message, QueueUrl=url, MessageBody="m") == "KMS.AccessDeniedException"


def test_writing_to_a_stream_generates_and_reading_decrypts(cloud, key):
    kinesis, arn = cloud.client("kinesis"), f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/s"
    kinesis.create_stream(StreamName="s", ShardCount=1)
    kinesis.start_stream_encryption(StreamName="s", EncryptionType="KMS", KeyId=key)
    context = {"kms:EncryptionContext:aws:kinesis:arn": arn}

    def client(name, action):
        granted = allow(action, key, StringEquals=context)
        return cloud.client("kinesis", cloud.user(name, allow("kinesis:*"), granted))

    writer, reader = client("writer", BOTH[0]), client("reader", BOTH[1])
    record = {"StreamName": "s", "Data": b"d", "PartitionKey": "k"}
    assert code_of(reader.put_record, **record) == "KMSAccessDeniedException"
    shard = writer.put_record(**record)["ShardId"]
    asked = {"StreamName": "s", "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
    iterator = writer.get_shard_iterator(**asked)["ShardIterator"]
    assert code_of(writer.get_records, ShardIterator=iterator) == "KMSAccessDeniedException"
    assert [one["Data"] for one in reader.get_records(ShardIterator=iterator)["Records"]] == [b"d"]
    kinesis.stop_stream_encryption(StreamName="s", EncryptionType="KMS", KeyId=key)
    reader.put_record(**record)


def test_a_service_needs_the_key_of_the_queue_that_it_sends_to(cloud, inbox, denied, key):
    sns, queue = cloud.client("sns"), inbox()
    sns.create_topic(Name="news")
    queue.let(SNS, **of_source(TOPIC))
    queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"KmsMasterKeyId": key})
    sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=queue.arn)
    sns.publish(TopicArn=TOPIC, Message="lost")
    event = denied("SendMessage", SNS)
    assert f"User: {SNS} is not authorized to perform: kms:GenerateDataKey on resource: {key}" in event["errorMessage"]
    let_in = to({"Service": SNS}, allow(BOTH, **of_source(TOPIC)))
    cloud.client("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=policy(OWN, let_in))
    sns.publish(TopicArn=TOPIC, Message="told")
    assert [json.loads(one["Body"])["Message"] for one in queue.got()] == ["told"]
