"""A form as it arrives, in multipart/form-data (RFC 7578): its fields whole, then its one file piece by piece.

SECURITY: what two readers of such a body could read differently is refused: a preamble, a part without a name or with
two, an encoding of a part, a second file, an end that does not come.
"""

import logging
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Final

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError

from iamd.auth.post_policies import lower
from iamd.auth.s3_errors import InvalidArgument, MalformedPOSTRequest, NotOneFile, PreDataTooLong

# It warns of every form that is none, which is its sender's affair.
logging.getLogger("python_multipart").setLevel(logging.CRITICAL)

MOST: Final = 20 * 1024
"""AWS: the form data and boundaries, without the file (S3 API Reference, sigv4-HTTPPOSTForms): 20 KB."""

FILE: Final = "file"
_BEFORE, _WITHIN, _BEHIND = range(3)
_TOKEN: Final = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PARAMETERS: Final = rb'((?:\s*;\s*%b=(?:%b|"[^"\r\n]*"))*)\s*;?\s*' % (_TOKEN, _TOKEN)
_PARAMETER: Final = re.compile(rb';\s*(%b)=(?:(%b)|"([^"\r\n]*)")' % (_TOKEN, _TOKEN))
_FORM_DATA: Final = re.compile(rb"multipart/form-data" + _PARAMETERS, re.IGNORECASE)
_DISPOSITION: Final = re.compile(rb"form-data" + _PARAMETERS, re.IGNORECASE)
_ANY_TYPE: Final = re.compile(rb"%b/%b" % (_TOKEN, _TOKEN) + _PARAMETERS, re.IGNORECASE)
# RFC 2046, 5.1.1.
_BOUNDARY: Final = re.compile(rb"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_ONCE: Final = frozenset({b"content-disposition", b"content-type", b"content-transfer-encoding"})
_AS_IT_IS: Final = frozenset({b"7bit", b"8bit", b"binary"})
_UTF8: Final = frozenset({b"utf-8", b"utf8", b"us-ascii"})
_CHARSET_FIELD: Final = "_charset_"
"""In which a browser tells the encoding of all fields (HTML, "multipart/form-data")."""


def boundary_of(content_type: bytes) -> bytes:
    """The boundary that a form's Content-Type names."""
    found = _parameters(_FORM_DATA, content_type)
    boundary = found.get(b"boundary", b"")
    if not _BOUNDARY.fullmatch(boundary) or found.get(b"charset", b"utf-8").lower() not in _UTF8:
        raise malformed()
    return boundary


def malformed() -> MalformedPOSTRequest:
    """The refusal of a body that is no form."""
    return MalformedPOSTRequest("The body of your POST request is not well-formed multipart/form-data.")


def _parameters(pattern: re.Pattern[bytes], header: bytes) -> Mapping[bytes, bytes]:
    """The parameters of a header by their names in lower case; one that stands there twice is refused."""
    match = pattern.fullmatch(header.strip())
    if match is None:
        raise malformed()
    pairs = [(name.lower(), token or quoted) for name, token, quoted in _PARAMETER.findall(match[1])]
    found = dict(pairs)
    if len(found) != len(pairs):
        raise malformed()
    return found


class Form:
    """Reads one form from the pieces of its body: `begin` up to the file, `file` what is in it and all behind it."""

    def __init__(self, boundary: bytes, body: AsyncIterator[bytes]) -> None:
        self.fields: list[tuple[str, str]] = []
        """Names in lower case, and values, in their order; those behind the file are none."""
        self.filename: str | None = None
        """What the client calls the file, which may be nothing; None when it does not say."""
        self._body = body
        self._place = _BEFORE
        self._around = 0
        """How many bytes have been read that are not the file's."""
        self._rest = b""
        self._content: list[bytes] = []
        self._headers: list[tuple[bytes, bytes]] = []
        self._header, self._text = bytearray(), bytearray()
        self._name, self._value = "", bytearray()
        self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._text.extend(data[start:end]),
                "on_header_end": self._end_header,
                "on_headers_finished": self._begin_part,
                "on_part_data": self._take,
                "on_part_end": self._end_part,
                "on_end": self._end,
            },
        )

    async def begin(self) -> None:
        """Read the fields, until the file begins."""
        async for piece in self._body:
            self._rest = piece
            while self._rest and self._place == _BEFORE and not self._ended:
                self._read_field()
            if self._place != _BEFORE:
                return
        if not self._ended:
            raise malformed()
        raise InvalidArgument(
            "POST requires exactly one file upload per request.", members={"ArgumentName": FILE, "ArgumentValue": "0"}
        )

    def _read_field(self) -> None:
        room = MOST - self._around
        if not room:
            raise PreDataTooLong(
                "Your POST request fields preceeding the upload file was too large.",
                members={"MaxPostPreDataLengthBytes": str(MOST)},
            )
        piece, self._rest = self._rest[:room], self._rest[room:]
        if not self._around and not piece.startswith(b"-"):
            raise malformed()
        self._around += len(piece)
        self._feed(piece)

    async def file(self) -> AsyncIterator[bytes]:
        """The file's content. It is whole when this ends, and the form with it: what stands behind it is read over."""
        for content in self._taken():
            yield content
        async for piece in self._remaining():
            if self._place == _BEHIND:
                self._around += len(piece)
                if self._around > 2 * MOST:
                    raise malformed()
            self._feed(piece)
            for content in self._taken():
                yield content
        if not self._ended:
            raise malformed()

    async def _remaining(self) -> AsyncIterator[bytes]:
        rest, self._rest = self._rest, b""
        if rest:
            yield rest
        async for piece in self._body:
            yield piece

    def _taken(self) -> Iterator[bytes]:
        taken, self._content = self._content, []
        return iter(taken)

    def _feed(self, piece: bytes) -> None:
        try:
            self._parser.write(piece)
        except FormParserError:
            raise malformed() from None

    def _end_header(self) -> None:
        self._headers.append((bytes(self._header).lower(), bytes(self._text)))
        self._header.clear()
        self._text.clear()

    def _begin_part(self) -> None:
        headers, self._headers = self._headers, []
        once = [name for name, _ in headers if name in _ONCE]
        if len(set(once)) != len(once):
            raise malformed()
        known = dict(headers)
        disposition = _parameters(_DISPOSITION, known.get(b"content-disposition", b""))
        # RFC 7578, 4.2: `filename*` must not be used; it would be a second name.
        if b"name" not in disposition or b"filename*" in disposition or b"name*" in disposition:
            raise malformed()
        if known.get(b"content-transfer-encoding", b"binary").strip().lower() not in _AS_IT_IS:
            raise malformed()
        self._name = lower(_text(disposition[b"name"]))
        if self._name == FILE:
            self._begin_file(disposition.get(b"filename"))
        elif not _is_utf8(known.get(b"content-type")):
            raise malformed()

    def _begin_file(self, filename: bytes | None) -> None:
        if self._place != _BEFORE:
            raise NotOneFile("POST requires exactly one file upload per request.")
        self.filename = None if filename is None else _text(filename)
        self._place = _WITHIN

    def _take(self, data: bytes, start: int, end: int) -> None:
        if self._place == _WITHIN:
            self._content.append(data[start:end])
        elif self._place == _BEFORE:
            self._value.extend(data[start:end])

    def _end_part(self) -> None:
        if self._place == _BEFORE:
            value = _text(bytes(self._value))
            self._value.clear()
            if self._name == _CHARSET_FIELD and value.lower().encode() not in _UTF8:
                raise malformed()
            self.fields.append((self._name, value))
        elif self._place == _WITHIN:
            self._place = _BEHIND

    def _end(self) -> None:
        self._ended = True


def _is_utf8(content_type: bytes | None) -> bool:
    """Whether a field is UTF-8, as S3 wants it (S3 API Reference, sigv4-HTTPPOSTForms)."""
    if content_type is None:
        return True
    return _parameters(_ANY_TYPE, content_type).get(b"charset", b"utf-8").lower() in _UTF8


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise malformed() from None
