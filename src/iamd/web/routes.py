"""Which page a path is; and what holds for every form before its page sees it."""

from collections.abc import Awaitable, Callable, Mapping
from importlib import resources
from typing import Final

from iamd.http import HttpRequest, HttpResponse
from iamd.runtime import Runtime
from iamd.web import responses
from iamd.web.pages import delegation_requests, home, mfa_devices, passwords, sign_in, virtual_mfa_devices
from iamd.web.visit import HOME, SIGN_IN, BadForm, Visit, visit

Page = Callable[[Visit], Awaitable[HttpResponse]]

SHOWN: Final[Mapping[bytes, Page]] = {
    b"/_iamd/": home.show,
    b"/_iamd/mfa": mfa_devices.show,
    b"/_iamd/password": passwords.show,
    b"/_iamd/signin": sign_in.show,
    b"/_iamd/signin/mfa": sign_in.show_mfa,
    b"/_iamd/signin/password": passwords.show_due,
}
SUBMITTED: Final[Mapping[bytes, Page]] = {
    b"/_iamd/mfa/assign": mfa_devices.assign,
    b"/_iamd/mfa/deactivate": mfa_devices.deactivate,
    b"/_iamd/mfa/delete": mfa_devices.delete,
    b"/_iamd/mfa/new": virtual_mfa_devices.create,
    b"/_iamd/mfa/remove": mfa_devices.remove,
    b"/_iamd/mfa/resync": mfa_devices.resync,
    b"/_iamd/mfa/security-key": mfa_devices.register,
    b"/_iamd/password": passwords.submit,
    b"/_iamd/signin": sign_in.submit,
    b"/_iamd/signin/mfa": sign_in.submit_mfa,
    b"/_iamd/signin/password": passwords.submit_due,
    b"/_iamd/signout": home.sign_out,
}
STATIC: Final[Mapping[bytes, tuple[str, bytes]]] = {
    b"/_iamd/static/style.css": ("style.css", b"text/css; charset=utf-8"),
    b"/_iamd/static/security-key.js": ("security-key.js", b"text/javascript; charset=utf-8"),
}
NAVIGATING: Final = b"navigate"
"""Fetch Metadata, 2.2: what a browser says when somebody follows a link or sends a form."""
STALE: Final = "This form is too old, or was not sent by a page of this server. Nothing was done; please begin again."


def is_page(request: HttpRequest) -> bool:
    """Whether a path is that of a page, or of a file that pages refer to."""
    return request.path in STATIC or _shown_at(request.path) is not None or _submitted_at(request.path) is not None


def _shown_at(path: bytes) -> Page | None:
    return delegation_requests.show if delegation_requests.id_in(path) else SHOWN.get(path)


def _submitted_at(path: bytes) -> Page | None:
    return delegation_requests.submit if delegation_requests.id_in(path) else SUBMITTED.get(path)


async def serve(runtime: Runtime, request: HttpRequest, body: bytes) -> HttpResponse:
    """Answer a request for a page."""
    if request.path not in STATIC and request.fields.get(b"sec-fetch-mode", NAVIGATING) != NAVIGATING:
        # SECURITY: pages ask for no page by a script, so the script is none of theirs, wherever it got its origin.
        return responses.page(request, "refused.html", status=403, text="This page is for people, and not for scripts.")
    if request.method in {"GET", "HEAD"}:
        return await _shown(runtime, request)
    page = _submitted_at(request.path)
    if request.method != "POST" or page is None:
        return responses.page(request, "refused.html", status=405, text="This page takes no such request.")
    try:
        found = visit(runtime, request, body)
    except BadForm:
        return responses.page(request, "refused.html", status=400, text="This is no form of this server's pages.")
    if found.signed_in is None and not runtime.refusals.allows(request.source_ip):
        return responses.page(request, "refused.html", status=429, text="Too many requests; try again in a while.")
    if not found.is_own_form():
        link = SIGN_IN if found.signed_in is None else HOME
        return responses.page(request, "refused.html", status=403, text=STALE, link=link)
    return await page(found)


async def _shown(runtime: Runtime, request: HttpRequest) -> HttpResponse:
    if request.path in STATIC:
        name, content_type = STATIC[request.path]
        return responses.static(
            request, content_type, resources.files("iamd.web").joinpath("static", name).read_bytes()
        )
    page = _shown_at(request.path)
    if page is None:
        return responses.page(request, "refused.html", status=405, text="This page takes no such request.")
    return await page(visit(runtime, request, b""))
