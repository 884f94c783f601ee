"""LookupEvents: each parameter, what is found, and what is refused."""

import json
from datetime import UTC, datetime, timedelta
from urllib.request import Request, urlopen

import pytest
from botocore.exceptions import ClientError
from running import Credentials, allow, deny


@pytest.fixture
def trail(aws):
    """CloudTrail as the administrator calls it."""
    return aws.client("cloudtrail")


def found(trail, key, value, **parameters):
    """The events of one attribute."""
    return trail.lookup_events(LookupAttributes=[{"AttributeKey": key, "AttributeValue": value}], **parameters)[
        "Events"
    ]


def names(events):
    """What was asked for, newest first."""
    return [event["EventName"] for event in events]


def test_a_request_is_found_as_soon_as_it_is_answered(aws, trail):
    answer = aws.client("iam").create_user(UserName="ann")
    [event] = found(trail, "EventName", "CreateUser")
    record = json.loads(event["CloudTrailEvent"])
    assert record["requestID"] == answer["ResponseMetadata"]["RequestId"]
    assert record["eventID"] == event["EventId"]
    assert event["EventSource"] == record["eventSource"] == "iam.amazonaws.com"
    assert event["Username"] == "admin"
    assert event["ReadOnly"] == "false"
    assert event["AccessKeyId"] == aws.server.administrator.access_key_id
    assert event["EventTime"] == datetime.fromisoformat(record["eventTime"])
    assert event["Resources"] == [{"ResourceType": "AWS::IAM::User", "ResourceName": "ann"}]


def test_a_record_does_not_say_how_the_request_was_decided(aws, trail):
    aws.client("iam").list_users()
    [event] = found(trail, "EventName", "ListUsers")
    assert "iamd" not in json.loads(event["CloudTrailEvent"])


def test_each_attribute_finds_its_events_and_no_others(aws, trail):
    ann = aws.user("ann", allow("sqs:*"))
    refused_call(aws.client("iam", ann).list_groups)
    aws.client("iam").list_roles()
    aws.client("sts").get_caller_identity()
    event_id = found(trail, "EventName", "ListRoles")[0]["EventId"]
    assert names(found(trail, "EventId", event_id)) == ["ListRoles"]
    assert names(found(trail, "Username", "ann")) == ["ListGroups"]
    assert names(found(trail, "AccessKeyId", ann.access_key_id)) == ["ListGroups"]
    assert names(found(trail, "EventSource", "sts.amazonaws.com")) == ["GetCallerIdentity"]
    assert names(found(trail, "ResourceName", "ann")) == ["CreateAccessKey", "PutUserPolicy", "CreateUser"]
    assert names(found(trail, "ResourceName", ann.access_key_id)) == ["CreateAccessKey"]
    assert names(found(trail, "ResourceType", "AWS::IAM::Policy")) == ["PutUserPolicy"]
    assert names(found(trail, "ReadOnly", "false")) == ["CreateAccessKey", "PutUserPolicy", "CreateUser"]
    assert "CreateUser" not in names(found(trail, "ReadOnly", "true"))
    assert found(trail, "EventName", "createuser") == []


def refused_call(call, **parameters):
    """Make a call that is refused, and give the error."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return caught.value.response["Error"]


def test_times_bound_what_is_found_both_ends_included(aws, trail):
    aws.client("iam").list_users()
    [event] = found(trail, "EventName", "ListUsers")
    at, second = event["EventTime"], timedelta(seconds=1)
    assert found(trail, "EventName", "ListUsers", StartTime=at, EndTime=at)
    assert not found(trail, "EventName", "ListUsers", StartTime=at + second)
    assert not found(trail, "EventName", "ListUsers", EndTime=at - second)
    error = refused_call(trail.lookup_events, StartTime=at, EndTime=at - second)
    assert error["Code"] == "InvalidTimeRangeException"


def test_events_are_found_for_ninety_days(aws, trail):
    aws.client("iam").list_users()
    aws.advance(89 * 24 * 3600)
    assert found(trail, "EventName", "ListUsers")
    aws.advance(2 * 24 * 3600)
    assert not found(trail, "EventName", "ListUsers", StartTime=datetime(2000, 1, 1, tzinfo=UTC))


def test_pages_hold_each_event_once_newest_first(aws, trail):
    for number in range(7):
        aws.client("iam").create_user(UserName=f"user{number}")
    chosen = {"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "CreateUser"}], "MaxResults": 3}
    pages = [page["Events"] for page in trail.get_paginator("lookup_events").paginate(**chosen)]
    assert [len(page) for page in pages] == [3, 3, 1]
    named = [event["Resources"][0]["ResourceName"] for page in pages for event in page]
    assert named == [f"user{number}" for number in reversed(range(7))]


def test_a_page_holds_fifty_events_unless_less_are_asked_for(aws, trail):
    for _ in range(52):
        aws.client("sts").get_caller_identity()
    first = trail.lookup_events(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "GetCallerIdentity"}])
    assert len(first["Events"]) == 50
    assert "NextToken" in first


def test_a_token_fits_its_caller_and_its_parameters_only(aws, trail):
    for _ in range(3):
        aws.client("iam").list_users()
    token = trail.lookup_events(MaxResults=1)["NextToken"]
    assert trail.lookup_events(MaxResults=2, NextToken=token)["Events"]
    other = aws.client("cloudtrail", aws.user("ann", allow("cloudtrail:LookupEvents")))
    attribute = [{"AttributeKey": "EventName", "AttributeValue": "ListUsers"}]
    for refused in (
        lambda: other.lookup_events(NextToken=token),
        lambda: trail.lookup_events(NextToken=token, LookupAttributes=attribute),
        lambda: trail.lookup_events(NextToken=token, EndTime=datetime(2040, 1, 1, tzinfo=UTC)),
        lambda: trail.lookup_events(NextToken=token, EventCategory="insight"),
        lambda: trail.lookup_events(NextToken=token[:-2] + ("AA" if token[-2:] != "AA" else "BB")),
        lambda: trail.lookup_events(NextToken="not a token"),
    ):
        assert refused_call(refused)["Code"] == "InvalidNextTokenException"


def test_one_attribute_at_a_time_with_a_value_that_it_can_have(trail):
    name = {"AttributeKey": "EventName", "AttributeValue": "ListUsers"}
    for attributes in ([name, name], [{"AttributeKey": "ReadOnly", "AttributeValue": "maybe"}]):
        error = refused_call(trail.lookup_events, LookupAttributes=attributes)
        assert error["Code"] == "InvalidLookupAttributesException"


def test_there_are_no_insights_events(aws, trail):
    aws.client("iam").list_users()
    assert trail.lookup_events(EventCategory="insight")["Events"] == []
    assert found(trail, "EventName", "ListUsers", EventCategory="insight") == []
    error = refused_call(
        trail.lookup_events,
        EventCategory="insight",
        LookupAttributes=[{"AttributeKey": "Username", "AttributeValue": "admin"}],
    )
    assert error["Code"] == "InvalidLookupAttributesException"
    assert refused_call(trail.lookup_events, EventCategory="data")["Code"] == "ValidationException"


def test_more_than_fifty_results_are_refused(trail):
    assert refused_call(trail.lookup_events, MaxResults=51)["Code"] == "ValidationException"


def test_an_account_finds_its_own_events_only(aws):
    added = aws.iamd("CreateAccount", Name="other")
    other = Credentials.of(added)
    aws.client("iam", other).create_user(UserName="theirs")
    assert names(aws.client("cloudtrail", other).lookup_events()["Events"]) == ["CreateUser"]
    assert "CreateUser" not in names(aws.client("cloudtrail").lookup_events()["Events"])


def test_looking_up_is_decided_on_every_resource_and_recorded(aws, trail):
    ann = aws.user("ann", allow("cloudtrail:LookupEvents", "arn:aws:cloudtrail:us-east-1:123456789012:trail/t"))
    error = refused_call(aws.client("cloudtrail", ann).lookup_events)
    assert error["Code"] == "AccessDeniedException"
    assert error["Message"] == (
        "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: cloudtrail:LookupEvents "
        "because no identity-based policy allows the cloudtrail:LookupEvents action"
    )
    [event] = found(trail, "Username", "ann")
    record = json.loads(event["CloudTrailEvent"])
    assert (record["eventSource"], record["errorCode"]) == ("cloudtrail.amazonaws.com", "AccessDeniedException")
    assert aws.explain(record["requestID"])["Decisions"][0]["Resource"] == "*"


def test_a_deny_keeps_an_allowed_caller_from_looking_up(aws):
    ann = aws.user("ann", allow("cloudtrail:*"), deny("cloudtrail:LookupEvents"))
    error = refused_call(aws.client("cloudtrail", ann).lookup_events)
    assert "with an explicit deny in an identity-based policy" in error["Message"]


def test_what_was_looked_up_stands_in_the_event(aws, trail):
    start = datetime(2026, 1, 2, 15, 4, 5, tzinfo=UTC)
    trail.lookup_events(
        StartTime=start, MaxResults=7, LookupAttributes=[{"AttributeKey": "Username", "AttributeValue": "ann"}]
    )
    [record] = aws.events("LookupEvents")
    assert record["requestParameters"] == {
        "startTime": "Jan 2, 2026 3:04:05 PM",
        "maxResults": 7,
        "lookupAttributes": [{"attributeKey": "Username", "attributeValue": "ann"}],
    }
    assert record["responseElements"] is None
    assert record["readOnly"] is True


def test_an_operation_that_is_not_there_yet_says_so(aws, trail):
    error = refused_call(trail.describe_trails)
    assert error["Code"] == "NotImplemented"
    assert "cloudtrail:DescribeTrails" in error["Message"]


def test_unsigned_requests_can_not_look_up(aws):
    request = Request(
        aws.endpoint + "/",
        b"{}",
        {
            "X-Amz-Target": "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents",
            "Content-Type": "application/x-amz-json-1.1",
        },
    )
    with pytest.raises(OSError, match=r"HTTP Error 40[03]"):
        urlopen(request, timeout=10)
