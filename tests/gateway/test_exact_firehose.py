"""What requests to Firehose are decided on: delivery streams by name, and the roles of their destinations.

AWS: Amazon Data Firehose Developer Guide, "Controlling access with Amazon Data Firehose".
"""

import pytest
from gateway.condition_keys import Caller, Key, check
from gateway.parameters import ACCOUNT, REGION, ROLE
from running import allow

STREAM = f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/orders"
NAMED = {"DeliveryStreamName": "orders"}
RECORD = {"Data": b"m"}
TO_S3 = {"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::bkt"}
TAGS = [{"Key": "team", "Value": "blue"}]
PASSED = [("iam:PassRole", ROLE)]
UPDATE = {"CurrentDeliveryStreamVersionId": "1", "DestinationId": "d"}


def on(resource, *actions):
    return [(f"firehose:{action}", resource) for action in actions]


CASES = [
    ("PutRecord", {**NAMED, "Record": RECORD}, on(STREAM, "PutRecord")),
    ("PutRecordBatch", {**NAMED, "Records": [RECORD, RECORD]}, on(STREAM, "PutRecordBatch")),
    ("CreateDeliveryStream", {**NAMED, "Tags": TAGS}, on(STREAM, "CreateDeliveryStream", "TagDeliveryStream")),
    *[
        ("CreateDeliveryStream", {**NAMED, **given}, [*on(STREAM, "CreateDeliveryStream"), *PASSED])
        for given in (
            {"ExtendedS3DestinationConfiguration": TO_S3},
            {"HttpEndpointDestinationConfiguration": {
                "EndpointConfiguration": {"Url": "https://example.com"}, "S3Configuration": TO_S3}},
            {"KinesisStreamSourceConfiguration": {
                "RoleARN": ROLE, "KinesisStreamARN": f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/s"}},
        )
    ],
    ("UpdateDestination", {**NAMED, **UPDATE, "ExtendedS3DestinationUpdate": {"RoleARN": ROLE}},
     [*on(STREAM, "UpdateDestination"), *PASSED]),
    ("ListDeliveryStreams", {}, on("*", "ListDeliveryStreams")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "wanted"), CASES)
def test_each_request_is_decided_on_what_it_touches(counted, name, given, wanted):
    told = counted.call("firehose", name, given)
    assert told.asked == wanted
    assert told.sent > 0


@pytest.mark.parametrize("name", ["*", "a/b", "a:b", STREAM])
def test_a_name_that_no_stream_has_is_refused(counted, name):
    told = counted.call("firehose", "DescribeDeliveryStream", {"DeliveryStreamName": name})
    assert (told.status, told.code, told.sent) == (400, "InvalidArgumentException", 0)


def test_a_destinations_role_is_passed_by_who_may(counted):
    caller = Caller.new(counted, "firehose-roles")
    given = {**NAMED, "ExtendedS3DestinationConfiguration": TO_S3}
    caller.may(allow("firehose:*"))
    assert caller.call("firehose", "CreateDeliveryStream", given).sent == 0
    passed = {"iam:PassedToService": "firehose.amazonaws.com"}
    caller.may(allow("firehose:*"), allow("iam:PassRole", ROLE, StringEquals=passed))
    assert caller.call("firehose", "CreateDeliveryStream", given).sent > 0


def test_a_key_has_its_value_and_decides(counted):
    given, other = ({**NAMED, "Tags": [{"Key": "team", "Value": value}]} for value in ("blue", "red"))
    key = Key("aws:RequestTag/team", "blue", "firehose:TagDeliveryStream", "TagDeliveryStream", given, other)
    check(Caller.new(counted, "firehose-keys"), "firehose", key)
