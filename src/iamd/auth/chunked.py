"""aws-chunked bodies, verified and decoded as they arrive: bytes in, verified bytes out, no I/O of its own.

The three forms are S3's: chunks that are signed one after the other from the request's own signature on, the same with
a signed trailer, and unsigned chunks with a trailer (S3 API Reference, "Transferring Payload in Multiple Chunks" and
"Including Trailing Headers"). The caller has run `sigv4.check` before: in every form it is the seed (invariant SIG-08).

A signed chunk is held until its signature has been verified, so `LARGEST_CHUNK` bounds what one request can make iamd
hold. AWS names no maximum; SDKs send 64 KiB to 1 MiB.
"""

import hashlib
import hmac
import re
from enum import Enum, auto

from iamd.auth import checksums
from iamd.auth.checksums import Checksum
from iamd.auth.claim import Claim
from iamd.auth.s3_errors import InvalidChunkSizeError, InvalidRequest, MalformedTrailerError, MissingContentLength
from iamd.auth.signing_key import SigningKey, signing_key
from iamd.errors import AWSError, Common, CommonError

SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
FORMS = frozenset({SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER})

LARGEST_CHUNK = 16 * 1024 * 1024
SMALLEST_CHUNK = 8192
"""AWS: only the last chunk may be smaller (S3's InvalidChunkSizeError)."""
_LARGEST_BODY = 5 * 1024**4
_LONGEST_LINE = 512
_MOST_TRAILERS = 8
_EMPTY = hashlib.sha256(b"").hexdigest()

_SIGNED_HEAD = re.compile(rb"([0-9A-Fa-f]{1,12});chunk-signature=([0-9a-f]{64})\r\n").fullmatch
_UNSIGNED_HEAD = re.compile(rb"([0-9A-Fa-f]{1,12})\r\n").fullmatch
_TRAILER = re.compile(rb"([A-Za-z0-9-]{1,64}):[ \t]*([!-~]*)[ \t]*\r?\n").fullmatch
_TRAILER_SIGNATURE = "x-amz-trailer-signature"
_NUMBER = re.compile("[0-9]{1,16}").fullmatch


class _State(Enum):
    HEAD = auto()
    DATA = auto()
    DATA_END = auto()
    TRAILER = auto()
    DONE = auto()
    FAILED = auto()


def decoder(claim: Claim, secret_access_key: str) -> "Decoder":
    """Start decoding the body of a verified request whose x-amz-content-sha256 is one of the three forms."""
    form = claim.content_sha256
    if form not in FORMS:
        raise CommonError(
            Common.MALFORMED_HEADER, "The request's x-amz-content-sha256 does not name an aws-chunked body."
        )
    scope = claim.scope
    key = None
    if form != UNSIGNED_TRAILER:
        key = signing_key(secret_access_key, scope.date, scope.region, scope.service)
    return Decoder(
        key=key,
        seed=claim.signature.decode("latin-1"),
        signed_as=f"{claim.amz_date}{scope.line}",
        length=_length(claim),
        trailers=_declared_trailers(claim, has_trailer=form != SIGNED),
    )


def _length(claim: Claim) -> int:
    text = claim.headers.get(b"x-amz-decoded-content-length", b"").decode("latin-1")
    if not _NUMBER(text) or int(text) > _LARGEST_BODY:
        raise MissingContentLength("You must provide the Content-Length HTTP header.")
    return int(text)


def _declared_trailers(claim: Claim, *, has_trailer: bool) -> dict[str, Checksum] | None:
    text = claim.headers.get(b"x-amz-trailer", b"").decode("latin-1")
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    if not has_trailer:
        if names:
            raise InvalidRequest("x-amz-trailer needs an x-amz-content-sha256 that names a trailer.")
        return None
    if not names or len(names) > _MOST_TRAILERS or len(set(names)) != len(names):
        raise InvalidRequest("The value specified in the x-amz-trailer header is not supported")
    return {name: checksums.algorithm(name) for name in names}


class Decoder:
    """One body on its way: `feed` what arrives, pass on what it gives, and call `finish` at the body's end.

    Nothing may be answered or kept before `finish` has returned. After an error every further call raises too.
    """

    def __init__(
        self, *, key: SigningKey | None, seed: str, signed_as: str, length: int, trailers: dict[str, Checksum] | None
    ) -> None:
        self._key = key
        self._previous = seed
        self._signed_as = signed_as
        self._length = length
        self._checksums = trailers
        self._state = _State.HEAD
        self._line = bytearray()
        self._received = 0
        self._chunk = 0
        self._left = 0
        self._held: list[bytes] = []
        self._hash = hashlib.sha256()
        self._signature = ""
        self._last_size: int | None = None
        self._trailer_signature: str | None = None
        self._bare_line_feed = False
        self.trailers: list[tuple[str, str]] = []
        """The trailers that came, verified once `finish` has returned."""

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes as they came off the connection; give the decoded bytes that are verified by now."""
        try:
            return self._feed(data)
        except AWSError:
            self._state = _State.FAILED
            self._held.clear()
            raise

    def finish(self) -> list[tuple[str, str]]:
        """At the body's end: all of it came, with its final chunk and trailers. Give the verified trailers."""
        if self._state is not _State.DONE:
            self._state = _State.FAILED
            raise _cut_off()
        return self.trailers

    def _feed(self, data: bytes) -> list[bytes]:
        out: list[bytes] = []
        place = 0
        while place < len(data):
            if self._state is _State.DATA:
                piece = data[place : place + self._left]
                place += len(piece)
                self._data(piece, out)
            elif self._state in {_State.DONE, _State.FAILED}:
                raise _malformed()
            else:
                place = self._gather(data, place)
        return out

    def _gather(self, data: bytes, place: int) -> int:
        """Take bytes up to a line's end, and read the line once it is whole."""
        end = data.find(b"\n", place, place + _LONGEST_LINE)
        stop = len(data) if end < 0 else end + 1
        if len(self._line) + stop - place > _LONGEST_LINE:
            raise _malformed()
        self._line += data[place:stop]
        if end >= 0:
            line = bytes(self._line)
            self._line.clear()
            self._read(line)
        return stop

    def _read(self, line: bytes) -> None:
        if self._state is _State.HEAD:
            self._head(line)
        elif self._state is _State.TRAILER:
            self._trailer(line)
        elif line == b"\r\n":
            self._state = _State.HEAD
        else:
            raise _malformed()

    def _head(self, line: bytes) -> None:
        match = _UNSIGNED_HEAD(line) if self._key is None else _SIGNED_HEAD(line)
        if match is None:
            raise _malformed()
        size = int(match[1], 16)
        self._chunk += 1
        self._signature = "" if self._key is None else match[2].decode("ascii")
        self._check_size(size)
        self._left = size
        self._hash = hashlib.sha256()
        if size:
            self._last_size = size
            self._state = _State.DATA
        else:
            self._check_chunk()
            self._check_length()
            self._state = _State.TRAILER

    def _check_size(self, size: int) -> None:
        if size and self._last_size is not None and self._last_size < SMALLEST_CHUNK:
            raise InvalidChunkSizeError(
                f"Only the last chunk is allowed to have a size less than {SMALLEST_CHUNK} bytes",
                members={"Chunk": str(self._chunk), "BadChunkSize": str(self._last_size)},
            )
        if self._key is not None and size > LARGEST_CHUNK:
            raise CommonError(Common.TOO_LARGE, f"A signed chunk may have at most {LARGEST_CHUNK} bytes.")
        if self._received + size > self._length:
            raise CommonError(
                Common.INCOMPLETE_BODY, "The request body is longer than x-amz-decoded-content-length declares."
            )

    def _data(self, piece: bytes, out: list[bytes]) -> None:
        self._left -= len(piece)
        self._received += len(piece)
        if self._key is None:
            self._pass_on(piece, out)
        else:
            self._hash.update(piece)
            self._held.append(piece)
        if self._left == 0:
            # SECURITY: not one byte of a chunk leaves before its signature is verified.
            self._check_chunk()
            for held in self._held:
                self._pass_on(held, out)
            self._held.clear()
            self._state = _State.DATA_END

    def _pass_on(self, piece: bytes, out: list[bytes]) -> None:
        for checksum in (self._checksums or {}).values():
            checksum.update(piece)
        out.append(piece)

    def _check_chunk(self) -> None:
        if self._key is None:
            return
        text = (
            f"AWS4-HMAC-SHA256-PAYLOAD\n{self._signed_as}{self._previous}\n{_EMPTY}\n{self._hash.hexdigest()}".encode()
        )
        self._check_signature(self._key, text, self._signature)

    def _check_signature(self, key: SigningKey, text: bytes, signature: str) -> None:
        expected = key.sign(text)
        if not hmac.compare_digest(expected.encode("ascii"), signature.encode("latin-1")):
            raise CommonError(
                Common.SIGNATURE_MISMATCH,
                "The request signature we calculated does not match the signature you provided. "
                "Check your key and signing method.",
            )
        self._previous = expected

    def _check_length(self) -> None:
        if self._received != self._length:
            raise _cut_off()

    def _trailer(self, line: bytes) -> None:
        if line == b"\r\n":
            self._end_of_trailer()
            return
        match = _TRAILER(line)
        if self._checksums is None:
            raise _malformed()
        if match is None or self._trailer_signature is not None:
            raise _malformed_trailer()
        name, value = match[1].decode("ascii").lower(), match[2].decode("ascii")
        self._bare_line_feed = not line.endswith(b"\r\n")
        if self._bare_line_feed and self._key is None:
            raise _malformed_trailer()
        if name == _TRAILER_SIGNATURE and self._key is not None:
            self._trailer_signature = value
        elif name in self._checksums and name not in dict(self.trailers):
            self.trailers.append((name, value))
        else:
            raise _malformed_trailer()

    def _end_of_trailer(self) -> None:
        if self._checksums is not None:
            if self._key is not None and self._trailer_signature is None and self._bare_line_feed:
                # minio-go ends a trailer with LF CR LF, as AWS's own example is printed; the signature is yet to come.
                self._bare_line_feed = False
                return
            self._check_trailer(self._checksums)
        self._state = _State.DONE

    def _check_trailer(self, expected: dict[str, Checksum]) -> None:
        if self._key is not None:
            canonical = "".join([f"{name}:{value}\n" for name, value in self.trailers])
            digest = hashlib.sha256(canonical.encode()).hexdigest()
            text = f"AWS4-HMAC-SHA256-TRAILER\n{self._signed_as}{self._previous}\n{digest}".encode()
            self._check_signature(self._key, text, self._trailer_signature or "")
        came = dict(self.trailers)
        for name, checksum in expected.items():
            if name not in came:
                raise _malformed_trailer()
            computed = checksum.digest()
            if not hmac.compare_digest(checksums.digest(name, came[name], len(computed)), computed):
                raise checksums.mismatch(name)


def _malformed() -> CommonError:
    return CommonError(Common.INCOMPLETE_BODY, "The aws-chunked body of the request is malformed.")


def _malformed_trailer() -> MalformedTrailerError:
    return MalformedTrailerError(
        "The request contained trailing data that was not well-formed or did not conform to our published schema."
    )


def _cut_off() -> CommonError:
    return CommonError(Common.INCOMPLETE_BODY, "The request body terminated unexpectedly")
