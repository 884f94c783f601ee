"""HTTP and HTTP_PROXY integrations of REST APIs: a URL elsewhere answers, as far as addresses may be reached.

AWS: API Gateway Developer Guide, "HTTP integrations for REST APIs" (setup-http-integrations), "Important notes"
(api-gateway-known-issues): the client's `Host` is not handed on.
"""

import asyncio
import re
import ssl
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import regex

from iamd.federation import fetching
from iamd.federation.hosts import Hosts, Unreachable, port_of
from iamd.functions import rest_mappings, rest_templates
from iamd.functions.api_calls import NotAnswered, variables_in
from iamd.functions.rest_answers import (
    API_BROKEN,
    BAD_ANSWER,
    TIMED_OUT,
    UNREACHED,
    GatewayRefusal,
    of_call,
    unsupported,
)
from iamd.functions.rest_routes import Found, Integration, IntegrationResponse
from iamd.functions.rest_templates import JSON
from iamd.functions.url_payloads import headers_of, safe, whole
from iamd.http import HttpRequest, HttpResponse
from iamd.runtime import Runtime

if TYPE_CHECKING:
    from aiohttp import ClientResponse

SETTING: Final = "integration_hosts"
_MOST_BYTES: Final = 10 * 1024 * 1024
"""AWS: "Quotas for configuring and running a REST API": a payload has 10 MB at most."""
_MOST_MILLISECONDS: Final = 29_000
_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_URL: Final = re.compile(r"https?://[!-~]+", re.ASCII)
_METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_OF_SIGNATURES: Final = "x-amz-"
_MATCH_SECONDS: Final = 0.1
_UNTOLD: Final = frozenset({"Accept", "Accept-Encoding", "Content-Type", "User-Agent"})
"""What aiohttp would say of its own accord."""


class _Asked(NamedTuple):
    """What is asked: the method, the URL with its query, headers in their order, and the body."""

    method: str
    url: str
    headers: Sequence[tuple[str, str]]
    body: bytes


class _Answer(NamedTuple):
    """What was answered; names of headers are in lower case."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes


class Endpoints:
    """The way to HTTP endpoints, to those that may be reached."""

    def __init__(self, runtime: Runtime) -> None:
        self._hosts = Hosts(frozenset(runtime.settings.integration_hosts), SETTING)

    async def answer(self, integration: Integration, request: HttpRequest, found: Found, below: str) -> HttpResponse:
        """The answer of an integration's endpoint; the cookies that it sets are for the paths below one."""
        _check(integration)
        asked = _asked(integration, request, found)
        seconds = (integration.timeout_in_millis or _MOST_MILLISECONDS) / 1000
        try:
            async with asyncio.timeout(seconds):
                answer = await self._answered(asked)
        except TimeoutError as error:
            why = f"The endpoint takes longer than {seconds:g} seconds."
            raise GatewayRefusal(TIMED_OUT, why) from error
        try:
            if integration.type == "HTTP_PROXY":
                return whole(answer.status, answer.headers, (), answer.body, request, below)
            return _shown(integration, answer, request, found, below)
        except ValueError as error:
            raise GatewayRefusal(BAD_ANSWER, f"The endpoint's answer can be none: {error}.") from error

    async def _answered(self, asked: _Asked) -> _Answer:
        # Imported here: a server without HTTP integrations needs no HTTP client.
        import aiohttp  # noqa: PLC0415
        from yarl import URL  # noqa: PLC0415

        try:
            # AWS: an endpoint that is none is an error of the API's ("Gateway response types").
            connector = fetching.connector(self._hosts, urlsplit(asked.url), _context())
        except Unreachable as error:
            raise GatewayRefusal(API_BROKEN, str(error)) from error
        try:
            async with (
                aiohttp.ClientSession(
                    connector=connector,
                    trust_env=False,
                    cookie_jar=aiohttp.DummyCookieJar(),
                    auto_decompress=False,
                    skip_auto_headers=_UNTOLD,
                ) as session,
                session.request(
                    asked.method,
                    URL(asked.url, encoded=True),
                    headers=asked.headers,
                    data=asked.body or None,
                    # SECURITY: where an endpoint leads to is for the client to follow, as on AWS.
                    allow_redirects=False,
                ) as answer,
            ):
                return await _read(answer)
        except Unreachable as error:
            raise GatewayRefusal(API_BROKEN, str(error)) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise GatewayRefusal(UNREACHED, f"The endpoint can't be asked: {error}") from error


@cache
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()


async def _read(answer: "ClientResponse") -> _Answer:
    body = bytearray()
    async for part in answer.content.iter_chunked(64 * 1024):
        body += part
        if len(body) > _MOST_BYTES:
            raise GatewayRefusal(BAD_ANSWER, "The endpoint's answer is longer than 10 MB.")
    headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in answer.raw_headers]
    return _Answer(answer.status, headers, bytes(body))


def _check(integration: Integration) -> None:
    """Nothing that AWS would do and iamd does not is passed over."""
    kind = integration.type
    if integration.connection_type not in {None, "INTERNET"}:
        raise unsupported("an integration by a VPC link.")
    if (integration.tls_config or {}).get("insecureSkipVerification"):
        raise unsupported("an integration with insecureSkipVerification.")
    if integration.content_handling or integration.credentials:
        raise unsupported(f"a {kind} integration with contentHandling or credentials.")
    if integration.response_transfer_mode == "STREAM":
        raise unsupported("an integration with the response transfer mode STREAM.")
    if integration.http_method not in {*_METHODS, "ANY"}:
        raise GatewayRefusal(API_BROKEN, f"The integration's method is {integration.http_method}.")


def _asked(integration: Integration, request: HttpRequest, found: Found) -> _Asked:
    is_proxy = integration.type == "HTTP_PROXY"
    template = None if is_proxy else rest_templates.asked(integration, request)
    headers = _proxied(request, found) if is_proxy else _own(request, found, is_passed=template is None)
    query = _query(request) if is_proxy else []
    path: dict[str, str] = {}
    for place, name, value in rest_mappings.asked(integration.request_parameters or {}, request, found):
        if place == "path":
            path[name] = value
        elif place == "querystring":
            query = [pair for pair in query if pair[0] != name] + [(name, value)]
        else:
            # SECURITY: a parameter must not begin another header.
            told = safe(value).decode("latin-1")
            headers = [pair for pair in headers if pair[0].lower() != name.lower()] + [(name, told)]
    body = (request.body or b"") if template is None else template.encode()
    method = request.method if integration.http_method == "ANY" else str(integration.http_method)
    return _Asked(method, _url(integration, found, path, query), headers, body)


def _proxied(request: HttpRequest, found: Found) -> list[tuple[str, str]]:
    """The client's headers, with those that say where the request comes from."""
    told = headers_of(request)
    headers = [*rest_mappings.handed_on(request), *((name, told[name]) for name in rest_mappings.WAY)]
    names = {name for name, _ in headers}
    return [*headers, *(pair for pair in _of_api(found) if pair[0] not in names)]


def _own(request: HttpRequest, found: Found, *, is_passed: bool) -> list[tuple[str, str]]:
    """API Gateway's own headers; what is passed through has the client's type."""
    kind = request.header(b"content-type") if is_passed else None
    return [*_of_api(found), ("accept", JSON), ("content-type", kind or JSON)]


def _of_api(found: Found) -> list[tuple[str, str]]:
    """AWS: as its execution logs show what endpoints are asked with."""
    return [("user-agent", f"AmazonAPIGateway_{found.api.id}"), ("x-amzn-apigateway-api-id", found.api.id)]


def _query(request: HttpRequest) -> list[tuple[str, str]]:
    """The client's query, without what signs it."""
    given = parse_qsl(request.query.decode("latin-1"), keep_blank_values=True)
    # SECURITY: a signature and a session's token are for AWS alone.
    is_signed = any(name.lower() == "x-amz-signature" for name, _ in given)
    return [pair for pair in given if not (is_signed and pair[0].lower().startswith(_OF_SIGNATURES))]


def _url(integration: Integration, found: Found, path: dict[str, str], query: Sequence[tuple[str, str]]) -> str:
    """The URL with the stage's variables, the path's parameters and the query in their places."""
    try:
        url = variables_in(integration.uri, found.stage.variables)
    except NotAnswered as error:
        raise of_call(error) from error
    if not _URL.fullmatch(url):
        raise GatewayRefusal(API_BROKEN, "The integration's URI is no URL.")
    place, mark, own = url.partition("?")
    scheme, _, rest = place.partition("://")
    host, slash, plain = rest.partition("/")
    if _PLACEHOLDER.search(host) or _PLACEHOLDER.search(own) or "@" in host or "#" in url:
        # SECURITY: a client must not choose whom iamd asks.
        raise unsupported("an integration whose URI has parameters outside its path, credentials or a fragment.")
    filled = _PLACEHOLDER.sub(lambda match: _part(match[1], path), plain)
    more = urlencode(query, quote_via=quote)
    _check_port(f"{scheme}://{host}")
    parts = [part for part in (own if mark else "", more) if part]
    return f"{scheme}://{host}{slash}{filled}" + (f"?{'&'.join(parts)}" if parts else "")


def _check_port(url: str) -> None:
    try:
        port_of(urlsplit(url))
    except ValueError as error:
        raise GatewayRefusal(API_BROKEN, "The integration's URI is no URL.") from error


def _part(name: str, path: dict[str, str]) -> str:
    """What stands in the path for a parameter; AWS: a greedy one has its slashes."""
    if name not in path:
        raise GatewayRefusal(API_BROKEN, f"The integration's URI has {{{name}}}, which nothing is mapped to.")
    if not {".", ".."}.isdisjoint(path[name].split("/")):
        # SECURITY: it would lead out of what the API leads to.
        raise unsupported("a parameter of a path with the part `.` or `..`.")
    return quote(path[name], safe="/:@!$&'()*+,;=~")


def _shown(integration: Integration, answer: _Answer, request: HttpRequest, found: Found, below: str) -> HttpResponse:
    """The answer that an integration response makes of an endpoint's."""
    chosen = _chosen(integration, str(answer.status))
    kind, body = JSON, answer.body
    template = rest_templates.answered(chosen, integration, request)
    if template is not None:
        kind, body = template[0], template[1].encode()
    mapped = rest_mappings.answered(chosen.response_parameters or {}, dict(answer.headers), request, found)
    return whole(int(chosen.status_code), list({"content-type": kind, **mapped}.items()), (), body, request, below)


def _chosen(integration: Integration, status: str) -> IntegrationResponse:
    """The response whose pattern a status is, else the one without a pattern."""
    responses = list((integration.integration_responses or {}).values())
    try:
        for one in responses:
            # SECURITY: the pattern is the API's, and some take for ever to match.
            if one.selection_pattern and regex.fullmatch(one.selection_pattern, status, timeout=_MATCH_SECONDS):
                return one
    except (regex.error, TimeoutError) as error:
        raise GatewayRefusal(API_BROKEN, f"A selection pattern is none: {error}") from error
    for one in responses:
        if not one.selection_pattern:
            return one
    raise GatewayRefusal(API_BROKEN, f"No integration response is for the status {status}.")
