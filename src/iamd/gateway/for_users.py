"""What applications' users ask of Cognito without a signature, and without anybody's permission."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from iamd.authz.target import Target
from iamd.gateway import identity_pools, user_pools
from iamd.gateway.actions.asked import Asked
from iamd.gateway.user_pools import Home, Named
from iamd.wire.models import Operation

_HOMES: Final[Mapping[str, Callable[[Operation, Mapping[str, Any], Named], Home]]] = {
    user_pools.SERVICE: user_pools.home,
    identity_pools.SERVICE: identity_pools.home,
}


def is_one(operation: Operation) -> bool:
    """Whether an operation is for a pool's users.

    AWS: Cognito User Pools API Reference, InitiateAuth and GetUser: "Amazon Cognito doesn't evaluate AWS Identity and
    Access Management (IAM) policies in requests for this API operation."; Cognito Federated Identities API Reference,
    GetId: "This is a public API. You do not need any credentials to call this API."
    """
    return operation.unsigned and operation.service in _HOMES


def targets(asked: Asked) -> list[Target]:
    """What is decided of it all the same, where an organization or a VPC endpoint may keep users out."""
    return [identity_pools.target(asked)] if asked.operation.service == identity_pools.SERVICE else []


def home(operation: Operation, parameters: Mapping[str, Any], named: Named) -> Home:
    """Where the pool is that a user's request is for; refused when that is not known."""
    return _HOMES[operation.service](operation, parameters, named)
