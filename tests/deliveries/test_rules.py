"""What EventBridge's rules send to their targets, decided by the targets' policies or by the targets' roles.

AWS: EventBridge User Guide, "Using resource-based policies for Amazon EventBridge" (eb-use-resource-based), "Using
dead-letter queues to process undelivered events" (eb-rule-dlq), "Amazon EventBridge input transformation"
(eb-transform-target-input), "Sending events to an AWS service in another account" (eb-service-cross-account).
"""

import json
import time
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError
from deliveries.conftest import DEADLINE, STREAM, of_source, statement
from gateway.two_accounts import OTHER
from running import ACCOUNT, REGION, allow
from services.iamd.test_workloads import trust

EVENTS = "events.amazonaws.com"
RULE = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/orders"
DETAIL = {"order": {"id": 7, "name": 'a "b"'}, "items": ["x", "y"]}


@pytest.fixture
def events(cloud):
    client = cloud.client("events")
    client.put_rule(Name="orders", EventPattern=json.dumps({"source": ["shop"]}))
    return client


def send(events, detail=None, source="shop", **more):
    told = events.put_events(
        Entries=[{"Source": source, "DetailType": "order", "Detail": json.dumps(detail or DETAIL), **more}]
    )
    assert told["FailedEntryCount"] == 0
    return told["Entries"][0]["EventId"]


def to(events, arn, **more):
    told = events.put_targets(Rule="orders", Targets=[{"Id": "target", "Arn": arn, **more}])
    assert told["FailedEntryCount"] == 0


def test_a_queue_lets_one_rule_in_and_no_other(events, inbox, denied):
    queue = inbox()
    queue.let(EVENTS, **of_source(RULE))
    events.put_rule(Name="others", EventPattern=json.dumps({"source": ["shop"]}))
    events.put_targets(Rule="others", Targets=[{"Id": "target", "Arn": queue.arn}])
    send(events)
    event = denied("SendMessage", EVENTS)
    assert f"sqs:sendmessage on resource: {queue.arn} " in event["errorMessage"]
    assert queue.waiting() == 0
    to(events, queue.arn)
    sent = send(events, Resources=["arn:aws:s3:::b"])
    [told] = queue.read()
    assert told.pop("time").endswith("Z")
    assert told == {
        "version": "0", "id": sent, "detail-type": "order", "source": "shop", "account": ACCOUNT, "region": REGION,
        "resources": ["arn:aws:s3:::b"], "detail": DETAIL,
    }  # fmt: skip


def test_rules_that_are_disabled_or_of_a_schedule_or_another_pattern_send_nothing(events, inbox):
    queue = inbox()
    queue.let(EVENTS)
    events.put_rule(Name="off", EventPattern=json.dumps({"source": ["shop"]}), State="DISABLED")
    events.put_rule(Name="hourly", ScheduleExpression="rate(1 hour)")
    events.put_rule(Name="mine", EventPattern=json.dumps({"source": ["mine"]}))
    for name in ("off", "hourly", "mine"):
        events.put_targets(Rule=name, Targets=[{"Id": "target", "Arn": queue.arn, "Input": json.dumps({"of": name})}])
    to(events, queue.arn, Input='{"of": "orders"}')
    send(events)
    assert queue.read() == [{"of": "orders"}]
    assert queue.waiting() == 0


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"Input": '{"a": 1}'}, {"a": 1}),
        ({"InputPath": "$.detail.order"}, DETAIL["order"]),
        ({"InputPath": "$.detail.absent"}, None),
        (
            {"InputTransformer": {
                "InputPathsMap": {"id": "$.detail.order.id", "name": "$.detail.order.name", "items": "$.detail.items"},
                "InputTemplate": '{"id": <id>, "name": <name>, "text": "order <id> of <name>", "items": <items>, '
                '"rule": "<aws.events.rule-name>", "arn": "<aws.events.rule-arn>", "as": "<unknown>"}',
            }},
            {"id": 7, "name": 'a "b"', "text": 'order 7 of a "b"', "items": ["x", "y"], "rule": "orders", "arn": RULE,
             "as": "<unknown>"},
        ),
        ({"InputTransformer": {"InputPathsMap": {"n": "$.detail.items"}, "InputTemplate": '"items: <n>"'}},
         'items: ["x", "y"]'),
        ({"InputTransformer": {"InputPathsMap": {"no": "$.detail.no"}, "InputTemplate": '{"a": "<no>", "b": <no>}'}},
         {"a": "", "b": ""}),
    ],
)  # fmt: skip
def test_a_target_is_given_what_it_asks_for(events, inbox, given, wanted):
    queue = inbox()
    queue.let(EVENTS)
    to(events, queue.arn, **given)
    send(events)
    assert queue.read() == [wanted]


def test_the_whole_event_may_stand_in_a_template(events, inbox):
    queue = inbox()
    queue.let(EVENTS)
    template = '{"all": <aws.events.event.json>, "rest": <aws.events.event>, "at": <aws.events.event.ingestion-time>}'
    to(events, queue.arn, InputTransformer={"InputTemplate": template})
    sent = send(events)
    [told] = queue.read()
    assert (told["all"]["id"], told["all"]["detail"]) == (sent, DETAIL)
    assert told["rest"]["id"] == sent
    assert "detail" not in told["rest"]
    assert told["at"].endswith("Z")


def test_topics_and_functions_let_the_service_in(cloud, events, inbox, saving, denied):
    topic = cloud.client("sns").create_topic(Name="news")["TopicArn"]
    news, seen = inbox("news"), inbox("seen")
    news.let("sns.amazonaws.com")
    cloud.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=news.arn)
    function = saving(seen)
    targets = [{"Id": "topic", "Arn": topic}, {"Id": "function", "Arn": function}]
    events.put_targets(Rule="orders", Targets=targets)
    send(events)
    denied("Publish", EVENTS)
    denied("Invoke", EVENTS)
    cloud.client("sns").set_topic_attributes(
        TopicArn=topic, AttributeName="Policy", AttributeValue=statement(EVENTS, "sns:Publish", topic)
    )
    cloud.client("lambda").add_permission(
        FunctionName="saving", StatementId="e", Action="lambda:InvokeFunction", Principal=EVENTS, SourceArn=RULE
    )
    sent = send(events)
    assert [json.loads(one["Message"])["id"] for one in news.read()] == [sent]
    assert [one["id"] for one in seen.read()] == [sent]


def test_a_log_group_is_written_to_when_the_accounts_policy_says_so(cloud, events, denied):
    logs = cloud.client("logs")
    logs.create_log_group(logGroupName="/aws/events/orders")
    group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/events/orders"
    to(events, group)
    send(events)
    denied("CreateLogStream", EVENTS)
    document = {
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Principal": {"Service": [EVENTS, "delivery.logs.amazonaws.com"]},
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": f"{group}:*",
        }],
    }  # fmt: skip
    logs.put_resource_policy(policyName="events", policyDocument=json.dumps(document))
    sent = send(events)
    deadline = time.monotonic() + DEADLINE
    found = []
    while not found and time.monotonic() < deadline:
        found = logs.filter_log_events(logGroupName="/aws/events/orders")["events"]
    assert [json.loads(one["message"])["id"] for one in found] == [sent]


def test_what_is_not_taken_goes_to_the_targets_dead_letter_queue(events, inbox):
    queue, dead = inbox(), inbox("dead")
    dead.let(EVENTS, **of_source(RULE))
    to(events, queue.arn, DeadLetterConfig={"Arn": dead.arn})
    sent = send(events)
    [message] = dead.got()
    assert json.loads(message["Body"])["id"] == sent
    told = {name: one["StringValue"] for name, one in message["MessageAttributes"].items()}
    assert (told["RULE_ARN"], told["TARGET_ARN"]) == (RULE, queue.arn)
    assert told["ERROR_CODE"] == "AccessDenied"
    assert "is not authorized to perform: sqs:sendmessage" in told["ERROR_MESSAGE"]


def test_a_target_with_a_role_is_sent_to_as_that_role(cloud, events, inbox, role, denied):
    queue = inbox()
    arn = role(EVENTS, allow("sqs:SendMessage", queue.arn))
    to(events, queue.arn, RoleArn=arn)
    send(events)
    queue.got()
    cloud.client("iam").delete_role_policy(RoleName="sender", PolicyName="own")
    send(events)
    event = denied("SendMessage", EVENTS)
    assert event["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] == arn
    assert queue.waiting() == 0


def test_a_role_that_does_not_trust_the_rule_sends_nothing(cloud, events, inbox, role, denied):
    queue = inbox()
    arn = role(EVENTS, allow("sqs:SendMessage", queue.arn), **of_source(f"{RULE}s"))
    to(events, queue.arn, RoleArn=arn)
    send(events)
    denied("AssumeRole", EVENTS)
    assert queue.waiting() == 0


def test_another_accounts_queue_lets_the_role_in(cloud, events, inbox, other, role, denied):
    queue = inbox(credentials=other, account=OTHER)
    arn = role(EVENTS, allow("sqs:SendMessage", queue.arn))
    to(events, queue.arn, RoleArn=arn)
    send(events)
    denied("SendMessage", EVENTS)
    policy = {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "sqs:SendMessage", "Resource": queue.arn}
    document = json.dumps({"Version": "2012-10-17", "Statement": [policy]})
    queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"Policy": document})
    send(events)
    assert [one["account"] for one in queue.read()] == [ACCOUNT]


def test_a_stream_gets_records_by_the_role(events, role, stream):
    arn = role(EVENTS, allow("kinesis:PutRecord", STREAM))
    to(events, STREAM, RoleArn=arn, KinesisParameters={"PartitionKeyPath": "$.detail.order.id"})
    sent = send(events)
    assert [(one["PartitionKey"], json.loads(one["Data"])["id"]) for one in stream()] == [("7", sent)]


def test_a_bus_is_sent_to_as_the_role_and_its_rules_send_on(cloud, events, inbox, role):
    queue = inbox()
    bus = events.create_event_bus(Name="second")["EventBusArn"]
    pattern = json.dumps({"source": ["shop"]})
    rule = events.put_rule(Name="second", EventBusName="second", EventPattern=pattern)["RuleArn"]
    queue.let(EVENTS, **of_source(rule))
    events.put_targets(Rule="second", EventBusName="second", Targets=[{"Id": "target", "Arn": queue.arn}])
    to(events, bus, RoleArn=role(EVENTS, allow("events:PutEvents", bus)))
    send(events)
    assert [one["detail"] for one in queue.read()] == [DETAIL]


def test_what_came_from_a_bus_is_not_sent_to_a_third_one(cloud, events, inbox, role):
    """AWS: EventBridge User Guide, eb-bus-to-bus: events from a sender's bus are not routed to a third one."""
    queue, last = inbox(), inbox("last")
    queue.let(EVENTS)
    last.let(EVENTS)
    second, third = (events.create_event_bus(Name=name)["EventBusArn"] for name in ("second", "third"))
    arn = role(EVENTS, allow("events:PutEvents", [second, third]))
    pattern = json.dumps({"source": ["shop"]})
    for bus, targets in {
        "second": [{"Id": "bus", "Arn": third, "RoleArn": arn}, {"Id": "queue", "Arn": queue.arn}],
        "third": [{"Id": "queue", "Arn": last.arn}],
    }.items():
        events.put_rule(Name="on", EventBusName=bus, EventPattern=pattern)
        events.put_targets(Rule="on", EventBusName=bus, Targets=targets)
    to(events, second, RoleArn=arn)
    send(events)
    queue.got()
    send(events, EventBusName="second")
    last.got()
    queue.got()
    assert last.waiting() == 0


def test_another_accounts_bus_is_sent_to_as_the_role_and_tells_of_whom_an_event_is(
    cloud, events, inbox, other, role, denied
):
    """AWS: EventBridge User Guide, eb-cross-account: the event is of the sender's account, by which rules choose."""
    queue = inbox(credentials=other, account=OTHER)
    queue.let(EVENTS)
    theirs = cloud.client("events", other)
    bus = theirs.create_event_bus(Name="shared")["EventBusArn"]
    theirs.put_rule(Name="in", EventBusName="shared", EventPattern=json.dumps({"account": [ACCOUNT]}))
    theirs.put_targets(Rule="in", EventBusName="shared", Targets=[{"Id": "target", "Arn": queue.arn}])
    to(events, bus, RoleArn=role(EVENTS, allow("events:PutEvents", bus)))
    send(events)
    denied("PutEvents", EVENTS)
    theirs.put_permission(EventBusName="shared", StatementId="s", Principal=ACCOUNT, Action="events:PutEvents")
    sent = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    send(events, Time=sent)
    [told] = queue.read()
    assert (told["account"], told["time"], told["detail"]) == (ACCOUNT, "2026-01-02T03:04:05Z", DETAIL)


def test_a_state_machine_is_started_as_the_role(cloud, events, role):
    states = cloud.client("stepfunctions")
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
    iam = cloud.client("iam")
    document = statement("states.amazonaws.com", "sts:AssumeRole", "*").replace(', "Resource": "*"', "")
    own = iam.create_role(RoleName="machine", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    machine = states.create_state_machine(name="orders", definition=definition, roleArn=own)["stateMachineArn"]
    to(events, machine, RoleArn=role(EVENTS, allow("states:StartExecution", machine)))
    send(events)
    deadline, found = time.monotonic() + DEADLINE, []
    while not found and time.monotonic() < deadline:
        found = states.list_executions(stateMachineArn=machine)["executions"]
    told = states.describe_execution(executionArn=found[0]["executionArn"])
    assert json.loads(told["input"])["detail"] == DETAIL


def test_archives_are_kept_as_before(events):
    bus = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
    events.create_archive(ArchiveName="all", EventSourceArn=bus)
    send(events)
    assert events.describe_archive(ArchiveName="all")["EventCount"] == 1


def test_another_accounts_delivery_stream_is_not_the_roles_own_of_that_name(cloud, events, inbox, role):
    """Firehose is asked by the stream's name alone, and finds the caller's."""
    s3, dead = cloud.client("s3"), inbox("dead")
    s3.create_bucket(Bucket="landing")
    arn = role([EVENTS, "firehose.amazonaws.com"], allow("*"))
    landing = {"RoleARN": arn, "BucketARN": "arn:aws:s3:::landing"}
    cloud.client("firehose").create_delivery_stream(
        DeliveryStreamName="stream", ExtendedS3DestinationConfiguration=landing
    )
    dead.let(EVENTS, **of_source(RULE))
    theirs = f"arn:aws:firehose:{REGION}:{OTHER}:deliverystream/stream"
    to(events, theirs, RoleArn=arn, DeadLetterConfig={"Arn": dead.arn})
    send(events)
    [letter] = dead.got()
    assert letter["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "ResourceNotFoundException"
    assert "Contents" not in s3.list_objects_v2(Bucket="landing")


def test_a_session_is_not_used_on_when_its_role_is_another(cloud, events, inbox, role, denied):
    queue, iam = inbox(), cloud.client("iam")
    to(events, queue.arn, RoleArn=role(EVENTS, allow("sqs:SendMessage", queue.arn)))
    send(events)
    queue.got()
    iam.delete_role_policy(RoleName="sender", PolicyName="own")
    iam.delete_role(RoleName="sender")
    role(EVENTS, allow("sqs:SendMessage", queue.arn))
    send(events)
    queue.got()
    iam.update_assume_role_policy(RoleName="sender", PolicyDocument=trust("lambda.amazonaws.com"))
    send(events)
    denied("AssumeRole", EVENTS)
    assert queue.waiting() == 0


def test_nobody_puts_events_in_the_name_of_a_service(events, inbox):
    queue = inbox()
    queue.let(EVENTS, **of_source(RULE))
    events.put_rule(Name="orders", EventPattern=json.dumps({"source": ["aws.iam", "shop"]}))
    to(events, queue.arn)
    entries = [{"Source": source, "DetailType": "order", "Detail": "{}"} for source in ("aws.iam", "shop", "aws.s3")]
    told = events.put_events(Entries=entries)
    assert told["FailedEntryCount"] == 2
    assert [one.get("ErrorCode") for one in told["Entries"]] == [
        "NotAuthorizedForSourceException", None, "NotAuthorizedForSourceException",
    ]  # fmt: skip
    assert [one["source"] for one in queue.read()] == ["shop"]


@pytest.mark.parametrize(
    "given",
    [
        {"InputPath": "$.detail[?(@.a =~ '(a+)+$')]"},
        {"InputPath": "$..*"},
        {"InputPath": "detail"},
        {"InputTransformer": {"InputPathsMap": {"a": "$.detail.*"}, "InputTemplate": "<a>"}},
        {"KinesisParameters": {"PartitionKeyPath": "$.detail[-1]"}},
    ],
)
def test_a_path_that_is_none_is_refused(events, inbox, given):
    with pytest.raises(ClientError) as caught:
        to(events, inbox().arn, **given)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert "Invalid JSONPath" in caught.value.response["Error"]["Message"]
    assert events.list_targets_by_rule(Rule="orders")["Targets"] == []
