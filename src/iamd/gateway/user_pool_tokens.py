"""ID tokens of user pools, as identity pools take them: verified with the pool's keys, which its backend tells.

AWS: Cognito Developer Guide, "Verifying JSON web tokens"; the words of refusals are those that clients report
(aws-amplify/amplify-js 2067, amazon-archives/amazon-cognito-identity-js 91).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from iamd import ids
from iamd.backend.verdict import Verdict
from iamd.errors import Common, CommonError
from iamd.federation import issuers, tokens
from iamd.federation.fetching import WrongAnswer
from iamd.federation.tokens import Unverified
from iamd.gateway.answer import BackendBroke
from iamd.gateway.asking import HOST, NotToldError, ask
from iamd.gateway.backends import Backends
from iamd.gateway.forward import forward
from iamd.gateway.identity_pools import Provider
from iamd.gateway.logins import BackendUnavailable
from iamd.gateway.payload import EMPTY
from iamd.gateway.user_pools import SERVICE, Home, Named, NotAuthorized, of_client
from iamd.http import HttpRequest

KEYS: Final = "GetSigningKeys"
"""What the embedded backend knows a request for a pool's keys by."""
_PROVIDER: Final = re.compile(r"cognito-idp\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/([a-z0-9-]+_[0-9A-Za-z]+)", re.ASCII)
_UNSUPPORTED: Final = "Token is not from a supported provider of this identity pool."


class Login(msgspec.Struct, frozen=True):
    """A user whom a user pool's ID token proves."""

    provider: str
    client: str
    user: str
    claims: Mapping[str, Any]


async def verified(
    provider: str, token: str, trusted: Sequence[Provider], named: Named, backends: Backends, now: float
) -> Login:
    """The login that a token proves, of a client of a user pool that is trusted; NotAuthorized when it does not."""
    found = _PROVIDER.fullmatch(provider)
    if found is None:
        raise CommonError(Common.NOT_IMPLEMENTED, f"iamd takes logins of user pools, and none of {provider}.")
    clients = {one.client_id: one for one in trusted if one.provider_name == provider}
    unverified, client = _read(token)
    home = of_client(client, named) if isinstance(client, str) and client in clients else None
    # SECURITY: the keys are those of the client's own pool, which must be the one that is trusted.
    if home is None or home.pool != found[1]:
        raise NotAuthorized(_UNSUPPORTED)
    claims = await _proven(unverified, home, backends, now)
    if claims.get("aud") != client or claims.get("token_use") != "id":
        raise NotAuthorized(_UNSUPPORTED)
    login = Login(provider, str(client), _subject(claims), claims)
    if clients[login.client].server_side_token_check:
        await _check_user(login, home, backends, now)
    return login


def _read(token: str) -> tuple[Unverified, Any]:
    """A token, and whom it says that it is for."""
    try:
        return tokens.read(token), tokens.unverified_claims(token).get("aud")
    except (tokens.NotAToken, tokens.WrongClaim) as error:
        raise NotAuthorized("Invalid login token. Not a valid OpenId Connect identity token.") from error


async def _proven(unverified: Unverified, home: Home, backends: Backends, now: float) -> Mapping[str, Any]:
    """The claims of a token that the pool signed and that holds now."""
    if unverified.issuer.rpartition("/")[2] != home.pool:
        raise NotAuthorized("Invalid login token. Issuer doesn't match providerName")
    key = (await keys(home, backends, now)).get(unverified.key_id or "")
    try:
        if key is None:
            raise tokens.WrongSignature
        claims = tokens.verified(unverified, key)
        tokens.check_times(claims, now)
    except tokens.WrongSignature as error:
        raise NotAuthorized("Invalid login token. Couldn't verify signed token.") from error
    except tokens.Expired as error:
        raise NotAuthorized(f"Invalid login token. Token expired: {int(now)} >= {error.at}") from error
    except (tokens.OutOfTime, tokens.WrongTime, tokens.WrongClaim) as error:
        raise NotAuthorized("Invalid login token.") from error
    return claims


async def keys(home: Home, backends: Backends, now: float) -> Mapping[str, issuers.JWK]:
    """The pool's public keys by their ids."""
    path = f"/{home.pool}/.well-known/jwks.json".encode()
    request = HttpRequest(ids.request_id(), "GET", path, b"", [], b"", "127.0.0.1")
    verdict = Verdict(SERVICE, KEYS, "json", home.account, home.region, HOST)
    backend = backends.of(SERVICE, home.account, home.region).backend
    try:
        answer = await forward(request, EMPTY, backend, verdict, now=now)
        if answer.status != 200:
            answer.close()
            raise WrongAnswer(str(answer.status))
        return issuers.keys_of(b"".join([piece async for piece in answer]))
    except (CommonError, BackendBroke, WrongAnswer) as error:
        raise BackendUnavailable(Common.UNAVAILABLE, "The backend does not tell the user pool's keys.") from error


def _subject(claims: Mapping[str, Any]) -> str:
    try:
        return tokens.subject(claims)
    except tokens.WrongClaim as error:
        raise NotAuthorized("Invalid login token.") from error


async def _check_user(login: Login, home: Home, backends: Backends, now: float) -> None:
    """The user is still there and enabled (API Reference, CognitoIdentityProvider: ServerSideTokenCheck)."""
    given = {"UserPoolId": home.pool, "Username": str(login.claims.get("cognito:username", login.user))}
    backend = backends.of(SERVICE, home.account, home.region).backend
    try:
        told = await ask(backend, SERVICE, "AdminGetUser", given, account=home.account, region=home.region, now=now)
    except NotToldError as error:
        raise BackendUnavailable(Common.UNAVAILABLE, "The backend does not tell of the token's user.") from error
    if told is None or not told.get("Enabled"):
        raise NotAuthorized("Token is not valid any more.")
