"""How long functions' processes live, and where none are run."""

import json
import signal
import threading
import time
import urllib.error
import urllib.request

import pytest
from functions.conftest import Functions, package
from functions.test_invoke import ECHO, refused
from functions.test_mappings import mapped
from gateway.two_accounts import OTHER
from running import AWS, REGION, Credentials, Server, allow, is_running
from services.iamd.test_workloads import trust

SPAWN = """
import os, subprocess

def handler(event, context):
    child = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    return [os.getpid(), os.getppid(), child.pid]
"""


def serving(start, *options):
    cloud = AWS(start("--dev", *options))
    cloud.client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))
    return Functions(cloud)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_running_when_iamd_ends(start, number):
    functions = serving(start, "--backend", "moto")
    functions.make(SPAWN)
    processes = functions.invoke().value
    folder = functions.cloud.server.data / "functions"
    assert all(map(is_running, processes))
    assert list(folder.rglob("app.py"))
    functions.cloud.server.process.send_signal(number)
    functions.cloud.server.process.wait(30)
    # The keeper learns of a killed server by the end of its own standard input.
    deadline = time.monotonic() + 20
    while any(map(is_running, processes)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(map(is_running, processes))
    if number == signal.SIGTERM:
        assert not list(folder.rglob("app.py")), "nor any of the code"


@pytest.fixture(scope="module")
def narrow_server(tmp_path_factory):
    """An iamd that runs one function at a time."""
    options = ("--backend", "moto", "--dev", "--functions-concurrency", "1")
    with Server.serving(tmp_path_factory.mktemp("narrow") / "data", *options) as server:
        yield server


@pytest.fixture
def narrow(narrow_server):
    """The functions of that iamd."""
    with AWS(narrow_server).reset() as cloud:
        cloud.client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))
        yield Functions(cloud)


def test_where_functions_are_off_an_invocation_is_refused_and_no_answer_made_up(start):
    functions = serving(start, "--backend", "moto", "--functions", "off")
    functions.make(ECHO)
    for kind in ("RequestResponse", "Event", "DryRun"):
        refused("InvalidRuntimeException", "`functions` is off", functions.invoke, InvocationType=kind)


def test_where_functions_are_off_no_other_accounts_source_is_mapped(start):
    """Nobody asks there whether the function's role may poll it."""
    functions = serving(start, "--backend", "moto", "--functions", "off")
    functions.make(ECHO)
    cloud, arn = functions.cloud, f"arn:aws:sqs:{REGION}:{OTHER}:q"
    other = Credentials.of(cloud.iamd("CreateAccount", Name="other", AccountId=OTHER))
    cloud.client("sqs", other).create_queue(QueueName="q")
    client = cloud.client("lambda")
    for source in (arn, arn.replace(":q", ":nowhere")):
        told = refused("InvalidParameterValueException", "`functions` is off", mapped, functions=functions, arn=source)
        assert "no other account's event source" in told["Error"]["Message"]
    _, own = functions.queue("q")
    assert mapped(functions, own)["EventSourceArn"] == own
    assert len(client.list_event_source_mappings()["EventSourceMappings"]) == 1


def test_no_more_run_at_a_time_than_may(narrow):
    functions = narrow
    url, _ = functions.queue("release")
    functions.permit(allow("sqs:*"))
    functions.make(
        "import boto3\n\ndef handler(event, context):\n"
        "    sqs = boto3.client('sqs')\n"
        "    sqs.send_message(QueueUrl=event['url'].replace('release', 'begun'), MessageBody='x')\n"
        "    return len(sqs.receive_message(QueueUrl=event['url'], WaitTimeSeconds=20)['Messages'])\n",
        Timeout=60,
    )
    begun, _ = functions.queue("begun")
    told = []
    running = threading.Thread(target=lambda: told.append(functions.invoke({"url": url})))
    running.start()
    sqs = functions.cloud.client("sqs", read_timeout=60)
    assert sqs.receive_message(QueueUrl=begun, WaitTimeSeconds=20)["Messages"]
    answer = refused("TooManyRequestsException", "Rate Exceeded.", functions.invoke, {"url": url})
    assert answer["Reason"] == "ConcurrentInvocationLimitExceeded"
    sqs.send_message(QueueUrl=url, MessageBody="go on")
    running.join()
    assert told[0].value == 1


def test_a_process_of_another_function_makes_room(narrow):
    functions = narrow
    functions.make(SPAWN)
    functions.make(ECHO, name="another")
    process, _, _ = functions.invoke().value
    assert functions.invoke({"a": 1}, name="another").value == {"got": {"a": 1}}
    # Another one would have no room either, were this one still there.
    assert functions.invoke().error is None
    assert not is_running(process)


def test_another_process_of_the_machine_can_not_take_a_functions_event(functions):
    functions.make("import os\n\ndef handler(event, context):\n    return os.environ['AWS_LAMBDA_RUNTIME_API']\n")
    address = functions.invoke().value
    path = f"http://{address}/2018-06-01/runtime/invocation/{'0' * 36}/response"
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(path, data=b"{}", timeout=10)
    with caught.value as error:
        assert (error.code, json.load(error)["errorType"]) == (400, "InvalidRequestID")


def test_scripts_of_a_package_can_be_run(functions):
    content = package(
        {
            "app.py": "import subprocess\n\ndef handler(e, c):\n    return subprocess.run(['sh', 'tool.sh'], capture_output=True, text=True).stdout\n",
            "tool.sh": "echo hello",
        }
    )
    functions.make("", Code={"ZipFile": content})
    assert functions.invoke().value == "hello\n"
