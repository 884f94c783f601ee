"""Credentials of a role for a command: by AssumeRole of whoever runs it, or as a service gives them to a program."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from iamd.cli.connection import DENIED, UNREACHABLE, Connection, Failure
from iamd.metadata.temporary import Temporary, Unobtainable

FORM = b"application/x-www-form-urlencoded; charset=utf-8"


def assume_role(connection: Connection, role_arn: str, session_name: str, seconds: int) -> Temporary:
    """Assume a role; Unobtainable with STS's own words when that is refused."""
    from defusedxml import ElementTree

    asked = {
        "Action": "AssumeRole",
        "Version": "2011-06-15",
        "RoleArn": role_arn,
        "RoleSessionName": session_name,
        "DurationSeconds": str(seconds),
    }
    try:
        status, content = connection.signed("sts", FORM, urlencode(asked).encode())
    except Failure as error:
        raise Unobtainable("ServiceUnavailable", error.message, 503) from error
    try:
        answer = ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise Unobtainable("InternalFailure", f"{connection.endpoint} does not speak STS's protocol", 502) from error
    told = {element.tag.rpartition("}")[2]: element.text or "" for element in answer.iter()}
    if status != 200:
        raise Unobtainable(told.get("Code", str(status)), told.get("Message", "refused"), status)
    return temporary(told, role_arn, seconds)


def temporary(told: Mapping[str, str], role_arn: str, seconds: int) -> Temporary:
    """The credentials in an answer, which names neither their beginning nor the role's ARN."""
    ends = datetime.fromisoformat(told["Expiration"])
    began = datetime.fromtimestamp(ends.timestamp() - seconds, ends.tzinfo)
    return Temporary.of({**told, "Expiration": ends}, role_arn=role_arn, began=began)


def of_service(connection: Connection, asked: Mapping[str, str]) -> tuple[Temporary, dict[str, Any]]:
    """The credentials that a service has for a program, and what else is told of it; Unobtainable when refused."""
    try:
        told = connection.call("GetWorkloadCredentials", dict(asked))
    except Failure as error:
        status = {DENIED: 403, UNREACHABLE: 503}.get(error.code, 400)
        raise Unobtainable(
            "AccessDenied" if status == 403 else "CredentialsUninitialized", error.message, status
        ) from error
    ends = datetime.fromtimestamp(told["Expiration"], UTC)
    began = ends - timedelta(seconds=told["DurationSeconds"])
    return Temporary.of({**told, "Expiration": ends}, role_arn=told["RoleArn"], began=began), told
