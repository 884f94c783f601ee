"""Who is calling, and whose access key it is."""

from typing import Any

from iamd import ids
from iamd.call import Call
from iamd.services.registry import Target, reading
from iamd.services.sts.errors import ValidationError


def nothing(_call: Call, **_parameters: Any) -> Target:
    """An operation that touches no resource."""
    return Target()


@reading(on=nothing)
def get_caller_identity(call: Call) -> dict[str, Any]:
    """Show the caller; no policy can refuse it (STS API Reference, GetCallerIdentity)."""
    identity = call.identity
    return {"UserId": identity.user_id, "Account": identity.account_id, "Arn": identity.arn}


@reading(on=nothing)
def get_access_key_info(call: Call, *, access_key_id: str) -> dict[str, Any]:
    """Show the account of an access key, whatever its state (STS API Reference, GetAccessKeyInfo)."""
    found = call.view.access_key(access_key_id)
    account_id = found[0].id if found is not None else ids.account_of_key(access_key_id)
    if account_id is None or call.view.account(account_id) is None:
        raise ValidationError("The access key ID provided is not valid.")
    return {"Account": account_id}
