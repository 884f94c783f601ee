"""`iamd invoke`: a local handler runs once as Lambda runs functions."""

import json

import pytest
from cli.conftest import one_line
from cli.test_exec_role import POISON, poisoned, role
from running import ACCOUNT

__all__ = ["poisoned", "role"]

WHO = """
import boto3, os, pathlib

def handler(event, context):
    print("hello")
    if event.get("fails"):
        raise ValueError("no luck")
    return [boto3.client("sts").get_caller_identity()["Arn"], event, os.listdir(pathlib.Path.home())]

def seen(event, context):
    return dict(os.environ)
"""


@pytest.fixture
def app(folder):
    """The path of a module with handlers."""
    path = folder / "app.py"
    path.write_text(WHO)
    return path


def test_the_handler_is_the_role_and_its_answer_is_printed(process, data, role, app, poisoned):
    ended = process("invoke", "--data", data, "--role", role, f"{app}:handler", env=poisoned)
    assert (ended.returncode, json.loads(ended.stdout)) == (
        0,
        [f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/app", {}, []],
    )
    assert [line.split()[0] for line in ended.stderr.splitlines()] == ["START", "hello", "END", "REPORT"]


def test_without_a_role_it_is_the_caller(process, data, aws, app):
    ended = process("invoke", "--data", data, f"{app}:handler")
    assert json.loads(ended.stdout)[0] == f"arn:aws:iam::{ACCOUNT}:user/admin"


def test_a_folder_has_its_handler_named_and_the_event_is_a_files(process, data, role, app, folder):
    (folder / "event.json").write_text('{"a": 1}')
    words = ("--event", folder / "event.json", "--handler", "app.handler", folder)
    ended = process("invoke", "--data", data, "--role", role, *words)
    assert json.loads(ended.stdout)[1] == {"a": 1}


def test_an_error_of_the_handler_is_exit_code_1(process, data, role, app, folder):
    (folder / "event.json").write_text('{"fails": true}')
    ended = process("invoke", "--data", data, "--role", role, "--event", folder / "event.json", f"{app}:handler")
    assert (ended.returncode, json.loads(ended.stdout)["errorType"]) == (1, "ValueError")


def test_it_may_take_as_long_and_need_as_much_as_is_said(process, data, role, folder):
    (folder / "slow.py").write_text(
        "import time\n\ndef sleep(event, context):\n    time.sleep(60)\n\ndef grow(event, context):\n"
        "    return len(b'x' * 400_000_000), context.memory_limit_in_mb\n"
    )
    slow = process("invoke", "--data", data, "--role", role, "--timeout", "1", f"{folder}/slow.py:sleep")
    assert (slow.returncode, json.loads(slow.stdout)["errorType"]) == (1, "Sandbox.Timedout")
    small = process("invoke", "--data", data, "--role", role, "--timeout", "30", f"{folder}/slow.py:grow")
    assert (small.returncode, json.loads(small.stdout)["errorType"]) == (1, "Runtime.OutOfMemory")
    words = ("--timeout", "30", "--memory", "1024", f"{folder}/slow.py:grow")
    large = process("invoke", "--data", data, "--role", role, *words)
    assert json.loads(large.stdout) == [400_000_000, "1024"]


def test_its_environment_is_lambdas_and_no_other(process, data, role, app, aws, poisoned):
    seen = json.loads(process("invoke", "--data", data, "--role", role, f"{app}:seen", env=poisoned).stdout)
    assert not set(POISON) & set(seen) - {"AWS_SESSION_TOKEN"}
    assert (seen["AWS_ENDPOINT_URL"], seen["AWS_LAMBDA_FUNCTION_NAME"]) == (aws.endpoint, "app")
    assert aws.server.administrator.secret_access_key not in json.dumps(seen)
    assert seen["AWS_ACCESS_KEY_ID"].startswith("ASIA")


def test_a_role_that_is_refused_runs_nothing(process, data, aws, app):
    ended = process("invoke", "--data", data, "--role", f"arn:aws:iam::{ACCOUNT}:role/none", f"{app}:handler")
    assert "is not authorized to perform: sts:AssumeRole" in one_line(ended, 1)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["app.py"], "give FILE.py:HANDLER"),
        (["none.py:handler"], "there is no file `none.py`"),
        (["--handler", "app.handler", "none"], "there is no folder `none`"),
        (["--event", "none.json", "app.py:handler"], "cannot use `none.json`"),
        (["--event", "app.py", "app.py:handler"], "the event is no JSON"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(iamd, data, app, words, told):
    assert told in one_line(iamd("invoke", "--data", data, *words), 2)
