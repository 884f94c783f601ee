"""Cookies: read from a request, and written so that nothing but iamd's own pages gets them (WEB-01)."""

from collections.abc import Mapping

from iamd.http import HttpRequest

SESSION = "iamd-session"
STEP = "iamd-signin"
PATH = "/_iamd/"
"""No other path gets a cookie, so none is ever forwarded to a backend."""

SAME_SITE: Mapping[str, str] = {
    # A link to a page from elsewhere finds whoever follows it signed in; what it links to changes nothing.
    SESSION: "Lax",
    STEP: "Strict",
}


def cookies_of(request: HttpRequest) -> dict[str, str]:
    """The cookies of a request; of several of one name the first, which is the one with the longest path."""
    found: dict[str, str] = {}
    for name, value in request.headers:
        if name == b"cookie":
            for pair in value.decode("latin-1").split(";"):
                key, _, text = pair.strip().partition("=")
                found.setdefault(key, text)
    return found


def written(name: str, value: str, *, secure: bool) -> bytes:
    """A `Set-Cookie` header that lasts as long as the browser runs (RFC 6265, 5.2)."""
    return _header(name, value, secure=secure)


def removed(name: str, *, secure: bool) -> bytes:
    """A `Set-Cookie` header that takes the cookie away."""
    return _header(name, "", secure=secure) + b"; Max-Age=0"


def _header(name: str, value: str, *, secure: bool) -> bytes:
    text = f"{name}={value}; Path={PATH}; HttpOnly; SameSite={SAME_SITE[name]}"
    return (text + ("; Secure" if secure else "")).encode("latin-1")
