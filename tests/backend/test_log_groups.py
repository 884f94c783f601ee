"""Log groups and events of them: those that are asked for, and no others (DescribeLogGroups, FilterLogEvents)."""

import time

import pytest
from gateway.two_accounts import code_of


@pytest.fixture
def logs(cloud):
    """CloudWatch Logs with a group of three streams with an event each."""
    client = cloud.client("logs")
    client.create_log_group(logGroupName="app")
    for name in ("red/1", "red/2", "blue/1"):
        client.create_log_stream(logGroupName="app", logStreamName=name)
        event = {"timestamp": int(time.time() * 1000), "message": name}
        client.put_log_events(logGroupName="app", logStreamName=name, logEvents=[event])
    return client


def messages(answer):
    return sorted(event["message"] for event in answer["events"])


def test_events_are_those_of_streams_whose_names_begin_so(logs):
    told = logs.filter_log_events(logGroupName="app", logStreamNamePrefix="red/")
    assert messages(told) == ["red/1", "red/2"]
    assert sorted(one["logStreamName"] for one in told["searchedLogStreams"]) == ["red/1", "red/2"]
    assert messages(logs.filter_log_events(logGroupName="app", logStreamNamePrefix="green/")) == []
    assert messages(logs.filter_log_events(logGroupName="app")) == ["blue/1", "red/1", "red/2"]


def test_a_prefix_is_a_part_of_what_is_asked_for(logs):
    arn = logs.describe_log_groups()["logGroups"][0]["logGroupArn"]
    for group in ({"logGroupName": "app"}, {"logGroupIdentifier": "app"}, {"logGroupIdentifier": arn}):
        given = {**group, "logStreamNamePrefix": "red/"}
        assert messages(logs.filter_log_events(**given, filterPattern='"red/2"')) == ["red/2"]
        page = logs.filter_log_events(**given, limit=1)
        rest = logs.filter_log_events(**given, limit=1, nextToken=page["nextToken"])
        assert messages({"events": [*page["events"], *rest["events"]]}) == ["red/1", "red/2"]


def test_a_prefix_and_names_of_streams_are_not_given_together(logs):
    given = {"logGroupName": "app", "logStreamNamePrefix": "red/", "logStreamNames": ["blue/1"]}
    assert code_of(logs.filter_log_events, **given) == "InvalidParameterException"


def test_the_newest_events_are_not_told_first(logs):
    given = {"logGroupName": "app", "startFromHead": False}
    assert code_of(logs.filter_log_events, **given) == "NotImplemented"
    assert messages(logs.filter_log_events(**{**given, "startFromHead": True})) == ["blue/1", "red/1", "red/2"]


def names(answer):
    return [group["logGroupName"] for group in answer["logGroups"]]


def test_groups_are_those_that_are_asked_for(logs):
    logs.create_log_group(logGroupName="aws/app", logGroupClass="INFREQUENT_ACCESS")
    logs.create_log_group(logGroupName="other")
    assert names(logs.describe_log_groups(logGroupNamePattern="app")) == ["app", "aws/app"]
    assert names(logs.describe_log_groups(logGroupIdentifiers=["other", "app"])) == ["app", "other"]
    assert names(logs.describe_log_groups(logGroupClass="INFREQUENT_ACCESS")) == ["aws/app"]
    page = logs.describe_log_groups(logGroupNamePattern="app", limit=1)
    rest = logs.describe_log_groups(logGroupNamePattern="app", limit=1, nextToken=page["nextToken"])
    assert (names(page), names(rest), "nextToken" in rest) == (["app"], ["aws/app"], False)
    assert code_of(logs.describe_log_groups, logGroupNamePattern="app", nextToken="x") == "InvalidParameterException"
    both = {"logGroupNamePattern": "app", "logGroupNamePrefix": "app"}
    assert code_of(logs.describe_log_groups, **both) == "InvalidParameterException"


def test_no_groups_are_those_of_monitored_accounts(logs):
    assert code_of(logs.describe_log_groups, includeLinkedAccounts=True) == "NotImplemented"
