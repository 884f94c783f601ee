"""The statuses of credentials: the two that a request can set, and the one that time alone brings."""

from iamd.services.iam.errors import InvalidInput

SETTABLE = frozenset({"Active", "Inactive"})


def check_settable(status: str) -> None:
    """Raise InvalidInput for `Expired`: AWS's model has the value, and its answers refuse to set it."""
    if status not in SETTABLE:
        raise InvalidInput(f"Operation does not support status {status}")
