"""What is due at a time: rules with a schedule, by iamd's clock.

AWS: EventBridge User Guide, "Creating a rule that runs on a schedule" (eb-create-rule-schedule), "Using resource-based
policies for Amazon EventBridge" (eb-use-resource-based); API Reference, PutRule.
"""

import json
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from deliveries.conftest import Inbox, of_source
from running import ACCOUNT, AWS, REGION
from test_server_workers import workers_of

EVENTS = "events.amazonaws.com"
RULE = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/hourly"
HOUR = 3600


@pytest.fixture
def events(cloud):
    return cloud.client("events")


def rule(events, arn, expression="rate(1 hour)", name="hourly", **target):
    events.put_rule(Name=name, ScheduleExpression=expression)
    events.put_targets(Rule=name, Targets=[{"Id": "target", "Arn": arn, **target}])


def moment(event):
    return datetime.fromisoformat(event["time"])


def test_a_rule_is_due_by_the_clock_and_sends_its_event(cloud, events, inbox):
    queue = inbox()
    queue.let(EVENTS, **of_source(RULE))
    began = datetime.now(UTC)
    rule(events, queue.arn)
    cloud.advance(HOUR)
    [first] = queue.read()
    cloud.advance(2 * HOUR)
    second, third = queue.read(2)
    assert timedelta(seconds=-2) < moment(first) - began - timedelta(hours=1) < timedelta(minutes=1)
    assert moment(second) - moment(first) == moment(third) - moment(second) == timedelta(hours=1)
    assert first.pop("id") != second["id"]
    del first["time"]
    assert first == {
        "version": "0", "detail-type": "Scheduled Event", "source": "aws.events", "account": ACCOUNT, "region": REGION,
        "resources": [RULE], "detail": {},
    }  # fmt: skip


def test_what_a_rule_sends_is_decided(cloud, events, inbox, denied):
    queue = inbox()
    queue.let(EVENTS, **of_source(f"{RULE}s"))
    rule(events, queue.arn)
    cloud.advance(HOUR)
    assert f"sqs:sendmessage on resource: {queue.arn} " in denied("SendMessage", EVENTS)["errorMessage"]
    assert queue.waiting() == 0


def test_a_target_is_given_its_input_at_the_minutes_of_a_cron_expression(cloud, events, inbox):
    queue = inbox()
    queue.let(EVENTS)
    template = {"InputPathsMap": {"time": "$.time"}, "InputTemplate": '{"at": <time>}'}
    rule(events, queue.arn, "cron(30 4 * * ? *)", InputTransformer=template)
    cloud.advance(3 * 24 * HOUR)
    told = [datetime.fromisoformat(one["at"]) for one in queue.read(3)]
    assert [(one.hour, one.minute, one.second) for one in told] == [(4, 30, 0)] * 3
    assert [one.date() - told[0].date() for one in told] == [timedelta(days=number) for number in range(3)]


def test_rules_that_are_disabled_changed_or_deleted_are_not_due(cloud, events, inbox):
    queue = inbox()
    queue.let(EVENTS)
    for name in ("off", "gone", "other", "again", "kept"):
        rule(events, queue.arn, "rate(2 hours)", name, Input=f'"{name}"')
    events.disable_rule(Name="off")
    events.disable_rule(Name="again")
    events.remove_targets(Rule="gone", Ids=["target"])
    events.delete_rule(Name="gone")
    events.put_rule(Name="other", EventPattern='{"source": ["nobody"]}')
    cloud.advance(HOUR)
    events.enable_rule(Name="again")
    events.put_rule(Name="kept", ScheduleExpression="rate(2 hours)", Description="as before")
    cloud.advance(HOUR)
    assert queue.read() == ["kept"]
    cloud.advance(HOUR)
    assert queue.read() == ["again"]


def test_a_rule_with_a_pattern_too_sends_on_events_and_when_it_is_due(cloud, events, inbox):
    queue = inbox()
    queue.let(EVENTS)
    events.put_rule(Name="both", ScheduleExpression="rate(1 hour)", EventPattern='{"source": ["shop"]}')
    events.put_targets(Rule="both", Targets=[{"Id": "target", "Arn": queue.arn}])
    events.put_events(Entries=[{"Source": "shop", "DetailType": "order", "Detail": "{}"}])
    assert [one["source"] for one in queue.read()] == ["shop"]
    cloud.advance(HOUR)
    assert [one["source"] for one in queue.read()] == ["aws.events"]


def test_nothing_is_due_after_a_reset(cloud, events, inbox):
    queue = inbox()
    queue.let(EVENTS)
    rule(events, queue.arn)
    cloud.server.post("/_iamd/reset")
    again = inbox("again")
    again.let(EVENTS)
    rule(events, again.arn, "rate(2 hours)", "again")
    cloud.advance(2 * HOUR)
    assert [one["resources"] for one in again.read()] == [[RULE.replace("hourly", "again")]]
    assert not [one for one in cloud.events("SendMessage") if "errorCode" in one]


def ask(connection, operation, given):
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"AWSEvents.{operation}"}
    status, told = connection.call(connection.server.administrator, "events", json.dumps(given), headers)
    assert status == 200, told


def test_of_several_workers_one_does_what_is_due_whoever_is_asked(start):
    cloud = AWS(start("--dev", "--workers", "2", "--functions", "off"))
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    queue = Inbox(sqs, url, f"arn:aws:sqs:{REGION}:{ACCOUNT}:inbox")
    queue.let(EVENTS)
    with workers_of(cloud.server) as connections:
        for number, connection in enumerate(connections):
            name = f"by-{number}"
            target = {"Id": "target", "Arn": queue.arn, "Input": f'"{name}"'}
            ask(connection, "PutRule", {"Name": name, "ScheduleExpression": "rate(1 hour)"})
            ask(connection, "PutTargets", {"Rule": name, "Targets": [target]})
        for connection in connections:
            connection.door("POST", "/_iamd/clock", {"advance_seconds": HOUR})
    assert sorted(queue.read(4)) == ["by-0", "by-0", "by-1", "by-1"]
    assert queue.waiting() == 0


@pytest.mark.parametrize(
    "expression", ["rate(1 hours)", "cron(0 10 * * * *)", "cron(0 10 * * ?)", "at(2030-01-01T00:00:00)"]
)
def test_an_expression_that_is_none_is_refused(events, expression):
    with pytest.raises(ClientError) as caught:
        events.put_rule(Name="hourly", ScheduleExpression=expression)
    assert caught.value.response["Error"] == {
        "Code": "ValidationException", "Message": "Parameter ScheduleExpression is not valid.",
    }  # fmt: skip
    assert events.list_rules()["Rules"] == []
