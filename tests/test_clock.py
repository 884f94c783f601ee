"""STO-07: a machine's clock that is set forward or back brings nothing to life again, and confuses no record."""

import asyncio
import hashlib
import json
import re

import pytest

from iamd import start
from iamd.auth.signer import sign
from iamd.clock import Clock
from iamd.configuration import load
from iamd.server import App

HOUR, DAY = 3600, 86400
NOW = 1_900_000_000.0
ROLE = "arn:aws:iam::123456789012:role/role"
VERSIONS = {"iam": "2010-05-08", "sts": "2011-06-15"}


class Machine:
    """A server in this process, whose machine's clock the test sets."""

    def __init__(self, folder, monkeypatch):
        self.now = NOW
        monkeypatch.setattr(start, "Clock", lambda shared=None: Clock(lambda: self.now, shared))
        settings = load({"data": str(folder), "backend": "none"}, {})
        self.runtime = start.open_runtime(settings)
        found = start.first_start(self.runtime)
        self.administrator = (found.access_key_id, found.secret_access_key, None)
        self.app = App(self.runtime)

    def ask(self, service, action, of=None, **parameters):
        """Send a request that is signed now; gives the status and the body."""
        return self.send(*self.signed(service, action, of, **parameters))

    def signed(self, service, action, of=None, **parameters):
        """Headers and body of a request that is signed now."""
        pairs = {"Action": action, "Version": VERSIONS[service], **parameters}
        body = "&".join(f"{name}={value}" for name, value in pairs.items()).encode()
        key_id, secret, token = of or self.administrator
        headers = [(b"host", f"{service}.localhost".encode()), (b"content-type", b"application/x-www-form-urlencoded")]
        headers += sign(
            "POST", b"/", b"", headers, hashlib.sha256(body).hexdigest(), access_key_id=key_id, secret_access_key=secret,
            session_token=token, region="us-east-1", service=service, now=self.now,
        )  # fmt: skip
        return headers, body

    def send(self, headers, body):
        """Status and body of the answer."""
        return asyncio.run(self._sent(headers, body))

    async def _sent(self, headers, body):
        scope = {
            "type": "http", "method": "POST", "raw_path": b"/", "query_string": b"", "headers": headers,
            "client": ("127.0.0.1", 1), "scheme": "http",
        }  # fmt: skip
        sent = []

        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message):
            sent.append(message)

        await self.app(scope, receive, send)
        return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:]).decode()


@pytest.fixture
def machine(tmp_path, monkeypatch):
    made = Machine(tmp_path, monkeypatch)
    yield made
    made.runtime.store.close()


@pytest.fixture
def session(machine):
    """A session of an hour, and its caller's question."""
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:user/admin"},
        "Action": "sts:AssumeRole",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": trust}).replace(" ", "").replace('"', "%22")
    assert machine.ask("iam", "CreateRole", RoleName="role", AssumeRolePolicyDocument=document)[0] == 200
    status, body = machine.ask("sts", "AssumeRole", RoleArn=ROLE, RoleSessionName="session")
    assert status == 200, body
    of = tuple(
        re.search(f"<{name}>(.*?)</{name}>", body)[1] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")
    )
    return lambda: machine.ask("sts", "GetCallerIdentity", of)


def test_a_session_ends_at_the_second_it_says(machine, session):
    machine.now += HOUR - 1
    assert session()[0] == 200
    machine.now += 1
    status, body = session()
    assert status == 403
    assert "<Code>ExpiredToken</Code>" in body


@pytest.mark.parametrize("back", [2 * HOUR, HOUR + 1, DAY])
def test_what_has_expired_stays_expired_when_the_clock_is_set_back(machine, session, back):
    machine.now += 2 * HOUR
    assert "<Code>ExpiredToken</Code>" in session()[1]
    machine.now -= back
    assert "<Code>ExpiredToken</Code>" in session()[1]
    # Long-term keys are good at the machine's time, by which their clients sign.
    assert machine.ask("sts", "GetCallerIdentity")[0] == 200


@pytest.mark.parametrize("step", [HOUR, -HOUR, DAY, -DAY])
def test_requests_go_on_and_their_record_stays_in_order(machine, step):
    for number in range(10):
        if number == 5:
            machine.now += step
        machine.now += 1
        assert machine.ask("iam", "CreateUser", UserName=f"user-{number}")[0] == 200
    store = machine.runtime.store
    store.flush()
    assert store.verify_audit() == []
    with store._log.reading() as reading:
        (stream,) = reading.streams()
        events = [json.loads(event.document) for event in reading.chain(stream.number)]
    asked = [event["requestParameters"]["userName"] for event in events if event["eventName"] == "CreateUser"]
    assert asked == [f"user-{number}" for number in range(10)]
    times = [event["eventTime"] for event in events]
    assert times == sorted(times)
    assert len({event["eventID"] for event in events}) == len(events)
    users = re.findall(r"<UserId>(.*?)</UserId>", machine.ask("iam", "ListUsers")[1])
    assert len(set(users)) == len(users) == 11


@pytest.mark.parametrize(("step", "status"), [(0, 200), (15 * 60, 200), (15 * 60 + 1, 403), (HOUR, 403), (-HOUR, 403)])
def test_a_captured_request_is_good_within_its_window_only(machine, step, status):
    """SIG-11: by the machine's clock, which clients sign by, whichever way it was set."""
    captured = machine.signed("sts", "GetCallerIdentity")
    machine.now += step
    answered, body = machine.send(*captured)
    assert answered == status
    assert status == 200 or "<Code>SignatureDoesNotMatch</Code>" in body


def test_the_clock_never_goes_back():
    at = [NOW]
    clock = Clock(lambda: at[0])
    seen = []
    for step in (0, 10, -HOUR, 5, DAY, -2 * DAY, 1):
        at[0] += step
        seen.append(clock.timestamp())
        assert clock.machine_timestamp() == at[0]
    assert seen == sorted(seen)
    assert clock.seconds() == int(seen[-1])
