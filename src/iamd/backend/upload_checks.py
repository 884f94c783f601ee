"""What the completion of an upload in parts expects of the object: its size, and checksums of it and of its parts.

AWS: S3 API Reference, CompleteMultipartUpload (x-amz-mp-object-size: "an HTTP 400 InvalidRequest error"; CompletedPart;
If-Match, If-None-Match); S3 User Guide, "Checking object integrity in Amazon S3": a composite checksum is that of the
parts' checksums, one after the other, and tells how many they are.
"""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any, Final

from defusedxml.ElementTree import fromstring
from moto.s3.exceptions import InvalidPart, MalformedXML, S3ClientError
from moto.s3.models import FakeMultipart
from moto.s3.responses import S3Response

from iamd.backend import preconditions

_SIZE: Final = "x-amz-mp-object-size"
_CHECKSUM: Final = "x-amz-checksum-"
_TYPE: Final = f"{_CHECKSUM}type"
_ABOUT: Final = frozenset({f"{_CHECKSUM}algorithm", f"{_CHECKSUM}mode", _TYPE})
_OF_PART: Final = "Checksum"
_COMPOSITE: Final = "COMPOSITE"
_FULL: Final = "FULL_OBJECT"


def check(response: S3Response, upload: FakeMultipart) -> None:
    """Refuse to complete an upload to another object than the one that is expected."""
    preconditions.check_target(response)
    told = _parts(response.body)
    # A part that is not there is moto's to tell.
    there = [(upload.parts[number].value, sums) for number, sums in told if number in upload.parts]
    for value, sums in there:
        for name, digest in sums.items():
            if _text(_digest(name, [value])) != digest:
                raise InvalidPart
    values = [value for value, _ in there]
    if len(values) == len(told):
        _check_size(response.headers.get(_SIZE), values)
        _check_object(response.headers, upload, values)


def _parts(body: bytes) -> list[tuple[int, dict[str, str]]]:
    """The parts that a request names, each with the checksums that it says they have."""
    found = []
    for part in fromstring(body).iterfind("{*}Part"):
        said = {child.tag.rpartition("}")[2]: child.text or "" for child in part}
        number = said.get("PartNumber", "")
        if not (number.isascii() and number.isdecimal()):
            raise MalformedXML
        sums = {name.removeprefix(_OF_PART).lower(): value for name, value in said.items() if name.startswith(_OF_PART)}
        found.append((int(number), sums))
    return found


def _check_size(expected: str | None, values: Sequence[bytes]) -> None:
    if expected is not None and expected.strip() != str(sum(map(len, values))):
        raise S3ClientError("InvalidRequest", f"The size of the object is not that of the header {_SIZE}.")


def _check_object(headers: Mapping[str, str], upload: FakeMultipart, values: Sequence[bytes]) -> None:
    begun = upload.metadata.get(_TYPE)
    kind = headers.get(_TYPE) or begun
    if begun and kind != begun:
        words = f"The upload was created using the {begun} checksum mode. The complete request must use the same one."
        raise S3ClientError("InvalidRequest", words)
    for header, value in headers.items():
        name = header.lower()
        if not name.startswith(_CHECKSUM) or name in _ABOUT:
            continue
        algorithm = name.removeprefix(_CHECKSUM)
        digest, _, count = value.strip().partition("-")
        usual = _COMPOSITE if count or algorithm != "crc64nvme" else _FULL
        if (kind or usual) == _COMPOSITE:
            is_same = _text(_digest(algorithm, [_digest(algorithm, [one]) for one in values])) == digest
            is_same = is_same and count in {"", str(len(values))}
        else:
            is_same = _text(_digest(algorithm, values)) == digest and not count
        if not is_same:
            words = f"The {algorithm.upper()} you specified did not match the calculated checksum."
            raise S3ClientError("BadDigest", words)


def _digest(algorithm: str, pieces: Iterable[bytes]) -> bytes:
    # What computes checksums takes a while to import, and most backends never need it.
    checksums: Any = import_module("iamd.auth.checksums")
    make = checksums.ALGORITHMS.get(algorithm)
    if make is None:
        words = "The algorithm type you specified in x-amz-checksum- header is invalid."
        raise S3ClientError("InvalidRequest", words)
    checksum = make()
    for piece in pieces:
        checksum.update(piece)
    digest: bytes = checksum.digest()
    return digest


def _text(digest: bytes) -> str:
    return b64encode(digest).decode()
