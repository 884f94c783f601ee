"""Several workers on one port and one data folder: one state, one clock, one life."""

import contextlib
import http.client
import json
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Signing
from running import AWS, Server, is_running

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Connection:
    """A kept-alive connection: all its requests are answered by one worker."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.http = http.client.HTTPConnection(server.endpoint.removeprefix("http://"), timeout=20)
        self.worker = self.door("GET", "/_iamd/health")["worker"]

    def door(self, method: str, path: str, content: dict | None = None) -> dict:
        self.http.request(method, path, json.dumps(content or {}))
        return json.loads(self.http.getresponse().read())

    def call(self, credentials, service: str, body: str, headers=FORM) -> tuple[int, str]:
        request = AWSRequest("POST", self.server.endpoint + "/", dict(headers), body)
        key = Signing(credentials.access_key_id, credentials.secret_access_key, credentials.session_token)
        SigV4Auth(key, service, "us-east-1").add_auth(request)
        self.http.request("POST", "/", body, dict(request.headers.items()))
        answer = self.http.getresponse()
        return answer.status, answer.read().decode()


@contextlib.contextmanager
def workers_of(server: Server, count: int = 2) -> Iterator[list[Connection]]:
    """A connection to each worker."""
    opened: list[Connection] = []
    deadline = time.monotonic() + 20
    try:
        while len({connection.worker for connection in opened}) < count:
            assert time.monotonic() < deadline
            opened.append(Connection(server))
        yield list({connection.worker: connection for connection in opened}.values())
    finally:
        for connection in opened:
            connection.http.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("workers") / "data", "--backend", "none", "--dev", "--workers", "2")
    yield running
    assert running.stop() == 0


@pytest.fixture
def both(server):
    server.post("/_iamd/reset")
    aws = AWS(server)
    with workers_of(server) as connections:
        yield aws, *connections
    for client in aws._clients.values():
        client.close()


IDENTITY = "Action=GetCallerIdentity&Version=2011-06-15"


def test_a_key_made_through_one_worker_works_on_the_other_at_once(both):
    aws, one, other = both
    for number in range(10):
        key = aws.user(f"user-{number}")
        assert [one.call(key, "sts", IDENTITY)[0], other.call(key, "sts", IDENTITY)[0]] == [200, 200]
        one, other = other, one


def test_a_key_that_is_deleted_through_one_worker_is_refused_by_the_other_at_once(both):
    aws, one, other = both
    administrator = aws.server.administrator
    for number in range(10):
        key = aws.user(f"user-{number}")
        assert other.call(key, "sts", IDENTITY)[0] == 200
        name = f"UserName=user-{number}&AccessKeyId={key.access_key_id}"
        assert one.call(administrator, "iam", f"Action=DeleteAccessKey&Version=2010-05-08&{name}")[0] == 200
        assert other.call(key, "sts", IDENTITY)[0] == 403
        one, other = other, one


def target(name: str) -> dict[str, str]:
    return {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": name}


LOOK_UP = target("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents")


def test_what_one_worker_answered_is_an_event_at_the_other_at_once(both):
    """Reads too, whose events are committed some time after their answers; nobody looks twice."""
    aws, one, other = both
    administrator, key = aws.server.administrator, aws.user("nobody")
    for number in range(6):
        for of, service, body in (
            (administrator, "sts", IDENTITY),
            (key, "iam", "Action=ListUsers&Version=2010-05-08"),
            (administrator, "iam", f"Action=CreateGroup&Version=2010-05-08&GroupName=group-{number}"),
        ):
            request = re.search("RequestId>([^<]+)", one.call(of, service, body)[1])[1]
            assert request in other.call(administrator, "cloudtrail", '{"MaxResults": 50}', LOOK_UP)[1]
        denied = re.search("RequestId>([^<]+)", one.call(key, "iam", "Action=ListUsers&Version=2010-05-08")[1])[1]
        status, told = other.call(administrator, "iamd", json.dumps({"RequestId": denied}), target("iamd.Explain"))
        assert (status, json.loads(told)["EventName"]) == (200, "ListUsers")
        one, other = other, one


def test_events_are_found_while_the_other_worker_can_t_commit_its_own(both):
    aws, one, other = both
    administrator = aws.server.administrator
    process = children(aws.server.process.pid)[one.worker]
    one.call(administrator, "sts", IDENTITY)
    os.kill(process, signal.SIGSTOP)
    try:
        assert other.call(administrator, "cloudtrail", '{"MaxResults": 50}', LOOK_UP)[0] == 200
    finally:
        os.kill(process, signal.SIGCONT)


def test_the_clock_is_moved_in_every_worker(both):
    _, one, other = both
    assert one.door("POST", "/_iamd/clock", {"advance_seconds": 100})["advanced_seconds"] == 100
    assert other.door("POST", "/_iamd/clock", {"advance_seconds": 50})["advanced_seconds"] == 150
    assert one.door("POST", "/_iamd/clock", {})["advanced_seconds"] == 150
    assert other.door("POST", "/_iamd/clock", {"reset": True})["advanced_seconds"] == 0
    assert one.door("POST", "/_iamd/clock", {})["advanced_seconds"] == 0


def test_what_the_clock_makes_expire_expires_in_every_worker(both):
    aws, one, other = both
    trust = {"Effect": "Allow", "Principal": {"AWS": aws.account_id}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = aws.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    session = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
    from running import Credentials

    key = Credentials.of(session)
    assert [c.call(key, "sts", IDENTITY)[0] for c in (one, other)] == [200, 200]
    one.door("POST", "/_iamd/clock", {"advance_seconds": 3601})
    for connection in (one, other):
        status, answer = connection.call(key, "sts", IDENTITY)
        assert status == 403
        assert "ExpiredToken" in answer


def test_reset_goes_back_in_every_worker(both):
    aws, one, other = both
    key = aws.user("gone")
    one.door("POST", "/_iamd/clock", {"advance_seconds": 100})
    one.door("POST", "/_iamd/reset")
    assert [c.call(key, "sts", IDENTITY)[0] for c in (one, other)] == [403, 403]
    assert [c.call(aws.server.administrator, "sts", IDENTITY)[0] for c in (one, other)] == [200, 200]
    assert other.door("POST", "/_iamd/clock", {})["advanced_seconds"] == 0


def children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def wait_for(condition, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_worker_that_dies_is_started_again(start):
    server = start("--backend", "none", "--workers", "2")
    aws = AWS(server)
    aws.client("iam").create_user(UserName="kept")
    before = children(server.process.pid)
    os.kill(before[0], signal.SIGKILL)
    wait_for(lambda: len(set(children(server.process.pid)) - set(before)) == 1)
    with workers_of(server) as connections:
        for connection in connections:
            answer = connection.call(server.administrator, "iam", "Action=GetUser&Version=2010-05-08&UserName=kept")
            assert answer[0] == 200
    assert "ended by signal 9; it is started again" in server.log.read_text()
    assert server.stop() == 0


def test_workers_that_keep_dying_end_all_with_one_line(start):
    server = start("--backend", "none", "--workers", "2")
    killed: set[int] = set()
    while server.process.poll() is None:
        for child in set(children(server.process.pid)) - killed:
            killed.add(child)
            os.kill(child, signal.SIGKILL)
        time.sleep(0.02)
    assert server.process.returncode == 1
    assert "ended by signal 9; all are ended" in server.log.read_text().splitlines()[-1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_workers_and_the_exit_code_is_0(start, number):
    server = start("--backend", "none", "--workers", "3")
    pids = children(server.process.pid)
    assert len(pids) == 3
    assert server.stop(number) == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert server.process.stdout.closed


def test_workers_end_when_nobody_watches_them_any_more(start):
    server = start("--backend", "none", "--workers", "2")
    pids = children(server.process.pid)
    server.process.kill()
    server.process.wait()
    wait_for(lambda: not any(is_running(pid) for pid in pids))


def test_the_ready_line_is_printed_once(start):
    server = start("--backend", "none", "--workers", "3")
    server.process.send_signal(signal.SIGTERM)
    assert server.process.stdout.read() == b""
    assert server.process.wait(20) == 0
