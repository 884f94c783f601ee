"""What requests to Step Functions are decided on: state machines by every ARN that they have, executions, activities.

AWS: Step Functions Developer Guide, "Authorizing versions and aliases in Step Functions workflows".
"""

import pytest
from gateway.condition_keys import Caller, Key, check
from gateway.counting import trusting
from gateway.parameters import ACCOUNT, REGION, ROLE, STATES
from running import allow

MACHINE = f"{STATES}:stateMachine:orders"
RUN, EXPRESS = f"{STATES}:execution:orders:one", f"{STATES}:express:orders:one:two"
MAP_RUN = f"{STATES}:mapRun:orders/each:0123-ab"
ACTIVITY = f"{STATES}:activity:pack"
NEW = {"name": "orders", "definition": "{}", "roleArn": ROLE}
PASSED = [("iam:PassRole", ROLE)]
ROUTES = [{"stateMachineVersionArn": f"{MACHINE}:{number}", "weight": 50} for number in (1, 2)]


def on(resource, *actions):
    return [(f"states:{action}", resource) for action in actions]


CASES = [
    *[
        (name, {"stateMachineArn": arn}, on(MACHINE, name))
        for name in ("StartExecution", "StartSyncExecution", "DescribeStateMachine", "ListExecutions")
        for arn in (MACHINE, f"{MACHINE}:PROD", f"{MACHINE}:3")
    ],
    ("DescribeStateMachine", {"stateMachineArn": f"{MACHINE}/each"}, on(MACHINE, "DescribeStateMachine")),
    ("DeleteStateMachineAlias", {"stateMachineAliasArn": f"{MACHINE}:PROD"}, on(MACHINE, "DeleteStateMachineAlias")),
    (
        "CreateStateMachineAlias",
        {"name": "PROD", "routingConfiguration": ROUTES},
        on(MACHINE, "CreateStateMachineAlias"),
    ),
    ("CreateStateMachine", NEW, [*on(MACHINE, "CreateStateMachine"), *PASSED]),
    (
        "CreateStateMachine",
        {**NEW, "publish": True, "tags": [{"key": "team", "value": "blue"}]},
        [*on(MACHINE, "CreateStateMachine", "PublishStateMachineVersion", "TagResource"), *PASSED],
    ),
    (
        "UpdateStateMachine",
        {"stateMachineArn": MACHINE, "roleArn": ROLE},
        [*on(MACHINE, "UpdateStateMachine"), *PASSED],
    ),
    (
        "UpdateStateMachine",
        {"stateMachineArn": MACHINE, "definition": "{}", "publish": True},
        on(MACHINE, "UpdateStateMachine", "PublishStateMachineVersion"),
    ),
    ("StopExecution", {"executionArn": RUN}, on(RUN, "StopExecution")),
    ("DescribeExecution", {"executionArn": EXPRESS}, on(EXPRESS, "DescribeExecution")),
    ("ListExecutions", {"mapRunArn": MAP_RUN}, on(MAP_RUN, "ListExecutions")),
    ("GetActivityTask", {"activityArn": ACTIVITY}, on(ACTIVITY, "GetActivityTask")),
    ("CreateActivity", {"name": "pack"}, on(ACTIVITY, "CreateActivity")),
    ("ListTagsForResource", {"resourceArn": ACTIVITY}, on(ACTIVITY, "ListTagsForResource")),
    ("SendTaskSuccess", {"taskToken": "t", "output": "{}"}, on("*", "SendTaskSuccess")),
    (
        "TestState",
        {"definition": "{}", "roleArn": ROLE, "revealSecrets": True},
        [*on("*", "TestState", "RevealSecrets"), *PASSED],
    ),
]


@pytest.mark.parametrize(("name", "given", "wanted"), CASES)
def test_each_request_is_decided_on_what_it_touches(counted, name, given, wanted):
    told = counted.call("stepfunctions", name, given)
    assert told.asked == wanted
    assert told.sent > 0


@pytest.mark.parametrize(
    ("name", "given", "code"),
    [("StartExecution", {"stateMachineArn": arn}, "InvalidArn")
     for arn in ("orders", f"{STATES}:stateMachine:a*", f"{STATES}:stateMachine:", RUN, f"{MACHINE}:a:b",
                 MACHINE.replace(REGION, "eu-west-1"), MACHINE.replace(":states:", ":lambda:"))]
    + [("StopExecution", {"executionArn": EXPRESS}, "InvalidArn"), ("CreateActivity", {"name": "a:b"}, "InvalidName"),
       ("ListExecutions", {"stateMachineArn": MACHINE, "mapRunArn": MAP_RUN}, "ValidationException"),
       ("CreateStateMachineAlias", {"name": "PROD", "routingConfiguration": [
           ROUTES[0], {"stateMachineVersionArn": f"{MACHINE}2:1", "weight": 50}]}, "ValidationException")],
)  # fmt: skip
def test_what_names_nothing_plainly_is_refused(counted, name, given, code):
    told = counted.call("stepfunctions", name, given)
    assert (told.status, told.code, told.sent) == (400, code, 0)


def test_an_alias_in_another_account_is_not_made_without_its_consent(counted):
    theirs = MACHINE.replace(ACCOUNT, "111122223333")
    routes = [{"stateMachineVersionArn": f"{theirs}:1", "weight": 100}]
    told = counted.call("stepfunctions", "CreateStateMachineAlias", {"name": "PROD", "routingConfiguration": routes})
    assert (told.asked, told.sent) == (on(theirs, "CreateStateMachineAlias"), 0)


def test_a_role_is_passed_by_who_may_and_only_one_that_trusts_step_functions(counted):
    counted.aws.client("iam").create_role(RoleName="not-states", AssumeRolePolicyDocument=trusting("ec2.amazonaws.com"))
    caller = Caller.new(counted, "states-roles")
    caller.may(allow("states:*"))
    told = caller.call("stepfunctions", "CreateStateMachine", NEW)
    assert (told.sent, told.code) == (0, "AccessDeniedException")
    caller.may(allow("states:*"), allow("iam:PassRole", StringEquals={"iam:PassedToService": "states.amazonaws.com"}))
    assert caller.call("stepfunctions", "CreateStateMachine", NEW).sent > 0
    strange = {**NEW, "roleArn": ROLE.replace("app", "not-states")}
    assert caller.call("stepfunctions", "CreateStateMachine", strange).sent == 0


START = ("states:StartExecution", "StartExecution")
KEYS = [
    Key("states:StateMachineQualifier", "PROD", *START, {"stateMachineArn": f"{MACHINE}:PROD"},
        {"stateMachineArn": f"{MACHINE}:TEST"}, "ForAnyValue:StringEquals"),
    Key("aws:RequestTag/team", "blue", "states:TagResource", "TagResource",
        {"resourceArn": MACHINE, "tags": [{"key": "team", "value": "blue"}]},
        {"resourceArn": MACHINE, "tags": [{"key": "team", "value": "red"}]}),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_a_key_has_its_value_and_decides(counted, key):
    check(Caller.new(counted, f"states-{key.operation}"), "stepfunctions", key)
