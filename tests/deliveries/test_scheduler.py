"""What EventBridge Scheduler's schedules ask of their targets, as their roles, by iamd's clock.

AWS: EventBridge Scheduler User Guide, "Schedule types" (schedule-types), "Using templated targets"
(managing-targets-templated), "Adding context attributes" (managing-schedule-context-attributes), "Configuring a
schedule's dead-letter queue" (configuring-schedule-dlq), "Confused deputy prevention"; API Reference, CreateSchedule.
"""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from deliveries.conftest import DEADLINE, STREAM, of_source, statement
from running import ACCOUNT, REGION, allow
from services.iamd.test_workloads import trust

SCHEDULER = "scheduler.amazonaws.com"
PLACE = f"arn:aws:scheduler:{REGION}:{ACCOUNT}"
GROUP = f"{PLACE}:schedule-group/default"
OFF = {"Mode": "OFF"}
HOUR = 3600


@pytest.fixture
def scheduler(cloud):
    return cloud.client("scheduler")


@pytest.fixture
def sender(role):
    """`sender(statements)` is the ARN of a role that the scheduler may assume for schedules of the default group."""
    return lambda *statements: role(SCHEDULER, *statements, **of_source(GROUP))


def create(scheduler, target, expression="rate(1 hour)", name="s", **more):
    return scheduler.create_schedule(
        **{"Name": name, "ScheduleExpression": expression, "Target": target, "FlexibleTimeWindow": OFF} | more
    )["ScheduleArn"]


def message(scheduler, queue, sender, text="hello", **more):
    target = {"Arn": queue.arn, "RoleArn": sender(allow("sqs:SendMessage", queue.arn)), "Input": text}
    return create(scheduler, target, **more)


def later(**span):
    return (datetime.now(UTC) + timedelta(**span)).replace(microsecond=0)


def at(moment):
    return f"at({moment:%Y-%m-%dT%H:%M:%S})"


def refused(call, *given, **named):
    with pytest.raises(ClientError) as caught:
        call(*given, **named)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def test_a_rate_begins_at_once_and_goes_on(cloud, scheduler, inbox, sender):
    queue = inbox()
    message(scheduler, queue, sender, '"<aws.scheduler.scheduled-time>"')
    [first] = queue.read()
    cloud.advance(2 * HOUR)
    times = [datetime.fromisoformat(one) for one in [first, *sorted(queue.read(2))]]
    assert times[2] - times[1] == times[1] - times[0] == timedelta(hours=1)


def test_what_is_told_of_the_attempt_stands_in_the_input(scheduler, inbox, sender):
    queue = inbox()
    names = ("schedule-arn", "scheduled-time", "execution-id", "attempt-number", "unknown")
    arn = message(scheduler, queue, sender, json.dumps({name: f"<aws.scheduler.{name}>" for name in names}))
    [told] = queue.read()
    assert len(told.pop("execution-id")) == 16
    assert abs(datetime.fromisoformat(told.pop("scheduled-time")) - datetime.now(UTC)) < timedelta(minutes=1)
    assert told == {"schedule-arn": arn, "attempt-number": "1", "unknown": "<aws.scheduler.unknown>"}
    assert arn == f"{PLACE}:schedule/default/s"


def test_without_an_input_the_target_gets_a_notification(scheduler, inbox, sender):
    queue = inbox()
    create(scheduler, {"Arn": queue.arn, "RoleArn": sender(allow("sqs:SendMessage", queue.arn))})
    [told] = queue.read()
    assert (told["source"], told["detail-type"], told["resources"], told["detail"], told["account"]) == (
        "aws.scheduler", "Scheduled Event", [f"{PLACE}:schedule/default/s"], "{}", ACCOUNT,
    )  # fmt: skip


def test_once_is_once_in_its_time_zone_and_then_it_is_deleted(cloud, scheduler, inbox, sender):
    queue = inbox()
    local = later(hours=2) + timedelta(hours=9)
    zone = {"ScheduleExpressionTimezone": "Asia/Tokyo", "ActionAfterCompletion": "DELETE"}
    message(scheduler, queue, sender, '"<aws.scheduler.scheduled-time>"', expression=at(local), **zone)
    assert scheduler.get_schedule(Name="s")["ActionAfterCompletion"] == "DELETE"
    cloud.advance(HOUR)
    cloud.advance(HOUR)
    assert [datetime.fromisoformat(one) for one in queue.read()] == [local - timedelta(hours=9)]
    deadline = time.monotonic() + DEADLINE
    while scheduler.list_schedules()["Schedules"] and time.monotonic() < deadline:
        pass
    assert refused(scheduler.get_schedule, Name="s")[0] == "ResourceNotFoundException"


def test_dates_bound_a_schedule_and_it_stays_when_nothing_else_is_said(cloud, scheduler, inbox, sender):
    queue = inbox()
    starts, ends = later(hours=2), later(hours=4, minutes=30)
    message(scheduler, queue, sender, '"<aws.scheduler.scheduled-time>"', StartDate=starts, EndDate=ends)
    cloud.advance(24 * HOUR)
    told = sorted(datetime.fromisoformat(one) for one in queue.read(3))
    assert told == [starts + timedelta(hours=number) for number in range(3)]
    cloud.advance(HOUR)
    shown = scheduler.get_schedule(Name="s")
    assert (shown["StartDate"], shown["EndDate"], shown["ActionAfterCompletion"]) == (starts, ends, "NONE")
    assert queue.waiting() == 0


def test_a_flexible_schedule_is_due_within_its_window(cloud, scheduler, inbox, sender):
    queue = inbox()
    window = {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 60}
    moment = later(hours=1)
    text = '"<aws.scheduler.scheduled-time>"'
    message(scheduler, queue, sender, text, expression=at(moment), FlexibleTimeWindow=window)
    cloud.advance(2 * HOUR)
    assert [datetime.fromisoformat(one) for one in queue.read()] == [moment]


def test_what_waits_in_its_window_is_not_done_when_the_schedule_has_changed(cloud, scheduler, inbox, sender):
    queue = inbox()
    target = {"Arn": queue.arn, "RoleArn": sender(allow("sqs:SendMessage", queue.arn)), "Input": '"old"'}
    window = {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 1440}
    create(scheduler, target, at(later(hours=1)), FlexibleTimeWindow=window)
    cloud.advance(HOUR)
    new = {**target, "Input": '"new"'}
    scheduler.update_schedule(Name="s", ScheduleExpression=at(later(hours=30)), Target=new, FlexibleTimeWindow=OFF)
    cloud.advance(29 * HOUR)
    assert queue.read() == ["new"]
    assert queue.waiting() == 0


def test_schedules_that_are_disabled_changed_or_gone_are_not_due(cloud, scheduler, inbox, sender):
    queue = inbox()
    scheduler.create_schedule_group(Name="night")
    target = {"Arn": queue.arn, "RoleArn": sender(allow("sqs:SendMessage", queue.arn))}
    soon = at(later(hours=1))
    for name, more in {"off": {"State": "DISABLED"}, "gone": {}, "moved": {}, "kept": {}}.items():
        create(scheduler, {**target, "Input": f'"{name}"'}, soon, name, **more)
    scheduler.delete_schedule(Name="gone")
    moved = {**target, "Input": '"later"'}
    scheduler.update_schedule(
        Name="moved", ScheduleExpression=at(later(hours=3)), Target=moved, FlexibleTimeWindow=OFF,
        ActionAfterCompletion="DELETE",
    )  # fmt: skip
    assert scheduler.get_schedule(Name="moved")["ActionAfterCompletion"] == "DELETE"
    cloud.advance(HOUR)
    assert queue.read() == ["kept"]
    cloud.advance(2 * HOUR)
    assert queue.read() == ["later"]


def test_a_deleted_groups_schedules_are_gone_and_groups_are_made_once(cloud, scheduler, inbox, role):
    queue = inbox()
    arn = role(SCHEDULER, allow("sqs:SendMessage", queue.arn), **of_source(f"{PLACE}:schedule-group/night"))
    scheduler.create_schedule_group(Name="night", ClientToken="a")
    scheduler.create_schedule_group(Name="night", ClientToken="a")
    target = {"Arn": queue.arn, "RoleArn": arn, "Input": "{}"}
    create(scheduler, target, at(later(hours=1)), GroupName="night")
    assert refused(scheduler.create_schedule_group, Name="night") == (
        "ConflictException", "Schedule group night already exists.",
    )  # fmt: skip
    assert scheduler.get_schedule(Name="s", GroupName="night")["GroupName"] == "night"
    scheduler.delete_schedule_group(Name="night")
    cloud.advance(HOUR)
    assert refused(create, scheduler, target, GroupName="night")[0] == "ResourceNotFoundException"
    assert refused(scheduler.delete_schedule_group, Name="default")[0] == "ValidationException"
    assert refused(scheduler.delete_schedule_group, Name="night")[0] == "ResourceNotFoundException"
    assert queue.waiting() == 0


def test_a_schedule_is_made_once_for_a_token(scheduler, inbox, sender):
    queue = inbox()
    target = {"Arn": queue.arn, "RoleArn": sender(allow("sqs:SendMessage", queue.arn)), "Input": "{}"}
    given = {"expression": at(later(hours=1)), "ClientToken": "token"}
    assert create(scheduler, target, **given) == create(scheduler, target, **given)
    assert refused(create, scheduler, target, **given | {"ClientToken": "another"})[0] == "ConflictException"
    scheduler.delete_schedule(Name="s")
    create(scheduler, target, **given)
    assert scheduler.get_schedule(Name="s")["State"] == "ENABLED"


def test_the_role_decides_and_what_it_may_not_goes_to_the_dead_letter_queue(cloud, scheduler, inbox, sender, denied):
    queue, dead = inbox(), inbox("dead")
    arn = sender(allow("sqs:SendMessage", dead.arn))
    target = {
        "Arn": queue.arn, "RoleArn": arn, "Input": "<aws.scheduler.attempt-number>",
        "DeadLetterConfig": {"Arn": dead.arn},
    }  # fmt: skip
    schedule = create(scheduler, target)
    event = denied("SendMessage", SCHEDULER)
    assert event["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] == arn
    [message] = dead.got()
    told = {name: one["StringValue"] for name, one in message["MessageAttributes"].items()}
    assert message["Body"] == "1"
    assert len(told.pop("EXECUTION_ID")) == 16
    assert told.pop("SCHEDULED_TIME").endswith("Z")
    assert "is not authorized to perform: sqs:sendmessage" in told.pop("ERROR_MESSAGE")
    assert told == {
        "SCHEDULE_ARN": schedule, "TARGET_ARN": queue.arn, "ERROR_CODE": "AccessDenied", "RETRY_ATTEMPTS": "0",
        "IS_PAYLOAD_TRUNCATED": "false",
    }  # fmt: skip
    assert queue.waiting() == 0


def test_a_role_that_no_longer_trusts_the_scheduler_asks_nothing(cloud, scheduler, inbox, sender, denied):
    queue = inbox()
    message(scheduler, queue, sender, expression=at(later(hours=1)))
    trust = statement(SCHEDULER, "sts:AssumeRole", "*", **of_source(f"{PLACE}:schedule-group/other"))
    document = trust.replace('"Resource": "*", ', "")
    cloud.client("iam").update_assume_role_policy(RoleName="sender", PolicyDocument=document)
    cloud.advance(HOUR)
    denied("AssumeRole", SCHEDULER)
    assert queue.waiting() == 0


@pytest.mark.parametrize(
    "condition",
    [of_source(f"{PLACE}:schedule-group/other"), of_source(f"{PLACE}:schedule/default/s"),
     {"StringEquals": {"aws:SourceAccount": "999999999999"}}],
)  # fmt: skip
def test_a_role_that_does_not_trust_the_scheduler_for_the_group_is_refused(scheduler, inbox, role, condition):
    arn = role(SCHEDULER, allow("sqs:SendMessage"), **condition)
    assert refused(create, scheduler, {"Arn": inbox().arn, "RoleArn": arn}) == (
        "ValidationException",
        "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
    )
    assert scheduler.list_schedules()["Schedules"] == []


@pytest.fixture
def busy(cloud):
    """The name of a function that never runs: it is refused each time, for now."""
    cloud.client("iam").create_role(RoleName="f", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))
    cloud.client("lambda").create_function(
        FunctionName="f", Runtime="python3.11", Handler="a.b", Role=f"arn:aws:iam::{ACCOUNT}:role/f",
        Code={"ZipFile": b"PK\x05\x06" + b"\0" * 18},
    )  # fmt: skip
    cloud.client("lambda").put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=0)
    return "f"


def test_what_fails_for_now_is_tried_again_by_the_clock_as_often_and_long_as_may_be(
    cloud, scheduler, inbox, sender, busy
):
    seldom, briefly = inbox("seldom"), inbox("briefly")
    arn = sender(allow("lambda:InvokeFunction"), allow("sqs:SendMessage", [seldom.arn, briefly.arn]))
    given = {"FunctionName": busy, "Payload": '{"attempt": <aws.scheduler.attempt-number>}'}
    target = {"Arn": "arn:aws:scheduler:::aws-sdk:lambda:invoke", "RoleArn": arn, "Input": json.dumps(given)}
    policies = [(seldom, {"MaximumRetryAttempts": 3}), (briefly, {"MaximumEventAgeInSeconds": 60})]
    for queue, policy in policies:
        more = {"RetryPolicy": policy, "DeadLetterConfig": {"Arn": queue.arn}}
        create(scheduler, target | more, at(later(minutes=1)), queue.arn.rpartition(":")[2])
    while not (seldom.waiting() and briefly.waiting()):
        cloud.advance(60)
    [message], [other] = seldom.got(), briefly.got()
    told = {name: one["StringValue"] for name, one in message["MessageAttributes"].items()}
    assert json.loads(json.loads(message["Body"])["Payload"]) == {"attempt": 4}
    assert (told["EXHAUSTED_RETRY_CONDITION"], told["RETRY_ATTEMPTS"]) == ("MaximumRetryAttempts", "3")
    assert told["ERROR_CODE"] == "TooManyRequestsException"
    assert other["MessageAttributes"]["EXHAUSTED_RETRY_CONDITION"]["StringValue"] == "MaximumEventAgeInSeconds"


def test_a_letter_that_is_too_long_is_cut_and_says_so(scheduler, inbox, sender):
    dead = inbox("dead")
    target = {
        "Arn": dead.arn.replace(":dead", ":absent"), "RoleArn": sender(allow("sqs:SendMessage")),
        "Input": "ä" * (128 * 1024), "DeadLetterConfig": {"Arn": dead.arn},
    }  # fmt: skip
    create(scheduler, target)
    [message] = dead.got()
    assert message["MessageAttributes"]["IS_PAYLOAD_TRUNCATED"]["StringValue"] == "true"
    assert message["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "AWS.SimpleQueueService.NonExistentQueue"
    assert message["Body"] == "ä" * (120 * 1024)


def test_an_ordered_queue_and_a_state_machine_are_asked(cloud, scheduler, inbox, sender):
    queue = inbox("inbox.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    document = trust("states.amazonaws.com")
    own = cloud.client("iam").create_role(RoleName="machine", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    states = cloud.client("stepfunctions")
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
    machine = states.create_state_machine(name="orders", definition=definition, roleArn=own)["stateMachineArn"]
    arn = sender(allow("sqs:SendMessage", queue.arn), allow("states:StartExecution", machine))
    create(scheduler, {"Arn": machine, "RoleArn": arn, "Input": '{"n": 1}'}, name="machine")
    create(scheduler, {"Arn": queue.arn, "RoleArn": arn, "Input": "x", "SqsParameters": {"MessageGroupId": "g"}})
    assert [one["Attributes"]["MessageGroupId"] for one in queue.got()] == ["g"]
    deadline, found = time.monotonic() + DEADLINE, []
    while not found and time.monotonic() < deadline:
        found = states.list_executions(stateMachineArn=machine)["executions"]
    assert states.describe_execution(executionArn=found[0]["executionArn"])["input"] == '{"n": 1}'


def test_topics_and_functions_are_asked(cloud, scheduler, inbox, saving, sender):
    topic = cloud.client("sns").create_topic(Name="news")["TopicArn"]
    news, seen = inbox("news"), inbox("seen")
    news.let("sns.amazonaws.com")
    cloud.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=news.arn)
    function = saving(seen)
    arn = sender(allow("sns:Publish", topic), allow("lambda:InvokeFunction", function))
    create(scheduler, {"Arn": topic, "RoleArn": arn, "Input": "plain text"}, name="topic")
    create(scheduler, {"Arn": function, "RoleArn": arn, "Input": '{"a": 1}'}, name="function")
    assert [one["Message"] for one in news.read()] == ["plain text"]
    assert seen.read() == [{"a": 1}]


def test_a_bus_and_a_stream_are_asked_with_their_parameters(cloud, scheduler, inbox, sender, stream):
    queue, events = inbox(), cloud.client("events")
    queue.let("events.amazonaws.com")
    bus = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
    events.put_rule(Name="orders", EventPattern='{"source": ["shop"], "detail-type": ["late"]}')
    events.put_targets(Rule="orders", Targets=[{"Id": "target", "Arn": queue.arn}])
    arn = sender(allow("events:PutEvents", bus), allow("kinesis:PutRecord", STREAM))
    parameters = {"Source": "shop", "DetailType": "late"}
    create(
        scheduler, {"Arn": bus, "RoleArn": arn, "EventBridgeParameters": parameters, "Input": '{"n": 1}'}, name="bus"
    )
    create(scheduler, {"Arn": STREAM, "RoleArn": arn, "KinesisParameters": {"PartitionKey": "k"}, "Input": "x"})
    assert [(one["source"], one["detail-type"], one["detail"]) for one in queue.read()] == [("shop", "late", {"n": 1})]
    assert [(one["PartitionKey"], one["Data"]) for one in stream()] == [("k", b"x")]


def test_a_universal_target_is_any_operation_and_the_role_decides_it(cloud, scheduler, inbox, sender, denied):
    queue = inbox()
    arn = sender(
        allow("sqs:CreateQueue", f"arn:aws:sqs:{REGION}:{ACCOUNT}:made-*"), allow("sqs:SendMessage", queue.arn)
    )
    place = "arn:aws:scheduler:::aws-sdk"
    text = json.dumps({"QueueUrl": queue.url, "MessageBody": "<aws.scheduler.schedule-arn>"})
    create(scheduler, {"Arn": f"{place}:sqs:sendMessage", "RoleArn": arn, "Input": text}, name="send")
    assert [one["Body"] for one in queue.got()] == [f"{PLACE}:schedule/default/send"]
    for name in ("made-1", "other"):
        target = {"Arn": f"{place}:sqs:createQueue", "RoleArn": arn, "Input": json.dumps({"QueueName": name})}
        create(scheduler, target, name=name)
    assert f":{ACCOUNT}:other " in denied("CreateQueue", SCHEDULER)["errorMessage"]
    deadline, made = time.monotonic() + DEADLINE, []
    while len(made) < 2 and time.monotonic() < deadline:
        made = [url.rpartition("/")[2] for url in queue.sqs.list_queues()["QueueUrls"]]
    assert sorted(made) == ["inbox", "made-1"]


def test_a_universal_target_may_be_iamds_own_service_with_names_as_sdks_write_them(cloud, scheduler, sender):
    states = cloud.client("stepfunctions")
    place = f"arn:aws:states:{REGION}:{ACCOUNT}:activity:a"
    arn = sender(allow("iam:CreateUser"), allow("states:CreateActivity", place))
    universal = "arn:aws:scheduler:::aws-sdk"
    target = {"Arn": f"{universal}:iam:createUser", "RoleArn": arn, "Input": '{"UserName": "night"}'}
    create(scheduler, target, name="user")
    create(
        scheduler, {"Arn": f"{universal}:sfn:createActivity", "RoleArn": arn, "Input": '{"Name": "a"}'}, name="activity"
    )
    deadline, users, activities = time.monotonic() + DEADLINE, [], []
    while not (activities and "night" in users) and time.monotonic() < deadline:
        activities = states.list_activities()["activities"]
        users = [one["UserName"] for one in cloud.client("iam").list_users()["Users"]]
    assert [one["name"] for one in activities] == ["a"]
    assert "night" in users
