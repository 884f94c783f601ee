"""Where a request to an API of API Gateway stands: which API it is for, and what of its path is the API's own."""

from typing import Final

import msgspec

from iamd.http import HttpRequest
from iamd.wire.hosts import ApiHost, host_of

APIS: Final = b"/_iamd/execute-api/"
"""What is before the ids of APIs at iamd's own address."""


class Place(msgspec.Struct, frozen=True):
    """The API of a request: its id, the path within it as it came, and the path that is before that at its address.

    `host` is the host that named the API, None where the path did.
    """

    id: str
    path: str
    below: str
    host: ApiHost | None = None

    @property
    def first(self) -> str:
        """The first part of the path, which may be a stage."""
        return self.path.removeprefix("/").partition("/")[0]


def of(request: HttpRequest) -> Place | None:
    """The place of a request to an API; None for one to something else.

    SECURITY: a host that is an API's is that API's alone, as it is on AWS: whoever signs for it signs for no other one,
    whatever the path.
    """
    host = host_of(request.header(b"host") or "").api
    if host is not None:
        return Place(host.id, request.path.decode("latin-1"), "", host)
    if not request.path.startswith(APIS):
        return None
    name, _, rest = request.path.removeprefix(APIS).partition(b"/")
    api_id = name.decode("ascii", "replace")
    return Place(api_id, f"/{rest.decode('latin-1')}", f"{APIS.decode()}{api_id}")
