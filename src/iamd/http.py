"""One HTTP request and one HTTP response, as values: nothing in them changes once they are made."""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import force_setattr, replace

from iamd.vpc_endpoint import VpcEndpoint

Headers = Sequence[tuple[bytes, bytes]]


class BrokenOff(ConnectionError):
    """An answer that had begun does not come to its end; whoever serves the request has told of it."""


def first_fields(headers: Headers) -> dict[bytes, bytes]:
    """The first header of each name, in their order."""
    fields: dict[bytes, bytes] = {}
    for name, value in headers:
        fields.setdefault(name, value)
    return fields


class HttpRequest(msgspec.Struct, frozen=True):
    """A request as it arrived.

    `path` and `query` are the bytes of the request target, still percent-encoded, without the `?` between them.
    `headers` are in order of arrival with lower-case names; a repeated header stands there repeatedly.
    `body` is whole, or None while it is a stream that the gateway reads (S3 object bodies). `fields` is the first
    header of each name in their order, and `repeats_headers` says whether a name stands there more than once; both are
    made of `headers` unless they are given, as they are by who has made them already. `secure` is that it came over
    TLS; `counts_as_secure`, that policies are told so (`aws:SecureTransport`) though it came over loopback.
    `vpc_endpoint` is the one that it came through, once it is known what it is for. `spelling` has the names of the
    headers as they were written, by their lower-case names, where somebody is told them.
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
    repeats_headers: bool = False
    counts_as_secure: bool = False
    vpc_endpoint: VpcEndpoint | None = None
    spelling: Mapping[bytes, str] = {}

    def __post_init__(self) -> None:
        """Make what follows from the headers: they are looked at a dozen times."""
        if not self.fields:
            fields = first_fields(self.headers)
            force_setattr(self, "fields", fields)
            force_setattr(self, "repeats_headers", len(fields) != len(self.headers))

    def with_content(self, headers: Headers, body: bytes) -> "HttpRequest":
        """The same request with other headers and another body."""
        return replace(self, headers=headers, body=body, fields={}, repeats_headers=False)

    def with_body(self, body: bytes) -> "HttpRequest":
        """The same request with its body read."""
        read: HttpRequest = self.__copy__()  # type: ignore[attr-defined]  # msgspec's; `copy` looks it up slowly
        # Nobody has the copy yet; `replace` would look at its headers again.
        force_setattr(read, "body", body)
        return read

    def header(self, name: bytes) -> str | None:
        """Give the first header of this lower-case name as Latin-1 text, or None."""
        value = self.fields.get(name)
        return None if value is None else value.decode("latin-1")


class HttpResponse(msgspec.Struct, frozen=True):
    """A whole response; the server adds `content-length`, `date` and the request id headers of the protocol.

    `closes` says that the connection ends with it; the server tells the client.
    """

    status: int
    headers: Headers
    body: bytes
    closes: bool = False
