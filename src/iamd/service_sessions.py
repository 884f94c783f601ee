"""Sessions of roles that a service assumes on its own behalf: decided by the role's trust policy, and recorded."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from iamd import arn as arns
from iamd import ids, pipeline
from iamd.auth.identity import Service, of_service
from iamd.errors import AWSError
from iamd.http import HttpRequest
from iamd.inner_requests import Key
from iamd.pipeline import Progress, Work
from iamd.runtime import Runtime
from iamd.services import registry
from iamd.services.iam.entities import role_in
from iamd.store.account import Account, Snapshot
from iamd.store.records import Role
from iamd.wire import faults, models
from iamd.wire.route import Route

_SERVICE = "sts"
_NAME = "AssumeRole"
_SECONDS: Final = 3600
_RENEWED_AHEAD: Final = 300


class NotAssumed(Exception):
    """The role was not assumed, in STS's code and words."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


async def assume(
    runtime: Runtime,
    service: Service,
    role_arn: str,
    session_name: str,
    seconds: int,
    region: str,
    external_id: str | None = None,
) -> Mapping[str, Any]:
    """The service's session of a role, as AssumeRole answers it; NotAssumed when its trust policy does not let it."""
    operation = models.service(_SERVICE).operation(_NAME)
    parameters: dict[str, Any] = {"RoleArn": role_arn, "RoleSessionName": session_name, "DurationSeconds": seconds}
    if external_id is not None:
        parameters["ExternalId"] = external_id
    identity = of_service(service)
    request = HttpRequest(ids.request_id(), "POST", b"/", b"", [], b"", "")
    progress = Progress(request, None, Route(operation), identity, parameters, region=region)
    registered = registry.find(_SERVICE, _NAME)
    try:
        work = Work(runtime, progress, operation, registered, identity, pipeline.arguments(parameters))
        return await work.write() or {}
    except AWSError as error:
        pipeline.refused(runtime, progress, error)
        code, message = faults.told(error, _SERVICE, operation.protocol)
        raise NotAssumed(code, message) from error


def role_now(snapshot: Snapshot, role_arn: str) -> tuple[str, str] | None:
    """What a session of a role rests on: which role it is and whom it trusts; None when there is no such role.

    A session that was had before is not used on when this is another: not after the role has been made anew.
    """
    found = role_of(snapshot, role_arn)
    return (found[1].role_id, found[1].trust_policy) if found is not None else None


def role_of(snapshot: Snapshot, role_arn: str) -> tuple[Account, Role] | None:
    """The role of an ARN, and its account; None when there is none."""
    arn = arns.parse(role_arn)
    account = snapshot.account(arn.account) if arn is not None else None
    name = role_arn.rpartition("/")[2]
    role = role_in(account, name) if account is not None else None
    return (account, role) if account is not None and role is not None and role.role_name == name else None


class RenewedSession:
    """A service's session of a role, as the key to sign with; had anew before its end, and when the role is another."""

    def __init__(
        self,
        runtime: Runtime,
        service: Service,
        role_arn: str,
        session_name: str,
        region: str,
        external_id: str | None = None,
    ) -> None:
        self._runtime = runtime
        self._service = service
        self._role_arn = role_arn
        self._session_name = session_name
        self._region = region
        self._external_id = external_id
        self._current: tuple[Key, float] | None = None
        self._of: tuple[str, str] | None = None

    async def key(self) -> Key:
        """The key of a session that holds for some minutes yet; NotAssumed when there is none."""
        now = self._runtime.clock.timestamp()
        role = role_now(self._runtime.store.snapshot(), self._role_arn)
        if self._current is None or role != self._of or now >= self._current[1] - _RENEWED_AHEAD:
            self._current, self._of = None, role
            self._current = await self._assumed()
        return self._current[0]

    async def _assumed(self) -> tuple[Key, float]:
        told = await assume(
            self._runtime,
            self._service,
            self._role_arn,
            self._session_name,
            _SECONDS,
            self._region,
            self._external_id,
        )
        given = told["Credentials"]
        ends: datetime = given["Expiration"]
        return Key(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]), ends.timestamp()
