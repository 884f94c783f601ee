"""Sessions of roles that a service assumes on its own behalf: decided by the role's trust policy, and recorded."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from iamd import ids, pipeline
from iamd.auth.identity import Service, of_service
from iamd.errors import AWSError
from iamd.http import HttpRequest
from iamd.inner_requests import Key
from iamd.pipeline import Progress, Work
from iamd.runtime import Runtime
from iamd.services import registry
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


class RenewedSession:
    """A service's session of a role, as the key to sign with; it is had anew before its end."""

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

    async def key(self) -> Key:
        """The key of a session that holds for some minutes yet; NotAssumed when there is none."""
        now = self._runtime.clock.timestamp()
        if self._current is None or now >= self._current[1] - _RENEWED_AHEAD:
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
