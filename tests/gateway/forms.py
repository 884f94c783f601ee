"""Forms as browsers and programs post them: the body, how it is sent, and what a form of one's own is signed with."""

import base64
import hashlib
import hmac
import http.client
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from running import REGION, Credentials

BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
FORM = f"multipart/form-data; boundary={BOUNDARY}"


@dataclass(frozen=True)
class Reply:
    """An answer; header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The code of an error."""
        return self._told("Code")

    @property
    def message(self) -> str:
        """What an error says."""
        return self._told("Message").replace("&quot;", '"')

    def _told(self, name: str) -> str:
        found = re.search(rf"<{name}>(.*?)</{name}>", self.body.decode(), re.DOTALL)
        return found[1] if found else ""


def part(name: str, value: bytes | str, filename: str | None = None, *headers: str) -> bytes:
    """One part with the delimiter before it."""
    named = f'; filename="{filename}"' if filename is not None else ""
    head = [f"--{BOUNDARY}", f'Content-Disposition: form-data; name="{name}"{named}', *headers, "", ""]
    return "\r\n".join(head).encode() + (value.encode() if isinstance(value, str) else value) + b"\r\n"


def body(
    fields: Iterable[tuple[str, str]],
    file: bytes | None = b"data",
    filename: str | None = "a.txt",
    behind: Iterable[tuple[str, str]] = (),
) -> bytes:
    """A whole form; `behind` are fields behind its file."""
    parts = [part(name, value) for name, value in fields]
    if file is not None:
        parts.append(part("file", file, filename, "Content-Type: image/png"))
    parts += [part(name, value) for name, value in behind]
    return b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()])


def send(url: str, content: bytes, *headers: tuple[str, str], form: str = FORM) -> Reply:
    """Post it to a bucket's URL, or to one with another host in a header."""
    address, _, path = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(address, timeout=30)
    try:
        given = {"Content-Type": form, **dict(headers)}
        connection.request("POST", f"/{path}", content, {name: value for name, value in given.items() if value})
        answer = connection.getresponse()
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def post(form: dict[str, Any], file: bytes | None = b"data", filename: str | None = "a.txt", **changes: Any) -> Reply:
    """Post what generate_presigned_post gave, with fields changed or, where they are None, left out."""
    fields = {**form["fields"], **changes}
    given = [(name, value) for name, value in fields.items() if value is not None]
    return send(form["url"], body(given, file, filename))


def encoded(policy: Any) -> str:
    """A policy document as a form has it."""
    text = policy if isinstance(policy, str) else json.dumps(policy)
    return base64.b64encode(text.encode()).decode()


def signed(
    url: str, policy: Any, credentials: Credentials, *, at: datetime | None = None, bucket: str = "", **changes: str
) -> dict[str, Any]:
    """A form of any policy: what boto3 would not make. `changes` are of the fields that say who has signed."""
    moment = at or datetime.now(UTC)
    date = moment.strftime("%Y%m%dT%H%M%SZ")
    fields = {
        "x-amz-algorithm": "AWS4-HMAC-SHA256",
        "x-amz-credential": f"{credentials.access_key_id}/{date[:8]}/{REGION}/s3/aws4_request",
        "x-amz-date": date,
        **({"x-amz-security-token": credentials.session_token} if credentials.session_token else {}),
        **{name.replace("_", "-"): value for name, value in changes.items()},
    }
    if isinstance(policy, list):
        own = [{name: value} for name, value in fields.items()]
        expiration = (moment + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        policy = {"expiration": expiration, "conditions": [{"bucket": bucket or url.rpartition("/")[2]}, *policy, *own]}
    fields["policy"] = encoded(policy)
    key = b"AWS4" + credentials.secret_access_key.encode()
    for step in (*fields["x-amz-credential"].split("/")[1:], fields["policy"]):
        key = hmac.digest(key, step.encode(), hashlib.sha256)
    fields["x-amz-signature"] = key.hex()
    return {"url": url, "fields": fields}
