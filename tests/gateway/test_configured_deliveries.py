"""What services are to send from then on, before a backend that tells nothing of it: decided when it is configured.

AWS decides it when it is sent; docs/divergences.md says so.
"""

import json

import pytest
from gateway.counting import trusting
from running import ACCOUNT, REGION

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:configured"
RULE = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/configured"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/configured"


def queue(name):
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def let(counted, name, service, source):
    statement = {
        "Effect": "Allow", "Principal": {"Service": service}, "Action": "sqs:SendMessage", "Resource": queue(name),
        "Condition": {"ArnEquals": {"aws:SourceArn": source}},
    }  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    url = f"http://sqs.localhost/{ACCOUNT}/{name}"
    assert counted.call("sqs", "SetQueueAttributes", {"QueueUrl": url, "Attributes": {"Policy": policy}}).sent


def subscribe(counted, name):
    return counted.call("sns", "Subscribe", {"TopicArn": TOPIC, "Protocol": "sqs", "Endpoint": queue(name)})


def test_a_queue_is_subscribed_that_lets_the_topic_in(counted):
    told = subscribe(counted, "silent")
    assert (told.code, told.sent) == ("InvalidParameter", 0)
    assert f"sns.amazonaws.com is not authorized to perform: sqs:sendmessage on resource: {queue('silent')}" in (
        told.message
    )
    let(counted, "open", "sns.amazonaws.com", TOPIC)
    assert subscribe(counted, "open").sent
    let(counted, "of-another", "sns.amazonaws.com", f"{TOPIC}2")
    assert subscribe(counted, "of-another").sent == 0


def test_what_is_no_service_of_aws_is_subscribed_as_it_was(counted):
    given = {"TopicArn": TOPIC, "Protocol": "email", "Endpoint": "a@example.com"}
    assert counted.call("sns", "Subscribe", given).sent


@pytest.mark.parametrize("way", ["policy", "role"])
def test_a_rule_has_targets_that_let_it_in_or_a_role(counted, way):
    target = {"Id": "1", "Arn": queue(f"rule-{way}")}
    told = counted.call("events", "PutTargets", {"Rule": "configured", "Targets": [target]})
    assert (told.code, told.sent) == ("InvalidParameter", 0)
    if way == "policy":
        let(counted, "rule-policy", "events.amazonaws.com", RULE)
    else:
        counted.aws.client("iam").create_role(
            RoleName="configured", AssumeRolePolicyDocument=trusting("events.amazonaws.com")
        )
        target["RoleArn"] = ROLE
    assert counted.call("events", "PutTargets", {"Rule": "configured", "Targets": [target]}).sent
