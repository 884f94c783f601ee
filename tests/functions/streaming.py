"""What the tests of streams share: records of a stream and changes of a table, and what a function was given of them."""

import base64
import json

from functions.relay import READ_TABLE, STREAM
from functions.test_asynchronous import bodies
from functions.test_mappings import mapped
from running import allow


def put(functions, *texts, key="k"):
    kinesis = functions.cloud.client("kinesis")
    for text in texts:
        kinesis.put_record(StreamName="s", Data=text.encode(), PartitionKey=key)


def start(functions, **more):
    return mapped(functions, STREAM, **{"StartingPosition": "TRIM_HORIZON", **more})


def batches(functions, url, count):
    """The next batches that the function was given, so many at least."""
    found = []
    while len(found) < count:
        found += [json.loads(one) for one in bodies(functions, url)]
    return found


def texts(batch):
    return [base64.b64decode(one["kinesis"]["data"]).decode() for one in batch]


def told(functions, url, count):
    return [texts(one) for one in batches(functions, url, count)]


def table(functions, view="NEW_AND_OLD_IMAGES"):
    made = functions.cloud.client("dynamodb").create_table(
        TableName="table",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": view},
    )["TableDescription"]
    arn = made["LatestStreamArn"]
    functions.permit(allow("dynamodb:ListStreams"), allow(READ_TABLE, arn), allow("sqs:SendMessage"))
    return arn
