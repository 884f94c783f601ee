"""`iamd credential-process` in the usual case, with little to import; all else is left to the command itself."""

import json
import os
import re
import socket
import time
from collections.abc import Mapping, Sequence
from hashlib import sha256
from urllib.parse import quote

from iamd.auth.signer import sign

OPTIONS = {"--data": "data", "--role": "role", "--session-name": "name"}
KEYS = ("aws_access_key_id", "aws_secret_access_key", "endpoint_url", "region")
FORM = b"application/x-www-form-urlencoded; charset=utf-8"
SESSION_NAME = "iamd-credential-process"
SECONDS = 3600
TIMEOUT_SECONDS = 60
_HTTP = re.compile(r"http://([A-Za-z0-9.-]+|\[[0-9a-f:.]+\]):([0-9]+)/?")
_TOLD = re.compile(rb"<(AccessKeyId|SecretAccessKey|SessionToken|Expiration)>([A-Za-z0-9+/=_:-]+)</")


def credential_process(words: Sequence[str], environment: Mapping[str, str]) -> str | None:
    """What the command prints; None where it has to look closer, be it to say what is wrong."""
    if len(words) % 2 or not OPTIONS.keys() >= set(words[::2]):
        return None
    asked = {OPTIONS[option]: value for option, value in zip(words[::2], words[1::2], strict=True)}
    try:
        found = _keys(asked.get("data"), environment)
        if found is None:
            return None
        role = asked.get("role")
        told = _own(found) if role is None else _of_role(found, role, asked.get("name", SESSION_NAME))
    except (OSError, ValueError, KeyError):
        return None
    return json.dumps({"Version": 1} | told) + "\n" if told else None


def _keys(data: str | None, environment: Mapping[str, str]) -> dict[str, str] | None:
    """Endpoint, region and key, where the command would find them too."""
    if data is None and "AWS_ENDPOINT_URL" in environment:
        return None
    folder = data or environment.get("IAMD_DATA") or ".iamd"
    found: dict[str, str] = {}
    for name in ("config", "credentials"):
        with open(os.path.join(folder, "aws", name), encoding="utf-8") as file:  # noqa: PTH118, PTH123 - imports more
            lines = file.read().splitlines()
        if lines[:1] != ["[default]"]:
            return None
        for line in lines[1:]:
            key, is_pair, value = line.partition(" = ")
            if not is_pair or key not in KEYS or value != value.strip():
                return None
            found[key] = value
    return found


def _own(found: Mapping[str, str]) -> dict[str, str]:
    return {"AccessKeyId": found["aws_access_key_id"], "SecretAccessKey": found["aws_secret_access_key"]}


def _of_role(found: Mapping[str, str], role: str, name: str) -> dict[str, str]:
    """The credentials that AssumeRole gives; nothing when it gives none."""
    asked = {
        "Action": "AssumeRole",
        "Version": "2011-06-15",
        "RoleArn": role,
        "RoleSessionName": name,
        "DurationSeconds": str(SECONDS),
    }
    body = "&".join([f"{key}={quote(value, safe='')}" for key, value in asked.items()]).encode()
    answer = _posted(found, body)
    return {key.decode(): value.decode() for key, value in _TOLD.findall(answer)}


def _posted(found: Mapping[str, str], body: bytes) -> bytes:
    """The answer of STS, if it is one that gives credentials."""
    match = _HTTP.fullmatch(found["endpoint_url"])
    if match is None:
        return b""
    host, port = match.groups()
    headers = [(b"host", f"{host}:{port}".encode()), (b"content-type", FORM)]
    headers += sign(
        "POST",
        b"/",
        b"",
        headers,
        sha256(body).hexdigest(),
        access_key_id=found["aws_access_key_id"],
        secret_access_key=found["aws_secret_access_key"],
        session_token=None,
        region=found["region"],
        service="sts",
        now=time.time(),
    )
    headers += [(b"content-length", b"%d" % len(body)), (b"connection", b"close")]
    head = b"POST / HTTP/1.1\r\n" + b"".join([b"%b: %b\r\n" % pair for pair in headers]) + b"\r\n"
    with socket.create_connection((host.strip("[]"), int(port)), TIMEOUT_SECONDS) as connection:
        connection.sendall(head + body)
        with connection.makefile("rb") as file:
            answer = file.read()
    return answer if answer.startswith(b"HTTP/1.1 200 ") else b""
