"""Resource policies of CloudWatch Logs: whom they let write, and whom not.

AWS: CloudWatch Logs API Reference, PutResourcePolicy: "not enforced" for users, roles and other accounts.
"""

import json

import pytest
from botocore.exceptions import ClientError
from deliveries.conftest import of_source
from running import ACCOUNT, REGION, allow, asking

EVENTS = "events.amazonaws.com"
RULE = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/orders"
STREAMS = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:orders:*"


@pytest.fixture
def logs(cloud):
    client = cloud.client("logs")
    client.create_log_group(logGroupName="orders")
    return client


@pytest.fixture
def send(cloud, logs):
    """`send()` has a rule send an event to the log group."""
    events = cloud.client("events")
    events.put_rule(Name="orders", EventPattern=json.dumps({"source": ["shop"]}))
    events.put_targets(Rule="orders", Targets=[{"Id": "1", "Arn": STREAMS.removesuffix(":*")}])

    def put(name):
        events.put_events(Entries=[{"Source": "shop", "DetailType": name, "Detail": "{}"}])

    return put


def put(logs, name, *statements):
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    logs.put_resource_policy(policyName=name, policyDocument=document)


def statement(effect="Allow", service=EVENTS, **more):
    actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
    return {"Effect": effect, "Principal": {"Service": service}, "Action": actions, "Resource": STREAMS, **more}


def written(logs, count):
    """The events of the group, once there are so many."""
    for _ in asking():
        found = logs.filter_log_events(logGroupName="orders")["events"]
        if len(found) >= count:
            return [json.loads(one["message"])["detail-type"] for one in found]
    raise AssertionError("nothing is written")


def test_all_of_an_accounts_policies_count_and_a_deny_wins(logs, send, denied):
    put(logs, "other", statement(service="route53.amazonaws.com"))
    send("no policy")
    denied("CreateLogStream", EVENTS)
    put(logs, "own", statement(Condition=of_source(RULE)))
    send("let in")
    assert written(logs, 1) == ["let in"]
    put(logs, "denying", statement("Deny"))
    send("denied")
    # Each is decided when it is sent, a moment later: what it is to be decided by stays until then.
    denied("CreateLogStream", EVENTS, times=2)
    put(logs, "own", statement(Condition=of_source(f"{RULE}s")))
    logs.delete_resource_policy(policyName="denying")
    send("for another rule")
    denied("CreateLogStream", EVENTS, times=3)
    put(logs, "own", statement())
    send("let in again")
    assert sorted(written(logs, 2)) == ["let in", "let in again"]


NOT_OF_THE_RULE = {"ArnNotEquals": {"aws:SourceArn": f"{RULE}s"}}


@pytest.mark.parametrize(
    "denying",
    [
        {**statement("Deny", Condition=NOT_OF_THE_RULE), "Principal": "*"},
        {**statement("Deny"), "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root", "Service": EVENTS}},
        {**statement("Deny", Condition={"Bool": {"aws:SecureTransport": "true"}}), "Principal": "*"},
    ],
)
def test_a_deny_of_everybody_keeps_services_out_and_no_user(cloud, logs, send, denied, denying):
    put(logs, "own", statement(), denying)
    send("denied")
    denied("CreateLogStream", EVENTS)
    ann = cloud.client("logs", cloud.user("ann", allow("logs:*")))
    ann.create_log_stream(logGroupName="orders", logStreamName="anns")


def test_a_statement_for_a_service_and_a_user_is_for_the_service(cloud, logs, send):
    both = {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ann", "Service": EVENTS}
    ann = cloud.client("logs", cloud.user("ann"))
    put(logs, "own", {**statement(), "Principal": both})
    send("let in")
    assert written(logs, 1) == ["let in"]
    with pytest.raises(ClientError):
        ann.create_log_stream(logGroupName="orders", logStreamName="anns")


def test_it_lets_nobody_in_but_services(cloud, logs):
    ann = cloud.user("ann")
    put(
        logs, "users", {**statement(), "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ann"}},
        {**statement(), "Principal": "*"},
    )  # fmt: skip
    with pytest.raises(ClientError) as caught:
        cloud.client("logs", ann).create_log_stream(logGroupName="orders", logStreamName="one")
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
    put(logs, "denying", {**statement("Deny"), "Principal": "*"})
    bob = cloud.user("bob", allow("logs:CreateLogStream", STREAMS))
    cloud.client("logs", bob).create_log_stream(logGroupName="orders", logStreamName="one")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"policyDocument": "{"}, ""),
        ({"policyDocument": json.dumps({"Version": "2012-10-17", "Statement": [statement(Sid="x" * 5000)]})}, "5120"),
    ],
)
def test_a_policy_that_can_not_be_kept_is_refused(logs, given, words):
    with pytest.raises(ClientError) as caught:
        logs.put_resource_policy(policyName="p", **given)
    error = caught.value.response["Error"]
    assert error["Code"] == "InvalidParameterException"
    assert words in error["Message"]
    assert logs.describe_resource_policies()["resourcePolicies"] == []
