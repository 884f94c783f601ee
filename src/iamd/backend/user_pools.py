"""What moto's user pools are asked by users: it is done in the account and Region that were decided, and nowhere else.

moto looks for a client's id and a token in the pools of all accounts and Regions, and signs tokens with a key that
stands in its source: whoever reads that could make a token of any user.
"""

import json
from collections.abc import Callable
from typing import Any, Final

from joserfc import jwk
from moto.cognitoidp import responses
from moto.cognitoidp.models import (
    CognitoIdpBackend,
    CognitoIdpUserPool,
    RegionAgnosticBackend,
    cognitoidp_backends,
)

from iamd.backend.replacement import always, replace

_KEY_ID: Final = "dummy"
"""What moto's tokens name their key by."""
_BITS: Final = 2048


def install() -> None:
    """Have moto look in one place alone, and sign with a key of this life's own."""
    for name in (
        "_find_backend_by_access_token",
        "_find_backend_by_access_token_or_session",
        "_find_backend_for_clientid",
    ):
        replace(RegionAgnosticBackend, name, always(_decided))
    replace(responses, "find_account_region_by_value", always(_decided_place))
    key = jwk.RSAKey.generate_key(_BITS, {"kid": _KEY_ID, "use": "sig", "alg": "RS256"}, private=True)
    replace(CognitoIdpUserPool, "__init__", _signing_with(key))
    published = json.dumps({"keys": [key.as_dict(private=False)]}).encode()
    replace(responses.CognitoIdpJsonWebKeyResponse, "json_web_key", always(published))


def _decided(asked: Any, *_given: Any) -> CognitoIdpBackend:
    backend: CognitoIdpBackend = cognitoidp_backends[asked.account_id][asked.region_name]
    return backend


def _decided_place(_key: str, _value: str, fallback: tuple[str, str]) -> tuple[str, str]:
    return fallback


def _signing_with(key: jwk.RSAKey) -> Callable[[Callable[..., None]], Callable[..., None]]:
    def wrap(original: Callable[..., None]) -> Callable[..., None]:
        def init(pool: Any, *given: Any, **named: Any) -> None:
            original(pool, *given, **named)
            pool.json_web_key = key

        return init

    return wrap
