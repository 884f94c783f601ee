"""EC2's instance metadata service over HTTP: session tokens, who is let in, and documents by their paths.

AWS: EC2 User Guide, "Use the Instance Metadata Service to access instance metadata"
(configuring-instance-metadata-service) and "Access instance metadata" (instancedata-data-retrieval), whose table of
errors has 400, 401, 403 and 404.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from iamd.framing import Head
from iamd.http import HttpResponse
from iamd.metadata.instance import CREDENTIALS, Instance, Options, Profile, Tree, identity_document, meta_data
from iamd.metadata.session_tokens import LONGEST_SECONDS, SessionTokens

TOKEN_PATH: Final = b"/latest/api/token"
_TTL: Final = b"x-aws-ec2-metadata-token-ttl-seconds"
_TOKEN: Final = b"x-aws-ec2-metadata-token"
_PHRASES: Final[Mapping[int, str]] = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


class Admitted(msgspec.Struct, frozen=True):
    """A request that may read: by which version, and for how long its token still holds."""

    version: str
    remaining: int | None = None

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """What every answer to it says."""
        return [(_TTL, b"%d" % self.remaining)] if self.remaining is not None else []


def admit(head: Head, tokens: SessionTokens, options: Options) -> Admitted | HttpResponse:
    """Let a request in; else a token, or the error that refuses it."""
    fields = dict(head.headers)
    # SECURITY: what a proxy passes on comes from elsewhere: AWS gives no token to it, and nothing here does either.
    if not options.is_enabled or b"x-forwarded-for" in fields:
        return error(403)
    if head.path == TOKEN_PATH:
        return _token(head, fields, tokens)
    if head.method not in {"GET", "HEAD"}:
        return error(405)
    shown = fields.get(_TOKEN)
    if shown is None:
        return Admitted("1.0") if options.allows_v1 else error(401)
    remaining = tokens.remaining(shown)
    return error(401) if remaining is None else Admitted("2.0", remaining)


def _token(head: Head, fields: Mapping[bytes, bytes], tokens: SessionTokens) -> HttpResponse:
    if head.method != "PUT":
        return error(405)
    asked = fields.get(_TTL, b"")
    if not asked.isdigit() or len(asked) > 5 or not 1 <= int(asked) <= LONGEST_SECONDS:
        return error(400)
    return _text(tokens.issue(int(asked)).encode(), [(_TTL, asked)])


def role_asked(path: bytes) -> str | None:
    """The role whose credentials a path names."""
    parts = _parts(path)
    is_named = len(parts) == 5 and parts[:2] == ["latest", "meta-data"] and tuple(parts[2:4]) == CREDENTIALS
    return parts[4] if is_named else None


def is_of_profile(path: bytes) -> bool:
    """Whether a path needs nothing but the instance's profile."""
    return _parts(path)[:3] == ["latest", "meta-data", "iam"]


def is_of_user_data(path: bytes) -> bool:
    """Whether a path is that of user data, or of the folder that it stands in."""
    return _parts(path) in (["latest"], ["latest", "user-data"])


def found(
    path: bytes, instance: Instance, profile: Profile | None, options: Options, admitted: Admitted
) -> HttpResponse:
    """What stands at a path; of credentials only that they are there."""
    parts = _parts(path)
    if parts == ["latest", "user-data"]:
        return _user_data(instance, admitted)
    tree: Tree = {
        "latest": {
            "dynamic": {"instance-identity": {"document": identity_document(instance)}},
            "meta-data": meta_data(instance, profile, options),
            **({"user-data": ""} if instance.user_data is not None else {}),
        }
    }
    place: str | Tree | None = tree
    for part in parts:
        place = place.get(part) if isinstance(place, Mapping) else None
    if place is None:
        return error(404)
    return text(_listing(place) if isinstance(place, Mapping) else place, admitted)


def _user_data(instance: Instance, admitted: Admitted) -> HttpResponse:
    if instance.user_data is None:
        return error(404)
    kept = [(b"content-type", b"application/octet-stream"), (b"cache-control", b"no-store")]
    return HttpResponse(200, [*kept, *admitted.headers], instance.user_data)


def _listing(folder: Tree) -> str:
    # AWS: versions, and what stands in one, are listed without a slash.
    above = not folder.keys().isdisjoint({"latest", "meta-data"})
    return "\n".join(
        [f"{name}/" if isinstance(inner, Mapping) and not above else name for name, inner in folder.items()]
    )


def _parts(path: bytes) -> list[str]:
    """The names in a path; folders are found with and without a slash at their end."""
    text = path.decode("ascii", "replace").removeprefix("/").removesuffix("/")
    return text.split("/") if text else []


def text(content: str, admitted: Admitted) -> HttpResponse:
    """A document as plain text, as AWS sends all of them."""
    return _text(content.encode(), admitted.headers)


def _text(content: bytes, headers: list[tuple[bytes, bytes]]) -> HttpResponse:
    kept = [(b"content-type", b"text/plain"), (b"cache-control", b"no-store")]
    return HttpResponse(200, [*kept, *headers], content)


def error(status: int) -> HttpResponse:
    """An error, in its status alone."""
    return HttpResponse(status, [(b"content-type", b"text/plain")], f"{status} - {_PHRASES[status]}\n".encode())
