"""What requests to CloudWatch are decided on: alarms one by one, dashboards, rules, metric streams; what alarms do.

AWS: CloudWatch User Guide, "Overview of managing access permissions to your CloudWatch resources".
"""

import pytest
from gateway.condition_keys import Caller, Key, check
from gateway.parameters import ACCOUNT, FUNCTION, QUEUE, REGION, ROLE
from running import allow

PLACE = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}"
HOT, COLD, EVERY = f"{PLACE}:alarm:hot: now", f"{PLACE}:alarm:cold", f"{PLACE}:alarm:*"
BOARD = f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/main"
STREAM, RULE, MUTE = f"{PLACE}:metric-stream/all", f"{PLACE}:insight-rule/top", f"{PLACE}:alarm-mute-rule:night"
TAGS = [{"Key": "team", "Value": "blue"}]
ALARM = {"AlarmName": "cold", "ComparisonOperator": "LessThanThreshold", "EvaluationPeriods": 1}
NEW_STREAM = {"Name": "all", "FirehoseArn": QUEUE, "RoleArn": ROLE, "OutputFormat": "json"}
FORM = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")]


def on(action, *resources):
    return [(f"cloudwatch:{action}", resource) for resource in resources]


CASES = [
    ("PutMetricAlarm", {**ALARM, "Tags": TAGS}, [*on("PutMetricAlarm", COLD), *on("TagResource", COLD)]),
    ("DeleteAlarms", {"AlarmNames": ["hot: now", "cold"]}, on("DeleteAlarms", HOT, COLD)),
    ("DescribeAlarms", {"AlarmNames": ["cold"]}, on("DescribeAlarms", COLD)),
    ("DescribeAlarms", {"AlarmNamePrefix": "c"}, on("DescribeAlarms", EVERY)),
    ("DescribeAlarmHistory", {"AlarmName": "cold"}, on("DescribeAlarmHistory", COLD)),
    ("DescribeAlarmHistory", {}, on("DescribeAlarmHistory", EVERY)),
    ("PutDashboard", {"DashboardName": "main", "DashboardBody": "{}"}, on("PutDashboard", BOARD)),
    ("DeleteDashboards", {"DashboardNames": ["main"]}, on("DeleteDashboards", BOARD)),
    ("DisableInsightRules", {"RuleNames": ["top"]}, on("DisableInsightRules", RULE)),
    ("StopMetricStreams", {"Names": ["all"]}, on("StopMetricStreams", STREAM)),
    ("PutMetricStream", NEW_STREAM, [*on("PutMetricStream", STREAM), ("iam:PassRole", ROLE)]),
    (
        "PutAlarmMuteRule",
        {"Name": "night", "Rule": {"Schedule": {"Expression": "cron(0 0 * * *)", "Duration": "PT1H"}},
         "MuteTargets": {"AlarmNames": ["cold"]}, "Tags": TAGS},
        [*on("PutAlarmMuteRule", MUTE, COLD), *on("TagResource", MUTE)],
    ),
    ("TagResource", {"ResourceARN": BOARD, "Tags": TAGS}, on("TagResource", BOARD)),
    ("ListTagsForResource", {"ResourceARN": HOT}, on("ListTagsForResource", HOT)),
    ("PutMetricData", {"Namespace": "shop", "MetricData": [{"MetricName": "m", "Value": 1}]}, on("PutMetricData", "*")),
    ("ListMetrics", {}, on("ListMetrics", "*")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "wanted"), CASES)
def test_each_request_is_decided_on_what_it_touches(counted, name, given, wanted):
    told = counted.call("cloudwatch", name, given)
    assert told.asked == wanted
    assert told.sent > 0


def test_the_query_protocol_is_decided_alike(counted):
    body = b"Action=DeleteAlarms&Version=2010-08-01&AlarmNames.member.1=cold"
    assert counted.asked_by(counted.wire.send("monitoring", "POST", "/", FORM, body)) == on("DeleteAlarms", COLD)


@pytest.mark.parametrize(
    ("name", "given"),
    [("GetDashboard", {"DashboardName": "a/b"}), ("GetMetricStream", {"Name": "*"}),
     ("DeleteInsightRules", {"RuleNames": ["top", "*"]}), ("TagResource", {"ResourceARN": BOARD.replace("::", ":us-east-1:"), "Tags": TAGS}),
     ("TagResource", {"ResourceARN": HOT.replace(REGION, "eu-west-1"), "Tags": TAGS}),
     ("TagResource", {"ResourceARN": FUNCTION, "Tags": TAGS}),
     ("PutInsightRule", {"RuleName": "top", "RuleDefinition": "{"})],
)  # fmt: skip
def test_what_names_nothing_here_is_refused(counted, name, given):
    told = counted.call("cloudwatch", name, given)
    assert (told.status, told.code, told.sent) == (400, "InvalidParameterValue", 0)


def test_one_denied_alarm_of_a_list_denies_the_request(counted):
    caller = Caller.new(counted, "cloudwatch-list")
    caller.may(allow("cloudwatch:DeleteAlarms", COLD))
    assert caller.call("cloudwatch", "DeleteAlarms", {"AlarmNames": ["cold"]}).sent > 0
    told = caller.call("cloudwatch", "DeleteAlarms", {"AlarmNames": ["cold", "hot: now"]})
    assert (told.sent, told.code) == (0, "AccessDenied")


def test_a_metric_streams_role_is_passed_by_who_may(counted):
    caller = Caller.new(counted, "cloudwatch-roles")
    caller.may(allow("cloudwatch:*"))
    assert caller.call("cloudwatch", "PutMetricStream", NEW_STREAM).sent == 0
    passed = {"iam:PassedToService": "streams.metrics.cloudwatch.amazonaws.com"}
    caller.may(allow("cloudwatch:*"), allow("iam:PassRole", ROLE, StringEquals=passed))
    assert caller.call("cloudwatch", "PutMetricStream", NEW_STREAM).sent > 0


REBOOT = f"arn:aws:automate:{REGION}:ec2:reboot"
RULE_OF = '{"LogGroupNames":["%s"]}'
KEYS = [
    Key("cloudwatch:namespace", "shop", "cloudwatch:PutMetricData", "PutMetricData",
        {"Namespace": "shop", "MetricData": []}, {"Namespace": "bank", "MetricData": []}),
    Key("cloudwatch:AlarmActions", REBOOT, "cloudwatch:PutMetricAlarm", "PutMetricAlarm",
        {**ALARM, "OKActions": [REBOOT]}, {**ALARM, "AlarmActions": [QUEUE]}, "ForAnyValue:StringEquals"),
    Key("cloudwatch:requestInsightRuleLogGroups", "/shop", "cloudwatch:PutInsightRule", "PutInsightRule",
        {"RuleName": "top", "RuleDefinition": RULE_OF % "/shop"}, {"RuleName": "top", "RuleDefinition": RULE_OF % "/bank"},
        "ForAnyValue:StringEquals"),
    Key("cloudwatch:requestManagedResourceARNs", QUEUE, "cloudwatch:ListManagedInsightRules", "ListManagedInsightRules",
        {"ResourceARN": QUEUE}, {"ResourceARN": FUNCTION}, "ForAnyValue:ArnEquals"),
    Key("aws:RequestTag/team", "blue", "cloudwatch:TagResource", "TagResource", {"ResourceARN": HOT, "Tags": TAGS},
        {"ResourceARN": HOT, "Tags": [{"Key": "team", "Value": "red"}]}),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_a_key_has_its_value_and_decides(counted, key):
    name = f"cloudwatch-{key.name.rpartition(':')[2].replace('/', '-')}"
    check(Caller.new(counted, name), "cloudwatch", key)
