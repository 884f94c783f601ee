"""Functions whose answers are asked for as streams.

AWS: Lambda API Reference, InvokeWithResponseStream; Lambda Developer Guide, "Response streaming for Lambda functions"
(configuration-response-streaming).
"""

import base64
import json

import pytest
from botocore.exceptions import ClientError
from functions.conftest import Functions
from functions.test_invoke import FUNCTION, refused
from running import allow

SAY = """
def handler(event, context):
    print("heard", event)
    if event == "fail":
        raise ValueError("no luck")
    return {"got": event, "by": context.invoked_function_arn}
"""


@pytest.fixture
def streamed(functions: Functions):
    """`streamed(event, **more)` is what a function is told to have said: its answer, and the events of its stream."""
    functions.make(SAY)

    def ask(event, credentials=None, **more):
        client = functions.cloud.client("lambda", credentials)
        told = client.invoke_with_response_stream(FunctionName="fn", Payload=json.dumps(event), **more)
        return told, list(told["EventStream"])

    return ask


def test_a_response_is_one_chunk(streamed):
    told, [chunk, end] = streamed({"a": "ä" * 70_000})
    assert (told["StatusCode"], told["ExecutedVersion"]) == (200, "$LATEST")
    assert json.loads(chunk["PayloadChunk"]["Payload"]) == {"got": {"a": "ä" * 70_000}, "by": FUNCTION}
    assert end == {"InvokeComplete": {}}


def test_the_end_tells_of_the_log_and_of_an_error(streamed):
    _, [end] = streamed("fail", LogType="Tail")
    told = end["InvokeComplete"]
    assert told["ErrorCode"] == "Unhandled"
    assert json.loads(told["ErrorDetails"])["errorMessage"] == "no luck"
    assert "heard fail" in base64.b64decode(told["LogResult"]).decode()


def test_a_dry_run_runs_nothing(functions, streamed):
    told, events = streamed("fail", InvocationType="DryRun")
    assert (told["StatusCode"], events) == (204, [])


def test_whoever_may_invoke_may_ask_for_a_stream(functions, streamed):
    functions.cloud.client("lambda").publish_version(FunctionName="fn")
    user = functions.cloud.user("u", allow("lambda:InvokeFunction", f"{FUNCTION}:1"))
    _, [chunk, _] = streamed("hello", user, Qualifier="1")
    assert json.loads(chunk["PayloadChunk"]["Payload"])["by"] == f"{FUNCTION}:1"
    with pytest.raises(ClientError) as denied:
        streamed("hello", user)
    assert denied.value.response["Error"]["Code"] == "AccessDeniedException"
    assert f"lambda:InvokeFunction on resource: {FUNCTION} because" in denied.value.response["Error"]["Message"]


def test_what_is_not_there_is_refused_before_the_stream(functions, streamed):
    ask = functions.cloud.client("lambda").invoke_with_response_stream
    refused("ResourceNotFoundException", "nobody", ask, FunctionName="nobody")
    refused("InvalidRequestContentException", "", ask, FunctionName="fn", Payload=b"{")
    functions.cloud.client("lambda").put_function_concurrency(FunctionName="fn", ReservedConcurrentExecutions=0)
    refused("TooManyRequestsException", "Rate Exceeded", ask, FunctionName="fn")
