"""Forms that browsers post to S3's buckets (POST Object): each becomes the PutObject that it stands for.

AWS: S3 API Reference, "Browser-Based Uploads Using POST" (sigv4-UsingHTTPPOST) and "POST Object" (RESTObjectPOST).
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec
from msgspec.structs import replace

from iamd.auth import checksums, form_claims, post_policies
from iamd.auth.checksums import ALGORITHMS, PREFIX
from iamd.auth.claim import Claim
from iamd.auth.s3_errors import InvalidArgument, InvalidRequest, InvalidTag, KeyTooLong, MissingContentLength
from iamd.errors import Common, CommonError
from iamd.gateway import bodies, form_answers
from iamd.gateway.answer import Answer
from iamd.gateway.body_limits import LARGEST_OBJECT
from iamd.gateway.form_parts import MOST, Form, boundary_of
from iamd.gateway.payload import EMPTY_HASH, Payload
from iamd.gateway.spool import IN_MEMORY, Spool
from iamd.http import Headers, HttpRequest
from iamd.pipeline import Progress
from iamd.wire import parse_xml, s3
from iamd.wire.hosts import host_of
from iamd.wire.models import service
from iamd.wire.route import Route

Receive = Callable[[], Awaitable[Any]]

EVENT: Final = "PostObject"
"""AWS: S3 User Guide, "Amazon S3 CloudTrail events", the event of POST Object."""

_FORM: Final = b"multipart/form-data"
_OTHERS: Final = frozenset({b"x-amz-target", b"smithy-protocol"})
_KEPT: Final = frozenset({b"host", b"user-agent", b"referer", b"origin", b"accept", b"sec-fetch-dest"})
"""The headers of a form that are the object's request's as well; all else is said by its fields."""
_REFUSED: Final = frozenset({b"content-encoding", b"content-md5", b"if-match", b"if-none-match"})
"""Headers that would say something of the object, or of the body, and that POST Object does not have."""

_META: Final = "x-amz-meta-"
_SSE: Final = "x-amz-server-side-encryption"
_HEADERS: Final = frozenset(
    {
        "cache-control", "content-type", "content-disposition", "content-encoding", "expires", "content-md5",
        "x-amz-storage-class", "x-amz-website-redirect-location",
        _SSE, f"{_SSE}-aws-kms-key-id", f"{_SSE}-context", f"{_SSE}-bucket-key-enabled",
        f"{_SSE}-customer-algorithm", f"{_SSE}-customer-key", f"{_SSE}-customer-key-md5",
        "x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date", "x-amz-object-lock-legal-hold",
        *(PREFIX + name for name in ALGORITHMS),
    }
)  # fmt: skip
"""The fields that are PutObject's headers under the same name."""
_CHECKSUM_ALGORITHM: Final = "x-amz-checksum-algorithm"
_OTHERWISE: Final = {"acl": "x-amz-acl", _CHECKSUM_ALGORITHM: "x-amz-sdk-checksum-algorithm"}
"""Fields that are headers of another name."""
_MAY_BE_EMPTY: Final = frozenset(name for name in _HEADERS if not name.startswith("x-amz-"))
_OWN: Final = frozenset({"key", "bucket", "tagging", "success_action_redirect", "success_action_status", "redirect"})
_ONCE: Final = _HEADERS | _OTHERWISE.keys() | _OWN | form_claims.FIELDS
_HEADER_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9a-z-]+")
_FILENAME: Final = "${filename}"
_LONGEST_KEY: Final = 1024


def is_one(progress: Progress) -> bool:
    """Whether a POST is of a form to a bucket; what is signed in a header or a query is another operation's."""
    request = progress.request
    if progress.claim is not None or request.query or not _OTHERS.isdisjoint(request.fields):
        return False
    if not request.fields.get(b"content-type", b"").strip().lower().startswith(_FORM):
        return False
    host = host_of(request.header(b"host") or "")
    is_s3 = not host.entries or any(entry.name == "s3" for entry in host.entries)
    return is_s3 and s3.bucket_of(request.path, host) is not None


async def opened(progress: Progress, receive: Receive) -> "Posted":
    """The form that is posted, read up to its file; from now on the request is that of its object, not decided yet."""
    request, form_type = progress.request, progress.request.fields[b"content-type"]
    named = s3.bucket_of(request.path, host_of(request.header(b"host") or ""))
    if named is None:
        raise TypeError("no bucket")
    bucket, style = named
    operation = service("s3").operation("PutObject")
    progress.event_name, progress.management = EVENT, False
    progress.route, progress.parameters = Route(operation, {"Bucket": bucket}, style=style), {"Bucket": bucket}
    length = _check_head(request)
    form = Form(boundary_of(form_type), bodies.pieces(receive))
    await form.begin()
    fields = _fields(form)
    claim = progress.claim = form_claims.claim(fields)
    key = _key(fields)
    if style == "access point" and claim is not None:
        # Not every host of an access point tells its Region; its ARN, which the policy names, does.
        bucket = bucket.replace(":s3::", f":s3:{claim.region}:", 1)
    progress.parameters = {"Bucket": bucket, "Key": key}
    first = b"" if style != "path" else b"/" + request.path[1:].partition(b"/")[0]
    path = first + b"/" + quote(key, safe="/~").encode()
    kept = [pair for pair in request.headers if pair[0] in _KEPT]
    progress.request = replace(
        request, method="PUT", path=path, headers=kept, body=None, fields={}, repeats_headers=False
    )
    return Posted(request, form, fields, claim, bucket, key, length)


def _check_head(request: HttpRequest) -> int:
    """Refuse what a form's headers can't say; give the length of its body."""
    for name in request.fields:
        # SECURITY: nobody has signed them, and S3 takes all that is said of the object from the fields.
        if name.startswith(b"x-amz-"):
            raise CommonError(
                Common.ACCESS_DENIED,
                "There were headers present in the request which were not signed",
                members={"HeadersNotSigned": name.decode("latin-1")[:128]},
            )
        if name in _REFUSED:
            raise not_implemented()
    length = bodies.content_length(request)
    if length is None:
        raise MissingContentLength("You must provide the Content-Length HTTP header.")
    if length > LARGEST_OBJECT + 2 * MOST:
        raise post_policies.too_large(length, LARGEST_OBJECT)
    return length


def not_implemented() -> CommonError:
    """The refusal of what would say something about the object that iamd does not know of a form."""
    return CommonError(Common.NOT_IMPLEMENTED, "A header you provided implies functionality that is not implemented.")


def _fields(form: Form) -> Mapping[str, str]:
    """The fields by their names in lower case, with the file's name in them where they want it."""
    found: dict[str, str] = {}
    for name, value in form.fields:
        if name not in found:
            found[name] = value
        elif name in _ONCE or (name.startswith("x-amz-") and not name.startswith(_META)):
            # SECURITY: of two of them, one reader takes the first and another the last.
            raise InvalidArgument(
                f"The field '{name}' must stand in a form once only.",
                members={"ArgumentName": name, "ArgumentValue": ""},
            )
        else:
            # AWS: values of fields of one name are joined by commas (S3 API Reference, HTTPPOSTForms, "Conditions").
            found[name] = f"{found[name]},{value}"
    if form.filename is None:
        # AWS: S3 is seen to leave it as it is for a file without a name; one whose name is empty empties it.
        return found
    filename = form.filename.replace("\\", "/").rpartition("/")[2]
    for name, value in found.items():
        if _FILENAME in value and name not in form_claims.FIELDS:
            found[name] = value.replace(_FILENAME, filename)
    if sum(map(len, found.values())) > MOST:
        # SECURITY: a long name in many places makes megabytes of a small form.
        raise InvalidArgument("The fields of the form are too long with the name of the file in them.")
    return found


def _key(fields: Mapping[str, str]) -> str:
    key = fields.get("key")
    if key is None:
        raise form_claims.missing("key")
    if not key:
        raise InvalidArgument(
            "User key must have a length greater than 0.", members={"ArgumentName": "key", "ArgumentValue": ""}
        )
    size = len(key.encode())
    if size > _LONGEST_KEY:
        raise KeyTooLong("Your key is too long", members={"Size": str(size), "MaxSizeAllowed": str(_LONGEST_KEY)})
    return key


class Posted(msgspec.Struct):
    """One form: its own request, its fields, and the file that is still to be read."""

    request: HttpRequest
    form: Form
    fields: Mapping[str, str]
    claim: Claim | None
    bucket: str
    key: str
    length: int
    ranges: Sequence[post_policies.Range] = ()

    def check(self, progress: Progress, now: float) -> None:
        """Refuse what its policy does not allow, whose signature holds; then its fields are the request's headers."""
        if self.fields.get("bucket", self.bucket) != self.bucket:
            raise InvalidArgument(
                "The bucket of the form is not the one that it is posted to.",
                members={"ArgumentName": "bucket", "ArgumentValue": self.fields["bucket"]},
            )
        if self.claim is not None:
            policy = post_policies.read(self.fields["policy"])
            policy.check({**self.fields, "bucket": self.bucket}, now)
            self.ranges = policy.ranges
        headers = [*progress.request.headers, *_headers(self.fields)]
        progress.request = replace(progress.request, headers=headers, fields={}, repeats_headers=False)

    async def payload(self, request: HttpRequest, folder: str) -> Payload:
        """The file, once it is whole and all that its form says of it holds: before that no backend gets any of it."""
        expected, spool, size = checksums.declared(request.headers), Spool(folder), 0
        most = min([LARGEST_OBJECT, *(one.most for one in self.ranges)])
        try:
            async for piece in self.form.file():
                size += len(piece)
                if size <= most:
                    spool.add(piece)
                elif self.length > IN_MEMORY:
                    # The rest is not worth waiting for.
                    raise post_policies.too_large(size, most)
                for one in expected:
                    one.update(piece)
            post_policies.check_size(size, [*self.ranges, post_policies.Range(0, LARGEST_OBJECT)])
            for one in expected:
                one.check()
        except BaseException:
            spool.close()
            raise
        return Payload(spool.content(), size, None if size else EMPTY_HASH, close=spool.close)

    def answered(self, answer: Answer) -> Answer:
        """What a form is answered with, once its object is there; refusals stay as they are."""
        if answer.status >= 300:
            return answer
        return form_answers.of(answer, self.request, self.fields, self.bucket, self.key)


def _headers(fields: Mapping[str, str]) -> Headers:
    found: list[tuple[bytes, bytes]] = []
    for name, value in fields.items():
        if name in _HEADERS or name.startswith(_META):
            header = name
        elif name in _OTHERWISE:
            header = _OTHERWISE[name]
        elif name.startswith("x-amz-") and name not in form_claims.FIELDS:
            raise not_implemented()
        else:
            continue
        text = _value(name, value)
        if text or name not in _MAY_BE_EMPTY:
            found.append((_name(header), text))
    _check_checksum(fields)
    tags = _tags(fields.get("tagging", ""))
    return [*found, (b"x-amz-tagging", tags)] if tags else found


def _name(header: str) -> bytes:
    name = header.encode()
    if not _HEADER_NAME.fullmatch(name):
        raise InvalidArgument("A field's name can be no header's.", members={"ArgumentName": header})
    return name


def _value(name: str, value: str) -> bytes:
    """A field's value as a header has it.

    SECURITY: without the blanks around it, which are not there for a backend, and so must not be for the decision.
    """
    if any(character < " " or character == "\x7f" for character in value):
        raise InvalidArgument(
            "The value of a field can be no header's.", members={"ArgumentName": name, "ArgumentValue": ""}
        )
    text = value.strip(" ").encode()
    if not text and name not in _MAY_BE_EMPTY and not name.startswith(_META):
        raise InvalidArgument(f"The field '{name}' is empty.", members={"ArgumentName": name, "ArgumentValue": ""})
    return text


def _check_checksum(fields: Mapping[str, str]) -> None:
    """Who names an algorithm must give its checksum (RESTObjectPOST, "Additional Checksum Request Form Fields")."""
    algorithm = fields.get(_CHECKSUM_ALGORITHM)
    if algorithm is not None and PREFIX + algorithm.lower() not in fields:
        raise InvalidRequest(f"{_CHECKSUM_ALGORITHM} specified, but no corresponding x-amz-checksum-* field was found.")


def _tags(tagging: str) -> bytes:
    """The tags of the field in XML, as PutObject's header has them."""
    if not tagging:
        return b""
    shape = service("s3").operation("PutObjectTagging").input
    if shape is None:
        raise TypeError("no input")
    tags = parse_xml.body(tagging.encode(), shape.members["Tagging"]).get("TagSet") or []
    pairs = [(tag.get("Key", ""), tag.get("Value", "")) for tag in tags]
    if len(dict(pairs)) != len(pairs):
        raise InvalidTag("Cannot provide multiple Tags with the same key")
    return urlencode(pairs).encode()
