"""What log groups, delivery streams and SES send, decided as the services that send it.

AWS: CloudWatch Logs User Guide, "Log group-level subscription filters" (SubscriptionFilters) and "Export log data to
Amazon S3" (S3Export); Firehose Developer Guide, "Grant Firehose access to an Amazon S3 destination"
(controlling-access); SES Developer Guide, "Configuring Amazon SNS notifications" (configure-sns-notifications).
"""

import base64
import gzip
import json
import time

import pytest
from botocore.exceptions import ClientError
from deliveries.conftest import DEADLINE, STREAM, statement
from running import ACCOUNT, REGION, allow

GROUP = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:app"


@pytest.fixture
def logs(cloud):
    client = cloud.client("logs")
    client.create_log_group(logGroupName="app")
    client.create_log_stream(logGroupName="app", logStreamName="one")
    return client


def write(logs, *messages):
    now = int(time.time() * 1000)
    entries = [{"timestamp": now, "message": message} for message in messages]
    logs.put_log_events(logGroupName="app", logStreamName="one", logEvents=entries)


def subscribe(logs, arn, pattern="", **more):
    logs.put_subscription_filter(logGroupName="app", filterName="f", filterPattern=pattern, destinationArn=arn, **more)


def test_a_function_is_given_what_matches_when_it_lets_the_service(cloud, logs, inbox, saving, denied):
    queue = inbox()
    function = saving(queue)
    with pytest.raises(ClientError) as caught:
        subscribe(logs, function)
    assert caught.value.response["Error"] == {
        "Code": "InvalidParameterException",
        "Message": "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to "
        "execute your function.",
    }
    cloud.client("lambda").add_permission(
        FunctionName="saving", StatementId="logs", Action="lambda:InvokeFunction", Principal="logs.amazonaws.com",
        SourceArn=f"{GROUP}:*", SourceAccount=ACCOUNT,
    )  # fmt: skip
    subscribe(logs, function, "ERROR")
    write(logs, "all is well", "ERROR: it is not", "ERROR: nor now")
    [told] = queue.read()
    data = json.loads(gzip.decompress(base64.b64decode(told["awslogs"]["data"])))
    assert [one["message"] for one in data.pop("logEvents")] == ["ERROR: it is not", "ERROR: nor now"]
    assert data == {
        "messageType": "DATA_MESSAGE", "owner": ACCOUNT, "logGroup": "app", "logStream": "one",
        "subscriptionFilters": ["f"],
    }  # fmt: skip
    cloud.client("lambda").remove_permission(FunctionName="saving", StatementId="logs")
    write(logs, "ERROR: again")
    denied("Invoke", "logs.amazonaws.com")
    assert queue.waiting() == 0


@pytest.mark.parametrize("principal", ["logs.amazonaws.com", f"logs.{REGION}.amazonaws.com"])
def test_a_stream_gets_logs_by_the_role(cloud, logs, role, stream, denied, principal):
    arn = role(principal, allow("kinesis:PutRecord", STREAM))
    subscribe(logs, STREAM, roleArn=arn)
    write(logs, "hello")
    data = json.loads(gzip.decompress(stream()[0]["Data"]))
    assert [one["message"] for one in data["logEvents"]] == ["hello"]
    cloud.client("iam").delete_role_policy(RoleName="sender", PolicyName="own")
    write(logs, "again")
    assert denied("PutRecord", "logs.amazonaws.com")["userIdentity"]["type"] == "AssumedRole"


@pytest.fixture
def bucket(cloud):
    cloud.client("s3").create_bucket(Bucket="tour-records")
    return cloud.client("s3")


def contents(s3, prefix=""):
    """What is written to the bucket, once something is: content by key."""
    deadline, found = time.monotonic() + DEADLINE, []
    while not found and time.monotonic() < deadline:
        found = s3.list_objects_v2(Bucket="tour-records", Prefix=prefix).get("Contents", [])
    return {one["Key"]: s3.get_object(Bucket="tour-records", Key=one["Key"])["Body"].read() for one in found}


def delivery_stream(cloud, arn):
    cloud.client("firehose").create_delivery_stream(
        DeliveryStreamName="out",
        ExtendedS3DestinationConfiguration={
            "RoleARN": arn, "BucketARN": "arn:aws:s3:::tour-records", "Prefix": "records/"
        },
    )  # fmt: skip


def test_firehose_writes_as_its_destinations_role(cloud, bucket, role, denied):
    # AWS: the role's trust may ask for the account as external id.
    arn = role(
        "firehose.amazonaws.com",
        allow("s3:PutObject", "arn:aws:s3:::tour-records/*"),
        StringEquals={"sts:ExternalId": ACCOUNT},
    )
    delivery_stream(cloud, arn)
    firehose = cloud.client("firehose")
    told = firehose.put_record_batch(DeliveryStreamName="out", Records=[{"Data": b"one\n"}, {"Data": b"two\n"}])
    assert len(told["RequestResponses"]) == 2
    [(key, content)] = contents(bucket).items()
    assert key.startswith("records/")
    assert content == b"one\ntwo\n"
    cloud.client("iam").delete_role_policy(RoleName="sender", PolicyName="own")
    firehose.put_record(DeliveryStreamName="out", Record={"Data": b"three"})
    denied("PutObject", "firehose.amazonaws.com")
    assert len(contents(bucket)) == 1


def test_a_topic_reaches_a_delivery_stream_as_the_subscriptions_role(cloud, bucket, role):
    iam = cloud.client("iam")
    arn = role("firehose.amazonaws.com", allow("s3:PutObject", "arn:aws:s3:::tour-records/*"))
    delivery_stream(cloud, arn)
    stream = f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/out"
    trust = statement("sns.amazonaws.com", "sts:AssumeRole", "*").replace(', "Resource": "*"', "")
    fan = iam.create_role(RoleName="fan", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow("firehose:PutRecord", stream)]})
    iam.put_role_policy(RoleName="fan", PolicyName="own", PolicyDocument=document)
    sns = cloud.client("sns")
    topic = sns.create_topic(Name="news")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="firehose", Endpoint=stream, Attributes={"SubscriptionRoleArn": fan})
    sns.publish(TopicArn=topic, Message="hello")
    [content] = contents(bucket).values()
    assert json.loads(content)["Message"] == "hello"


def test_exports_are_written_when_the_bucket_lets_the_service(cloud, logs, bucket, denied):
    service = f"logs.{REGION}.amazonaws.com"
    write(logs, "hello")
    asked = {
        "logGroupName": "app", "fromTime": 0, "to": int(time.time() * 1000) + 60_000, "destination": "tour-records"
    }  # fmt: skip
    logs.create_export_task(**asked)
    denied("PutObject", service)
    policy = statement(service, "s3:PutObject", "arn:aws:s3:::tour-records/*", ArnLike={"aws:SourceArn": f"{GROUP}:*"})
    bucket.put_bucket_policy(Bucket="tour-records", Policy=policy)
    logs.create_export_task(**asked, destinationPrefix="logs")
    [content] = contents(bucket, "logs/").values()
    assert gzip.decompress(content).endswith(b"hello")


def test_ses_tells_topics_that_let_it(cloud, inbox, denied):
    ses, sns = cloud.client("ses"), cloud.client("sns")
    ses.verify_domain_identity(Domain="example.com")
    topic = sns.create_topic(Name="bounces")["TopicArn"]
    queue = inbox()
    queue.let("sns.amazonaws.com")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn)
    ses.set_identity_notification_topic(Identity="example.com", NotificationType="Bounce", SnsTopic=topic)

    def mail():
        ses.send_email(
            Source="me@example.com",
            Destination={"ToAddresses": ["bounce@simulator.amazonses.com"]},
            Message={"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "b"}}},
        )

    mail()
    denied("Publish", "ses.amazonaws.com")
    source = f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/example.com"
    policy = statement("ses.amazonaws.com", "sns:Publish", topic, StringEquals={"aws:SourceArn": source})
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    mail()
    [told] = queue.read()
    assert "bounce" in json.loads(told["Message"])
