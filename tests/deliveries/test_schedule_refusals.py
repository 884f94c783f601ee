"""What can't be a schedule, a group or its target is refused when it is made.

AWS: EventBridge Scheduler API Reference, CreateSchedule, FlexibleTimeWindow, RetryPolicy, Target; User Guide, "Schedule
types" (schedule-types), "Using universal targets" (managing-targets-universal: what is not supported).
"""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from running import ACCOUNT, REGION, allow

ROLE = f"arn:aws:iam::{ACCOUNT}:role/sender"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:inbox"
BUS = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
STREAM = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/records"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"
SDK = "arn:aws:scheduler:::aws-sdk"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k"


def given(target=None, **more):
    return {
        "Name": "s", "ScheduleExpression": "rate(1 hour)", "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": QUEUE, "RoleArn": ROLE, **(target or {})},
    } | more  # fmt: skip


@pytest.fixture
def scheduler(cloud, role):
    role("scheduler.amazonaws.com", allow("sqs:SendMessage"))
    return cloud.client("scheduler", parameter_validation=False)


def soon(**span):
    return datetime.now(UTC) + timedelta(**span)


CASES = [
    ({"ScheduleExpression": "rate(5 seconds)"}, "Invalid Schedule Expression rate(5 seconds)."),
    ({"ScheduleExpression": "cron(0 10 * * * *)"}, "Invalid Schedule Expression cron(0 10 * * * *)."),
    ({"ScheduleExpression": "at(2020-01-01T00:00:00)"}, "Invalid Schedule Expression at(2020-01-01T00:00:00)."),
    ({"ScheduleExpressionTimezone": "Mars/Olympus"}, "Invalid Schedule Expression Timezone Mars/Olympus."),
    ({"StartDate": soon(minutes=-6)}, "The StartDate you specify cannot be earlier than 5 minutes ago."),
    ({"EndDate": soon(minutes=-6)}, "The EndDate you specify cannot be in the past."),
    ({"StartDate": soon(hours=2), "EndDate": soon(hours=1)}, "must be earlier than the EndDate"),
    ({"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}}, "MaximumWindowInMinutes is required"),
    ({"FlexibleTimeWindow": {"Mode": "OFF", "MaximumWindowInMinutes": 5}}, "MaximumWindowInMinutes is not allowed"),
    ({"FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 1441}}, "1 validation error detected"),
    ({"State": "PAUSED"}, "1 validation error detected"),
    ({"ActionAfterCompletion": "KEEP"}, "1 validation error detected"),
    ({"KmsKeyArn": KEY}, "KmsKeyArn: iamd does not encrypt schedules"),
]
TARGETS = [
    ({"Arn": "queue"}, "Provided Arn is not in correct format"),
    ({"Arn": f"arn:aws:codebuild:{REGION}:{ACCOUNT}:project/p"}, "is not supported as a target"),
    ({"Arn": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/r"}, "is not supported as a target"),
    ({"Arn": f"{QUEUE}.fifo"}, "SqsParameters with a MessageGroupId is required"),
    ({"Arn": BUS, "Input": "{}"}, "EventBridgeParameters is required"),
    ({"Arn": STREAM}, "KinesisParameters is required"),
    ({"KinesisParameters": {"PartitionKey": "k"}}, "KinesisParameters is not supported"),
    ({"EcsParameters": {"TaskDefinitionArn": "arn:aws:ecs:a:b:c"}}, "EcsParameters is not supported"),
    ({"Arn": FUNCTION, "Input": "{"}, "must be well-formed JSON"),
    ({"Input": "x" * (256 * 1024 + 1)}, "longer than 256 KB"),
    ({"RetryPolicy": {"MaximumRetryAttempts": 186}}, "1 validation error detected"),
    ({"RetryPolicy": {"MaximumEventAgeInSeconds": 59}}, "1 validation error detected"),
    ({"DeadLetterConfig": {"Arn": f"{QUEUE}.fifo"}}, "1 validation error detected"),
    ({"Arn": f"{SDK}:sqs:getQueueUrl"}, "is not a supported target: the operation only reads"),
    ({"Arn": f"{SDK}:dynamodb:batchGetItem"}, "the operation only reads"),
    ({"Arn": f"{SDK}:bedrockruntime:invokeModel"}, "the operation only reads"),
    ({"Arn": f"{SDK}:sqs:sendMessages"}, "no such operation"),
    ({"Arn": f"{SDK}:stepfunctions:startExecution"}, "no such service"),
    ({"Arn": f"{SDK}:iamd:createAccount"}, "no such service"),
    ({"Arn": f"{SDK}:sqs:sendMessage", "Input": "[]"}, "Invalid RequestJson provided. Reason: it is no JSON object"),
    ({"Arn": f"{SDK}:sqs:sendMessage", "Input": "{"}, "Invalid RequestJson provided. Reason: it is not well-formed"),
    ({"Arn": f"{SDK}:sqs:sendMessage", "Input": '{"Body": "a"}'}, "The field 'Body' is not supported"),
    ({"Arn": f"{SDK}:sqs:sendMessage", "Input": '{"DelaySeconds": "1"}'}, "the type integer is expected instead of '1'"),
    ({"Arn": f"{SDK}:sqs:sendMessage", "Input": "{}", "SqsParameters": {"MessageGroupId": "g"}}, "is not supported"),
]  # fmt: skip


EVERY = [(given(**one), words) for one, words in CASES] + [(given(one), words) for one, words in TARGETS]


def test_what_can_be_no_schedule_is_refused_and_not_kept(scheduler):
    for parameters, words in EVERY:
        with pytest.raises(ClientError, match=re.escape(words)) as caught:
            scheduler.create_schedule(**parameters)
        assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert scheduler.list_schedules()["Schedules"] == []


def test_what_is_changed_is_checked_as_what_is_made(scheduler):
    scheduler.create_schedule(**given())
    with pytest.raises(ClientError, match="Invalid Schedule Expression rate"):
        scheduler.update_schedule(**given(ScheduleExpression="rate(1)"))
    assert scheduler.get_schedule(Name="s")["ScheduleExpression"] == "rate(1 hour)"


def test_who_may_not_make_a_schedule_is_told_that_and_nothing_of_its_times(cloud, scheduler):
    nobody = cloud.client("scheduler", cloud.user("nobody"))
    with pytest.raises(ClientError) as caught:
        nobody.create_schedule(**given(ScheduleExpression="rate(1)"))
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"


@pytest.mark.parametrize("arn", [STREAM, BUS, BUS.replace(ACCOUNT, "999999999999")])
def test_a_rules_target_that_only_a_role_reaches_needs_one(cloud, arn):
    events = cloud.client("events")
    events.put_rule(Name="r", EventPattern='{"source": ["shop"]}')
    with pytest.raises(ClientError) as caught:
        events.put_targets(Rule="r", Targets=[{"Id": "target", "Arn": arn}])
    assert caught.value.response["Error"] == {
        "Code": "ValidationException", "Message": f"RoleArn is required for target {arn}.",
    }  # fmt: skip
    assert json.dumps(events.list_targets_by_rule(Rule="r")["Targets"]) == "[]"
