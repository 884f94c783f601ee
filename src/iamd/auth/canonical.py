"""The canonical forms that SigV4 signs: path, query and header values.

Where not said otherwise they follow the IAM User Guide, "Create a signed AWS API request". Everything here works
on bytes as they came over the wire and has no opinion on who signed what.
"""

import re
from urllib.parse import quote_from_bytes, unquote_to_bytes

# AWS: S3 takes the path as it is, encoded once; every other service normalises it and encodes it again
# (IAM User Guide, "Elements of an AWS API request signature").
S3_SERVICES = frozenset({"s3", "s3express", "s3-outposts", "s3-object-lambda"})

_PLAIN_PATH = re.compile(rb"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?").fullmatch
_ENCODED = re.compile(rb"(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})*").fullmatch
_ESCAPES = re.compile(rb"(?:[^%]|%[0-9A-Fa-f]{2})*", re.DOTALL).fullmatch
_UNRESERVED_ESCAPE = re.compile(rb"%(?:3[0-9]|4[1-9A-F]|5[0-9A]|6[1-9A-F]|7[0-9A]|2D|2E|5F|7E)").search


class NotCanonicalError(ValueError):
    """A path or query that has no canonical form, such as one with a broken percent escape."""


def path(raw: bytes, service: str) -> bytes:
    """Give the canonical URI of a raw path: verbatim for S3, else normalised and encoded (for most a second time)."""
    if service in S3_SERVICES:
        return raw or b"/"
    if raw == b"/" or _PLAIN_PATH(raw):
        return raw
    return quote_from_bytes(_without_dot_segments(raw), safe="/~").encode()


def s3_path(raw: bytes) -> bytes:
    """Give the path encoded once as S3's rule spells it, for clients that sign this and encode less when they send."""
    if not _ESCAPES(raw):
        raise NotCanonicalError
    return quote_from_bytes(unquote_to_bytes(raw), safe="/~").encode() or b"/"


def _without_dot_segments(raw: bytes) -> bytes:
    """Remove empty and dot segments (RFC 3986 section 5.2.4, and slashes in a row as one)."""
    kept: list[bytes] = []
    for segment in raw.split(b"/"):
        if segment == b"..":
            del kept[-1:]
        elif segment not in {b"", b"."}:
            kept.append(segment)
    # The last segment decides on the slash at the end; a dot segment there leaves the folder's slash away, as AWS does.
    slash = b"/" if kept and raw.endswith(b"/") else b""
    return b"/" + b"/".join(kept) + slash


def is_normal(raw: bytes) -> bool:
    """Whether a path is the only one that its signature holds for, where paths are normalised: all but S3's."""
    return b"//" not in raw and {b".", b".."}.isdisjoint(raw.split(b"/"))


def query(raw: bytes, *, without: bytes | None = None) -> bytes:
    """Give the canonical query string: parameters encoded and sorted, blank values kept, `without` left out."""
    if not raw:
        return b""
    pairs = []
    for part in raw.split(b"&"):
        if not part:
            continue
        name, _, value = part.partition(b"=")
        if without is not None and name == without:
            continue
        pairs.append((_component(name), _component(value)))
    pairs.sort()
    return b"&".join([name + b"=" + value for name, value in pairs])


def _component(raw: bytes) -> bytes:
    """Encode a query's name or value as AWS does; a plus is a space, as in every parser of queries behind it."""
    if _ENCODED(raw) and not _UNRESERVED_ESCAPE(raw):
        return raw
    if not _ESCAPES(raw):
        raise NotCanonicalError
    return quote_from_bytes(unquote_to_bytes(raw.replace(b"+", b" ")), safe="~").encode()


def value(raw: bytes) -> bytes:
    """Give a header's value without white space around it and with single spaces inside."""
    return b" ".join(raw.split())


def values(raw: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Give each value as `value` does; most need nothing done, and that is seen of all at once."""
    joined = b" ".join(raw)
    return raw if b" ".join(joined.split()) == joined else tuple(map(value, raw))
