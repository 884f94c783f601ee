"""The parameters of a routed request, as the model names and types them, in whatever protocol they came."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from iamd.errors import Common, CommonError
from iamd.http import HttpRequest
from iamd.wire import body, cbor, form, parse_json, parse_query, parse_xml
from iamd.wire.models import Operation, Protocol
from iamd.wire.route import Route
from iamd.wire.scalars import blob, from_text, wrong
from iamd.wire.shapes import Member, Shape

Pairs = Mapping[str, tuple[str, ...]]
# By a name of its own: this Python finds a member of an Enum slowly.
_QUERY: Final = Protocol.QUERY


def parameters(route: Route, request: HttpRequest, forwarded: bool = False) -> dict[str, Any]:
    """Give the request's parameters by the model's member names; what the model does not know is refused.

    Times become datetimes in UTC, blobs bytes. A body that is still a stream leaves its member out. One that is
    `forwarded` is read again by a backend, which must read nothing else in it.
    """
    protocol = route.operation.protocol
    reader = _forwarded_query if forwarded and protocol is _QUERY else _READERS[protocol]
    remembered = route.remembered
    if remembered is None:
        return reader(route, request)
    if remembered.parameters is not None:
        return remembered.parameters.copy()
    found = reader(route, request)
    # What could be changed by whoever gets it is read each time.
    if all(type(value) is str for value in found.values()):
        remembered.parameters = found.copy()
    return found


def _query(route: Route, request: HttpRequest, *, forwarded: bool = False) -> dict[str, Any]:
    found = parse_query.parameters(route.operation, route.form, forwarded=forwarded)
    path = route.path_parameters.get("QueueUrl")
    return found if path is None else _queue(found, path)


def _forwarded_query(route: Route, request: HttpRequest) -> dict[str, Any]:
    return _query(route, request, forwarded=True)


def _queue(found: dict[str, Any], path: str) -> dict[str, Any]:
    given = found.setdefault("QueueUrl", path)
    # SECURITY: a queue in the path and another in the body would be decided as one and executed as the other.
    if urlsplit(given).path != path:
        raise CommonError(Common.VALIDATION, "QueueUrl differs from the request's path")
    return found


def _json(route: Route, request: HttpRequest) -> dict[str, Any]:
    return _whole_body(route.operation, parse_json.decode(text) if (text := body.plain(request)) else {})


def _cbor(route: Route, request: HttpRequest) -> dict[str, Any]:
    return _whole_body(route.operation, cbor.decode(text) if (text := body.plain(request)) else {})


def _whole_body(operation: Operation, value: Any) -> dict[str, Any]:
    if operation.input is not None:
        return parse_json.structure(value, operation.input)
    if value != {}:
        raise CommonError(Common.VALIDATION, "Unexpected request body")
    return {}


# REST


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the members of an input stand outside the body, by their names there."""

    labels: Mapping[str, Member]
    texts: frozenset[str]
    """The labels that are text and have their members' names."""
    headers: Mapping[str, Member]
    plain: frozenset[Member]
    """Those of the headers whose text is the value."""
    header_names: frozenset[bytes]
    prefixes: tuple[tuple[str, Member], ...]
    header_starts: tuple[bytes, ...]
    query: Mapping[str, Member]
    rest_of_query: Member | None


@cache
def _places(shape: Shape) -> _Places:
    members = shape.members.values()
    query = [member for member in members if member.location == "querystring"]
    headers = {m.wire_name.lower(): m for m in members if m.location == "header"}
    prefixes = tuple(((m.location_name or "").lower(), m) for m in members if m.location == "headers")
    return _Places(
        labels={m.wire_name: m for m in members if m.location == "uri"},
        texts=frozenset(
            m.name for m in members if m.location == "uri" and m.shape.type == "string" and m.wire_name == m.name
        ),
        headers=headers,
        plain=frozenset(m for m in headers.values() if m.shape.type == "string" and not m.jsonvalue),
        header_names=frozenset(name.encode() for name in headers),
        prefixes=prefixes,
        header_starts=tuple(prefix.encode() for prefix, _ in prefixes),
        query={m.wire_name: m for m in query if m.shape.type != "map"},
        # A map in the query string takes every name that no other member has (Smithy, "httpQueryParams").
        rest_of_query=next((m for m in query if m.shape.type == "map"), None),
    )


def _rest(route: Route, request: HttpRequest) -> dict[str, Any]:
    shape = route.operation.input
    if shape is None:
        _no_strangers(route.query)
        _no_body(request)
        return {}
    places, query = _places(shape), route.query
    if places.texts.issuperset(route.path_parameters):
        found: dict[str, Any] = dict(route.path_parameters)
    else:
        found = _labels(route.path_parameters, places)
    if query or request.repeats_headers or places.header_starts:
        headers = _headers(request, places)
        query = _hoisted(headers, query, places) if route.service == "s3" else query
        _add_query(found, query, places)
        _add_headers(found, headers, places)
    elif not places.header_names.isdisjoint(request.fields):
        _add_fields(found, request.fields, shape)
    if request.body or shape.payload is not None:
        found.update(_body(route.operation, shape, request))
    return found


def _labels(given: Mapping[str, str], places: _Places) -> dict[str, Any]:
    """The parts of the path that are members."""
    named = [(places.labels[name], text) for name, text in given.items() if name in places.labels]
    return {member.name: from_text(text, member, "iso8601") for member, text in named}


def _headers(request: HttpRequest, places: _Places) -> dict[str, tuple[str, ...]]:
    """The headers that are members, with all their values."""
    found: dict[str, tuple[str, ...]] = {}
    for name, value in request.headers:
        if name in places.header_names or name.startswith(places.header_starts):
            key = name.decode("latin-1")
            found[key] = (*found.get(key, ()), value.decode("latin-1"))
    return found


def _add_fields(found: dict[str, Any], fields: Mapping[bytes, bytes], shape: Shape) -> None:
    """Add the headers that are members, each of which stands there once."""
    for name, member, is_plain in _members_of(shape, tuple(fields)):
        text = fields[name].decode("latin-1")
        found[member.name] = text if is_plain else _from_header(member, (text,))


@lru_cache(maxsize=512)
def _members_of(shape: Shape, names: tuple[bytes, ...]) -> tuple[tuple[bytes, Member, bool], ...]:
    """The headers of these names that are members, and whether their text is the value."""
    places = _places(shape)
    members = [(name, places.headers[name.decode()]) for name in sorted(places.header_names.intersection(names))]
    return tuple((name, member, member in places.plain) for name, member in members)


def _hoisted(headers: dict[str, tuple[str, ...]], query: Pairs, places: _Places) -> Pairs:
    """Presigned S3 requests may carry `x-amz-` headers in the query (S3 User Guide, "Query string authentication")."""
    rest = dict(query)
    for name in [name for name in query if name.lower().startswith("x-amz-")]:
        if name.lower() in headers:
            raise CommonError(Common.VALIDATION, f"{name} is both a header and a query parameter")
        if name.lower() in places.headers or any(name.lower().startswith(prefix) for prefix, _ in places.prefixes):
            headers[name.lower()] = rest.pop(name)
    return rest


def _add_headers(found: dict[str, Any], headers: Pairs, places: _Places) -> None:
    for name, given in headers.items():
        member = places.headers.get(name)
        if member is not None:
            found[member.name] = _from_header(member, given)
            continue
        prefix, member = next(pair for pair in places.prefixes if name.startswith(pair[0]))
        found.setdefault(member.name, {})[name[len(prefix) :]] = _one(name, given)


def _add_query(found: dict[str, Any], query: Pairs, places: _Places) -> None:
    rest = {}
    for name, given in query.items():
        member = places.query.get(name)
        if member is None:
            rest[name] = given
        elif member.shape.type == "list":
            found[member.name] = [from_text(item, member.shape.element, "iso8601") for item in given]
        else:
            found[member.name] = from_text(_one(name, given), member, "iso8601")
    member = places.rest_of_query
    if member is None:
        _no_strangers(rest)
    elif rest:
        many = member.shape.value.shape.type == "list"
        found[member.name] = {name: list(given) if many else _one(name, given) for name, given in rest.items()}


def _one(name: str, given: tuple[str, ...]) -> str:
    if len(given) != 1:
        raise CommonError(Common.VALIDATION, f"Duplicate parameter: {name}")
    return given[0]


def _from_header(member: Member, given: tuple[str, ...]) -> Any:
    if member.shape.type == "list":
        element = member.shape.element
        return [from_text(item, element, "rfc822") for item in _list_items(",".join(given), element)]
    text = _one(member.wire_name, given)
    if member.jsonvalue:
        return parse_json.decode(blob(text))
    return from_text(text, member, "rfc822")


def _list_items(text: str, element: Member) -> list[str]:
    if element.shape.type == "timestamp":
        # The comma of a date is not a separator: dates come in pairs of pieces.
        pieces = [piece.strip() for piece in text.split(",")]
        return [", ".join(pair) for pair in zip(pieces[::2], pieces[1::2], strict=False)]
    return [_unquoted(piece) for piece in _split(text)]


def _split(text: str) -> list[str]:
    pieces, quoted, escaped = [""], False, False
    for char in text:
        if char == "," and not quoted:
            pieces.append("")
            continue
        quoted ^= char == '"' and not escaped
        escaped = char == "\\" and quoted and not escaped
        pieces[-1] += char
    return [piece.strip() for piece in pieces]


def _unquoted(piece: str) -> str:
    if len(piece) > 1 and piece[0] == piece[-1] == '"':
        return piece[1:-1].replace('\\"', '"')
    return piece


def _no_strangers(query: Pairs) -> None:
    if query:
        raise CommonError(Common.VALIDATION, f"Unknown parameter: {next(iter(query))}")


def _no_body(request: HttpRequest) -> None:
    if request.body and request.body.strip() not in {b"{}", b""}:
        raise CommonError(Common.MALFORMED, "Unexpected request body")


def _body(operation: Operation, shape: Shape, request: HttpRequest) -> dict[str, Any]:
    if shape.payload is not None:
        return _payload(operation, shape.members[shape.payload], request)
    if not request.body:
        return {}
    if not any(member.location is None for member in shape.members.values()):
        _no_body(request)
        return {}
    if operation.protocol is Protocol.REST_JSON:
        return parse_json.body(request.body, shape)
    if operation.input_root is None:
        raise wrong("")
    return parse_xml.body(request.body, operation.input_root)


def _payload(operation: Operation, member: Member, request: HttpRequest) -> dict[str, Any]:
    data = request.body
    if data is None or member.shape.eventstream:
        return {}
    if member.shape.type == "blob":
        return {member.name: data} if data or member.streaming else {}
    if not data:
        return {}
    if member.shape.type == "string":
        return {member.name: form.text_of(data)}
    if operation.protocol is Protocol.REST_JSON:
        return {member.name: parse_json.read(parse_json.decode(data), member)}
    return {member.name: parse_xml.body(data, member)}


_READERS: Final[Mapping[Protocol, Callable[[Route, HttpRequest], dict[str, Any]]]] = {
    Protocol.QUERY: _query,
    Protocol.EC2: _query,
    Protocol.JSON: _json,
    Protocol.CBOR: _cbor,
    Protocol.REST_JSON: _rest,
    Protocol.REST_XML: _rest,
}
