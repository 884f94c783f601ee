"""What the tests of STS share: roles with their trust, sessions of them, refusals."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from running import ACCOUNT, AWS, Credentials, Server
from services.sts.phone import Phone

from iamd import accounts, ids
from iamd import start as starting
from iamd.accounts import Administrator
from iamd.auth import mfa
from iamd.services.iam import one_time_codes
from iamd.settings import Settings
from iamd.store.records import MFADevice


def trusting(principal: Any, *actions: str, **condition: Any) -> dict[str, Any]:
    """A statement of a trust policy."""
    statement = {
        "Effect": "Allow",
        "Principal": principal if isinstance(principal, dict) else {"AWS": principal},
        "Action": list(actions) or "sts:AssumeRole",
    }
    return statement | ({"Condition": condition} if condition else {})


@pytest.fixture
def role(aws: AWS) -> Callable[..., str]:
    """`role(name, trust statements, *statements)` makes a role with an inline policy, and gives its ARN."""

    def make(name: str, trust: Any, *statements: Any, credentials: Credentials | None = None, **more: Any) -> str:
        iam = aws.client("iam", credentials)
        found = trust if isinstance(trust, list) else [trust]
        document = json.dumps({"Version": "2012-10-17", "Statement": found})
        arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document, **more)["Role"]["Arn"]
        if statements:
            policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
            iam.put_role_policy(RoleName=name, PolicyName="test", PolicyDocument=policy)
        return arn

    return make


@pytest.fixture
def assume(aws: AWS) -> Callable[..., Credentials]:
    """`assume(credentials, role_arn, **parameters)` gives the session's credentials."""

    def make(credentials: Credentials | None, role_arn: str, name: str = "test", **parameters: Any) -> Credentials:
        sts = aws.client("sts", credentials)
        return Credentials.of(sts.assume_role(RoleArn=role_arn, RoleSessionName=name, **parameters)["Credentials"])

    return make


@pytest.fixture
def refused() -> Callable[..., AbstractContextManager[dict[str, str]]]:
    """`with refused(code) as error:` holds when the request in it is refused so; the words come in `error`."""

    @contextmanager
    def expect(code: str, message: str | None = None) -> Iterator[dict[str, str]]:
        told: dict[str, str] = {}
        with pytest.raises(ClientError) as caught:
            yield told
        error = caught.value.response["Error"]
        told["Message"] = error["Message"]
        assert error["Code"] == code, error
        assert message is None or message in error["Message"], error

    return expect


@dataclass(frozen=True)
class Rooted:
    """An iamd of its own, with an access key of the account's root user, and the root user's device."""

    aws: AWS
    credentials: Credentials
    phone: Phone


@pytest.fixture
def rooted(tmp_path: Path, start: Callable[..., Server]) -> Rooted:
    """What no operation makes is written to the store before the server starts: a key and a device of the root user."""
    settings = Settings(data=tmp_path / "rooted", backend="none")
    owner = Administrator(ACCOUNT, "root", ids.access_key_id("AKIA", ACCOUNT), ids.secret_access_key())
    serial, seed = f"arn:aws:iam::{ACCOUNT}:mfa/root-account-mfa-device", mfa.generate_seed()
    with starting.data_folder(settings):
        runtime = starting.open_runtime(settings)
        starting.first_start(runtime)
        now = int(runtime.clock.timestamp())
        sealed = one_time_codes.sealed_seed(runtime.keyring, ACCOUNT, serial, seed)
        device = MFADevice(serial_number=serial, sealed_seed=sealed, created=now, user_id="root", enabled=now)

        def write(change: Any) -> None:
            change.put(ACCOUNT, accounts.access_key(runtime.keyring, owner, None, now))
            change.put(ACCOUNT, device)

        runtime.store.write(write).result()
        runtime.store.close()
    server = start("--backend", "none", "--dev", data=settings.data)
    phone = Phone(serial, mfa.base32_seed(seed).decode())
    return Rooted(AWS(server), Credentials(owner.access_key_id, owner.secret_access_key), phone)


@pytest.fixture
def other(aws: AWS) -> Credentials:
    """The administrator of another account of this server."""
    return Credentials.of(aws.iamd("CreateAccount", Name="other", AccountId="210987654321"))
