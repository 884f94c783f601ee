"""Who may ask an endpoint that gives credentials: programs on this machine, and no page in somebody's browser."""

import ipaddress

from iamd.framing import Head
from iamd.http import HttpResponse


def foreign(head: Head) -> HttpResponse | None:
    """The refusal of a request that a browser made, or one of a name that somebody made point here; else None."""
    fields = dict(head.headers)
    # SECURITY: a page's own requests carry these; and a page whose name was made to point to this address is taken by
    # its browser to be where it came from, so the name itself is what tells.
    sent = any(name == b"origin" or name.startswith(b"sec-fetch-") for name in fields)
    if sent or not _is_near(fields.get(b"host", b"localhost").decode("latin-1")):
        return HttpResponse(403, [(b"content-type", b"text/plain")], b"this endpoint answers programs only\n")
    return None


def _is_near(host: str) -> bool:
    """Whether a host is an address, or a name without a dot, which no registry gives to anybody."""
    name = host.rpartition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return "." not in name
    return True
