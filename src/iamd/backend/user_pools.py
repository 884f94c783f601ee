"""What moto's user pools are asked by users: it is done in the account and Region that were decided, and nowhere else.

moto looks for a client's id and a token in the pools of all accounts and Regions.
"""

from typing import Any

from moto.cognitoidp import responses
from moto.cognitoidp.models import CognitoIdpBackend, RegionAgnosticBackend, cognitoidp_backends

from iamd.backend.replacement import always, replace


def install() -> None:
    """Have moto look in one place alone."""
    for name in (
        "_find_backend_by_access_token",
        "_find_backend_by_access_token_or_session",
        "_find_backend_for_clientid",
    ):
        replace(RegionAgnosticBackend, name, always(_decided))
    replace(responses, "find_account_region_by_value", always(_decided_place))


def _decided(asked: Any, *_given: Any) -> CognitoIdpBackend:
    backend: CognitoIdpBackend = cognitoidp_backends[asked.account_id][asked.region_name]
    return backend


def _decided_place(_key: str, _value: str, fallback: tuple[str, str]) -> tuple[str, str]:
    return fallback
