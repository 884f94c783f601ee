"""Locations: templates and stack policies that stand in S3, named by a URL.

AWS: CloudFormation API Reference, CreateStack, TemplateURL and StackPolicyURL.
"""

import re
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from iamd.stacks.client import Client, RequestFailed
from iamd.stacks.faults import ValidationError

_S3: Final = re.compile(
    r"(?:(?P<bucket>[a-z0-9][a-z0-9.-]+)\.)?s3(?:[.-](?:dualstack\.)?[a-z]{2}(?:-[a-z]+)+-[0-9])?"
    r"\.(?:amazonaws\.com(?:\.cn)?|localhost(?:\.[a-z.]+)?)"
)


async def body_of(url: str, client: Client, host: str, parameter: str = "TemplateURL") -> str:
    """The text of the object that a URL names, read as the client's caller; `host` is this server by another name."""
    bucket, key, version = _place(url, host, parameter)
    asked = {"Bucket": bucket, "Key": key} | ({"VersionId": version} if version else {})
    try:
        answer = await client.call("s3", "GetObject", asked)
    except RequestFailed as error:
        # AWS: the words of S3's error (`S3 error: Access Denied`).
        raise ValidationError(f"S3 error: {error}") from error
    body = answer["Body"]
    try:
        return (body if isinstance(body, bytes) else body.read()).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValidationError(f"The object that {parameter} names is no text in UTF-8.") from error


def _place(url: str, host: str, parameter: str) -> tuple[str, str, str | None]:
    parts = urlsplit(url)
    matched = _S3.fullmatch(parts.hostname or "")
    path = unquote(parts.path.removeprefix("/"))
    if parts.scheme not in {"http", "https"} or (matched is None and parts.netloc != host):
        raise ValidationError(f"{parameter} must be a supported URL.")
    bucket = matched["bucket"] if matched is not None else None
    if bucket is None:
        bucket, _, path = path.partition("/")
    if not bucket or not path:
        raise ValidationError(f"{parameter} must be a supported URL.")
    return bucket, path, next(iter(parse_qs(parts.query).get("versionId", [])), None)
