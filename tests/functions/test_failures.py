"""Functions that fail: what is answered, and that the process is gone or goes on as on AWS.

AWS: Lambda Developer Guide, "AWS Lambda function errors in Python" (python-exceptions) and "Troubleshoot execution
issues in Lambda"; the types and words of time-outs and exits are those of AWS's Runtime Interface Emulator.
"""

import os
import re

import pytest
from functions.test_invoke import refused

STILL = "def handler(event, context):\n    return 'still there'\n"


def test_an_error_of_the_handler_is_answered_with_its_stack(functions):
    functions.make("def handler(event, context):\n    raise ValueError('no ' + event['what'])\n")
    told = functions.invoke({"what": "luck"})
    assert (told.status, told.error) == (200, "Unhandled")
    assert (told.value["errorType"], told.value["errorMessage"]) == ("ValueError", "no luck")
    assert re.fullmatch(
        r'  File ".*/app.py", line 2, in handler\n    raise ValueError\(.*\)\n', told.value["stackTrace"][0]
    )
    assert "[ERROR] ValueError: no luck" in told.log


def test_after_an_error_the_process_goes_on(functions):
    functions.make(
        "import os\n\ndef handler(event, context):\n    if event:\n        raise KeyError\n    return os.getpid()\n"
    )
    first = functions.invoke().value
    assert functions.invoke({"a": 1}).error == "Unhandled"
    assert functions.invoke().value == first


@pytest.mark.parametrize(
    ("source", "more", "kind", "words"),
    [
        (
            "import nowhere_to_be_found\n",
            {},
            "Runtime.ImportModuleError",
            "Unable to import module 'app': No module named",
        ),
        ("def handler(:\n", {}, "Runtime.UserCodeSyntaxError", "Syntax error in module 'app'"),
        ("", {}, "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'"),
        ("", {"Handler": "app"}, "Runtime.MalformedHandlerName", "Bad handler 'app'"),
        ("raise RuntimeError('at once')\n", {}, "RuntimeError", "at once"),
        ("import requests\n", {}, "Runtime.ImportModuleError", "No module named 'requests'"),
    ],
)
def test_a_function_that_cannot_begin_says_why(functions, source, more, kind, words):
    functions.make(source, **more)
    for _ in range(2):
        told = functions.invoke()
        assert (told.error, told.value["errorType"], words in told.value["errorMessage"]) == (
            "Unhandled",
            kind,
            True,
        ), told


def test_a_function_that_takes_too_long_is_ended(functions):
    functions.make(
        "import os, time\n\ndef handler(event, context):\n    print(os.getpid())\n    time.sleep(60)\n", Timeout=1
    )
    told = functions.invoke()
    assert (told.error, told.value["errorType"]) == ("Unhandled", "Sandbox.Timedout")
    assert re.fullmatch("RequestId: .{36} Error: Task timed out after 1.00 seconds", told.value["errorMessage"])
    assert re.search(r"REPORT RequestId: .*\tStatus: timeout", told.log)
    process = int(re.search(r"^(\d+)$", told.log, re.MULTILINE)[1])
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_a_function_that_needs_too_much_memory_is_killed(functions):
    functions.make("def handler(event, context):\n    return len(b'x' * 400_000_000)\n", MemorySize=128, Timeout=30)
    told = functions.invoke()
    assert (told.error, told.value["errorType"]) == ("Unhandled", "Runtime.OutOfMemory")
    assert told.value["errorMessage"].endswith("Error: Runtime exited with error: signal: killed")
    assert re.search(r"Memory Size: 128 MB\tMax Memory Used: 128 MB", told.log)
    functions.cloud.client("lambda").update_function_configuration(FunctionName="fn", MemorySize=1024)
    assert functions.invoke().value == 400_000_000


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("os._exit(3)", "Runtime exited with error: exit status 3"),
        ("os._exit(0)", "Runtime exited without providing a reason"),
        ("os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
        ("os.kill(os.getpid(), 11)", "Runtime exited with error: signal: segmentation fault"),
    ],
)
def test_a_function_that_ends_its_process_is_told_of(functions, statement, words):
    functions.make(
        f"import os\n\ndef handler(event, context):\n    if event:\n        {statement}\n    return 'there'\n"
    )
    told = functions.invoke({"a": 1})
    assert (told.error, told.value["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert told.value["errorMessage"].endswith(f"Error: {words}")
    assert functions.invoke().value == "there"


def test_what_a_function_has_started_ends_with_it(functions):
    functions.make(
        "import subprocess\n\ndef handler(event, context):\n"
        "    return subprocess.Popen(['sleep', '1000'], start_new_session=True).pid\n"
    )
    process = functions.invoke().value
    os.kill(process, 0)
    functions.cloud.client("lambda").delete_function(FunctionName="fn")
    refused("ResourceNotFoundException", "fn", functions.invoke)
    functions.cloud.server.post("/_iamd/reset")
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_an_answer_that_is_too_large_is_an_error(functions):
    functions.make("def handler(event, context):\n    return 'x' * event['size']\n", Timeout=30, MemorySize=512)
    assert len(functions.invoke({"size": 6_291_554}).value) == 6_291_554
    told = functions.invoke({"size": 6_291_555})
    assert (told.error, told.value["errorType"]) == ("Unhandled", "Function.ResponseSizeTooLarge")


def test_an_answer_that_is_no_json_is_an_error(functions):
    functions.make("def handler(event, context):\n    return object()\n")
    told = functions.invoke()
    assert (told.error, told.value["errorType"]) == ("Unhandled", "Runtime.MarshalError")
