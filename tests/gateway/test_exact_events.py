"""What requests to EventBridge are decided on: buses and rules by name and ARN, events per bus, patterns, bus policies.

AWS: EventBridge User Guide, "Using IAM policy conditions in Amazon EventBridge", "Permissions for event buses".
"""

import json

import pytest
from gateway.condition_keys import Caller, Key, check
from gateway.counting import trusting
from gateway.parameters import ACCOUNT, EVENTS, REGION, ROLE
from gateway.test_resource_policies import may
from gateway.two_accounts import OTHER, code_of, policy, to, user_of
from running import allow

BUS, DEFAULT = f"{EVENTS}:event-bus/orders", f"{EVENTS}:event-bus/default"
THEIRS = BUS.replace(ACCOUNT, OTHER)
RULE, PLAIN_RULE = f"{EVENTS}:rule/orders/paid", f"{EVENTS}:rule/paid"
TAGS = [{"Key": "team", "Value": "blue"}]


def on(resource, *actions):
    return [(f"events:{action}", resource) for action in actions]


def entry(source="shop", kind="Paid", **more):
    return {"Source": source, "DetailType": kind, "Detail": "{}", **more}


def pattern(**fields):
    return json.dumps({name.replace("_", "-"): value for name, value in fields.items()})


CASES = [
    ("PutEvents", {"Entries": [entry()]}, on(DEFAULT, "PutEvents")),
    ("PutEvents", {"Entries": [entry(EventBusName="orders"), entry(EventBusName=BUS)]}, on(BUS, "PutEvents")),
    ("PutEvents", {"Entries": [entry(EventBusName="orders"), entry()]}, [*on(BUS, "PutEvents"), *on(DEFAULT, "PutEvents")]),
    ("PutEvents", {"Entries": [entry("a"), entry("b"), entry("a")]}, on(DEFAULT, "PutEvents", "PutEvents")),
    ("PutRule", {"Name": "paid", "EventPattern": pattern(source=["a"])}, on(PLAIN_RULE, "PutRule")),
    (
        "PutRule",
        {"Name": "paid", "EventBusName": "orders", "ScheduleExpression": "rate(1 day)", "Tags": TAGS},
        on(RULE, "PutRule", "TagResource"),
    ),
    ("DeleteRule", {"Name": "paid", "EventBusName": BUS}, on(RULE, "DeleteRule")),
    ("ListTargetsByRule", {"Rule": "paid", "EventBusName": "default"}, on(PLAIN_RULE, "ListTargetsByRule")),
    ("RemoveTargets", {"Rule": "paid", "EventBusName": "orders", "Ids": ["1"]}, on(RULE, "RemoveTargets")),
    ("DescribeEventBus", {}, on(DEFAULT, "DescribeEventBus")),
    ("DescribeEventBus", {"Name": BUS}, on(BUS, "DescribeEventBus")),
    ("CreateEventBus", {"Name": "orders", "Tags": TAGS}, on(BUS, "CreateEventBus", "TagResource")),
    (
        "CreateArchive",
        {"ArchiveName": "old", "EventSourceArn": BUS},
        [*on(f"{EVENTS}:archive/old", "CreateArchive"), *on(BUS, "CreateArchive")],
    ),
    (
        "StartReplay",
        {"ReplayName": "again", "EventSourceArn": f"{EVENTS}:archive/old", "EventStartTime": 1, "EventEndTime": 2,
         "Destination": {"Arn": BUS}},
        [("events:StartReplay", arn) for arn in (f"{EVENTS}:replay/again", f"{EVENTS}:archive/old", BUS)],
    ),
    ("TagResource", {"ResourceARN": RULE, "Tags": TAGS}, on(RULE, "TagResource")),
    ("ListRules", {"EventBusName": "orders"}, on("*", "ListRules")),
    ("PutPermission", {"EventBusName": "orders", "Action": "events:PutEvents", "Principal": ACCOUNT, "StatementId": "s"},
     on("*", "PutPermission")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "wanted"), CASES)
def test_each_request_is_decided_on_what_it_touches(counted, name, given, wanted):
    told = counted.call("events", name, given)
    assert told.asked == wanted
    assert told.sent > 0


def test_a_bus_of_another_account_is_decided_on_as_its_owners(counted):
    for name, given, resource in (
        ("PutEvents", {"Entries": [entry(EventBusName=THEIRS)]}, THEIRS),
        ("PutRule", {"Name": "paid", "EventBusName": THEIRS, "ScheduleExpression": "rate(1 day)"},
         RULE.replace(ACCOUNT, OTHER)),
        ("CreateArchive", {"ArchiveName": "a", "EventSourceArn": THEIRS}, THEIRS),
    ):  # fmt: skip
        told = counted.call("events", name, given)
        assert (told.asked[-1], told.sent) == ((f"events:{name}", resource), 0)
        assert f"because no resource-based policy allows the events:{name} action" in told.message


@pytest.mark.parametrize(
    ("name", "given"),
    [("PutEvents", {"Entries": [entry(EventBusName=bus)]})
     for bus in ("a*", "a:b", BUS.replace(REGION, "eu-west-1"), BUS.replace(":events:", ":sqs:"), f"{BUS}*", RULE)]
    + [("DeleteRule", {"Name": "a/b"}), ("DeleteRule", {"Name": "paid*"}), ("TagResource", {"ResourceARN": "x", "Tags": []}),
       ("DescribeArchive", {"ArchiveName": "a/b"}), ("ActivateEventSource", {"Name": "plain"})],
)  # fmt: skip
def test_a_name_that_names_nothing_here_is_refused(counted, name, given):
    told = counted.call("events", name, given)
    assert (told.status, told.code, told.sent) == (400, "ResourceNotFoundException", 0)


def test_what_cannot_be_read_or_decided_here_is_refused(counted):
    for name, given, code in (
        ("PutRule", {"Name": "paid", "EventPattern": "{"}, "InvalidEventPatternException"),
        (
            "PutRule",
            {"Name": "paid", "EventPattern": '{"source":["a"],"source":["b"]}'},
            "InvalidEventPatternException",
        ),
    ):
        told = counted.call("events", name, given)
        assert (told.status, told.code, told.sent) == (400, code, 0)


def test_events_for_a_global_endpoint_are_refused(counted):
    """It is of two Regions, and a decision is in one."""
    before = counted.backend.received
    headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "AWSEvents.PutEvents")]
    body = json.dumps({"Entries": [entry()], "EndpointId": "abc.def"}).encode()
    reply = counted.wire.send("events", "POST", "/", headers, body)
    assert (reply.status, counted.backend.received) == (400, before)
    assert b"leave EndpointId out" in reply.body


def test_roles_of_rules_and_targets_are_handed_over(counted):
    counted.aws.client("iam").create_role(RoleName="putter", AssumeRolePolicyDocument=trusting("events.amazonaws.com"))
    role = ROLE.replace("app", "putter")
    targets = [{"Id": "1", "Arn": BUS}, {"Id": "2", "Arn": BUS, "RoleArn": role}]
    for name, given in (
        ("PutRule", {"Name": "paid", "ScheduleExpression": "rate(1 day)", "RoleArn": role}),
        ("PutTargets", {"Rule": "paid", "Targets": targets}),
    ):
        told = counted.call("events", name, given)
        assert ("iam:PassRole", role) in told.asked
        assert told.context("iam:PassRole")["iam:passedtoservice"] == "events.amazonaws.com"
        assert counted.call("events", name, json.loads(json.dumps(given).replace("putter", "app"))).sent == 0


PUT = ("events:PutEvents", "PutEvents")
PUT_RULE = ("events:PutRule", "PutRule")
HEALTH = {"Name": "paid", "EventPattern": pattern(source=["aws.health"], detail={"service": ["EC2"]})}
KEYS = [
    Key("events:source", "shop", *PUT, {"Entries": [entry()]}, {"Entries": [entry("bank")]}, "ForAllValues:StringEquals"),
    Key("events:detail-type", "Paid", *PUT, {"Entries": [entry()]}, {"Entries": [entry(kind="Lost")]},
        "ForAnyValue:StringEquals"),
    Key("events:source", "aws.health", *PUT_RULE, HEALTH, {"Name": "paid", "EventPattern": pattern(source=["aws.ec2"])},
        "ForAllValues:StringEquals"),
    Key("events:detail.service", "EC2", *PUT_RULE, HEALTH,
        {"Name": "paid", "EventPattern": pattern(source=["a"], detail={"service": ["EC2", "S3"]})}),
    Key("events:TargetArn", BUS, "events:PutTargets", "PutTargets", {"Rule": "paid", "Targets": [{"Id": "1", "Arn": BUS}]},
        {"Rule": "paid", "Targets": [{"Id": "1", "Arn": BUS}, {"Id": "2", "Arn": DEFAULT}]}, "ForAllValues:ArnEquals"),
    Key("aws:RequestTag/team", "blue", "events:TagResource", "TagResource", {"ResourceARN": BUS, "Tags": TAGS},
        {"ResourceARN": BUS, "Tags": [{"Key": "team", "Value": "red"}]}),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_a_key_has_its_value_and_decides(counted, key):
    check(Caller.new(counted, f"events-{key.name.rpartition(':')[2].replace('/', '-')}-{key.operation}"), "events", key)


def test_each_entry_is_decided_by_its_own_source_and_type(counted):
    caller = Caller.new(counted, "events-entries")
    caller.may(allow("events:PutEvents", **{"ForAllValues:StringEquals": {"events:source": "shop"}}))
    assert caller.call("events", "PutEvents", {"Entries": [entry(), entry(kind="Lost")]}).sent > 0
    assert caller.call("events", "PutEvents", {"Entries": [entry(), entry("bank")]}).sent == 0


def test_a_pattern_that_matches_more_than_plain_values_equals_none(counted):
    caller = Caller.new(counted, "events-prefix")
    caller.may(allow("events:PutRule", **{"ForAllValues:StringEquals": {"events:source": "shop"}}))
    given = {"Name": "paid", "EventPattern": pattern(source=["shop", {"prefix": "b"}])}
    assert caller.call("events", "PutRule", given).sent == 0


# A bus's own policy, before the embedded backend.


def put(events, bus):
    return may(events.put_events, Entries=[entry(EventBusName=bus)])


def test_a_permission_lets_another_account_put_events_until_it_is_removed(cloud, other):
    owner = cloud.client("events")
    owner.create_event_bus(Name="orders")
    able, plain = (user_of(cloud, other, name, *may) for name, may in (("able", [allow("events:*")]), ("plain", [])))
    able, plain = cloud.client("events", able), cloud.client("events", plain)
    assert not put(able, BUS)
    owner.put_permission(EventBusName="orders", Action="events:PutEvents", Principal=OTHER, StatementId="theirs")
    assert (put(able, BUS), put(plain, BUS)) == (True, False)
    assert not may(able.put_rule, Name="paid", EventBusName=BUS, ScheduleExpression="rate(1 day)")
    assert code_of(owner.remove_permission, EventBusName="orders", StatementId="none") == "ResourceNotFoundException"
    owner.remove_permission(EventBusName="orders", StatementId="theirs")
    assert not put(able, BUS)


def test_a_buss_policy_covers_its_rules_and_goes_with_it(cloud):
    owner, caller = cloud.client("events"), cloud.client("events", cloud.user("caller"))
    owner.create_event_bus(Name="orders")
    named = {"AWS": f"arn:aws:iam::{ACCOUNT}:user/caller"}
    text = policy(to(named, {"Sid": "a", **allow(["events:PutEvents"], BUS)}),
                  to(named, {"Sid": "b", **allow(["events:PutRule"], f"{EVENTS}:rule/orders/*")}))  # fmt: skip
    owner.put_permission(EventBusName="orders", Policy=text)
    assert put(caller, "orders")
    assert may(caller.put_rule, Name="paid", EventBusName="orders", EventPattern=pattern(source=["a"]))
    assert not may(caller.put_rule, Name="paid", EventPattern=pattern(source=["a"]))
    owner.delete_rule(Name="paid", EventBusName="orders")
    owner.delete_event_bus(Name="orders")
    owner.create_event_bus(Name="orders")
    assert not put(caller, "orders")


def shown(events, bus="orders"):
    told = events.describe_event_bus(Name=bus).get("Policy")
    return told and json.loads(told)["Statement"]


@pytest.mark.parametrize("is_list", [True, False])
def test_a_policy_is_kept_as_it_is_put_also_without_a_sid(cloud, other, is_list):
    owner = cloud.client("events")
    owner.create_event_bus(Name="orders")
    able = cloud.client("events", user_of(cloud, other, "able", allow("events:*")))
    statement = to({"AWS": OTHER}, allow("events:PutEvents", BUS))
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement] if is_list else statement})
    owner.put_permission(EventBusName="orders", Policy=text)
    assert shown(owner) == [statement]
    assert put(able, BUS)
    owner.remove_permission(EventBusName="orders", RemoveAllPermissions=True)
    assert shown(owner) is None
    assert not put(able, BUS)


def test_a_policy_replaces_the_one_before_it_and_what_is_shown_is_what_is_decided(cloud, other):
    owner = cloud.client("events")
    owner.create_event_bus(Name="orders")
    able = cloud.client("events", user_of(cloud, other, "able", allow("events:*")))
    theirs = to({"AWS": OTHER}, {"Sid": "theirs", **allow("events:PutEvents", BUS)})
    rules = to({"AWS": ACCOUNT}, {"Sid": "rules", **allow("events:PutRule", f"{EVENTS}:rule/orders/*")})
    owner.put_permission(EventBusName="orders", Policy=policy(theirs))
    owner.put_permission(EventBusName="orders", Policy=policy(rules))
    assert shown(owner) == [rules]
    assert not put(able, BUS)


def test_permissions_of_the_same_account_are_several_and_go_one_by_one(cloud, other):
    owner = cloud.client("events")
    owner.create_event_bus(Name="orders")
    able = cloud.client("events", user_of(cloud, other, "able", allow("events:*")))
    given = {"EventBusName": "orders", "Action": "events:PutEvents"}
    within = {"Type": "StringEquals", "Key": "aws:PrincipalOrgID", "Value": "o-1234567890"}
    owner.put_permission(**given, Principal=OTHER, StatementId="a")
    owner.put_permission(**given, Principal=OTHER, StatementId="b")
    owner.put_permission(**given, Principal="*", StatementId="c", Condition=within)
    assert [(one["Sid"], one["Principal"]) for one in shown(owner)] == [
        ("a", {"AWS": f"arn:aws:iam::{OTHER}:root"}), ("b", {"AWS": f"arn:aws:iam::{OTHER}:root"}), ("c", "*"),
    ]  # fmt: skip
    owner.remove_permission(EventBusName="orders", StatementId="a")
    assert [one["Sid"] for one in shown(owner)] == ["b", "c"]
    assert put(able, BUS)
    owner.put_permission(**given, Principal=ACCOUNT, StatementId="b")
    assert [one["Sid"] for one in shown(owner)] == ["c", "b"]
    assert not put(able, BUS)


def test_a_policy_that_is_none_or_too_large_is_refused(cloud):
    owner = cloud.client("events")
    assert code_of(owner.put_permission, Policy="{}") == "ValidationException"
    assert code_of(owner.put_permission, Principal="*") == "ValidationException"
    large = policy(*[to("*", {"Sid": f"s{n}", **allow("events:PutEvents", DEFAULT)}) for n in range(100)])
    assert code_of(owner.put_permission, Policy=large) == "PolicyLengthExceededException"
