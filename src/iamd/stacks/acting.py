"""Whom a stack acts for: its caller, or CloudFormation in a session of the stack's service role.

AWS: CloudFormation User Guide, "CloudFormation service role": without one, CloudFormation works with a temporary
session of the caller's credentials.
"""

from typing import Final, Protocol

from iamd import forwarded
from iamd.auth.identity import Identity, Service
from iamd.inner_requests import Key
from iamd.pipeline import Via
from iamd.runtime import Runtime
from iamd.service_sessions import NotAssumed, RenewedSession
from iamd.stacks.client import RequestFailed

SERVICE: Final = "cloudformation.amazonaws.com"
SESSION_NAME: Final = "AWSCloudFormation"
_GONE: Final = "The security token included in the request is invalid."


class Acting(Protocol):
    """Whom a stack acts for."""

    @property
    def via(self) -> Via:
        """How the service is told of in decisions and events."""

    async def key(self) -> Key:
        """The credentials as they are now; RequestFailed when there are none any more."""


class AsCaller:
    """CloudFormation with the permissions of who asked for the stack's work, as long as that caller has them."""

    def __init__(self, runtime: Runtime, identity: Identity, stack_id: str | None = None) -> None:
        self.via = Via(SERVICE, as_caller=True, resource=stack_id)
        self._runtime = runtime
        self._identity = identity

    async def key(self) -> Key:
        """The caller's own key, or that of its session."""
        carried = forwarded.of(self._identity, self._runtime.keyring)
        key = forwarded.key(self._runtime, carried) if carried is not None else None
        if key is None:
            raise RequestFailed("InvalidClientTokenId", _GONE, 403, "AssumeRole")
        return key


class AsRole:
    """CloudFormation in a session of the stack's service role, which trusts the service; it is had anew before its end.

    `ancestors` is what the session derives from: who asked for the stack's work.
    """

    def __init__(self, runtime: Runtime, role_arn: str, stack_id: str, ancestors: tuple[str, ...] = ()) -> None:
        self.via = Via(SERVICE, as_caller=False, resource=stack_id)
        region, account = stack_id.split(":")[3:5]
        service = Service(SERVICE, account, stack_id, ancestors=ancestors)
        self._role_arn = role_arn
        self._session = RenewedSession(runtime, service, role_arn, SESSION_NAME, region)

    async def key(self) -> Key:
        """The key of a session that holds for some minutes yet; RequestFailed when the role can't be assumed."""
        try:
            return await self._session.key()
        except NotAssumed as error:
            words = f"Role {self._role_arn} is invalid or cannot be assumed"
            raise RequestFailed("ValidationError", words, 400, "AssumeRole") from error
