"""Cognito's user pools: whose pool it is that a user asks something of, whom nobody's permissions are asked about.

Which account and Region a pool is in is known by its clients, whose ids and tokens users bring: iamd remembers them
when they are made or shown.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from iamd import arn as arns
from iamd.errors import AWSError
from iamd.federation import tokens
from iamd.gateway import user_sessions
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.forms import InvalidParameter
from iamd.gateway.actions.given_arn import own
from iamd.gateway.effect import Effect, Kind, Learned, Of
from iamd.gateway.resources import Facts
from iamd.wire.models import Operation

SERVICE: Final = "cognito-idp"

Named = Callable[[str], str | None]
"""The ARN of what is known by a name."""
Told = Mapping[str, Any]


class ResourceNotFound(AWSError):
    """A client or a pool that is not there (Cognito User Pools API Reference, InitiateAuth)."""

    code = "ResourceNotFoundException"
    status = 400


class NotAuthorized(AWSError):
    """A token that proves nothing (Cognito User Pools API Reference, GetUser)."""

    code = "NotAuthorizedException"
    status = 400


class Home(NamedTuple):
    """Where a user pool is."""

    account: str
    region: str
    pool: str


def home(_: Operation, parameters: Mapping[str, Any], named: Named) -> Home:
    """Where the pool is that a user's request is for; refused when that is not known.

    SECURITY: a token is only read here, and the backend verifies it. It reaches no pool but its client's, and what it
    says of its pool must be that one.
    """
    if "AccessToken" in parameters:
        return _of_token(str(parameters["AccessToken"]), named)
    if "ClientId" in parameters:
        return _of_client(str(parameters["ClientId"]), named)
    if "UserPoolId" in parameters:
        return _of_pool(str(parameters["UserPoolId"]), named)
    if "Session" in parameters:
        found = of_client(user_sessions.client_of(parameters), named)
        if found is None:
            raise NotAuthorized("Invalid session for the user.")
        return found
    null = "Value null at 'accessToken' failed to satisfy constraint: Member must not be null"
    raise InvalidParameter(f"1 validation error detected: {null}")


def _of_client(client: str, named: Named) -> Home:
    found = of_client(client, named)
    if found is None:
        raise ResourceNotFound(f"User pool client {client} does not exist.")
    return found


def of_client(client: str, named: Named) -> Home | None:
    """Where the pool of a client is; None for a client that is not known."""
    found = named(_client_name(client))
    return _home_of(found) if found is not None else None


def _of_pool(pool: str, named: Named) -> Home:
    found = named(_pool_name(pool))
    if found is None:
        raise ResourceNotFound(f"User pool {pool} does not exist.")
    return _home_of(found)


def _of_token(unverified_token: str, named: Named) -> Home:
    try:
        claims = tokens.unverified_claims(unverified_token)
    except tokens.NotAToken as error:
        raise NotAuthorized("Invalid Access Token") from error
    client, issuer = claims.get("client_id"), claims.get("iss")
    place = of_client(client, named) if isinstance(client, str) else None
    # AWS: Developer Guide, "Verifying JSON web tokens": the issuer's URL ends in the pool's id.
    if place is None or not isinstance(issuer, str) or issuer.rpartition("/")[2] != place.pool:
        raise NotAuthorized("Invalid Access Token")
    return place


def _home_of(arn: str) -> Home:
    parsed = arns.parse(arn)
    if parsed is None:
        raise TypeError(arn)
    return Home(parsed.account, parsed.region, parsed.resource.split("/")[1])


def pool_arn(pool: str, asked: Asked) -> str:
    """The ARN of a pool of the account that asks."""
    return own(SERVICE, f"userpool/{pool}", asked)


def _client_arn(pool: str, client: str, asked: Asked) -> str:
    """What iamd knows a client by."""
    return f"{pool_arn(pool, asked)}/client/{client}"


def _pool_name(pool: str) -> str:
    return f"user pool {pool}"


def _client_name(client: str) -> str:
    return f"user pool client {client}"


def _known(arn: str, name: str, asked: Asked) -> list[Learned]:
    """What becomes known by a name.

    SECURITY: what is known by it already stays, so that nobody draws another account's users by a client of the same id
    where a backend lets them choose ids.
    """
    return [Learned(arn, {"name": name})] if asked.named(name) in {None, arn} else []


def _pool(asked: Asked, told: Told) -> list[Learned]:
    pool = str(told["UserPool"]["Id"])
    return _known(pool_arn(pool, asked), _pool_name(pool), asked)


def _client(asked: Asked, told: Told) -> list[Learned]:
    return _of_this_pool(asked, told["UserPoolClient"])


def _clients(asked: Asked, told: Told) -> list[Learned]:
    return [learned for one in told["UserPoolClients"] for learned in _of_this_pool(asked, one)]


def _of_this_pool(asked: Asked, told: Told) -> list[Learned]:
    pool, client = str(asked.parameters["UserPoolId"]), str(told["ClientId"])
    return [
        *_known(pool_arn(pool, asked), _pool_name(pool), asked),
        *_known(_client_arn(pool, client, asked), _client_name(client), asked),
    ]


def _end_pool(_: Asked, arn: str, __: Facts) -> Effect:
    return Effect(Kind.END, arn, within=f"{arn}/")


def _end_client(asked: Asked, arn: str, _: Facts) -> Effect:
    return Effect(Kind.END, f"{arn}/client/{asked.parameters['ClientId']}")


EFFECTS: Final[Mapping[tuple[str, str], Of]] = {
    (SERVICE, "DeleteUserPool"): _end_pool,
    (SERVICE, "DeleteUserPoolClient"): _end_client,
}
LEARNED: Final[Mapping[tuple[str, str], Callable[[Asked, Told], list[Learned]]]] = {
    **{(SERVICE, name): _pool for name in ("CreateUserPool", "DescribeUserPool")},
    **{(SERVICE, f"{verb}UserPoolClient"): _client for verb in ("Create", "Describe", "Update")},
    (SERVICE, "ListUserPoolClients"): _clients,
}
