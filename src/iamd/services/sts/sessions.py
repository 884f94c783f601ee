"""Making a session: an access key of its own, and the token that carries everything else."""

import secrets
from datetime import UTC, datetime
from typing import Any

import msgspec

from iamd import ids
from iamd.auth import tokens
from iamd.auth.tokens import Session
from iamd.call import Call
from iamd.services.sts.errors import ValidationError

MAX_ANCESTORS = 128
"""What a token has room for: a longer chain of roles is refused, as it could not be cut by its beginning."""

ROOT_SECONDS = 3600
"""AWS: a session of the root user lasts an hour at most, whatever is asked for (STS API Reference, GetSessionToken)."""

MAX_TOKEN_BYTES = 4096
"""The size that SessionTokenUtilization is a percentage of (STS API Reference, AssumeRole, MinimumSessionTokenSize)."""


def new_key(account_id: str) -> tuple[str, str]:
    """A temporary access key id and its secret."""
    return ids.access_key_id(ids.TEMPORARY_KEY, account_id), ids.secret_access_key()


def seconds(call: Call, asked: int) -> int:
    """How long a session of the caller lasts of whom so much is asked; the root user's is cut to an hour."""
    return min(asked, ROOT_SECONDS) if call.identity.is_root else asked


def ancestors(call: Call) -> tuple[str, ...]:
    """What a session that the caller begins derives from: the caller, its key, and all that these derive from."""
    identity = call.identity
    if identity.service is not None:
        return identity.service.ancestors
    older = identity.session.ancestors if identity.session is not None else ()
    own = (identity.entity_id or identity.account_id, identity.access_key_id)
    found = tuple(dict.fromkeys((*older, *(one for one in own if one))))
    if len(found) > MAX_ANCESTORS:
        raise ValidationError("The chain of roles is too long to go on; begin a new one with long-term credentials.")
    return found


def sealed(call: Call, session: Session, minimum_size: int) -> str:
    """The session's token, at least `minimum_size` bytes long."""
    token = tokens.seal(session, call.keyring)
    if len(token) < minimum_size:
        # Random bytes don't compress; base64 makes four characters of three bytes.
        padding = secrets.token_bytes((minimum_size - len(token)) * 3 // 4 + 4)
        token = tokens.seal(msgspec.structs.replace(session, padding=padding), call.keyring)
    return token


def credentials(session: Session, token: str) -> dict[str, Any]:
    """The session as every operation of STS answers it."""
    return {
        "AccessKeyId": session.access_key_id,
        "SecretAccessKey": session.secret_access_key,
        "SessionToken": token,
        "Expiration": datetime.fromtimestamp(session.expires, UTC),
    }


def token_size(token: str) -> dict[str, int]:
    """How large the token is, and how much of the largest."""
    return {
        "SessionTokenSize": len(token),
        "SessionTokenUtilization": min(100, -(-len(token) * 100 // MAX_TOKEN_BYTES)),
    }
