"""A function that tells of the batches of streams that it is given, and what its role needs to be given them."""

from running import ACCOUNT, REGION

# Tells of each batch before it does what the data say.
RELAY = """
import base64, json, os
import boto3

def text(record):
    if "kinesis" in record:
        return base64.b64decode(record["kinesis"]["data"]).decode()
    return record["dynamodb"]["Keys"]["id"]["S"]

def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["OUT"], MessageBody=json.dumps(event["Records"]))
    texts = [text(one) for one in event["Records"]]
    if "poison" in texts:
        raise ValueError("poison")
    sequences = [one["kinesis"]["sequenceNumber"] for one in event["Records"] if text(one) == "bad"]
    sequences += ["nobody" for one in texts if one == "wrong"]
    return {"batchItemFailures": [{"itemIdentifier": one} for one in sequences]}
"""
STREAM = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/s"
READ = ["kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator",
        "kinesis:ListShards"]  # fmt: skip
READ_TABLE = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
