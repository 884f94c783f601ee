"""Callers as services carry them on, to ask others with the callers' own permissions.

AWS: IAM User Guide, "Forward access sessions" (access_forward_access_sessions).
"""

from iamd.auth import credentials, tokens
from iamd.auth.identity import Identity
from iamd.auth.sealing import Keyring
from iamd.delivery import Forwarded
from iamd.inner_requests import Key
from iamd.runtime import Runtime


def of(identity: Identity, keyring: Keyring) -> Forwarded | None:
    """A caller to be carried on; None for those who have no key: the anonymous, and services."""
    session = identity.session
    if session is not None:
        return Forwarded(session.access_key_id, tokens.seal(session, keyring))
    return Forwarded(identity.access_key_id) if identity.access_key_id else None


def key(runtime: Runtime, forwarded: Forwarded) -> Key | None:
    """The caller's key as it is now; None when it counts no more.

    SECURITY: the caller is looked up each time; a deleted user, an inactive key and a cut session end what goes on for
    them.
    """
    view, now, token = runtime.store.snapshot(), runtime.clock.seconds(), forwarded.session_token or None
    known = credentials.identify(forwarded.access_key_id, token, view, runtime.keyring, now)
    if known is None:
        return None
    return Key(forwarded.access_key_id, known.secret_access_key, token)
