"""What is read of a request before it is decided: its operation, its body, and its parameters."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from msgspec.structs import replace

from iamd.auth import checksums, sigv4
from iamd.errors import Common, CommonError
from iamd.gateway import bodies
from iamd.gateway.body_limits import largest_body
from iamd.http import HttpRequest
from iamd.pipeline import Progress
from iamd.wire import parse, route, validate
from iamd.wire.catalog import CATALOG
from iamd.wire.hosts import host_of

Receive = Callable[[], Awaitable[Any]]

LARGE_BODY: Final = 64 * 1024
"""From here on lengths are checked before anything is read out of a body; below it the backend does that."""


def may_have_body(request: HttpRequest) -> bool:
    """Whether a request may have a body; of most it is told that they have none."""
    return request.method in _WITH_BODY or bodies.has_body(request)


_WITH_BODY: Final = frozenset({"POST", "PUT"})


def read_without_body(progress: Progress) -> route.Route:
    """Steps 1 and 2 of a request that has no body."""
    claim = progress.claim
    request = progress.request = progress.request.with_body(b"")
    return route.operation_of(request, claim.scope.service if claim is not None else None)


async def read(progress: Progress, receive: Receive) -> route.Route:
    """Steps 1 and 2: whose signature, which operation; the body is read unless it is an object's."""
    request, claim = progress.request, progress.claim
    scope = claim.scope.service if claim is not None else None
    may_stream, largest = _bodies_of(scope)
    if may_stream and request.method in _WITH_BODY:
        found = _streaming(request, scope)
        if found is not None:
            return found
    body = await bodies.whole(request, receive, largest) if bodies.has_body(request) else b""
    request = progress.request = request.with_body(body)
    return route.operation_of(request, scope)


_COPY_SOURCE: Final = b"x-amz-copy-source"
_ENCODED: Final = re.compile(rb"(?:%2F)?([^%/?]+)%2F", re.IGNORECASE)


def with_plain_source(request: HttpRequest) -> HttpRequest:
    """The request with the slash behind the bucket that it copies from, where it came percent-encoded as a whole.

    AWS: S3 API Reference, CopyObject: the value of x-amz-copy-source "must be URL-encoded"; programs encode the slash
    too. Who has signed the request has signed what came.
    """
    source = request.fields.get(_COPY_SOURCE)
    if source is None or b"/" in source.partition(b"?")[0]:
        return request
    plain = _ENCODED.sub(rb"\1/", source, count=1)
    headers = [(name, plain if name == _COPY_SOURCE else value) for name, value in request.headers]
    return replace(request, headers=headers, fields={}, repeats_headers=False)


async def large_parameters_of(found: route.Route, request: HttpRequest) -> Mapping[str, Any]:
    """Step 5 of a request with a large body, which is read beside the loop, so that others don't wait for it."""
    return await asyncio.to_thread(_read_large, found, request)


def check_body(progress: Progress, found: route.Route) -> None:
    """What S3's headers declare of a body that was read whole holds."""
    request, claim, operation = progress.request, progress.claim, found.operation
    if request.body is None or operation.service != "s3":
        return
    if claim is not None and claim.content_sha256 in sigv4.STREAMING_PAYLOADS:
        # SECURITY: such a body is signed chunk by chunk, and only objects are read so.
        words = "A header you provided implies functionality that is not implemented."
        raise CommonError(Common.NOT_IMPLEMENTED, words)
    if checksums.may_declare(tuple(request.fields)) and operation.name != "CompleteMultipartUpload":
        checksums.verify(request.headers, request.body)


def _read_large(found: route.Route, request: HttpRequest) -> Mapping[str, Any]:
    parameters = parse.parameters(found, request, forwarded=True)
    validate.check_lengths(found.operation, parameters)
    return parameters


@lru_cache(maxsize=1024)
def _bodies_of(scope: str | None) -> tuple[bool, int]:
    """Whether bodies of requests signed for this service may be objects that stream, and the longest that is read."""
    entries = CATALOG.scoped(scope) if scope is not None else ()
    may_stream = scope is None or any(entry.name == "s3" for entry in entries)
    return may_stream, largest_body(entries[0].name if entries else "s3")


def _streaming(request: HttpRequest, scope: str | None) -> route.Route | None:
    """The operation when its body is an object that streams; None while the body has to be read to know."""
    if request.header(b"x-amz-target") is not None:
        return None
    named = host_of(request.header(b"host") or "").entries
    if named and not any(entry.name == "s3" for entry in named):
        return None
    found = route.operation_of(request, scope)
    return found if found.service == "s3" and found.operation.streaming_input else None
