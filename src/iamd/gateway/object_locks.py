"""Object Lock: whether a request bypasses governance mode, as a backend is told.

What is locked is held by the backend (`iamd.backend.object_locks` for the embedded one).
"""

from typing import Final

from msgspec.structs import replace

from iamd.gateway.actions.asked import Asked
from iamd.http import HttpRequest
from iamd.wire.models import Operation

_MEMBER: Final = "BypassGovernanceRetention"
_HEADER: Final = b"x-amz-bypass-governance-retention"
_BYPASSING: Final = frozenset({"DeleteObject", "DeleteObjects", "PutObjectRetention"})


def may_bypass(operation: Operation) -> bool:
    """Whether requests may bypass governance mode."""
    return operation.service == "s3" and operation.name in _BYPASSING


def forwarded(request: HttpRequest, asked: Asked) -> HttpRequest:
    """The request with the header of the bypass only where it was decided as one.

    SECURITY: a backend may take the mere header for a bypass, which `false` is none of.
    """
    if _HEADER not in request.fields or asked.parameters.get(_MEMBER) is True:
        return request
    kept = [pair for pair in request.headers if pair[0] != _HEADER]
    return replace(request, headers=kept, fields={}, repeats_headers=False)
