"""What the embedded backend would forget, leave out or make up, and AWS does not."""

import json

from gateway.counting import trusting
from gateway.two_accounts import code_of, everybody, policy
from running import deny


def test_a_queues_policy_stays_when_something_else_is_set(cloud):
    """AWS: SQS API Reference, SetQueueAttributes: it sets the attributes that it names."""
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    text = policy(everybody(deny("sqs:SendMessage")))
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": text})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "6"})
    shown = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy", "DelaySeconds"])["Attributes"]
    assert (json.loads(shown["Policy"]), shown["DelaySeconds"]) == (json.loads(text), "6")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    assert "Policy" not in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]


def test_every_bucket_is_encrypted(cloud):
    """AWS: S3 User Guide, "Setting default server-side encryption behavior for Amazon S3 buckets" (bucket-encryption)."""
    s3, named = cloud.client("s3"), {"Bucket": "files"}
    s3.create_bucket(**named)
    by_s3 = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}

    def standing():
        return s3.get_bucket_encryption(**named)["ServerSideEncryptionConfiguration"]["Rules"]

    assert standing() == [by_s3]
    assert s3.put_object(**named, Key="a", Body=b"data")["ServerSideEncryption"] == "AES256"
    assert s3.get_object(**named, Key="a")["ServerSideEncryption"] == "AES256"
    by_kms = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(**named, ServerSideEncryptionConfiguration={"Rules": [by_kms]})
    assert standing() == [by_kms]
    s3.delete_bucket_encryption(**named)
    assert standing() == [by_s3]


def test_nobody_is_told_a_history_that_did_not_happen(cloud):
    """The embedded backend runs no state machine: docs/divergences.md."""
    trust = trusting("states.amazonaws.com")
    role = cloud.client("iam").create_role(RoleName="runs", AssumeRolePolicyDocument=trust)
    states = cloud.client("stepfunctions")
    definition = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 1, "End": True}}}
    made = states.create_state_machine(name="m", definition=json.dumps(definition), roleArn=role["Role"]["Arn"])
    started = states.start_execution(stateMachineArn=made["stateMachineArn"])["executionArn"]
    assert states.describe_execution(executionArn=started)["status"] == "RUNNING"
    assert code_of(states.get_execution_history, executionArn=started) == "NotImplemented"
