"""What buckets tell of their objects: to queues, topics, functions and EventBridge; their access logs.

AWS: S3 User Guide, "Amazon S3 Event Notifications" (EventNotifications), "Granting permissions to publish event
notification messages to a destination" (grant-destinations-permissions-to-s3), "Event message structure"
(notification-content-structure), "EventBridge event message structure" (ev-events), "Enabling Amazon S3 server access
logging" (enable-server-access-logging).
"""

import json
import re
import time

import pytest
from botocore.exceptions import ClientError
from deliveries.conftest import DEADLINE, of_source, statement
from gateway.forms import post
from running import ACCOUNT, REGION, allow

S3 = "s3.amazonaws.com"
BUCKET = "arn:aws:s3:::tour-photos"
NOT_VALID = "Unable to validate the following destination configurations"


@pytest.fixture
def s3(cloud):
    client = cloud.client("s3")
    client.create_bucket(Bucket="tour-photos")
    return client


@pytest.fixture
def notify(s3):
    """`notify(QueueConfigurations=[...])` has the bucket notify."""

    def put(given=None, **configuration):
        s3.put_bucket_notification_configuration(
            Bucket="tour-photos", NotificationConfiguration=configuration, **(given or {})
        )

    return put


def to_queue(queue, *events, **more):
    return {"QueueArn": queue.arn, "Events": list(events) or ["s3:ObjectCreated:*"], **more}


def argument(caught):
    """What S3 says of the first destination that it may not send to."""
    error = caught.value.response["Error"]
    assert (error["Code"], error["Message"]) == ("InvalidArgument", NOT_VALID)
    return error["ArgumentName1"], error["ArgumentValue1"]


def test_a_queue_is_told_of_objects(cloud, s3, notify, inbox):
    queue = inbox()
    queue.let(S3, **of_source(BUCKET), StringEquals={"aws:SourceAccount": ACCOUNT})
    rules = [{"Name": "prefix", "Value": "in/"}, {"Name": "suffix", "Value": ".jpg"}]
    notify(QueueConfigurations=[to_queue(queue, Id="new", Filter={"Key": {"FilterRules": rules}})])
    [test] = queue.read()
    assert test["Event"] == "s3:TestEvent"
    assert (test["Service"], test["Bucket"]) == ("Amazon S3", "tour-photos")
    for key in ("out/a.jpg", "in/a.png"):
        s3.put_object(Bucket="tour-photos", Key=key, Body=b"no")
    user = cloud.user("ann", allow("s3:PutObject", f"{BUCKET}/*"))
    put = cloud.client("s3", user).put_object(Bucket="tour-photos", Key="in/größe 1.jpg", Body=b"four")
    [told] = queue.read()
    [record] = told["Records"]
    assert (record["eventVersion"], record["eventSource"], record["awsRegion"]) == ("2.1", "aws:s3", REGION)
    assert record["eventName"] == "ObjectCreated:Put"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["eventTime"])
    ann = cloud.client("iam").get_user(UserName="ann")["User"]["UserId"]
    assert record["userIdentity"] == {"principalId": f"AWS:{ann}"}
    assert record["requestParameters"] == {"sourceIPAddress": "127.0.0.1"}
    assert record["responseElements"]["x-amz-request-id"] == put["ResponseMetadata"]["RequestId"]
    about = record["s3"]
    assert (about["s3SchemaVersion"], about["configurationId"]) == ("1.0", "new")
    assert (about["bucket"]["name"], about["bucket"]["arn"]) == ("tour-photos", BUCKET)
    assert about["object"]["key"] == "in/gr%C3%B6%C3%9Fe+1.jpg"
    assert (about["object"]["size"], about["object"]["eTag"]) == (4, put["ETag"].strip('"'))
    assert "versionId" not in about["object"]


def test_what_happens_to_an_object_is_told_by_its_event(s3, notify, inbox):
    queue = inbox()
    queue.let(S3)
    events = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectTagging:*", "s3:ObjectAcl:Put"]
    notify(QueueConfigurations=[to_queue(queue, *events)])
    queue.got()
    with_acls = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    s3.put_bucket_ownership_controls(Bucket="tour-photos", OwnershipControls=with_acls)
    s3.put_object(Bucket="tour-photos", Key="a", Body=b"1", Tagging="x=y")
    s3.copy_object(Bucket="tour-photos", Key="b", CopySource="tour-photos/a")
    s3.put_object_tagging(Bucket="tour-photos", Key="a", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    s3.delete_object_tagging(Bucket="tour-photos", Key="a")
    s3.put_object_acl(Bucket="tour-photos", Key="a", ACL="private")
    s3.delete_object(Bucket="tour-photos", Key="a")
    s3.put_bucket_versioning(Bucket="tour-photos", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="tour-photos", Key="b", Body=b"2")["VersionId"]
    s3.delete_object(Bucket="tour-photos", Key="b")
    told = [one["Records"][0] for one in queue.read(8)]
    assert [one["eventName"] for one in told] == [
        "ObjectCreated:Put",
        "ObjectCreated:Copy",
        "ObjectTagging:Put",
        "ObjectTagging:Delete",
        "ObjectAcl:Put",
        "ObjectRemoved:Delete",
        "ObjectCreated:Put",
        "ObjectRemoved:DeleteMarkerCreated",
    ]
    assert [one["eventVersion"] for one in told] == ["2.1"] * 2 + ["2.3"] * 3 + ["2.1"] * 3
    objects = [one["s3"]["object"] for one in told]
    assert objects[5].keys() == {"key", "sequencer"}
    assert objects[6]["versionId"] == version
    sequence = [one["sequencer"] for one in objects]
    assert sequence == sorted(sequence)


def test_an_object_of_a_form_is_told_as_one(cloud, s3, notify, inbox):
    queue = inbox()
    queue.let(S3)
    notify(QueueConfigurations=[to_queue(queue, "s3:ObjectCreated:Post")])
    queue.got()
    s3.put_object(Bucket="tour-photos", Key="put", Body=b"1")
    form = cloud.client("s3", signature_version="s3v4").generate_presigned_post("tour-photos", "posted")
    assert post(form).status == 204
    [told] = [record for one in queue.read() for record in one["Records"]]
    assert (told["eventName"], told["s3"]["object"]["key"]) == ("ObjectCreated:Post", "posted")


@pytest.mark.parametrize("kind", ["queue", "topic", "function"])
def test_a_destination_that_s3_may_not_send_to_is_refused(cloud, s3, notify, inbox, saving, kind):
    queue = inbox()
    topic = cloud.client("sns").create_topic(Name="news")["TopicArn"]
    arn, configuration, words = {
        "queue": (
            queue.arn,
            {"QueueConfigurations": [to_queue(queue)]},
            "Permissions on the destination queue do not allow S3 to publish notifications from this bucket",
        ),
        "topic": (
            topic,
            {"TopicConfigurations": [{"TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}]},
            "Permissions on the destination topic do not allow S3 to publish notifications from this bucket",
        ),
        "function": (function := saving(queue) if kind == "function" else "", {
            "LambdaFunctionConfigurations": [{"LambdaFunctionArn": function, "Events": ["s3:ObjectCreated:*"]}]
        }, f"Not authorized to invoke function [{function}]"),
    }[kind]  # fmt: skip
    with pytest.raises(ClientError) as caught:
        notify(**configuration)
    assert argument(caught) == (arn, words)
    assert "QueueConfigurations" not in s3.get_bucket_notification_configuration(Bucket="tour-photos")
    # Another bucket may, and this one may not.
    queue.let(S3, **of_source("arn:aws:s3:::another"))
    cloud.client("sns").set_topic_attributes(
        TopicArn=topic, AttributeName="Policy", AttributeValue=statement(S3, "sns:Publish", topic, **of_source("a"))
    )
    with pytest.raises(ClientError) as caught:
        notify(**configuration)
    assert argument(caught) == (arn, words)


def test_a_destination_that_is_not_there_is_refused(notify, inbox):
    queue = inbox()
    queue.let(S3)
    queue.sqs.delete_queue(QueueUrl=queue.url)
    with pytest.raises(ClientError) as caught:
        notify(QueueConfigurations=[to_queue(queue)])
    assert argument(caught) == (queue.arn, "The destination queue does not exist")


def test_destinations_need_not_be_validated_and_are_decided_when_something_is_sent(s3, notify, inbox, denied):
    queue = inbox()
    notify({"SkipDestinationValidation": True}, QueueConfigurations=[to_queue(queue)])
    denied("SendMessage", S3)
    queue.let(S3, **of_source(BUCKET))
    s3.put_object(Bucket="tour-photos", Key="a", Body=b"1")
    assert [one["Records"][0]["eventName"] for one in queue.read()] == ["ObjectCreated:Put"]


def test_a_topic_and_a_function_are_told(cloud, s3, notify, inbox, saving):
    topic = cloud.client("sns").create_topic(Name="news")["TopicArn"]
    cloud.client("sns").set_topic_attributes(
        TopicArn=topic, AttributeName="Policy", AttributeValue=statement(S3, "sns:Publish", topic, **of_source(BUCKET))
    )
    news, seen = inbox("news"), inbox("seen")
    news.let("sns.amazonaws.com", **of_source(topic))
    cloud.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=news.arn)
    function = saving(seen)
    cloud.client("lambda").add_permission(
        FunctionName="saving", StatementId="s3", Action="lambda:InvokeFunction", Principal=S3, SourceArn=BUCKET,
        SourceAccount=ACCOUNT,
    )  # fmt: skip
    notify(
        TopicConfigurations=[{"TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}],
        LambdaFunctionConfigurations=[{"LambdaFunctionArn": function, "Events": ["s3:ObjectRemoved:*"]}],
    )
    s3.put_object(Bucket="tour-photos", Key="a", Body=b"1")
    s3.delete_object(Bucket="tour-photos", Key="a")
    told = news.read(2)
    assert {one["Subject"] for one in told} == {"Amazon S3 Notification"}
    assert [json.loads(one["Message"]).get("Event") for one in told] == ["s3:TestEvent", None]
    assert json.loads(told[1]["Message"])["Records"][0]["eventName"] == "ObjectCreated:Put"
    assert [one["Records"][0]["eventName"] for one in seen.read()] == ["ObjectRemoved:Delete"]


def test_eventbridge_is_told_without_anyone_letting_s3(cloud, s3, notify, inbox):
    queue, events = inbox(), cloud.client("events")
    rule = events.put_rule(Name="photos", EventPattern=json.dumps({"source": ["aws.s3"]}))["RuleArn"]
    queue.let("events.amazonaws.com", **of_source(rule))
    events.put_targets(Rule="photos", Targets=[{"Id": "queue", "Arn": queue.arn}])
    notify(EventBridgeConfiguration={})
    put = s3.put_object(Bucket="tour-photos", Key="a b", Body=b"1")
    s3.delete_object(Bucket="tour-photos", Key="a b")
    made, gone = queue.read(2)
    assert (made["detail-type"], gone["detail-type"]) == ("Object Created", "Object Deleted")
    assert (made["source"], made["account"], made["region"]) == ("aws.s3", ACCOUNT, REGION)
    assert made["resources"] == [BUCKET]
    detail = made["detail"]
    assert detail["bucket"] == {"name": "tour-photos"}
    assert (detail["object"]["key"], detail["object"]["size"]) == ("a b", 1)
    assert detail["object"]["etag"] == put["ETag"].strip('"')
    assert (detail["requester"], detail["reason"]) == (ACCOUNT, "PutObject")
    assert detail["request-id"] == put["ResponseMetadata"]["RequestId"]
    assert (gone["detail"]["reason"], gone["detail"]["deletion-type"]) == ("DeleteObject", "Permanently Deleted")


def test_access_logs_are_written_where_the_target_lets_the_service(cloud, s3, denied):
    logs, service = cloud.client("s3"), "logging.s3.amazonaws.com"
    logs.create_bucket(Bucket="tour-logs", ObjectOwnership="BucketOwnerPreferred")
    logs.put_bucket_policy(
        Bucket="tour-logs",
        Policy=statement(service, "s3:PutObject", "arn:aws:s3:::tour-logs/*", **of_source(BUCKET)),
    )
    logged = {"LoggingEnabled": {"TargetBucket": "tour-logs", "TargetPrefix": "photos/"}}
    s3.put_bucket_logging(Bucket="tour-photos", BucketLoggingStatus=logged)
    s3.put_object(Bucket="tour-photos", Key="a", Body=b"1")
    assert written(logs, "tour-logs")[0].startswith("photos/")
    logs.delete_bucket_policy(Bucket="tour-logs")
    s3.put_object(Bucket="tour-photos", Key="b", Body=b"1")
    event = denied("PutObject", service)
    assert event["errorCode"] == "AccessDenied"


def test_access_logs_are_written_by_the_targets_acl_where_acls_count(s3, denied):
    s3.create_bucket(Bucket="tour-logs", ObjectOwnership="BucketOwnerPreferred", ACL="log-delivery-write")
    logged = {"LoggingEnabled": {"TargetBucket": "tour-logs", "TargetPrefix": ""}}
    s3.put_bucket_logging(Bucket="tour-photos", BucketLoggingStatus=logged)
    s3.put_object(Bucket="tour-photos", Key="a", Body=b"1")
    count = len(written(s3, "tour-logs"))
    s3.put_bucket_acl(Bucket="tour-logs", ACL="private")
    enforced = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    s3.put_bucket_ownership_controls(Bucket="tour-logs", OwnershipControls=enforced)
    s3.put_object(Bucket="tour-photos", Key="b", Body=b"1")
    denied("PutObject", "logging.s3.amazonaws.com")
    assert len(written(s3, "tour-logs")) == count


def written(client, bucket):
    """The keys of a bucket, once there are any."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        found = client.list_objects_v2(Bucket=bucket).get("Contents")
        if found:
            return [one["Key"] for one in found]
        time.sleep(0.05)
    raise AssertionError(f"nothing is written to {bucket}")
