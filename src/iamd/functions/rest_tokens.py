"""Tokens of user pools that methods of REST APIs ask for: ID tokens, or access tokens with a scope.

AWS: API Gateway Developer Guide, "Integrate a REST API with an Amazon Cognito user pool"
(apigateway-enable-cognito-user-pool): without scopes a token is taken as an ID token, with scopes as an access token.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from iamd.federation import tokens
from iamd.federation.issuers import JWK
from iamd.functions import rest_sources
from iamd.functions.api_tokens import NotProven, scopes_of, text_of, verified, without_scheme
from iamd.functions.rest_answers import AUTHORIZER_BROKEN, UNAUTHORIZED, GatewayRefusal
from iamd.functions.rest_routes import Authorizer, Found
from iamd.gateway.user_pools import Home
from iamd.http import HttpRequest
from iamd.runtime import Runtime

_POOL: Final = re.compile(
    r"arn:[^:]+:cognito-idp:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):userpool/(?P<id>[a-z0-9-]+_[0-9A-Za-z]+)"
)
_MOMENTS: Final = frozenset({"exp", "iat", "nbf"})
_EXPIRED: Final = "The incoming token has expired"
"""AWS: its words, as clients report them (aws-amplify/amplify-js 6060)."""


async def claims(runtime: Runtime, request: HttpRequest, found: Found, authorizer: Authorizer) -> Mapping[str, str]:
    """The claims of a token as functions are told them; 401 when it proves nothing, or has none of the scopes."""
    token = without_scheme(rest_sources.token(request, authorizer))
    if not token:
        raise _unauthorized("The request has no token, or several.")
    home = _home(token, authorizer)
    if home is None:
        raise _unauthorized("the token is of none of the user pools")

    async def key(_: str, key_id: str) -> JWK | None:
        if runtime.gateway is None:
            raise GatewayRefusal(AUTHORIZER_BROKEN, "There is no backend.")
        return (await runtime.gateway.user_pool_keys(home)).get(key_id)

    # User pools and their clients keep the machine's time, as signatures do.
    now = runtime.clock.machine_timestamp()
    try:
        proven = await verified(token, _issuer(home), key, now)
    except NotProven as error:
        raise _unauthorized(error.why, _EXPIRED if error.has_expired else None) from error
    _check(proven, found, authorizer)
    return {name: _told(name, value) for name, value in proven.items()}


def _unauthorized(why: str, message: str | None = None) -> GatewayRefusal:
    return GatewayRefusal(UNAUTHORIZED, why, message=message)


def _issuer(home: Home) -> str:
    return f"https://cognito-idp.{home.region}.amazonaws.com/{home.pool}"


def _home(token: str, authorizer: Authorizer) -> Home | None:
    """The user pool of the authorizer's that a token says that it is from."""
    try:
        issuer = tokens.read(token).issuer
    except (tokens.NotAToken, tokens.WrongClaim) as error:
        raise _unauthorized("the token is no JSON Web Token that can be verified") from error
    pools = [_POOL.fullmatch(arn) for arn in authorizer.provider_arns or ()]
    homes = [Home(one["account"], one["region"], one["id"]) for one in pools if one is not None]
    return next((home for home in homes if _issuer(home) == issuer), None)


def _check(proven: Mapping[str, Any], found: Found, authorizer: Authorizer) -> None:
    scopes = found.route.authorization_scopes or ()
    wanted = "access" if scopes else "id"
    # SECURITY: an access token says nothing of who may see what an ID token is asked for, and the other way round.
    if proven.get("token_use") != wanted:
        raise _unauthorized(f"the token is no {wanted} token")
    if scopes and scopes_of(proven).isdisjoint(scopes):
        raise _unauthorized("the token has none of the scopes of the method")
    audience = proven.get("aud")
    if authorizer.identity_validation_expression and not (
        isinstance(audience, str) and rest_sources.fits(authorizer, audience)
    ):
        raise _unauthorized("the token is for another client")


def _told(name: str, value: Any) -> str:
    """AWS: moments are written out, and lists are joined by commas."""
    if name in _MOMENTS and isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC).strftime("%a %b %d %H:%M:%S UTC %Y")
    if isinstance(value, list):
        return ",".join(map(text_of, value))
    return text_of(value)
