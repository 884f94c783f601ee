"""Responses: pages with the headers that every page has, and redirects to other pages of iamd's own."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from iamd.http import HttpRequest, HttpResponse

# SECURITY: WEB-06: no script and no style stands in a page, nothing comes from elsewhere, and nobody may frame it.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS: Sequence[tuple[bytes, bytes]] = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    # Not `no-referrer`: with it browsers send `Origin: null` with forms (Fetch Standard, "append a request Origin").
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


def page(
    request: HttpRequest, template: str, *, status: int = 200, cookies: Sequence[bytes] = (), **values: Any
) -> HttpResponse:
    """A page that is made of a template; what stands in it is escaped."""
    text = _templates().get_template(template).render(**values)
    return _response(request, status, b"text/html; charset=utf-8", text.encode(), b"no-store", cookies)


def redirect(request: HttpRequest, path: str, *, cookies: Sequence[bytes] = ()) -> HttpResponse:
    """Go to another page with GET. SECURITY: `path` is one that iamd names itself, never one that a client sends."""
    found = _response(request, 303, b"text/plain; charset=utf-8", b"", b"no-store", cookies)
    return HttpResponse(303, [*found.headers, (b"location", path.encode())], b"")


def static(request: HttpRequest, content_type: bytes, content: bytes) -> HttpResponse:
    """A file that pages refer to."""
    return _response(request, 200, content_type, content, b"no-cache", ())


def _response(
    request: HttpRequest, status: int, content_type: bytes, body: bytes, cached: bytes, cookies: Sequence[bytes]
) -> HttpResponse:
    headers = [
        (b"content-type", content_type),
        (b"cache-control", cached),
        *HEADERS,
        (b"x-amzn-requestid", request.id.encode()),
        *((b"set-cookie", cookie) for cookie in cookies),
    ]
    return HttpResponse(status, headers, body)


@cache
def _templates() -> Any:
    # Imported here: a server that shows no page has no use for it.
    import jinja2  # noqa: PLC0415

    return jinja2.Environment(
        loader=jinja2.PackageLoader("iamd.web"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
