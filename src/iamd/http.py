"""One HTTP request and one HTTP response, as values: nothing in them changes once they are made."""

from collections.abc import Sequence

import msgspec

Headers = Sequence[tuple[bytes, bytes]]


class HttpRequest(msgspec.Struct, frozen=True):
    """A request as it arrived.

    `path` and `query` are the bytes of the request target, still percent-encoded, without the `?` between them.
    `headers` are in order of arrival with lower-case names; a repeated header stands there repeatedly.
    `body` is whole, or None while it is a stream that the gateway reads (S3 object bodies).
    """

    id: str
    method: str
    path: bytes
    query: bytes
    headers: Headers
    body: bytes | None
    source_ip: str
    secure: bool = False

    def header(self, name: bytes) -> str | None:
        """Give the first header of this lower-case name as Latin-1 text, or None."""
        for key, value in self.headers:
            if key == name:
                return value.decode("latin-1")
        return None


class HttpResponse(msgspec.Struct, frozen=True):
    """A whole response; the server adds `content-length`, `date` and the request id headers of the protocol."""

    status: int
    headers: Headers
    body: bytes
