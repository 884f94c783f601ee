"""Services without a table: the action is the operation's name, the resources what its parameters plainly name."""

from collections.abc import Mapping
from typing import Final

from iamd.authz.target import Target
from iamd.data import service_reference
from iamd.data.action_prefixes import action_prefix
from iamd.errors import Common, CommonError
from iamd.gateway.actions import named_resources, tags
from iamd.gateway.actions.asked import Asked
from iamd.wire.models import service as model_of

_ACCOUNT: Final[Mapping[str, str]] = {
    # AWS: Glacier Developer Guide, "Account ID" of each operation; QuickSight and Lake Formation API References.
    "glacier": "accountId",
    "lakeformation": "CatalogId",
    "quicksight": "AwsAccountId",
}
"""The member that names whose resources a request is about."""
_OWN: Final = "-"
"""Glacier's word for the caller's account."""


class Unmapped(CommonError):
    """An operation that no action is known for; nothing can be decided about it, so it is refused."""

    def __init__(self, operation: str, because: str | None = None) -> None:
        reason = because or f"iamd knows no IAM action for {operation}"
        super().__init__(Common.ACCESS_DENIED, f"{reason}, so the request cannot be decided.")


def action_of(service: str, operation: str) -> str | None:
    """The action of an operation by the rule: its service's prefix and its own name; None when there is none."""
    prefix = action_prefix(service, model_of(service).signing_name, operation)
    found = service_reference.action(prefix, operation) if prefix is not None else None
    return f"{prefix}:{found.name}" if found is not None else None


def targets(asked: Asked) -> list[Target]:
    """One target for each resource that the parameters name, and for all of each required type that they don't."""
    operation = asked.operation
    action = action_of(operation.service, operation.name)
    if action is None:
        raise Unmapped(f"{operation.service}:{operation.name}")
    named = asked.parameters.get(_ACCOUNT.get(operation.service, "")) or _OWN
    if named not in {_OWN, asked.account}:
        # SECURITY: the backend acts in the caller's account, and no policy of another account's is kept for it here.
        raise CommonError(Common.ACCESS_DENIED, f"{action} is not allowed on resources of account {named}.")
    keys = tags.of_request(asked)
    return [
        Target(arn=one.arn, action=action, context=keys, any_of_kind=one.any_of_kind, makes=one.makes)
        for one in named_resources.of(action, asked)
    ]


def account_of(name: str) -> str | None:
    """The account in an ARN, or None when it names none."""
    parts = name.split(":", 5)
    return parts[4] if len(parts) == 6 and len(parts[4]) == 12 and parts[4].isdigit() else None
