"""What a denial rested on, as the service that refused a request encoded it."""

from typing import Any

from iamd.auth.sealing import SealError
from iamd.authz import authorization_messages
from iamd.call import Call
from iamd.services.registry import Target, reading
from iamd.services.sts.errors import InvalidAuthorizationMessage


def nothing(_call: Call, **_parameters: Any) -> Target:
    """An operation that touches no resource."""
    return Target()


@reading(on=nothing)
def decode_authorization_message(call: Call, *, encoded_message: str) -> dict[str, Any]:
    """Show the details of a denial in the caller's account."""
    account_id = call.identity.account_id
    try:
        message = authorization_messages.decoded(encoded_message, account_id, call.keyring)
    except SealError:
        raise InvalidAuthorizationMessage("Message is not valid") from None
    return {"DecodedMessage": message}
