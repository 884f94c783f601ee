"""What functions put out, as CloudWatch Logs has it and as LogType=Tail tells it.

AWS: Lambda Developer Guide, "Using CloudWatch Logs with Lambda"; Lambda API Reference, Invoke: LogType.
"""

import re
import time

from running import ACCOUNT, REGION, allow

GROUP = "/aws/lambda/fn"
LOGS = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{GROUP}"
PRINT = """
import logging, sys

def handler(event, context):
    print("hello")
    sys.stderr.write("to the other side\\n")
    logging.getLogger().warning("careful")
"""


def written(cloud, wanted, group=GROUP):
    """The messages of a log group, once there are so many."""
    logs, deadline = cloud.client("logs"), time.monotonic() + 20
    while time.monotonic() < deadline:
        if logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            found = [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]
            if len(found) >= wanted:
                return found
        time.sleep(0.05)
    raise AssertionError("no log")


def test_an_invocations_log_has_its_lines_between_start_and_report(functions):
    functions.permit(allow(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]))
    functions.make(PRINT)
    told = functions.invoke()
    found = written(functions.cloud, 6)
    assert re.fullmatch(r"START RequestId: .{36} Version: \$LATEST\n", found[0])
    assert found[1:3] == ["hello\n", "to the other side\n"]
    assert re.fullmatch(r"\[WARNING\]\t\d{4}-.*Z\t.{36}\tcareful\n", found[3])
    assert re.fullmatch(r"END RequestId: .{36}\n", found[4])
    pattern = (
        r"REPORT RequestId: .{36}\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\t"
        r"Max Memory Used: \d+ MB\tInit Duration: [\d.]+ ms\t\n"
    )
    assert re.fullmatch(pattern, found[5]), found[5]
    assert told.log == "".join(found)


def test_only_the_first_invocation_of_a_process_has_an_init_duration(functions):
    functions.make(PRINT)
    assert "Init Duration" in functions.invoke().log
    assert "Init Duration" not in functions.invoke().log


def test_the_log_is_written_by_the_functions_role_to_its_processs_stream(functions):
    functions.permit(
        allow(["logs:CreateLogGroup"], f"{LOGS}*"), allow(["logs:CreateLogStream", "logs:PutLogEvents"], f"{LOGS}:*")
    )
    functions.make("import os\n\ndef handler(event, context):\n    return os.environ['AWS_LAMBDA_LOG_STREAM_NAME']\n")
    name = functions.invoke().value
    written(functions.cloud, 3)
    streams = functions.cloud.client("logs").describe_log_streams(logGroupName=GROUP)["logStreams"]
    assert [one["logStreamName"] for one in streams] == [name]
    made = functions.cloud.events("CreateLogStream")[0]
    assert made["userIdentity"]["arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/fn"


def test_without_permission_there_is_no_log_and_the_function_runs(functions):
    functions.make(PRINT)
    assert functions.invoke().error is None
    denied = functions.cloud.events("CreateLogStream")[0]
    assert denied["errorCode"] == "AccessDeniedException"
    assert functions.cloud.client("logs").describe_log_groups()["logGroups"] == []


def test_the_log_group_can_be_another(functions):
    functions.permit(allow("logs:*"))
    functions.make(PRINT, LoggingConfig={"LogGroup": "/mine"})
    functions.invoke()
    assert "hello\n" in written(functions.cloud, 6, "/mine")


def test_the_tail_is_the_last_of_a_long_log(functions):
    functions.make("def handler(event, context):\n    print('x' * 10000)\n")
    told = functions.invoke()
    assert len(told.log) == 4096
    assert "REPORT" in told.log


def test_what_an_invocation_puts_out_beyond_some_is_dropped_and_told(functions):
    functions.make("""
import os

def handler(event, context):
    for number in range(event):
        os.write(1, b"x" * 65535 + b"\\n")
    os.write(1, b"the end\\n")
""")
    told = functions.invoke(100).log
    assert "the end" not in told
    assert "[iamd keeps the first 4 MiB of what an invocation puts out]\nEND RequestId" in told
    assert "the end\nEND RequestId" in functions.invoke(1).log
