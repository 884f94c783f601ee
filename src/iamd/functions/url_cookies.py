"""Cookies at function URLs and APIs: a function has those of its own address, and neither gets nor sets another's.

On AWS each URL is a host of its own. Here it is a path of the host at which people sign in.
"""

from typing import Final

from iamd.http import HttpRequest
from iamd.web.cookies import SAME_SITE

_PATH: Final = "path"
_DOMAIN: Final = "domain"


def given(request: HttpRequest) -> list[str]:
    """The cookies of a request, without those of iamd's pages."""
    told = [value.decode("latin-1") for name, value in request.headers if name == b"cookie"]
    found = [cookie.strip() for one in told for cookie in one.split(";") if cookie.strip()]
    # SECURITY: whoever has them is signed in.
    return [cookie for cookie in found if cookie.partition("=")[0].strip() not in SAME_SITE]


def set_by(cookie: str, below: str, request: HttpRequest) -> str:
    """A `Set-Cookie` of a function, for its own address alone (RFC 6265, 4.1.2): its paths are those below that."""
    pair, *attributes = [part.strip() for part in cookie.split(";")]
    kept, has_path = [pair], False
    for attribute in attributes:
        name, _, value = attribute.partition("=")
        kind = name.strip().lower()
        if kind == _PATH and value.strip().startswith("/"):
            has_path = True
            kept.append(f"Path={below}{value.strip()}")
        # A path that begins otherwise means the folder of the request, and that is below the address.
        elif kind not in {_PATH, _DOMAIN}:
            kept.append(attribute)
    # SECURITY: of the address without a slash the folder is that of all addresses (RFC 6265, 5.1.4).
    if not has_path and request.path == below.encode():
        kept.append(f"Path={below}")
    return "; ".join(kept)
