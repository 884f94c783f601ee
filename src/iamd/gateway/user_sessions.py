"""Sessions of sign-ins to user pools, which say by themselves which client they are of.

What a session is made of is its backend's affair, and some requests have nothing else: iamd writes the client before it
for the user, and takes it off for the backend.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from iamd.gateway.answer import Answer
from iamd.http import HttpRequest
from iamd.wire.models import Operation

_MEMBER: Final = "Session"


def may_have(operation: Operation) -> bool:
    """Whether requests or answers of an operation may have a session."""
    shapes = (operation.input, operation.output)
    return operation.service == "cognito-idp" and any(one is not None and _MEMBER in one.members for one in shapes)


def client_of(parameters: Mapping[str, Any]) -> str:
    """The client that a request is for, by itself or by its session; empty where neither tells."""
    return str(parameters.get("ClientId") or str(parameters.get(_MEMBER, "")).rpartition(".")[0])


def opened(request: HttpRequest, parameters: Mapping[str, Any]) -> HttpRequest:
    """The request with its session as the backend knows it."""
    session, prefix = str(parameters.get(_MEMBER, "")), f"{client_of(parameters)}."
    if request.body is None or not session.startswith(prefix) or session == prefix:
        return request
    given = msgspec.json.decode(request.body, type=dict[str, Any])
    return replace(request, body=msgspec.json.encode({**given, _MEMBER: session.removeprefix(prefix)}))


def told(answer: Answer, parameters: Mapping[str, Any]) -> Answer:
    """The answer with its session as the user is to bring it back."""
    client = client_of(parameters)
    if answer.status != 200 or not answer.whole or not client:
        return answer
    try:
        given = msgspec.json.decode(answer.whole, type=dict[str, Any])
    except msgspec.DecodeError:
        return answer
    if not given.get(_MEMBER):
        return answer
    return Answer(answer.status, answer.headers, msgspec.json.encode({**given, _MEMBER: f"{client}.{given[_MEMBER]}"}))
