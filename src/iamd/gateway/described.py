"""Asking EC2's backend what iamd itself is to know, not on behalf of a caller."""

from collections.abc import Mapping
from urllib.parse import urlencode

from iamd import ids
from iamd.backend.verdict import Verdict
from iamd.errors import Common, CommonError
from iamd.gateway import instances
from iamd.gateway.backend import Backend
from iamd.gateway.forward import forward
from iamd.gateway.payload import Payload
from iamd.http import HttpRequest
from iamd.wire.models import service as model_of

_FORM = [(b"content-type", b"application/x-www-form-urlencoded")]


async def ask(
    backend: Backend, operation: str, parameters: Mapping[str, str], *, account_id: str, region: str, now: float
) -> bytes:
    """The answer of EC2 to a reading operation; a CommonError says that there is none."""
    body = urlencode({"Action": operation, "Version": model_of("ec2").api_version, **parameters}).encode()
    request = HttpRequest(ids.request_id(), "POST", b"/", b"", _FORM, body, "")
    verdict = Verdict("ec2", operation, "ec2", account_id, region)
    answer = await instances.whole(await forward(request, Payload(body, len(body)), backend, verdict, now=now))
    if answer.status != 200:
        raise CommonError(Common.UNAVAILABLE, "The backend does not tell.")
    return answer.whole or b""
