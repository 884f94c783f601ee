"""Sessions of roles that a service assumes on its own behalf: decided by the role's trust policy, and recorded."""

from collections.abc import Mapping
from typing import Any

from iamd import ids, pipeline
from iamd.auth.identity import Service, of_service
from iamd.errors import AWSError
from iamd.http import HttpRequest
from iamd.pipeline import Progress, Work
from iamd.runtime import Runtime
from iamd.services import registry
from iamd.wire import faults, models
from iamd.wire.route import Route

_SERVICE = "sts"
_NAME = "AssumeRole"


class NotAssumed(Exception):
    """The role was not assumed, in STS's code and words."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


async def assume(
    runtime: Runtime, service: Service, role_arn: str, session_name: str, seconds: int, region: str
) -> Mapping[str, Any]:
    """The service's session of a role, as AssumeRole answers it; NotAssumed when its trust policy does not let it."""
    operation = models.service(_SERVICE).operation(_NAME)
    parameters = {"RoleArn": role_arn, "RoleSessionName": session_name, "DurationSeconds": seconds}
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
