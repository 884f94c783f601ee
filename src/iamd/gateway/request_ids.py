"""The id of a request within an answer's body, which SDKs show: the one that iamd knows the request by."""

import re
from typing import Final

from iamd.gateway.answer import Answer
from iamd.wire.models import Protocol

_IN_BODIES: Final = frozenset({Protocol.QUERY, Protocol.EC2})
_IN_ERRORS: Final = frozenset({Protocol.REST_XML})
"""Protocols of which an answer that goes well may be anybody's document."""

PROTOCOLS: Final = _IN_BODIES | _IN_ERRORS

_ID: Final = re.compile(rb"<(requestid)>[^<]{0,256}</\1>", re.IGNORECASE)
_HOST_ID: Final = re.compile(rb"<HostId>[^<]{0,256}</HostId>")


def told(answer: Answer, protocol: Protocol, request_id: str, host_id: bytes) -> Answer:
    """The answer of a backend whose own ids nobody knows, with this id in place of its own."""
    body = answer.whole
    if not body or not (protocol in _IN_BODIES or (protocol in _IN_ERRORS and answer.status >= 400)):
        return answer
    number = request_id.encode()
    named = _ID.sub(lambda found: b"<%b>%b</%b>" % (found[1], number, found[1]), body)
    named = _HOST_ID.sub(b"<HostId>" + host_id + b"</HostId>", named) if protocol in _IN_ERRORS else named
    kept = [pair for pair in answer.headers if pair[0] != b"content-length"]
    return Answer(answer.status, [*kept, (b"content-length", b"%d" % len(named))], named)
