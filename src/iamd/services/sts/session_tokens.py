"""GetSessionToken: temporary credentials of a user, for requests that want a one-time code."""

from typing import Any

from iamd.auth.tokens import Session, SessionKind
from iamd.call import Call
from iamd.services.registry import Target, operation
from iamd.services.session_limits import SessionCredentials
from iamd.services.sts import mfa, sessions

DEFAULT_SECONDS = 43_200


def nothing(call: Call, **_parameters: Any) -> Target:
    """No resource: no policy has a say; but a session begins no other one.

    AWS: IAM User Guide, "Permissions for GetSessionToken" (id_credentials_temp_control-access_getsessiontoken).
    """
    if call.identity.session is not None:
        raise SessionCredentials(call.operation)
    return Target()


@operation(on=nothing)
def get_session_token(
    call: Call,
    *,
    duration_seconds: int = DEFAULT_SECONDS,
    serial_number: str | None = None,
    token_code: str | None = None,
    minimum_session_token_size: int = 0,
) -> dict[str, Any]:
    """Give temporary credentials with the caller's own permissions; with a right code, they were made with MFA."""
    identity = call.identity
    with_mfa = bool(mfa.verified(call, serial_number, token_code))
    key_id, secret = sessions.new_key(identity.account_id)
    session = Session(
        kind=SessionKind.USER,
        access_key_id=key_id,
        secret_access_key=secret,
        account=identity.account_id,
        principal_id=identity.entity_id or identity.account_id,
        issued=call.now,
        expires=call.now + sessions.seconds(call, duration_seconds),
        name=identity.name or "",
        mfa_time=call.now if with_mfa else None,
        assumed_by=identity.arn,
        source_account=identity.account_id,
        ancestors=sessions.ancestors(call),
    )
    token = sessions.sealed(call, session, minimum_session_token_size)
    return {"Credentials": sessions.credentials(session, token), **sessions.token_size(token)}
