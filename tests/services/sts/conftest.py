"""What the tests of STS share: roles with their trust, sessions of them, refusals."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError
from running import AWS, Credentials


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


@pytest.fixture
def other(aws: AWS) -> Credentials:
    """The administrator of another account of this server."""
    return Credentials.of(aws.iamd("CreateAccount", Name="other", AccountId="210987654321"))
