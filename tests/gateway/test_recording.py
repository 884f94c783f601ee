"""The event of a request to a backend is made before its answer is there, and says what became of it all the same."""

import json

import pytest
from botocore import UNSIGNED
from botocore.exceptions import ClientError
from running import ACCOUNT, Credentials, allow


@pytest.fixture
def bucket(cloud):
    cloud.client("s3").create_bucket(Bucket="recorded")
    cloud.client("s3").put_object(Bucket="recorded", Key="there", Body=b"content")
    return cloud.client("s3")


def recorded(cloud, key):
    """The one event of a request for this key, and what was decided for it."""
    [event] = [one for one in cloud.events("GetObject") if one["requestParameters"]["key"] == key]
    decisions = cloud.explain(event["requestID"])["Decisions"]
    return event, [(one["Action"], one["Outcome"]) for one in decisions]


def test_what_goes_well_is_recorded_once_and_without_an_error(cloud, bucket):
    bucket.get_object(Bucket="recorded", Key="there")
    event, decided = recorded(cloud, "there")
    assert "errorCode" not in event
    assert decided == [("s3:GetObject", "Allowed")]


def test_what_the_backend_refuses_is_recorded_with_its_error(cloud, bucket):
    with pytest.raises(ClientError, match="InvalidRange"):
        bucket.get_object(Bucket="recorded", Key="there", Range="bytes=100-200")
    event, decided = recorded(cloud, "there")
    assert (event["errorCode"], decided) == ("InvalidRange", [("s3:GetObject", "Allowed")])


def test_what_is_decided_when_the_answer_is_there_is_recorded_too(cloud, bucket):
    """AWS: who may not list a bucket is not told that an object is missing (S3 API Reference, GetObject)."""
    ada = cloud.user("ada", allow("s3:GetObject", "arn:aws:s3:::recorded/*"))
    with pytest.raises(ClientError, match="AccessDenied"):
        cloud.client("s3", ada).get_object(Bucket="recorded", Key="hidden")
    event, decided = recorded(cloud, "hidden")
    assert event["errorCode"] == "AccessDenied"
    assert decided == [("s3:GetObject", "Allowed"), ("s3:ListBucket", "ImplicitlyDenied")]


def test_what_an_answer_needs_is_recorded_where_all_goes_well(cloud, bucket):
    """By which key an object is encrypted its backend tells with it, and then the use of the key is decided."""
    key = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    bucket.put_object(Bucket="recorded", Key="sealed", Body=b"content", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    bucket.get_object(Bucket="recorded", Key="sealed")
    event, decided = recorded(cloud, "sealed")
    assert "errorCode" not in event
    assert decided == [("s3:GetObject", "Allowed"), ("kms:Decrypt", "Allowed")]


def test_events_are_found_by_the_resources_that_their_requests_name(cloud, bucket):
    """AWS: CloudTrail User Guide, "Resource types supported by event history", has buckets, instances, databases ..."""
    cloud.client("s3").create_bucket(Bucket="another")
    bucket.delete_object(Bucket="recorded", Key="there")
    with pytest.raises(ClientError, match="AccessDenied"):
        cloud.client("s3", cloud.user("ada")).delete_bucket(Bucket="recorded")
    with pytest.raises(ClientError, match="InvalidInstanceID"):
        cloud.client("ec2").stop_instances(InstanceIds=["i-0123456789abcdef0", "i-0123456789abcdef1"])
    trail = cloud.client("cloudtrail")

    def found(key, value):
        events = trail.lookup_events(LookupAttributes=[{"AttributeKey": key, "AttributeValue": value}])["Events"]
        return [(event["EventName"], [one["ResourceName"] for one in event["Resources"]]) for event in events]

    own = [(name, ["recorded"]) for name in ("DeleteBucket", "DeleteObject", "PutObject", "CreateBucket")]
    assert found("ResourceName", "recorded") == own
    assert found("ResourceType", "AWS::S3::Bucket") == [*own[:2], ("CreateBucket", ["another"]), *own[2:]]
    assert found("ResourceName", "there") == []
    [(name, instances)] = found("ResourceType", "AWS::EC2::Instance")
    assert (name, instances) == ("StopInstances", ["i-0123456789abcdef0", "i-0123456789abcdef1"])


def test_the_owner_of_a_bucket_is_told_of_what_other_accounts_do_there(cloud, bucket):
    """AWS: CloudTrail User Guide, "CloudTrail record contents", sharedEventID; and who is refused is not told whose
    the bucket is ("Redacting bucket owner account IDs for data events called by other accounts")."""
    partner = Credentials.of(cloud.iamd("CreateAccount", Name="partner", AccountId="222222222222"))
    statement = {**allow("s3:GetObject", "arn:aws:s3:::recorded/*"), "Principal": {"AWS": "222222222222"}}
    bucket.put_bucket_policy(Bucket="recorded", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    theirs = cloud.client("s3", partner)
    theirs.get_object(Bucket="recorded", Key="there")
    with pytest.raises(ClientError, match="AccessDenied"):
        theirs.delete_object(Bucket="recorded", Key="there")

    def told(credentials, name):
        answer = cloud.client("cloudtrail", credentials).lookup_events(
            LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": name}]
        )
        return [json.loads(event["CloudTrailEvent"]) for event in answer["Events"]]

    listed = [
        {"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::recorded/there"},
        {"accountId": ACCOUNT, "type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::recorded"},
    ]
    [owners], [callers] = told(None, "GetObject"), told(partner, "GetObject")
    assert owners["resources"] == callers["resources"] == listed
    assert owners["sharedEventID"] == callers["sharedEventID"]
    assert (owners["recipientAccountId"], callers["recipientAccountId"]) == (ACCOUNT, "222222222222")
    assert owners["userIdentity"]["accountId"] == "222222222222"
    [refused] = told(partner, "DeleteObject")
    assert refused["resources"] == [listed[0], {"type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::recorded"}]
    assert told(None, "DeleteObject") == []


def test_what_nobody_signed_is_told_to_the_owner_of_the_bucket_alone(cloud, bucket):
    partner = Credentials.of(cloud.iamd("CreateAccount", Name="partner", AccountId="222222222222"))
    cloud.client("s3", partner).create_bucket(Bucket="partners-own")
    nobody = cloud.client("s3", signature_version=UNSIGNED)
    with pytest.raises(ClientError, match="AccessDenied"):
        nobody.get_object(Bucket="partners-own", Key="hidden")

    def told(credentials):
        events = cloud.client("cloudtrail", credentials).lookup_events()["Events"]
        return [event["EventName"] for event in events]

    assert told(partner) == ["GetObject", "CreateBucket"]
    assert "GetObject" not in told(None)


def test_a_bucket_is_listed_though_there_is_too_much_of_the_parameters_for_a_record(cloud, bucket):
    keys = [{"Key": f"{number:03}{'k' * 900}"} for number in range(200)]
    bucket.delete_objects(Bucket="recorded", Delete={"Objects": keys})
    by_name = [{"AttributeKey": "ResourceName", "AttributeValue": "recorded"}]
    events = cloud.client("cloudtrail").lookup_events(LookupAttributes=by_name)["Events"]
    [record] = [json.loads(one["CloudTrailEvent"]) for one in events if one["EventName"] == "DeleteObjects"]
    assert record["requestParameters"] is None
    assert record["resources"] == [{"accountId": ACCOUNT, "type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::recorded"}]
