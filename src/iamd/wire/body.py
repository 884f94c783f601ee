"""The bytes of a request's body, unpacked when the client compressed them."""

import zlib
from typing import Final

from iamd.errors import Common, CommonError
from iamd.http import HttpRequest

# Requests are compressed from 10 KiB on, where the model says `requestcompression` (CloudWatch's PutMetricData).
_INFLATED: Final = 1 << 20


def plain(request: HttpRequest) -> bytes:
    """Give the body of a request whose parameters stand in it; gzip is unpacked, up to a size."""
    body = request.body or b""
    encoding = request.header(b"content-encoding")
    if encoding is None or encoding in {"", "identity"} or not body:
        return body
    if encoding != "gzip":
        raise CommonError(Common.MALFORMED, f"Unsupported content encoding: {encoding}")
    return _unpacked(body)


def _unpacked(body: bytes) -> bytes:
    # SECURITY: a few bytes can unpack to gigabytes; no more than the limit is ever unpacked.
    unpacker = zlib.decompressobj(wbits=31)
    try:
        text = unpacker.decompress(body, _INFLATED)
    except zlib.error:
        raise CommonError(Common.MALFORMED, "The request body is not gzip") from None
    if unpacker.unconsumed_tail:
        raise CommonError(Common.TOO_LARGE)
    if not unpacker.eof or unpacker.unused_data:
        raise CommonError(Common.MALFORMED, "The request body is not gzip")
    return text
