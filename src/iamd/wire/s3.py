"""Which of S3's operations a request means: by method, bucket, key, sub-resource and a few headers."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final, Literal

import msgspec

from iamd.errors import AWSError, Common, CommonError
from iamd.http import HttpRequest
from iamd.wire import form
from iamd.wire.hosts import Host, Point
from iamd.wire.models import Operation, service
from iamd.wire.uris import literals_of

Style = Literal["path", "virtual", "access point"]
_VIRTUAL: Final[Style] = "virtual"
_POINT: Final[Style] = "access point"
_PATH: Final[Style] = "path"
_COPY_SOURCE: Final = "x-amz-copy-source"
_COPY_HEADER: Final = _COPY_SOURCE.encode()

# Two names for one request; the newer one is what S3's documentation and IAM's actions speak of.
_SUPERSEDED: Final = frozenset(
    {
        "GetBucketLifecycle",
        "PutBucketLifecycle",
        "GetBucketNotification",
        "PutBucketNotification",
    }
)
# Directory buckets are listed at a host of their own (S3 User Guide, "Regional endpoints for directory buckets").
_BY_HOST: Final = frozenset({"ListDirectoryBuckets"})
# Its host names no bucket but the request's route (S3 API Reference, WriteGetObjectResponse).
_WRITE_OBJECT_RESPONSE: Final = b"/WriteGetObjectResponse"


class InvalidArgument(AWSError):
    """A query parameter that does not belong to the request."""

    code = "InvalidArgument"
    status = 400


class InvalidAccessPoint(AWSError):
    """A host of access points that names none (S3 API Reference, "Error responses")."""

    code = "InvalidAccessPoint"
    status = 400


class PreconditionFailed(AWSError):
    """A POST to a bucket that is no form."""

    code = "PreconditionFailed"
    status = 412


_PERCENT: Final = ord("%")
_NUL: Final = 0


class InvalidURI(AWSError):
    """A path that cannot be read."""

    code = "InvalidURI"
    status = 400


@dataclass(frozen=True, slots=True)
class _Candidate:
    operation: str
    literals: Mapping[str, str | None]
    required: frozenset[str]
    copies: bool
    known: frozenset[str]

    def fits(self, query: Mapping[str, str], *, copies: bool) -> bool:
        if self.copies and not copies:
            return False
        literals = all(name in query and value in {None, query[name]} for name, value in self.literals.items())
        return literals and all(name in query for name in self.required)

    @property
    def rank(self) -> tuple[int, int, bool]:
        return len(self.literals), len(self.required), self.copies


class Found(msgspec.Struct, frozen=True):
    """The operation with its bucket and key, and how the bucket was named.

    In place of a bucket that stands behind an access point the label has an ARN, which no bucket can be called.
    """

    operation: Operation
    labels: Mapping[str, str]
    style: Style


def operation_of(request: HttpRequest, query: Mapping[str, str], host: Host, scope: str | None) -> Found:
    """Give the one operation that this request means; what no operation takes is refused.

    `scope` is the service that the credential is scoped to.
    """
    path, method = request.path, request.method
    if path == _WRITE_OBJECT_RESPONSE and method == "POST" and request.header(b"x-amz-request-route"):
        return Found(service("s3").operation("WriteGetObjectResponse"), {}, "virtual" if host.bucket else "path")
    if host.other_points or (host.point is not None and scope == "s3-object-lambda"):
        raise CommonError(
            Common.NOT_IMPLEMENTED, "iamd serves no access points of several regions or of Object Lambda."
        )
    labels, style = labels_of(path, host)
    if not labels and (host.directory_buckets or scope == "s3express"):
        chosen = _checked(_candidate("ListDirectoryBuckets", {}), query)
    elif query or _COPY_HEADER in request.fields:
        chosen = _chosen(request, query, len(labels))
    else:
        # What most requests are: no sub-resource, no parameter.
        return Found(_plain(method, len(labels)), labels, style)
    return Found(service("s3").operation(chosen.operation), labels, style)


def bucket_of(path: bytes, host: Host) -> tuple[str, Style] | None:
    """The bucket that a request is for, and how it was named; None when it is for more, or less, than a bucket."""
    if host.other_points or host.directory_buckets:
        return None
    labels, style = labels_of(path, host)
    return (labels["Bucket"], style) if labels.keys() == {"Bucket"} else None


def labels_of(path: bytes, host: Host) -> tuple[dict[str, str], Style]:
    """The bucket and the key that a request names, and how; InvalidURI when its path can name none."""
    # Single bytes are numbers here: `in` makes an error of each text of bytes before it looks for it.
    has_escapes = _PERCENT in path
    if not path.startswith(b"/") or _NUL in path or (has_escapes and b"%00" in path):
        raise InvalidURI("Couldn't parse the specified URI.")
    if host.point is not None:
        bucket, key, style = _point_label(host.point), _text(path[1:]), _POINT
    elif host.bucket is not None:
        bucket, key, style = host.bucket, _text(path[1:]), _VIRTUAL
    elif not has_escapes:
        bucket, _, key = _text(path[1:]).partition("/")
        style = _PATH
    else:
        first, _, rest = path[1:].partition(b"/")
        bucket, key, style = _text(first), _text(rest), _PATH
    if not key:
        return {"Bucket": bucket} if bucket else {}, style
    if not bucket:
        raise InvalidURI("Couldn't parse the specified URI.")
    return {"Bucket": bucket, "Key": key}, style


def _point_label(point: Point) -> str:
    """The access point as an ARN, without its region where the host does not tell it."""
    if not point.name:
        raise InvalidAccessPoint("The specified access point name or account is not valid.")
    return f"arn:aws:s3:{point.region or ''}:{point.account}:accesspoint/{point.name}"


def _text(path: bytes) -> str:
    try:
        return form.decoded(path) if _PERCENT in path else path.decode()
    except (CommonError, UnicodeDecodeError):
        raise InvalidURI("Couldn't parse the specified URI.") from None


def _chosen(request: HttpRequest, query: Mapping[str, str], depth: int) -> _Candidate:
    copies = _COPY_HEADER in request.fields
    best = _best(request.method, depth, query, copies=copies)
    if query:
        _checked(best, query)
    if copies and not best.copies:
        raise InvalidArgument("Unexpected header: x-amz-copy-source")
    return best


def _best(method: str, depth: int, query: Mapping[str, str], *, copies: bool) -> _Candidate:
    fitting = [one for one in _table().get((method, depth), ()) if one.fits(query, copies=copies)]
    if not fitting and method == "POST" and depth == 1 and not query:
        raise PreconditionFailed(
            "At least one of the pre-conditions you specified did not hold",
            members={"Condition": "Bucket POST must be of the enclosure-type multipart/form-data"},
        )
    if not fitting:
        raise CommonError(Common.UNKNOWN_OPERATION, "The specified method is not allowed against this resource.")
    return max(fitting, key=lambda candidate: candidate.rank)


def _checked(chosen: _Candidate, query: Mapping[str, str]) -> _Candidate:
    # SECURITY: a backend may read a sub-resource, a version or an upload where this operation has none; then another
    # action than the authorised one would run. AWS refuses two sub-resources too.
    strangers = [name for name in query if name not in chosen.known and not name.lower().startswith(("x-amz-", "x-id"))]
    if strangers:
        raise InvalidArgument(f"This operation does not take these query parameters: {', '.join(sorted(strangers))}")
    if query.get("x-id", chosen.operation) not in {chosen.operation, *_same(chosen.operation)}:
        raise InvalidArgument("The x-id query parameter names another operation.")
    if any(name.lower() == _COPY_SOURCE for name in query):
        raise InvalidArgument("x-amz-copy-source is a header.")
    return chosen


def _same(operation: str) -> tuple[str, ...]:
    return (operation.removesuffix("Configuration"),)


@cache
def _table() -> dict[tuple[str, int], tuple[_Candidate, ...]]:
    """All operations by method and by how many of bucket and key they name."""
    table: dict[tuple[str, int], list[_Candidate]] = {}
    model = service("s3")
    for name in model.operation_names:
        if name not in _SUPERSEDED | _BY_HOST and name != "WriteGetObjectResponse":
            method, uri = model.http(name)
            path, _, literals = uri.partition("?")
            table.setdefault((method, path.count("{")), []).append(_candidate(name, literals_of(literals)))
    return {key: tuple(candidates) for key, candidates in table.items()}


@lru_cache(maxsize=64)
def _plain(method: str, depth: int) -> Operation:
    """The operation that wants neither a query parameter nor a copy source."""
    return service("s3").operation(_best(method, depth, {}, copies=False).operation)


def _candidate(name: str, literals: Mapping[str, str | None]) -> _Candidate:
    model = service("s3")
    required = model.inputs(name, required=True)
    taken = {wire for place, wire in model.inputs(name) if place == "querystring"}
    return _Candidate(
        operation=name,
        literals=literals,
        required=frozenset(wire for place, wire in required if place == "querystring"),
        copies=("header", _COPY_SOURCE) in required,
        known=frozenset(taken | literals.keys()),
    )
