"""Cross-origin requests to S3: which of them a bucket's rules let a browser make, and what its answers say of that.

AWS: S3 User Guide, "Using cross-origin resource sharing (CORS)" and "Elements of a CORS configuration"; S3 API
Reference, "Appendix: OPTIONS object". Errors, their order and their words are those that S3 is seen to answer.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from iamd.auth.claim import Claim
from iamd.errors import AWSError, Common
from iamd.gateway.actions.asked import Asked
from iamd.gateway.answer import Answer
from iamd.gateway.asking import NotToldError, ask
from iamd.gateway.backends import Place
from iamd.gateway.logins import BackendUnavailable
from iamd.gateway.resources import Facts
from iamd.http import Headers, HttpRequest, HttpResponse
from iamd.wire import s3
from iamd.wire.hosts import host_of
from iamd.wire.models import service
from iamd.wire.route import Route

EVENT: Final = "PreflightRequest"
"""What the event of a browser's question is called: AWS records none."""

METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "POST", "PUT"})
"""What a rule may allow, and a browser ask for."""

_VARY: Final = (b"vary", b"Origin, Access-Control-Request-Headers, Access-Control-Request-Method")
_NOT_ALLOWED: Final = (
    "This CORS request is not allowed. This is usually because the evalution of Origin, request method / "
    "Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec."
)
_NOT_ENABLED: Final = "CORS is not enabled for this bucket."
NO_BUCKET: Final = "Bucket not found"

Rules = Sequence[Mapping[str, Any]]
"""The CORSRules that GetBucketCors tells."""


class BadRequest(AWSError):
    """What a browser would not send."""

    code = "BadRequest"
    status = 400


class AccessForbidden(AWSError):
    """What the bucket's rules do not let a browser do."""

    code = "AccessForbidden"
    status = 403


class Wish(NamedTuple):
    """What a browser asks for: from which origin, by which method, with which headers (in lower case)."""

    origin: str
    method: str | None
    headers: tuple[str, ...] = ()


class Page(NamedTuple):
    """What a page of another origin asks S3 for, once it is known."""

    request: HttpRequest
    place: Place
    asked: Asked
    facts: Facts


def preflight_route(request: HttpRequest, claim: Claim | None) -> Route | None:
    """Where a browser asks S3 what it may ask: as a request for the bucket's rules; None for all other requests.

    It repeats the query of what it would send, and with it the signature of a presigned URL, which is the claim; but
    nobody has signed this.
    """
    if request.method != "OPTIONS" or (claim is not None and claim.service != "s3"):
        return None
    host = host_of(request.header(b"host") or "")
    is_s3 = not host.entries or any(entry.name == "s3" for entry in host.entries)
    if not is_s3 or host.other_points or host.directory_buckets:
        return None
    labels, style = s3.labels_of(request.path, host)
    return Route(service("s3").operation("GetBucketCors"), labels, style=style) if labels else None


def preflight(request: HttpRequest) -> Wish:
    """What a browser asks for beforehand; BadRequest when it does not say where its page is from."""
    origin = request.header(b"origin")
    if origin is None:
        raise BadRequest("Insufficient information. Origin request header needed.")
    return Wish(origin, request.header(b"access-control-request-method"), _headers(request))


def wished(request: HttpRequest) -> Wish | None:
    """What a browser asks for when it asks; None for whoever is none, or asks its own origin."""
    origin = request.header(b"origin")
    # S3 was seen to go by the method that would be asked for, where an actual request names one.
    method = request.header(b"access-control-request-method") or request.method
    return None if origin is None else Wish(origin, method, _headers(request))


def owner_of(asked: Asked, facts: Facts) -> str | None:
    """The account of the bucket that is asked for; None for a bucket that iamd knows nothing of."""
    known = facts.get(f"arn:{asked.partition}:s3:::{asked.parameters['Bucket']}")
    return None if known is None and facts.forgets else facts.bucket_owner(known, asked.account) or None


async def rules_of(asked: Asked, place: Place, owner: str) -> Rules:
    """The rules of the bucket that is asked for; none where CORS is not enabled."""
    given = {"Bucket": asked.parameters["Bucket"]}
    try:
        told = await ask(place.backend, "s3", "GetBucketCors", given, account=owner, region=asked.region, now=asked.now)
    except NotToldError as error:
        raise BackendUnavailable(Common.UNAVAILABLE, "The backend does not tell the bucket's CORS rules.") from error
    rules: Rules = (told or {}).get("CORSRules", ())
    return rules


def _headers(request: HttpRequest) -> tuple[str, ...]:
    named = request.header(b"access-control-request-headers") or ""
    return tuple(name.strip().lower() for name in named.split(",") if name.strip())


def refusal(why: str, wish: Wish, *, is_object: bool) -> AccessForbidden:
    """The refusal of a browser's question."""
    kind = "OBJECT" if is_object else "BUCKET"
    return AccessForbidden(f"CORSResponse: {why}", members={"Method": wish.method or "OPTIONS", "ResourceType": kind})


def told(rules: Rules, wish: Wish, *, is_object: bool) -> Headers:
    """What is told to a browser that asks beforehand; refused where no rule allows what it asks for."""
    if not rules:
        raise refusal(_NOT_ENABLED, wish, is_object=is_object)
    if wish.method not in METHODS:
        raise BadRequest(f"Invalid Access-Control-Request-Method: {wish.method or 'null'}")
    found = shown(rules, wish)
    if not found:
        raise refusal(_NOT_ALLOWED, wish, is_object=is_object)
    return found


def shown(rules: Rules, wish: Wish) -> list[tuple[bytes, bytes]]:
    """The headers by the first rule that allows what is asked for; none where no rule does."""
    for rule in rules:
        origin = next((one for one in rule.get("AllowedOrigins", ()) if _matches(one, wish.origin)), None)
        if origin is not None and wish.method in rule.get("AllowedMethods", ()) and _allows_headers(rule, wish):
            return _by_rule(rule, wish, is_open=origin == "*")
    return []


def _allows_headers(rule: Mapping[str, Any], wish: Wish) -> bool:
    allowed = [one.lower() for one in rule.get("AllowedHeaders", ())]
    return all(any(_matches(one, name) for one in allowed) for name in wish.headers)


def _matches(pattern: str, text: str) -> bool:
    return pattern == text or ("*" in pattern and _pattern(pattern).fullmatch(text) is not None)


@lru_cache(maxsize=256)
def _pattern(pattern: str) -> re.Pattern[str]:
    # AWS: an element has one `*` at most ("Elements of a CORS configuration").
    before, _, behind = pattern.partition("*")
    return re.compile(f"{re.escape(before)}.*{re.escape(behind)}", re.DOTALL)


def _by_rule(rule: Mapping[str, Any], wish: Wish, *, is_open: bool) -> list[tuple[bytes, bytes]]:
    found = [
        ("access-control-allow-origin", "*" if is_open else wish.origin),
        ("access-control-allow-methods", ", ".join(rule["AllowedMethods"])),
    ]
    if wish.headers:
        found.append(("access-control-allow-headers", ", ".join(wish.headers)))
    if rule.get("ExposeHeaders"):
        found.append(("access-control-expose-headers", ", ".join(rule["ExposeHeaders"])))
    if "MaxAgeSeconds" in rule:
        found.append(("access-control-max-age", str(rule["MaxAgeSeconds"])))
    if not is_open:
        found.append(("access-control-allow-credentials", "true"))
    return [*((name.encode(), _line(value)) for name, value in found), _VARY]


def _line(value: str) -> bytes:
    # SECURITY: what the rules' author wrote into them must not begin a header of its own.
    return "".join([character if character.isprintable() else "?" for character in value]).encode("latin-1", "replace")


async def shared(answer: Answer, page: Page) -> Answer:
    """The answer as S3 lets a browser's page of another origin see it, in place of what the backend has for that.

    Backends other than the embedded one say themselves which pages may see it.
    """
    headers = await _headers_for(page)
    if headers is None:
        return answer
    kept = [pair for pair in answer.headers if not pair[0].startswith(b"access-control-")]
    return answer.with_headers([*kept, *headers])


async def refused(response: HttpResponse, page: Page | None) -> HttpResponse:
    """A refusal, which the pages may see that may see what was asked for."""
    headers = await _headers_for(page) if page is not None and response.status < 500 else None
    return replace(response, headers=[*response.headers, *headers]) if headers else response


async def _headers_for(page: Page) -> Headers | None:
    """What the bucket's rules tell a page of another origin; None where it is not iamd's to tell."""
    wish, asked = wished(page.request), page.asked
    account = owner_of(asked, page.facts) if "Bucket" in asked.parameters else None
    if wish is None or page.place.backend.embedded is None or account is None:
        return None
    try:
        rules = await rules_of(asked, page.place, account)
    except BackendUnavailable:
        # What was asked for has been done, or refused.
        rules = ()
    return shown(rules, wish)
