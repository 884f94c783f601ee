"""One HTTP request and one HTTP response, as values: nothing in them changes once they are made."""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import force_setattr

Headers = Sequence[tuple[bytes, bytes]]


class HttpRequest(msgspec.Struct, frozen=True):
    """A request as it arrived.

    `path` and `query` are the bytes of the request target, still percent-encoded, without the `?` between them.
    `headers` are in order of arrival with lower-case names; a repeated header stands there repeatedly.
    `body` is whole, or None while it is a stream that the gateway reads (S3 object bodies). `fields` is the first
    header of each name; it is made of `headers`, whatever it is given.
    """

    id: str
    method: str
    path: bytes
    query: bytes
    headers: Headers
    body: bytes | None
    source_ip: str
    secure: bool = False
    fields: Mapping[bytes, bytes] = {}

    def __post_init__(self) -> None:
        """Make `fields`: a request's headers are looked at a dozen times."""
        force_setattr(self, "fields", dict(reversed(self.headers)))

    def with_body(self, body: bytes) -> "HttpRequest":
        """The same request with its body read."""
        read: HttpRequest = self.__copy__()  # type: ignore[attr-defined]  # msgspec's; `copy` looks it up slowly
        # Nobody has the copy yet; `replace` would look at its headers again.
        force_setattr(read, "body", body)
        return read

    @property
    def repeats_headers(self) -> bool:
        """Whether a header's name stands there more than once."""
        return len(self.fields) != len(self.headers)

    def header(self, name: bytes) -> str | None:
        """Give the first header of this lower-case name as Latin-1 text, or None."""
        value = self.fields.get(name)
        return None if value is None else value.decode("latin-1")


class HttpResponse(msgspec.Struct, frozen=True):
    """A whole response; the server adds `content-length`, `date` and the request id headers of the protocol."""

    status: int
    headers: Headers
    body: bytes
