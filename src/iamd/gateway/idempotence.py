"""Which requests may be sent again when it is not known whether the backend has done them: those that change nothing.

A request may be repeated when it is a GET or HEAD (RFC 9110, 9.2.1), when the service's model calls its operation
`readonly` or `idempotent`, or when its name is that of a read and the Service Authorization Reference has it as one.
"""

from functools import cache
from typing import Final

from iamd.data import service_reference
from iamd.wire.models import service as model_of

SAFE: Final = frozenset({"GET", "HEAD"})
_NAMES: Final = ("BatchGet", "Describe", "Get", "List", "Query", "Scan", "Head", "Lookup", "Select")
_READS: Final = frozenset({"List", "Read"})


@cache
def may_repeat(service: str, operation: str, method: str) -> bool:
    """Whether requests for an operation, which are sent by this method, may be sent again."""
    model = model_of(service)
    if method in SAFE:
        return True
    if method != model.http(operation)[0]:
        return False
    if model.is_idempotent(operation):
        return True
    known = service_reference.action(model.signing_name, operation) if operation.startswith(_NAMES) else None
    return known is not None and known.access_level in _READS
