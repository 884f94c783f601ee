"""DeleteObjects: what is sent on without the denied keys, and the answer with those keys back in it.

AWS: S3 API Reference, DeleteObjects: each key is deleted or has its own error in one answer.
"""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from xml.sax.saxutils import escape

import msgspec

from iamd.authz.target import Target
from iamd.errors import AWSError
from iamd.gateway.actions.asked import Asked, at
from iamd.gateway.answer import Answer
from iamd.http import HttpRequest
from iamd.wire.models import Operation

_NAMESPACE: Final = "http://s3.amazonaws.com/doc/2006-03-01/"
_END: Final = re.compile(rb"</(?:[A-Za-z0-9]+:)?DeleteResult>\s*$|<DeleteResult(?P<attributes>[^>]*)/>\s*$")
# About the body as it was sent, which is not the body that goes on.
_OF_BODY: Final = (b"content-md5", b"content-length", b"x-amz-checksum-", b"x-amz-sdk-checksum-")


def is_batch(operation: Operation) -> bool:
    """Tell whether the operation's targets are decided one by one instead of all together."""
    return operation.service == "s3" and operation.name == "DeleteObjects"


class TooManyKeys(AWSError):
    """More keys than one request may name; the words are S3's for XML that is not of its schema."""

    code = "MalformedXML"
    status = 400


MOST_KEYS: Final = 1000
"""S3 API Reference, DeleteObjects: "The request can contain a list of up to 1,000 keys"."""


def check(parameters: Mapping[str, Any]) -> None:
    """Raise for a batch that names more keys than S3 takes."""
    if len((parameters.get("Delete") or {}).get("Objects") or ()) > MOST_KEYS:
        raise TooManyKeys("The XML you provided was not well-formed or did not validate against our published schema")


def with_bypass(asked: Asked, target: Target) -> list[Target]:
    """What one key needs: its deletion, and the bypass of governance retention where that is asked for."""
    if asked.parameters.get("BypassGovernanceRetention") is not True:
        return [target]
    return [target, msgspec.structs.replace(target, action="s3:BypassGovernanceRetention")]


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes on to the backend, None when nothing is left, and the entries of the keys that do not."""

    request: HttpRequest | None
    errors: bytes

    def whole_answer(self) -> bytes:
        """The answer when nothing was sent on."""
        head = f'<?xml version="1.0" encoding="UTF-8"?>\n<DeleteResult xmlns="{_NAMESPACE}">'.encode()
        return head + self.errors + b"</DeleteResult>"

    async def merged(self, answer: Answer) -> Answer:
        """The backend's answer with the denied keys in it; an answer that is no result stays as it is."""
        if not self.errors or answer.status != 200:
            return answer
        body = b"".join([piece async for piece in answer])
        match = _END.search(body)
        if match is None:
            return Answer(200, _without_length(answer), self.whole_answer())
        if match["attributes"] is not None:
            opened = b"<DeleteResult" + match["attributes"] + b">"
            merged = body[: match.start()] + opened + self.errors + b"</DeleteResult>"
        else:
            merged = body[: match.start()] + self.errors + match[0]
        return Answer(200, _without_length(answer), merged)


def _without_length(answer: Answer) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in answer.headers if name not in {b"content-length", b"content-encoding"}]


def plan(request: HttpRequest, asked: Asked, allowed: Sequence[int], refused: Sequence[tuple[int, str]]) -> Plan:
    """Split the batch; `allowed` and `refused` are places in the list of objects."""
    objects = at(asked.parameters, "Delete.Objects") or []
    errors = "".join(_error(objects[index], message) for index, message in refused).encode()
    if not refused:
        return Plan(request, b"")
    if not allowed:
        return Plan(None, errors)
    quiet = at(asked.parameters, "Delete.Quiet") is True
    body = _body([objects[index] for index in allowed], quiet=quiet)
    kept = [(name, value) for name, value in request.headers if not name.startswith(_OF_BODY)]
    md5 = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest())
    return Plan(request.with_content([*kept, (b"content-md5", md5)], body), errors)


def _error(entry: dict[str, Any], message: str) -> str:
    version = f"<VersionId>{escape(entry['VersionId'])}</VersionId>" if entry.get("VersionId") else ""
    return (
        f"<Error><Key>{escape(entry['Key'])}</Key>{version}"
        f"<Code>AccessDenied</Code><Message>{escape(message)}</Message></Error>"
    )


def _body(objects: Sequence[dict[str, Any]], *, quiet: bool) -> bytes:
    entries = "".join(f"<Object>{''.join(_member(name, value) for name, value in e.items())}</Object>" for e in objects)
    told = "<Quiet>true</Quiet>" if quiet else ""
    return f'<Delete xmlns="{_NAMESPACE}">{entries}{told}</Delete>'.encode()


def _member(name: str, value: Any) -> str:
    text = value.strftime("%a, %d %b %Y %H:%M:%S GMT") if isinstance(value, datetime) else str(value)
    return f"<{name}>{escape(text)}</{name}>"
