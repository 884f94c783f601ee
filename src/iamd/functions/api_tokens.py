"""JSON Web Tokens that routes of HTTP APIs ask for: genuine, of the issuer, for the audience, now, with a scope.

AWS: API Gateway Developer Guide, "Control access to HTTP APIs with JWT authorizers in API Gateway"
(http-api-jwt-authorizer) and "Troubleshooting issues with HTTP API JWT authorizers" (http-api-troubleshooting-jwt).
"""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from iamd.federation import tokens
from iamd.federation.certificates import OtherThumbprint
from iamd.federation.fetching import WrongAnswer
from iamd.federation.hosts import Unreachable
from iamd.federation.issuers import JWK
from iamd.functions.api_answers import Refusal
from iamd.functions.api_events import Authorized
from iamd.functions.api_routes import Jwt
from iamd.gateway.user_pools import Home
from iamd.runtime import Runtime

log = logging.getLogger(__name__)

_BEARER: Final = "bearer "
_USER_POOL: Final = re.compile(
    r"https://cognito-idp\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/(?P<id>[a-z0-9-]+_[0-9A-Za-z]+)"
)
_RSA: Final = frozenset({"RS256", "RS384", "RS512"})
"""AWS: "Currently, only RSA-based algorithms are supported"."""


class NotProven(Exception):
    """A token proves nothing: why, and whether it once did."""

    def __init__(self, why: str, *, has_expired: bool = False) -> None:
        super().__init__(why)
        self.why, self.has_expired = why, has_expired


Keys = Callable[[str, str], Awaitable[JWK | None]]
"""Gives the key of an issuer that has an id; None when there is none, refused when that can't be told."""


def keys_for(runtime: Runtime, account: str) -> Keys:
    """The keys of issuers: an account's own user pools tell them here, all others outside."""

    async def key(issuer: str, key_id: str) -> JWK | None:
        pool = _USER_POOL.fullmatch(issuer)
        if pool is not None and runtime.gateway is not None:
            own = (await runtime.gateway.user_pool_keys(Home(account, pool["region"], pool["id"]))).get(key_id)
            if own is not None:
                return own
        try:
            return await runtime.issuers.key(issuer, (), key_id)
        except (Unreachable, OtherThumbprint, WrongAnswer) as error:
            log.warning("the keys of %s can't be had: %s", issuer, error)
            raise refused("the issuer can't be asked for its keys") from error

    return key


async def authorized(token: str, configuration: Jwt, scopes: Sequence[str], keys: Keys, now: float) -> Authorized:
    """What a token proves; 401 when it proves nothing, 403 when it has none of the scopes."""
    try:
        claims = await verified(without_scheme(token), configuration.issuer, keys, now)
    except NotProven as error:
        raise refused(error.why) from error
    _check_audience(claims, configuration.audience or ())
    own = scopes_of(claims)
    if scopes and own.isdisjoint(scopes):
        words = "the token has none of the scopes of the route"
        raise Refusal(403, words, challenge=_challenge(scopes, "insufficient_scope", words))
    fitting = [scope for scope in scopes if scope in own] if scopes else None
    return Authorized(claims={name: text_of(value) for name, value in claims.items()}, scopes=fitting)


def refused(why: str) -> Refusal:
    """What AWS answers to a token that proves nothing."""
    return Refusal(401, why, challenge=_challenge((), "invalid_token", why))


def missing(refusal: Refusal) -> Refusal:
    """What AWS answers to a request without a token."""
    return Refusal(401, refusal.why, challenge="Bearer") if refusal.status == 401 else refusal


def _challenge(scopes: Sequence[str], error: str, why: str) -> str:
    return f'Bearer scope="{" ".join(scopes)}" error="{error}" error_description="{why}"'


def without_scheme(token: str) -> str:
    """A token without the `Bearer` that may precede it."""
    return token[len(_BEARER) :].strip() if token[: len(_BEARER)].lower() == _BEARER else token


async def verified(token: str, issuer: str | None, keys: Keys, now: float) -> Mapping[str, Any]:
    """The claims of a genuine token of an issuer's that holds now; NotProven when it is none."""
    try:
        unverified = tokens.read(token)
    except (tokens.NotAToken, tokens.WrongClaim) as error:
        raise NotProven("the token is no JSON Web Token that can be verified") from error
    # SECURITY: the keys are those of the issuer that the authorizer names, whoever the token says that it is from.
    if issuer is None or unverified.issuer != issuer:
        raise NotProven("the token is of another issuer")
    if unverified.algorithm not in _RSA or unverified.key_id is None:
        raise NotProven("the token is signed by no RSA key that it names")
    key = await keys(issuer, unverified.key_id)
    if key is None:
        raise NotProven("the issuer has no key of this id")
    try:
        claims = tokens.verified(unverified, key)
        tokens.check_times(claims, now)
    except tokens.WrongSignature as error:
        raise NotProven("the token's signature is invalid") from error
    except tokens.Expired as error:
        raise NotProven("the token has expired", has_expired=True) from error
    except (tokens.OutOfTime, tokens.WrongTime, tokens.WrongClaim) as error:
        raise NotProven("the token does not hold now") from error
    return claims


def _check_audience(claims: Mapping[str, Any], wanted: Sequence[str]) -> None:
    """AWS: `client_id` counts only where there is no `aud`."""
    try:
        given = tokens.audiences(claims) if "aud" in claims else (claims.get("client_id"),)
    except tokens.WrongClaim:
        given = ()
    if not any(one in wanted for one in given):
        raise refused("the token does not have a valid audience")


def scopes_of(claims: Mapping[str, Any]) -> set[str]:
    """The scopes of a token; AWS: `scope`, or `scp`."""
    found = claims.get("scope", claims.get("scp"))
    if isinstance(found, str):
        return set(found.split())
    return {one for one in found if isinstance(one, str)} if isinstance(found, list) else set()


def text_of(value: Any) -> str:
    """A claim as functions are given it: all of them are texts."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return f"[{' '.join(map(text_of, value))}]"
    return msgspec.json.encode(value).decode()
