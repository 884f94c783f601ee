"""Which function an operation of iamd's own services is, and which resources it touches."""

import importlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from iamd.auth.identity import Identity
from iamd.authz.target import Target
from iamd.errors import Common, CommonError

__all__ = ["Registered", "Target", "Targets", "find", "get", "load", "operation", "reading", "registered"]

NOUNS: Mapping[str, tuple[str, ...]] = {
    "iam": (
        "access_keys",
        "access_reports",
        "account",
        "account_properties",
        "attachments",
        "context_keys",
        "credential_report",
        "delegation_requests",
        "groups",
        "inline_policies",
        "instance_profiles",
        "mfa_devices",
        "openid_connect_providers",
        "organization_access_reports",
        "outbound_federation",
        "passwords",
        "permissions_boundaries",
        "policies",
        "policy_versions",
        "role_acquisition",
        "role_templates",
        "roles",
        "root_access",
        "saml_providers",
        "service_access",
        "service_linked_roles",
        "server_certificates",
        "service_specific_credentials",
        "signing_certificates",
        "simulation",
        "ssh_public_keys",
        "tags",
        "users",
        "authorization_details",
    ),
    "sts": (
        "assume_role",
        "assume_root",
        "authorization_messages",
        "callers",
        "delegated_access",
        "federation_tokens",
        "outbound_tokens",
        "saml",
        "session_tokens",
        "web_identity",
    ),
    "cloudtrail": ("lookup",),
    "accessanalyzer": ("policy_validation",),
    "organizations": (
        "account_creation",
        "accounts",
        "attachments",
        "handshakes",
        "organizational_units",
        "organizations",
        "policies",
        "roots",
        "tags",
        "trusted_services",
    ),
    "cloudformation": (
        "change_sets",
        "events",
        "exports",
        "protection",
        "resources",
        "rollbacks",
        "stacks",
        "templates",
    ),
    "iamd": (
        "accounts",
        "audit",
        "decisions",
        "who_can",
        "delegation",
        "denials",
        "hardware_tokens",
        "metadata_sources",
        "quarantine",
        "role_templates",
        "root_passwords",
        "user_codes",
        "workloads",
    ),
}
"""The services of which there are operations, and the modules that hold them."""

PACKAGES: Mapping[str, str] = {"cloudformation": "iamd.stacks.cloudformation"}
"""The packages of services that are not beside this file."""


Targets = Target | Sequence[Target]
On = Callable[..., Targets]
Authenticate = Callable[..., Awaitable[Identity]]
Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Registered:
    """An operation: its function, what it touches, whether it writes, the slow work done before, and who calls.

    `is_long` says that it may take so long that others would wait for it.
    """

    service: str
    name: str
    function: Callable[..., Mapping[str, Any] | None]
    on: On
    writes: bool
    prepare: Callable[..., Any] | None = None
    authenticate: Authenticate | None = None
    is_long: bool = False


_OPERATIONS: dict[tuple[str, str], Registered] = {}


def operation(
    *, on: On, prepare: Callable[..., Any] | None = None, authenticate: Authenticate | None = None
) -> Callable[[Function], Function]:
    """Register a writing operation: it runs in a transaction with its event, decided on the view it runs on.

    `on` gets the call and the operation's parameters and says what is touched. `prepare` gets the same, runs before
    the transaction and outside the event loop, or on it when it is a coroutine function, and leaves its value in
    `call.prepared`. `authenticate` tells from the
    parameters who calls, whatever else the request is signed with.
    """
    return _register(on=on, writes=True, prepare=prepare, authenticate=authenticate)


def reading(
    *, on: On, prepare: Callable[..., Any] | None = None, is_long: bool = False
) -> Callable[[Function], Function]:
    """Register an operation that changes nothing: it runs on the snapshot, at once when nothing is to be prepared.

    What `is_long` runs outside the event loop.
    """
    return _register(on=on, writes=False, prepare=prepare, is_long=is_long)


def _register(
    *,
    on: On,
    writes: bool,
    prepare: Callable[..., Any] | None,
    authenticate: Authenticate | None = None,
    is_long: bool = False,
) -> Callable[[Function], Function]:
    def register(function: Function) -> Function:
        service = function.__module__.split(".")[-2]
        name = _aws_name(function.__name__)
        found = Registered(service, name, function, on, writes, prepare, authenticate, is_long)
        _OPERATIONS[service, name.lower()] = found
        return function

    return register


def _aws_name(function_name: str) -> str:
    """`create_user` to `CreateUser`; acronyms are matched without case by `find`."""
    return "".join(part.capitalize() for part in function_name.split("_"))


def load() -> None:
    """Import every module that holds operations; those of a service are imported when it is first asked."""
    for service in NOUNS:
        _load(service)


def _load(service: str) -> None:
    for noun in NOUNS.get(service, ()):
        importlib.import_module(f"{PACKAGES.get(service, f'iamd.services.{service}')}.{noun}")
    _loaded.add(service)


_loaded: set[str] = set()


def find(service: str, name: str) -> Registered:
    """The operation of this service and name; NotImplemented, naming it, when iamd has none yet."""
    found = _OPERATIONS.get((service, name.lower())) or get(service, name)
    if found is None:
        raise CommonError(Common.NOT_IMPLEMENTED, f"{service}:{name} is not implemented by iamd yet.")
    return found


def get(service: str, name: str) -> Registered | None:
    """The operation of this service and name, or None."""
    if service not in _loaded:
        _load(service)
    return _OPERATIONS.get((service, name.lower()))


def registered() -> list[Registered]:
    """Every operation, by service and name."""
    return [_OPERATIONS[key] for key in sorted(_OPERATIONS)]
