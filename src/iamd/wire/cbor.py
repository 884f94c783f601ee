"""CBOR (RFC 8949) as Smithy's RPC v2 uses it: read strictly, written by the model elsewhere."""

import struct
from datetime import datetime
from typing import Any, Final

from iamd.errors import Common, CommonError
from iamd.wire.scalars import finite, timestamp, wrong

_DEPTH: Final = 32
_BREAK: Final = object()
_SIMPLE: Final = {20: False, 21: True, 22: None, 23: None}
_FLOATS: Final = {25: (">e", 2), 26: (">f", 4), 27: (">d", 8)}
_INDEFINITE: Final = 31


def decode(data: bytes) -> Any:
    """Give the one value that `data` is; what follows it, repeats a key or nests too deep is refused."""
    reader = _Reader(data)
    value = reader.item(_DEPTH)
    if reader.at != len(data) or value is _BREAK:
        raise wrong("Unable to parse the request body as CBOR")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def _take(self, count: int) -> bytes:
        end = self.at + count
        if end > len(self._data):
            raise wrong("Unexpected end of CBOR")
        taken, self.at = self._data[self.at : end], end
        return taken

    def _count(self, info: int) -> int:
        if info < 24:
            return info
        if info > 27:
            raise wrong("Invalid CBOR length")
        return int.from_bytes(self._take(1 << info - 24), "big")

    def item(self, depth: int) -> Any:
        """Give the next value, or the mark that ends an indefinite one."""
        if depth < 0:
            raise wrong("The request body is nested too deeply")
        head = self._take(1)[0]
        major, info = head >> 5, head & 31
        if major == 7:
            return self._simple(info)
        if info == _INDEFINITE and major in {2, 3, 4, 5}:
            return self._indefinite(major, depth)
        count = self._count(info)
        if major in {4, 5} and count > len(self._data) - self.at:
            raise wrong("Unexpected end of CBOR")
        return self._definite(major, count, depth)

    def _definite(self, major: int, count: int, depth: int) -> Any:
        match major:
            case 0:
                return count
            case 1:
                return -1 - count
            case 2:
                return self._take(count)
            case 3:
                return _text(self._take(count))
            case 4:
                return [self._inner(depth) for _ in range(count)]
            case 5:
                return _mapping([(self._inner(depth), self._inner(depth)) for _ in range(count)])
            case _:
                return self._tagged(count, depth)

    def _inner(self, depth: int) -> Any:
        value = self.item(depth - 1)
        if value is _BREAK:
            raise wrong("Unexpected break in CBOR")
        return value

    def _indefinite(self, major: int, depth: int) -> Any:
        items = []
        while (value := self.item(depth - 1)) is not _BREAK:
            items.append(value)
        if major == 4:
            return items
        if major == 5 and len(items) % 2 == 0:
            return _mapping(list(zip(items[::2], items[1::2], strict=True)))
        kind: type = bytes if major == 2 else str
        if major == 5 or not all(isinstance(item, kind) for item in items):
            raise wrong("Invalid CBOR of indefinite length")
        return kind().join(items)

    def _tagged(self, tag: int, depth: int) -> datetime:
        # The only tag of the protocol: seconds since 1970 (Smithy RPC v2 CBOR, "Timestamp").
        value = self._inner(depth)
        if tag != 1 or not isinstance(value, int | float):
            raise wrong("Unsupported CBOR tag")
        return timestamp(finite(value) if isinstance(value, float) else value, "unixtimestamp")

    def _simple(self, info: int) -> Any:
        if info == _INDEFINITE:
            return _BREAK
        if info in _SIMPLE:
            return _SIMPLE[info]
        if info not in _FLOATS:
            raise wrong("Unsupported CBOR value")
        form, size = _FLOATS[info]
        return finite(struct.unpack(form, self._take(size))[0])


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise wrong("CBOR text is not UTF-8") from None


def _mapping(pairs: list[tuple[Any, Any]]) -> dict[str, Any]:
    if not all(isinstance(name, str) for name, _ in pairs):
        raise wrong("CBOR map keys are text")
    found = dict(pairs)
    if len(found) != len(pairs):
        raise CommonError(Common.VALIDATION, "Duplicate member")
    return found


def encode(value: Any, out: bytearray) -> None:
    """Append a value made of dicts, lists and scalars; a datetime gets the tag of a date."""
    match value:
        case None | bool():
            out.append({False: 0xF4, True: 0xF5, None: 0xF6}[value])
        case int():
            _head(0 if value >= 0 else 1, value if value >= 0 else -1 - value, out)
        case float():
            out += b"\xfb" + struct.pack(">d", value)
        case str():
            data = value.encode()
            _head(3, len(data), out)
            out += data
        case bytes():
            _head(2, len(value), out)
            out += value
        case list() | tuple():
            _head(4, len(value), out)
            for item in value:
                encode(item, out)
        case dict():
            _head(5, len(value), out)
            for name, item in value.items():
                encode(name, out)
                encode(item, out)
        case datetime():
            out.append(0xC1)
            encode(value.timestamp(), out)
        case _:
            raise TypeError(f"no CBOR for {type(value).__name__}")


def _head(major: int, count: int, out: bytearray) -> None:
    if count < 24:
        out.append(major << 5 | count)
        return
    size = next(power for power in range(4) if count < 1 << (8 << power))
    out.append(major << 5 | 24 + size)
    out += count.to_bytes(1 << size, "big")
