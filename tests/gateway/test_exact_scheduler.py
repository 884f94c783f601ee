"""What requests to EventBridge Scheduler are decided on: schedules in their groups, groups by name and ARN.

AWS: EventBridge Scheduler User Guide, "Using identity-based policies in EventBridge Scheduler".
"""

import pytest
from gateway.condition_keys import Caller, Key, check
from gateway.parameters import ACCOUNT, QUEUE, REGION, ROLE
from running import allow

PLACE = f"arn:aws:scheduler:{REGION}:{ACCOUNT}"
SCHEDULE, PLAIN, GROUP = (
    f"{PLACE}:schedule/night/clean",
    f"{PLACE}:schedule/default/clean",
    f"{PLACE}:schedule-group/night",
)
NEW = {
    "Name": "clean", "ScheduleExpression": "rate(1 day)", "Target": {"Arn": QUEUE, "RoleArn": ROLE},
    "FlexibleTimeWindow": {"Mode": "OFF"},
}  # fmt: skip
TAGS = [{"Key": "team", "Value": "blue"}]
PASSED = [("iam:PassRole", ROLE)]


def on(resource, *actions):
    return [(f"scheduler:{action}", resource) for action in actions]


CASES = [
    ("CreateSchedule", NEW, [*on(PLAIN, "CreateSchedule"), *PASSED]),
    ("UpdateSchedule", {**NEW, "GroupName": "night"}, [*on(SCHEDULE, "UpdateSchedule"), *PASSED]),
    ("GetSchedule", {"Name": "clean", "GroupName": "night"}, on(SCHEDULE, "GetSchedule")),
    ("DeleteSchedule", {"Name": "clean"}, on(PLAIN, "DeleteSchedule")),
    ("CreateScheduleGroup", {"Name": "night", "Tags": TAGS}, on(GROUP, "CreateScheduleGroup", "TagResource")),
    ("DeleteScheduleGroup", {"Name": "night"}, on(GROUP, "DeleteScheduleGroup")),
    ("ListSchedules", {"GroupName": "night"}, on("*", "ListSchedules")),
    ("UntagResource", {"ResourceArn": GROUP, "TagKeys": ["team"]}, on(GROUP, "UntagResource")),
]


@pytest.mark.parametrize(("name", "given", "wanted"), CASES)
def test_each_request_is_decided_on_what_it_touches(counted, name, given, wanted):
    told = counted.call("scheduler", name, given)
    assert told.asked == wanted
    assert told.sent > 0


@pytest.mark.parametrize(
    ("name", "given"),
    [("GetSchedule", {"Name": "a*"}), ("GetSchedule", {"Name": "a", "GroupName": "a*"}),
     ("ListTagsForResource", {"ResourceArn": SCHEDULE}),
     ("ListTagsForResource", {"ResourceArn": GROUP.replace(REGION, "eu-west-1")})],
)  # fmt: skip
def test_what_names_nothing_here_is_refused(counted, name, given):
    told = counted.call("scheduler", name, given)
    assert (told.status, told.code, told.sent) == (400, "ValidationException", 0)


def test_a_targets_role_is_passed_by_who_may(counted):
    caller = Caller.new(counted, "scheduler-roles")
    caller.may(allow("scheduler:*"))
    told = caller.call("scheduler", "CreateSchedule", NEW)
    assert (told.sent, told.code) == (0, "AccessDeniedException")
    passed = {"iam:PassedToService": "scheduler.amazonaws.com"}
    caller.may(allow("scheduler:*"), allow("iam:PassRole", ROLE, StringEquals=passed))
    assert caller.call("scheduler", "CreateSchedule", NEW).sent > 0


def test_a_key_has_its_value_and_decides(counted):
    given, other = ({"Name": "night", "Tags": [{"Key": "team", "Value": value}]} for value in ("blue", "red"))
    key = Key("aws:RequestTag/team", "blue", "scheduler:CreateScheduleGroup", "CreateScheduleGroup", given, other)
    check(Caller.new(counted, "scheduler-keys"), "scheduler", key)
