"""STO-05, STO-06, STO-01: a running server whose disk fills, whose database is locked or damaged, or that is killed."""

import json
import random
import resource
import signal
import sqlite3
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from raw import Raw
from running import AWS, Server
from test_pipeline import signed

from iamd.store.queue import EVENTS_WAITING


@pytest.fixture
def server(start):
    """An iamd without a backend, of the test's own."""
    return start("--backend", "none", "--dev")


@pytest.fixture
def aws(server):
    return AWS(server)


def limit_files(server, size):
    """From now on no file of the server can grow above this size: what a full disk does, to any user."""
    hard = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (hard if size is None else size, hard))


def names(aws):
    pages = aws.client("iam").get_paginator("list_users").paginate()
    return {user["UserName"] for page in pages for user in page["Users"]}


def create_until_refused(aws):
    created = []
    for number in range(2000):
        try:
            aws.client("iam").create_user(UserName=f"user-{number}")
        except ClientError as error:
            return created, error.response
        created.append(f"user-{number}")
    return created, None


def test_a_full_disk_refuses_writes_and_nothing_else_and_is_over_without_a_restart(aws, server):
    size = (server.data / "iamd.db-wal").stat().st_size
    limit_files(server, size + 100_000)
    created, refusal = create_until_refused(aws)
    assert (refusal["Error"]["Code"], refusal["ResponseMetadata"]["HTTPStatusCode"]) == ("ServiceUnavailable", 503)
    assert refusal["Error"]["Message"] == "The request has failed due to a temporary failure of the server."
    assert created
    # What is left may still be enough for a smaller write; from now on it is not.
    limit_files(server, 4096)
    # No credential is issued whose event can't be stored.
    with pytest.raises(ClientError, match="ServiceUnavailable"):
        aws.client("iam").create_access_key(UserName="admin")
    assert aws.client("sts").get_caller_identity()["Account"]
    assert names(aws) == {"admin", *created}
    assert aws.client("cloudtrail").lookup_events()["Events"]
    assert aws.iamd("VerifyAudit")["Intact"]
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        aws.client("iam", type(server.administrator)("AKIAEXAMPLEEXAMPLE00", "x" * 40)).list_users()
    assert aws.server.post("/_iamd/clock", {"advance_seconds": 1})["advanced_seconds"] == 1
    limit_files(server, None)
    aws.client("iam").create_user(UserName="after")
    assert names(aws) == {"admin", "after", *created}
    assert aws.iamd("VerifyAudit") == {"Intact": True, "Findings": []}
    # What was refused meanwhile is in the record too, and each of it once.
    found = {event["requestID"] for event in events(aws)}
    assert refusal["ResponseMetadata"]["RequestId"] in found
    log = server.log.read_text()
    assert "Traceback" not in log
    assert log.count("the store can't write, and refuses writes until it can: ") == 1
    assert server.stop() == 0
    again = AWS(Server(server.data, "--backend", "none"))
    assert names(again) == {"admin", "after", *created}
    assert again.server.stop() == 0


def events(aws):
    pages = aws.client("cloudtrail").get_paginator("lookup_events").paginate()
    found = [json.loads(event["CloudTrailEvent"]) for page in pages for event in page["Events"]]
    assert len({event["requestID"] for event in found}) == len(found)
    return found


def test_decisions_stop_when_their_events_could_not_be_stored_for_too_long(start):
    """STO-05: after max_staleness_seconds; what the record can't tell of is not given any more."""
    aws = AWS(start("--backend", "none", "--dev", "--max-staleness-seconds", "1"))
    sts = aws.client("sts")
    assert sts.get_caller_identity()["Account"]
    limit_files(aws.server, 4096)
    assert sts.get_caller_identity()["Account"]
    time.sleep(1.5)
    with pytest.raises(ClientError, match="ServiceUnavailable") as caught:
        sts.get_caller_identity()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    limit_files(aws.server, None)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            assert sts.get_caller_identity()["Account"]
            break
        except ClientError:
            time.sleep(0.1)
    else:
        pytest.fail("it did not recover")
    assert aws.iamd("VerifyAudit")["Intact"]
    assert "Traceback" not in aws.server.log.read_text()


def test_a_start_on_a_full_disk_is_one_line(server, tmp_path, start):
    from cli.conftest import environment

    assert server.stop() == 0
    (server.data / "revision").unlink()
    import subprocess
    import sys

    command = [sys.executable, "-m", "iamd", "serve", "--port", "0", "--backend", "none", "--data"]
    for folder in (server.data, tmp_path / "new"):
        ended = subprocess.run(
            [*command, folder],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
            env=environment(tmp_path),
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)),
        )
        assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1), ended
    assert AWS(start("--backend", "none", data=server.data)).client("sts").get_caller_identity()["Account"]


def test_a_database_that_another_process_locks_refuses_writes_for_a_while(aws, server):
    other = sqlite3.connect(server.data / "iamd.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    with pytest.raises(ClientError, match="ServiceUnavailable"):
        aws.client("iam").create_user(UserName="ann")
    assert time.monotonic() - began < 20
    assert aws.client("sts").get_caller_identity()["Account"]
    other.execute("ROLLBACK")
    other.close()
    aws.client("iam").create_user(UserName="ann")
    assert names(aws) == {"admin", "ann"}
    assert "Traceback" not in server.log.read_text()


def test_a_database_that_is_damaged_under_the_server_is_503_and_no_traceback(aws, server):
    iam = aws.client("iam")
    for number in range(20):
        iam.create_user(UserName=f"user-{number}")
    assert server.stop() == 0
    damaged = AWS(Server(server.data, "--backend", "none"))
    with (server.data / "iamd.db").open("r+b") as file:
        size = file.seek(0, 2)
        for page in range(8, size // 4096):
            file.seek(page * 4096)
            file.write(bytes(4096))
    answers = []
    for call in (
        lambda: damaged.client("sts").get_caller_identity(),
        lambda: damaged.client("iam").create_user(UserName="more"),
        lambda: damaged.client("cloudtrail").lookup_events(),
        lambda: damaged.client("iam").get_access_key_last_used(AccessKeyId=damaged.server.administrator.access_key_id),
    ):
        try:
            call()
        except ClientError as error:
            answers.append((error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]))
        else:
            answers.append((200, ""))
    assert answers[0] == (200, "")
    assert {status for status, _ in answers} <= {200, 503}
    assert any(status == 503 for status, _ in answers)
    assert damaged.server.stop() == 0
    assert "Traceback" not in damaged.server.log.read_text()


def test_kill_9_under_load_loses_no_acknowledged_write(tmp_path):
    """As its users see it: what boto3 was told is done is there after the next start, with its event."""
    chance = random.Random(3)
    acknowledged: list[str] = []
    data = tmp_path / "data"
    for round in range(5):
        aws = AWS(Server(data, "--backend", "none"))
        threads = [threading.Thread(target=write, args=(aws, f"{round}-{n}", acknowledged)) for n in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(0.3 + chance.random() / 2)
        aws.server.stop(signal.SIGKILL)
        for thread in threads:
            thread.join()
    assert len(acknowledged) > 30
    aws = AWS(Server(data, "--backend", "none"))
    assert set(acknowledged) <= names(aws)
    created = {event["requestParameters"]["userName"] for event in events(aws) if event["eventName"] == "CreateUser"}
    assert set(acknowledged) <= created
    assert created == names(aws) - {"admin"}
    assert aws.iamd("VerifyAudit")["Intact"]
    assert aws.server.stop() == 0
    assert fsck(data) == []


def write(aws, prefix, acknowledged):
    client = AWS(aws.server).client("iam")
    for number in range(10_000):
        try:
            client.create_user(UserName=f"u{prefix}-{number}")
        except (ClientError, BotoCoreError):
            return
        acknowledged.append(f"u{prefix}-{number}")


def fsck(data: Path) -> list[str]:
    from iamd.auth import key_file
    from iamd.start import audit_key
    from iamd.store.fsck import check

    return check(data, audit_key(key_file.load(data / "key")))


def test_requests_without_a_pause_are_slowed_down_until_their_events_are_stored(aws, server):
    # As many as can wait to be stored, four times over.
    request = signed(aws, "iam", {"Action": "ListUsers", "Version": "2010-05-08"})
    with ExitStack() as stack:
        connections = [stack.enter_context(Raw(server.endpoint)) for _ in range(16)]
        for _ in range(4 * EVENTS_WAITING // 16):
            for connection in connections:
                connection.send(request)
            # The last one first: while it is waited for, nothing interrupts the server.
            assert {connection.answer()[0] for connection in reversed(connections)} == {200}
