"""Policies of resources, and callers of a second account."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from running import AWS, Credentials

OTHER = "111122223333"


def policy(*statements: dict[str, Any]) -> str:
    """A policy of these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def to(principal: Any, statement: dict[str, Any]) -> dict[str, Any]:
    """A statement for a principal."""
    return {**statement, "Principal": principal}


def everybody(statement: dict[str, Any]) -> dict[str, Any]:
    """A statement for everybody."""
    return to("*", statement)


def user_of(cloud: AWS, administrator: Credentials, name: str, *statements: dict[str, Any]) -> Credentials:
    """A user of the administrator's account."""
    iam = cloud.client("iam", administrator)
    iam.create_user(UserName=name)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="test", PolicyDocument=policy(*statements))
    return Credentials.of(iam.create_access_key(UserName=name)["AccessKey"])


def error_of(call: Any, **parameters: Any) -> dict[str, Any]:
    """The error of a call that must fail."""
    with pytest.raises(ClientError) as raised:
        call(**parameters)
    return raised.value.response["Error"]


def code_of(call: Any, **parameters: Any) -> str:
    """The code of that error."""
    return error_of(call, **parameters)["Code"]


def refused(call: Any, **parameters: Any) -> tuple[str, str]:
    """The code and the words of that error."""
    error = error_of(call, **parameters)
    return error["Code"], error["Message"]


def reads(client: Any, bucket: str = "files", key: str = "a") -> bool:
    """Whether the client gets the object, which holds `data`; every error but a denial is raised."""
    try:
        return client.get_object(Bucket=bucket, Key=key)["Body"].read() == b"data"
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return False
