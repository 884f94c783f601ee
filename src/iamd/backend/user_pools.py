"""What moto's user pools are asked by users: it is done in the account and Region that were decided, and nowhere else.

moto looks for a client's id and a token in the pools of all accounts and Regions, signs tokens with a key that stands
in its source, the same for all pools, and lets attributes take the place of what a token says of itself: whoever reads
that, or has a pool of their own, could make a token of any user. A pool with deletion protection is not deleted (AWS:
Cognito API Reference, CreateUserPool, DeletionProtection; the words are those that it is seen to answer, localstack
11947).
"""

import json
from collections.abc import Callable
from typing import Any, Final

from flask import request
from joserfc import jwk
from moto.cognitoidp import models, responses
from moto.cognitoidp.exceptions import InvalidParameterException, ResourceNotFoundError
from moto.cognitoidp.models import (
    CognitoIdpBackend,
    CognitoIdpUserPool,
    CognitoIdpUserPoolAttribute,
    RegionAgnosticBackend,
    cognitoidp_backends,
)
from moto.cognitoidp.responses import CognitoIdpResponse

from iamd.backend import sign_ins
from iamd.backend.replacement import always, replace

_KEY_ID: Final = "dummy"
"""What moto's tokens name their key by."""
_BITS: Final = 2048
_PROTECTION: Final = "DeletionProtection"
_UNPROTECTED: Final = "INACTIVE"


def install() -> None:
    """Have moto look in one place alone, and sign with a key of each pool's own what the pool itself says."""
    for name in (
        "_find_backend_by_access_token",
        "_find_backend_by_access_token_or_session",
        "_find_backend_for_clientid",
    ):
        replace(RegionAgnosticBackend, name, always(_decided))
    replace(responses, "find_account_region_by_value", always(_decided_place))
    replace(CognitoIdpUserPool, "__init__", _with_key)
    replace(CognitoIdpUserPool, "get_user_extra_data_by_client_id", _of_attributes)
    replace(models, "DEFAULT_USER_POOL_CONFIG", lambda defaults: {**defaults, _PROTECTION: _UNPROTECTED})
    replace(CognitoIdpBackend, "delete_user_pool", _unprotected)
    for name in ("delete_user_pool_domain", "update_user_pool_domain"):
        replace(CognitoIdpResponse, name, _of_own_domain)
    replace(CognitoIdpResponse, "admin_respond_to_auth_challenge", _of_own_client)
    sign_ins.install()
    # The handler is routed to already; it looks at this for what it answers.
    replace(responses, "CognitoIdpJsonWebKeyResponse", always(_Published()))


def _decided(asked: Any, *_given: Any) -> CognitoIdpBackend:
    backend: CognitoIdpBackend = cognitoidp_backends[asked.account_id][asked.region_name]
    return backend


def _decided_place(_key: str, _value: str, fallback: tuple[str, str]) -> tuple[str, str]:
    return fallback


def _with_key(original: Callable[..., None]) -> Callable[..., None]:
    def init(pool: Any, *given: Any, **named: Any) -> None:
        original(pool, *given, **named)
        key = jwk.RSAKey.generate_key(_BITS, {"kid": _KEY_ID, "use": "sig", "alg": "RS256"}, private=True)
        pool.json_web_key = key

    return init


def _unprotected(original: Callable[..., None]) -> Callable[..., None]:
    def delete_user_pool(backend: Any, user_pool_id: str) -> None:
        pool = backend.user_pools.get(user_pool_id)
        if pool is not None and pool.extended_config[_PROTECTION] != _UNPROTECTED:
            raise InvalidParameterException(
                "The user pool cannot be deleted because deletion protection is activated. "
                "Deletion protection must be inactivated first."
            )
        original(backend, user_pool_id)

    return delete_user_pool


def _of_own_domain(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Change the domain of the pool that a request names: moto finds any by its name."""

    def of_own_domain(response: Any) -> Any:
        pool, domain = response._get_param("UserPoolId"), response._get_param("Domain")  # noqa: SLF001 - as moto does
        found = response.backend.user_pool_domains.get(domain)
        # SECURITY: it was decided of that pool.
        if found is None or found.user_pool_id != pool:
            raise ResourceNotFoundError(domain)
        return original(response)

    return of_own_domain


def _of_own_client(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Go on with a sign-in at a client of the pool that a request names, likewise."""

    def of_own_client(response: Any) -> Any:
        pool, client = response._get_param("UserPoolId"), response._get_param("ClientId")  # noqa: SLF001 - as moto does
        found = response.backend.user_pools.get(pool)
        if found is None or client not in found.clients:
            raise ResourceNotFoundError(client if found is not None else pool)
        return original(response)

    return of_own_client


class _Published:
    """What is published of the pool that a request's path names."""

    @property
    def json_web_key(self) -> bytes:
        """The pool's public key; of a pool that is not there, none."""
        pool_id = request.path.split("/")[1]
        backends = [backend for regions in list(cognitoidp_backends.values()) for backend in list(regions.values())]
        found = [backend.user_pools[pool_id] for backend in backends if pool_id in backend.user_pools]
        return json.dumps({"keys": [pool.json_web_key.as_dict(private=False) for pool in found]}).encode()


_STANDARD: Final = frozenset(CognitoIdpUserPoolAttribute.STANDARD_SCHEMA) - {"sub"}
_PREFIXES: Final = ("custom:", "dev:custom:")


def _of_attributes(original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """What a token says of a user's attributes: those that are standard ones, and those that tell that they are not.

    AWS: Cognito Developer Guide, "Working with user attributes": names of all others begin with `custom:`.
    SECURITY: one called `iss` would make a token of another pool's, one called `cognito:groups` of another user's.
    """

    def claims(pool: Any, client_id: str, username: str) -> dict[str, Any]:
        found = original(pool, client_id, username)
        return {name: value for name, value in found.items() if name in _STANDARD or name.startswith(_PREFIXES)}

    return claims
