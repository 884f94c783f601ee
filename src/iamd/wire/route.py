"""Which operation of which service a request names, and in which protocol: decided once, for everything after it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from iamd.errors import AWSError, Common, CommonError
from iamd.http import HttpRequest
from iamd.wire import body, form, s3
from iamd.wire.catalog import CATALOG, Entry
from iamd.wire.hosts import Host, host_of
from iamd.wire.models import Operation, Protocol, service
from iamd.wire.uris import Match, trie
from iamd.wire.validate import are_secret

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_NO_QUERY: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({})
Query = Mapping[str, tuple[str, ...]]


class Remembered(msgspec.Struct):
    """What was read out of a form that is remembered: its parameters, when they are strings, and that they are valid.

    Both follow from the form and the model alone.
    """

    parameters: dict[str, Any] | None = None
    is_valid: bool = False


class Route(msgspec.Struct, frozen=True):
    """What a request names. `operation.protocol` is the protocol the client speaks."""

    operation: Operation
    path_parameters: Mapping[str, str] = _NOTHING
    """Labels of the path, decoded, by their names in the model's URI."""
    query: Mapping[str, tuple[str, ...]] = _NO_QUERY
    """REST: the query string, decoded, without what belongs to a signature or to the model's URI."""
    form: Mapping[str, str] = _NOTHING
    """Query protocols: the parameters without Action and Version."""
    style: s3.Style | None = None
    """S3: whether the bucket stood in the path or in the host."""
    remembered: Remembered | None = None
    """Query protocols: of a form that is remembered."""

    @property
    def service(self) -> str:
        """The service by botocore's name of the service."""
        return self.operation.service

    @property
    def protocol(self) -> Protocol:
        """What the client speaks."""
        return self.operation.protocol


@dataclass(frozen=True, slots=True)
class Dialect:
    """How to answer a request that names no operation: its service, when that is known, and its protocol."""

    service: str | None
    protocol: Protocol


class MissingAction(AWSError):
    """A Query request that names no operation (IAM API Reference, "Common Errors")."""

    code = "MissingAction"
    status = 400


# Signatures and what SDKs note beside them; names as they are compared, in lower case.
_OF_SIGNATURE: Final = frozenset(
    f"x-amz-{name}"
    for name in ("algorithm", "credential", "date", "expires", "signedheaders", "signature", "security-token",
                 "content-sha256", "user-agent", "region-set")
)  # fmt: skip
_NO_VERSION: Final = "NO_VERSION_SPECIFIED"
_UNVERSIONED: Final = frozenset({"ConfirmSubscription", "Unsubscribe"})
"""What the addresses in SNS's messages ask for, which name no version (SNS Developer Guide, "HTTP/HTTPS notification
JSON format").
"""
_CBOR_PATH: Final = re.compile(rb"/service/([A-Za-z0-9_.]+)/operation/([A-Za-z0-9_]+)", re.ASCII)
_JSON_TYPES: Final = ("application/x-amz-json-1.0", "application/x-amz-json-1.1", "application/json")
_FORM_TYPE: Final = "application/x-www-form-urlencoded"
_QUERY_KINDS: Final = (Protocol.QUERY, Protocol.EC2)
_REST_KINDS: Final = (Protocol.REST_JSON, Protocol.REST_XML)


def operation_of(request: HttpRequest, scope_service: str | None) -> Route:
    """Give the operation that this request names, `scope_service` being its credential scope's service.

    What names two operations, or parts of two, is refused: what is authorised is what is executed.
    """
    key = _memo_key(request, scope_service) if request.body else None
    if key is None:
        return _operation_of(request, scope_service)
    known = _forms.get(key)
    if known is not None:
        return known
    found = _operation_of(request, scope_service)
    if found.protocol in _QUERY_KINDS and not are_secret(found.operation, found.form):
        found = replace(found, remembered=Remembered())
        if len(_forms) >= _MEMO_SIZE:
            _forms.clear()
        _forms[key] = found
    return found


# Clients ask the same small things again and again. All that decides what a form means is in its key, and nothing
# that is decided about it in its value.
_forms: dict[tuple[str | None, bytes | None, bytes | None, bytes], Route] = {}
_MEMO_SIZE: Final = 1024
_MEMO_LENGTH: Final = 256


def _memo_key(
    request: HttpRequest, scope_service: str | None
) -> tuple[str | None, bytes | None, bytes | None, bytes] | None:
    """What decides the meaning of a small form posted to the root; None for every other request."""
    body, fields = request.body, request.fields
    if not body or len(body) > _MEMO_LENGTH or request.query or request.path != b"/" or request.method != "POST":
        return None
    if request.repeats_headers or not _OTHERS_DECIDE.isdisjoint(fields):
        return None
    return scope_service, fields.get(b"host"), fields.get(b"content-type"), body


_OTHERS_DECIDE: Final = frozenset({b"x-amz-target", b"smithy-protocol", b"content-encoding"})


def _operation_of(request: HttpRequest, scope_service: str | None) -> Route:
    if request.repeats_headers:
        _check_deciding(request)
    fields = request.fields
    host, entries, is_s3 = _named(scope_service, fields.get(b"host", b""))
    if b"x-amz-target" in fields:
        return _json(request, entries)
    if b"smithy-protocol" in fields:
        return _cbor(request, entries)
    query = form.grouped(form.pairs(request.query)) if request.query else _NO_QUERY
    if is_s3 and not request.path.startswith(_S3_CONTROL):
        return _s3(request, query, host, scope_service)
    if _is_query(request, entries, query):
        return _query(request, entries, query)
    return _rest(request, entries, query, host, scope_service)


def dialect(request: HttpRequest, scope_service: str | None) -> Dialect:
    """Tell how the client of a request that could not be routed wants to be answered; nothing is refused here."""
    entries = CATALOG.scoped(scope_service) if scope_service else host_of(request.header(b"host") or "").entries
    target = request.header(b"x-amz-target")
    if target is not None:
        named = CATALOG.targeted(target.rpartition(".")[0])
        return Dialect(_first(named, entries), Protocol.JSON)
    if request.header(b"smithy-protocol") is not None:
        return Dialect(_first(entries), Protocol.CBOR)
    form_like = (request.header(b"content-type") or "").startswith(_FORM_TYPE) or b"Action=" in request.query
    if entries:
        # Whoever sends a form to a service that speaks Query beside others, or shares its name with one, speaks that.
        spoken = ((entry, kind) for entry in entries for kind in _QUERY_KINDS if form_like and kind in entry.protocols)
        entry, kind = next(spoken, (entries[0], Protocol(entries[0].protocols[0])))
        return Dialect(entry.name, kind)
    return (
        Dialect(None, Protocol.QUERY) if form_like and request.path in {b"/", b""} else Dialect("s3", Protocol.REST_XML)
    )


def _first(*groups: Iterable[Entry]) -> str | None:
    return next((entry.name for group in groups for entry in group), None)


_DECIDING: Final = frozenset({b"host", b"x-amz-target", b"smithy-protocol", b"content-type"})


def _check_deciding(request: HttpRequest) -> None:
    """The headers that decide what a request is stand there once each."""
    found: set[bytes] = set()
    for name, _ in request.headers:
        if name in _DECIDING:
            if name in found:
                # SECURITY: two of a header that decides let two readers choose differently.
                raise CommonError(Common.VALIDATION, f"Duplicate header: {name.decode()}")
            found.add(name)


@lru_cache(maxsize=1024)
def _named(scope: str | None, header: bytes) -> tuple[Host, tuple[Entry, ...], bool]:
    """What the Host header names, the services this request can be for, and whether S3 is one, and none speaks Query.

    An error is not remembered.
    """
    host = host_of(header.decode("latin-1"))
    entries = _entries(scope, host)
    return host, entries, "s3" in _names(entries) and not _speakers(entries)


def _entries(scope: str | None, host: Host) -> tuple[Entry, ...]:
    """The services this request can be for; none when neither scope nor host names one."""
    if scope is None:
        return host.entries
    scoped = CATALOG.scoped(scope)
    if not scoped:
        raise CommonError(Common.UNKNOWN_OPERATION, f"Unknown service in the credential scope: {scope}")
    narrowed = tuple(entry for entry in scoped if entry in host.entries) if host.entries else scoped
    if not narrowed:
        wanted = host.entries[0].signing_name
        raise CommonError(Common.SIGNATURE_MISMATCH, f"Credential should be scoped to correct service: '{wanted}'. ")
    return narrowed


# X-Amz-Target


def _json(request: HttpRequest, entries: tuple[Entry, ...]) -> Route:
    prefix, _, name = (request.header(b"x-amz-target") or "").rpartition(".")
    _refuse_other_parts(request)
    if _media_type(request) not in _JSON_TYPES:
        raise CommonError(Common.UNKNOWN_OPERATION)
    named = [entry for entry in CATALOG.targeted(prefix) if not entries or entry in entries]
    for entry in named:
        if "json" in entry.protocols and service(entry.name).has(name):
            return Route(service(entry.name).operation(name, Protocol.JSON))
    raise CommonError(Common.UNKNOWN_OPERATION)


def _cbor(request: HttpRequest, entries: tuple[Entry, ...]) -> Route:
    path = _CBOR_PATH.fullmatch(request.path)
    if path is None or request.header(b"smithy-protocol") != "rpc-v2-cbor" or request.method != "POST":
        raise CommonError(Common.UNKNOWN_OPERATION)
    _refuse_query(request)
    prefix, name = path[1].decode(), path[2].decode()
    for entry in CATALOG.targeted(prefix):
        known = (not entries or entry in entries) and Protocol.CBOR in entry.protocols
        if known and service(entry.name).has(name):
            return Route(service(entry.name).operation(name, Protocol.CBOR))
    raise CommonError(Common.UNKNOWN_OPERATION)


def _refuse_other_parts(request: HttpRequest) -> None:
    if request.method != "POST" or request.path not in {b"/", b""} or request.header(b"smithy-protocol") is not None:
        raise CommonError(Common.UNKNOWN_OPERATION)
    _refuse_query(request)


def _refuse_query(request: HttpRequest) -> None:
    strangers = [name for name, _ in form.pairs(request.query) if name.lower() not in _OF_SIGNATURE]
    if strangers:
        # SECURITY: an Action or a parameter beside the target is for a reader that decides otherwise than we did.
        raise CommonError(Common.VALIDATION, f"Unexpected query parameter: {strangers[0]}")


def _media_type(request: HttpRequest) -> str:
    return _media_type_of(request.fields.get(b"content-type", b""))


@lru_cache(maxsize=64)
def _media_type_of(content_type: bytes) -> str:
    return content_type.decode("latin-1").partition(";")[0].strip().lower()


# Action


def _is_query(request: HttpRequest, entries: tuple[Entry, ...], query: Query) -> bool:
    if entries:
        speakers = _speakers(entries)
        if speakers in {0, len(entries)}:
            return speakers > 0
    at_root = request.path in {b"/", b""} and request.method in {"GET", "POST"}
    return at_root and ("Action" in query or _media_type(request) == _FORM_TYPE)


@cache
def _speakers(entries: tuple[Entry, ...]) -> int:
    """How many of these services speak Query or EC2's form of it."""
    return sum(any(protocol in _QUERY_KINDS for protocol in entry.protocols) for entry in entries)


def _query(request: HttpRequest, entries: tuple[Entry, ...], query: Query) -> Route:
    if request.method not in {"GET", "POST"}:
        raise CommonError(Common.UNKNOWN_OPERATION)
    given = _form(request, query)
    action, version = given.pop("Action", None), given.pop("Version", _NO_VERSION)
    if action is None:
        raise MissingAction("The request must contain the parameter Action.")
    topics = CATALOG.by_name["sns"]
    if version == _NO_VERSION and action in _UNVERSIONED and (not entries or topics in entries):
        entries, version = (topics,), topics.api_version
    for entry in entries or CATALOG.versioned(version):
        spoken = [protocol for protocol in _QUERY_KINDS if protocol in entry.protocols]
        if spoken and entry.api_version == version and service(entry.name).has(action):
            operation = service(entry.name).operation(action, spoken[0])
            return Route(operation, _queue_path(request, entry), form=given)
    raise CommonError(Common.UNKNOWN_OPERATION, f"Could not find operation {action} for version {version}")


def _form(request: HttpRequest, query: Query) -> dict[str, str]:
    """The parameters, from the body or, when there is none, from the query; never from both."""
    unsigned = {name: value for name, value in query.items() if name.lower() not in _OF_SIGNATURE} if query else {}
    if not request.body:
        return form.unique([(name, value) for name, values in unsigned.items() for value in values])
    if unsigned:
        # SECURITY: an Action in the query beside one in the body: two readers may execute two operations.
        raise CommonError(Common.VALIDATION, f"Parameters in both query string and body: {next(iter(unsigned))}")
    if request.method != "POST" or _media_type(request) not in {_FORM_TYPE, ""}:
        raise CommonError(Common.MALFORMED, "The body of a Query request is a form.")
    return form.parameters(body.plain(request))


def _queue_path(request: HttpRequest, entry: Entry) -> Mapping[str, str]:
    if request.path in {b"/", b""}:
        return _NOTHING
    if entry.name == "sqs" and request.path.count(b"/") == 2:
        # Query clients of SQS may post to the queue's own URL (SQS Developer Guide, "Making Query API requests").
        return {"QueueUrl": form.decoded(request.path)}
    raise CommonError(Common.UNKNOWN_OPERATION)


# Paths


def _rest(request: HttpRequest, entries: tuple[Entry, ...], query: Query, host: Host, scope: str | None) -> Route:
    if not entries:
        return _anonymous(request, query, host) if scope is None else _not_found()
    if "s3" in _names(entries) and not _is_s3_control(request, entries):
        return _s3(request, query, host, scope)
    found = [pair for entry in entries if (pair := _best(entry, request, query))]
    if not found:
        return _not_found()
    entry, match = max(found, key=lambda pair: pair[1].rank)
    return _matched(entry, match, query)


def _not_found() -> Route:
    raise CommonError(Common.UNKNOWN_OPERATION)


def _best(entry: Entry, request: HttpRequest, query: Query) -> tuple[Entry, Match] | None:
    if not set(entry.protocols) & set(_REST_KINDS):
        return None
    matches = trie(entry.name).matches(request.method, request.path, _singles(query))
    if len(matches) > 1:
        matches = [m for m in matches if not service(entry.name).deprecated(m.template.operation)] or matches
    return (entry, matches[0]) if matches else None


def _singles(query: Query) -> dict[str, str]:
    return {name: values[0] for name, values in query.items() if len(values) == 1}


def _matched(entry: Entry, match: Match, query: Query) -> Route:
    operation = service(entry.name).operation(match.template.operation)
    rest = {n: v for n, v in query.items() if n not in match.template.literals and n.lower() not in _OF_SIGNATURE}
    return Route(operation, match.labels, rest)


_S3_CONTROL: Final = b"/v20180820/"


def _is_s3_control(request: HttpRequest, entries: tuple[Entry, ...]) -> bool:
    # S3 Control's requests all carry the account (S3 Control API Reference); no S3 request has that header.
    names = _names(entries)
    at_its_path = request.path.startswith(_S3_CONTROL)
    return "s3control" in names and ("s3" not in names or (at_its_path and _has_account(request)))


@cache
def _names(entries: tuple[Entry, ...]) -> frozenset[str]:
    return frozenset(entry.name for entry in entries)


def _has_account(request: HttpRequest) -> bool:
    # Creating a bucket on an Outpost has the outpost's id in its place.
    return any(request.header(name) is not None for name in (b"x-amz-account-id", b"x-amz-outpost-id"))


def _s3(request: HttpRequest, query: Query, host: Host, scope: str | None) -> Route:
    if not query:
        found = s3.operation_of(request, _NOTHING, host, scope)
        return Route(found.operation, found.labels, style=found.style)
    return _s3_with_query(request, query, host, scope)


def _s3_with_query(request: HttpRequest, query: Query, host: Host, scope: str | None) -> Route:
    single = form.unique([(name, value) for name, values in query.items() for value in values])
    found = s3.operation_of(request, single, host, scope)
    literals = service("s3").http(found.operation.name)[1].partition("?")[2].split("&")
    skipped = {"x-id"} | {literal.partition("=")[0] for literal in literals}
    rest = {n: v for n, v in query.items() if n not in skipped and n.lower() not in _OF_SIGNATURE}
    return Route(found.operation, found.labels, rest, style=found.style)


# Operations without a signature that stand on paths of their own: matched exactly, all else unsigned is S3's.
_UNSIGNED_REST: Final = ("sso-oidc", "sso", "signin")


def _anonymous(request: HttpRequest, query: Query, host: Host) -> Route:
    for name in _UNSIGNED_REST:
        found = _best(CATALOG.by_name[name], request, query)
        if found and service(name).operation(found[1].template.operation).unsigned and _proves(name, request):
            return _matched(*found, query)
    return _s3(request, query, host, None)


def _proves(name: str, request: HttpRequest) -> bool:
    if name == "sso":
        return request.header(b"x-amz-sso_bearer_token") is not None
    return _media_type(request) == "application/json"
