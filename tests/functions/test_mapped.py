"""What event source mappings of streams take, what they are when they are made, and what is refused.

AWS: Lambda Developer Guide, services-kinesis-parameters and services-ddb-params; Lambda API Reference, CreateEventSourceMapping.
"""

from datetime import UTC, datetime

import pytest
from functions.relay import STREAM
from functions.streaming import start
from functions.test_invoke import refused
from functions.test_mappings import mapped
from running import ACCOUNT, REGION, allow


def test_a_mapping_of_a_stream_has_the_defaults_of_aws(functions, out):
    found = functions.cloud.client("lambda").get_event_source_mapping(UUID=start(functions)["UUID"])
    names = ["BatchSize", "MaximumBatchingWindowInSeconds", "ParallelizationFactor", "MaximumRecordAgeInSeconds",
             "BisectBatchOnFunctionError", "MaximumRetryAttempts", "TumblingWindowInSeconds"]  # fmt: skip
    assert [found[name] for name in names] == [100, 0, 1, -1, False, -1, 0]
    assert (found["StartingPosition"], found["DestinationConfig"]) == ("TRIM_HORIZON", {"OnFailure": {}})


FUTURE = datetime(2999, 1, 1, tzinfo=UTC)
REFUSED = [
    ({"StartingPosition": None}, "Starting position is required"),
    ({"StartingPosition": "AT_TIMESTAMP"}, "needs a StartingPositionTimestamp"),
    ({"StartingPositionTimestamp": FUTURE}, "only valid with"),
    ({"StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": FUTURE}, "cannot be in the future"),
    ({"MaximumRecordAgeInSeconds": 59}, "at least 60"),
    ({"ScalingConfig": {"MaximumConcurrency": 2}}, "ScalingConfig is not supported"),
    ({"DestinationConfig": {"OnSuccess": {"Destination": f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"}}}, "OnFailure"),
    ({"DestinationConfig": {"OnFailure": {"Destination": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"}}}, "no kind"),
    ({"DestinationConfig": {"OnFailure": {"Destination": f"arn:aws:sqs:{REGION}:{ACCOUNT}:q.fifo"}}}, "no kind"),
    ({"FilterCriteria": {"Filters": [{"Pattern": '{"data": ["plain"]}'}]}}, "must be JSON"),
    ({"FilterCriteria": {"Filters": [{"Pattern": "data"}]}}, "Invalid filter pattern definition"),
    ({"FilterCriteria": {"Filters": [{"Pattern": '{"partitionKey": ["k"]}'}] * 6}}, "at most 5 filters"),
]


@pytest.mark.parametrize(("given", "words"), REFUSED, ids=[str(n) for n in range(len(REFUSED))])
def test_what_can_not_be_is_refused(functions, out, given, words):
    wanted = {name: value for name, value in {"StartingPosition": "LATEST", **given}.items() if value is not None}
    refused("InvalidParameterValueException", words, mapped, functions, STREAM, **wanted)


def test_a_moment_is_no_starting_position_of_a_table(functions, out):
    given = {"StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": datetime(2020, 1, 1, tzinfo=UTC)}
    arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/t/stream/2020-01-01T00:00:00.000"
    refused("InvalidParameterValueException", "not supported for DynamoDB streams", mapped, functions, arn, **given)


def test_a_change_is_held_against_what_the_mapping_is(functions, out):
    client, uuid = functions.cloud.client("lambda"), start(functions)["UUID"]
    update = client.update_event_source_mapping
    refused(
        "InvalidParameterValueException", "ScalingConfig", update, UUID=uuid, ScalingConfig={"MaximumConcurrency": 2}
    )
    criteria = {"Filters": [{"Pattern": '{"data": ["plain"]}'}]}
    refused("InvalidParameterValueException", "must be JSON", update, UUID=uuid, FilterCriteria=criteria)
    _, queue = functions.queue("q")
    functions.permit(allow("sqs:*"))
    other = mapped(functions, queue)["UUID"]
    words = "Maximum batch window in seconds must be greater than 0"
    refused("InvalidParameterValueException", words, update, UUID=other, BatchSize=11)
    refused("InvalidParameterValueException", "Parallel", update, UUID=other, ParallelizationFactor=2)
    assert update(UUID=other, BatchSize=11, MaximumBatchingWindowInSeconds=1)["BatchSize"] == 11
    assert client.delete_event_source_mapping(UUID=other)["State"] == "Deleting"
    for ask in (update, client.delete_event_source_mapping):
        refused("ResourceNotFoundException", "does not exist", ask, UUID=other)
