"""Other people's content at the origin of iamd's pages: a browser shows it as if it were of no origin.

What buckets hold and functions answer comes from the address at which people sign in. AWS has another host for each.
"""

from typing import Final

from iamd.http import Headers, HttpRequest

SANDBOX: Final = (
    b"content-security-policy",
    b"sandbox allow-downloads allow-forms allow-modals allow-popups allow-popups-to-escape-sandbox allow-scripts",
)
"""Without `allow-same-origin` (CSP Level 3, 6.3.2): no cookie, page, storage or service worker of iamd's is its own."""

_DOCUMENTS: Final = frozenset({b"document", b"embed", b"frame", b"iframe", b"object"})
"""Fetch Metadata, 2.1: what a browser asks for to show it as a document."""
_INERT: Final = (b"audio/", b"font/", b"image/", b"video/")
_INERT_KINDS: Final = frozenset(
    {b"application/json", b"application/pdf", b"application/octet-stream", b"text/css", b"text/csv", b"text/plain"}
)
"""What browsers never take for a page (MIME Sniffing, 7); all else may run scripts."""
_SCRIPTED_IMAGE: Final = b"image/svg"


def shown(request: HttpRequest, headers: Headers) -> Headers:
    """The headers of an answer that is not iamd's own, for a browser to show it; for programs they stay as they are."""
    if not _is_browsers(request) or _is_inert(headers):
        return headers
    return [*headers, SANDBOX]


def _is_browsers(request: HttpRequest) -> bool:
    # Browsers tell the destination to hosts that they trust alone, and to all that they would rather have HTML.
    if request.repeats_headers:
        return any(_wants_document(name, value) for name, value in request.headers)
    fields = request.fields
    if b"accept" not in fields and b"sec-fetch-dest" not in fields:
        return False
    return _wants_document(b"accept", fields.get(b"accept", b"")) or fields.get(b"sec-fetch-dest") in _DOCUMENTS


def _wants_document(name: bytes, value: bytes) -> bool:
    return (name == b"accept" and b"text/html" in value.lower()) or (name == b"sec-fetch-dest" and value in _DOCUMENTS)


def _is_inert(headers: Headers) -> bool:
    told = [value for name, value in headers if name.lower() == b"content-type"]
    if len(told) != 1:
        return False
    kind = told[0].partition(b";")[0].strip().lower()
    if kind.startswith(_SCRIPTED_IMAGE):
        return False
    return kind in _INERT_KINDS or kind.startswith(_INERT)
