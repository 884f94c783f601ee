"""Topics and queues have the attributes that there are, and are whose they are (CreateTopic, CreateQueue)."""

import json

import pytest
from gateway.two_accounts import error_of, refused
from running import ACCOUNT, REGION

ELSEWHERE = "999999999999"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:news"
NAMES = {
    "Arn": f"arn:aws:sns:{REGION}:{ELSEWHERE}:news",
    "AccountId": ELSEWHERE,
    "Owner": ELSEWHERE,
    "RegionName": "eu-west-1",
    "DataProtectionPolicy": "{}",
    "Nonsense": "1",
}
ARCHIVE = json.dumps({"MessageRetentionPeriod": 30})


@pytest.fixture
def sns(cloud):
    return cloud.client("sns")


@pytest.fixture
def sqs(cloud):
    return cloud.client("sqs")


@pytest.mark.parametrize("name", NAMES)
def test_a_topic_is_given_no_attribute_that_is_none(sns, name):
    words = f"Invalid parameter: Attributes Reason: Unknown attribute {name}"
    assert refused(sns.create_topic, Name="news", Attributes={name: NAMES[name]}) == ("InvalidParameter", words)
    assert sns.list_topics()["Topics"] == []
    sns.create_topic(Name="news")
    given = {"AttributeName": name, "AttributeValue": NAMES[name]}
    words = "Invalid parameter: AttributeName"
    assert refused(sns.set_topic_attributes, TopicArn=TOPIC, **given) == ("InvalidParameter", words)
    assert sns.list_topics()["Topics"] == [{"TopicArn": TOPIC}]
    assert sns.get_topic_attributes(TopicArn=TOPIC)["Attributes"]["Owner"] == ACCOUNT


def test_a_topic_is_fifo_from_its_beginning(sns):
    made = sns.create_topic(Name="news.fifo", Attributes={"FifoTopic": "true", "ContentBasedDeduplication": "true"})
    given = {"TopicArn": made["TopicArn"], "AttributeName": "FifoTopic", "AttributeValue": "false"}
    assert refused(sns.set_topic_attributes, **given) == ("InvalidParameter", "Invalid parameter: AttributeName")


def test_the_attributes_of_topics_are_set(sns):
    given = {"DisplayName": "News", "SignatureVersion": "2", "TracingConfig": "PassThrough", "ArchivePolicy": "{}"}
    sns.create_topic(Name="news", Attributes=given)
    for name, value in {**given, "DisplayName": "Old", "HTTPSuccessFeedbackSampleRate": "5"}.items():
        sns.set_topic_attributes(TopicArn=TOPIC, AttributeName=name, AttributeValue=value)
    assert sns.get_topic_attributes(TopicArn=TOPIC)["Attributes"]["DisplayName"] == "Old"


def test_what_would_protect_messages_is_not_passed_over(sns):
    words = "The embedded backend does not implement the topic attribute ArchivePolicy."
    given = {"Name": "news.fifo", "Attributes": {"FifoTopic": "true", "ArchivePolicy": ARCHIVE}}
    assert refused(sns.create_topic, **given) == ("NotImplemented", words)
    sns.create_topic(Name="news")
    given = {"TopicArn": TOPIC, "AttributeName": "ArchivePolicy", "AttributeValue": ARCHIVE}
    assert refused(sns.set_topic_attributes, **given) == ("NotImplemented", words)
    policy = json.dumps({"Name": "p", "Description": "", "Version": "2021-06-01", "Statement": []})
    words = "The embedded backend does not implement DataProtectionPolicy of CreateTopic."
    assert refused(sns.create_topic, Name="more", DataProtectionPolicy=policy) == ("NotImplemented", words)


@pytest.mark.parametrize("name", ["QueueArn", "AccountId", "Name", "Region", "Nonsense", "ApproximateNumberOfMessages"])
def test_a_queue_is_given_no_attribute_that_is_none(sqs, name):
    words = f"Unknown Attribute {name}."
    code, said = refused(sqs.create_queue, QueueName="jobs", Attributes={name: ELSEWHERE})
    assert (code.rpartition(".")[2], said) == ("InvalidAttributeName", words)
    url = sqs.create_queue(QueueName="jobs", Attributes={"VisibilityTimeout": "5"})["QueueUrl"]
    code, said = refused(sqs.set_queue_attributes, QueueUrl=url, Attributes={name: ELSEWHERE, "DelaySeconds": "1"})
    assert (code.rpartition(".")[2], said) == ("InvalidAttributeName", words)
    told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn", "DelaySeconds"])["Attributes"]
    assert told == {"QueueArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:jobs", "DelaySeconds": "0"}


def test_the_attributes_of_queues_are_set(sqs):
    given = {"FifoQueue": "true", "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
    url = sqs.create_queue(QueueName="jobs.fifo", Attributes=given)["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"SqsManagedSseEnabled": "false", "DelaySeconds": "1"})
    told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert told["DelaySeconds"] == "1"


def test_a_topic_that_is_there_is_not_made_anew_with_anything_else(cloud):
    sns = cloud.client("sns")
    key, other = (cloud.client("kms").create_key()["KeyMetadata"]["Arn"] for _ in range(2))
    document = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sns:Publish"}
    topic = f"arn:aws:sns:us-east-1:{ACCOUNT}:t"
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{**document, "Resource": topic}]})
    given = {"Name": "t", "Attributes": {"KmsMasterKeyId": key, "Policy": policy}, "Tags": [{"Key": "a", "Value": "b"}]}
    assert sns.create_topic(**given)["TopicArn"] == topic
    spaced = {**given, "Attributes": {"Policy": json.dumps(json.loads(policy), indent=1)}}
    for same in ({"Name": "t"}, given, spaced):
        assert sns.create_topic(**same)["TopicArn"] == topic
    for name, value in (("KmsMasterKeyId", other), ("Policy", policy.replace("Publish", "*")), ("DisplayName", "x")):
        error = error_of(sns.create_topic, Name="t", Attributes={name: value})
        words = "Invalid parameter: Attributes Reason: Topic already exists with different attributes"
        assert (error["Code"], error["Message"]) == ("InvalidParameter", words)
    assert error_of(sns.create_topic, Name="t", Tags=[{"Key": "a", "Value": "c"}])["Code"] == "InvalidParameter"
    told = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert (told["KmsMasterKeyId"], json.loads(told["Policy"])) == (key, json.loads(policy))
