"""Queries and form bodies, read strictly: percent-encoding that is wrong and names given twice are refused."""

import re
from binascii import a2b_qp
from typing import Final

from iamd.errors import Common, CommonError

_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")

MOST: Final = 10_000
"""How many parameters are read: it is before the signature is checked, and a megabyte has room for half a million."""


def pairs(text: bytes) -> list[tuple[str, str]]:
    """Give the names and values of a query or form body in order; a name without `=` has an empty value."""
    if text.count(b"&") >= MOST:
        raise CommonError(Common.MALFORMED, f"A request may have at most {MOST} parameters.")
    pieces = [piece.partition("=") for piece in text_of(text.replace(b"+", b" ")).split("&") if piece]
    if b"%" not in text:
        return [(name, value) for name, _, value in pieces]
    # Nearly all of them have nothing to decode.
    return [
        (_decoded(name), _decoded(value)) if "%" in value or "%" in name else (name, value) for name, _, value in pieces
    ]


def _decoded(text: str) -> str:
    return decoded(text.encode())


def parameters(text: bytes) -> dict[str, str]:
    """Give names and values; a name that comes twice, in any case, is refused."""
    return unique(pairs(text))


def unique(found: list[tuple[str, str]]) -> dict[str, str]:
    """Give the pairs as a dict when no name comes twice, in any case."""
    once = dict(found)
    # SECURITY: readers that differ on which duplicate counts decide one request and execute another (CVE-2022-2385).
    if len(once) != len(found) or len(set(map(str.lower, once))) != len(once):
        seen: set[str] = set()
        for name, _ in found:
            if name.lower() in seen:
                raise CommonError(Common.VALIDATION, f"Duplicate parameter: {name}")
            seen.add(name.lower())
    return once


def decoded(text: bytes) -> str:
    """Give percent-encoded UTF-8 as text."""
    if b"%" in text:
        if _BROKEN_ESCAPE.search(text):
            raise CommonError(Common.MALFORMED, "Malformed percent-encoding")
        # Quoted-printable is the same with another sign, and its reader is not written in Python.
        text = a2b_qp(text.replace(b"=", b"=3D").replace(b"%", b"="))
    return text_of(text)


def text_of(data: bytes) -> str:
    """Give UTF-8 as text."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise CommonError(Common.MALFORMED, "Text is not UTF-8") from None


def grouped(found: list[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Give every value of each name; names that differ only in case are refused."""
    groups: dict[str, list[str]] = {}
    for name, value in found:
        groups.setdefault(name, []).append(value)
    unique([(name, "") for name in groups])
    return {name: tuple(values) for name, values in groups.items()}
