"""Sessions of roles that a service assumes for what it runs: decided by the role's trust policy, and recorded."""

from datetime import UTC, datetime

from iamd import ids, pipeline
from iamd.auth.identity import Service, of_service
from iamd.errors import AWSError
from iamd.http import HttpRequest
from iamd.metadata.temporary import Temporary, Unobtainable
from iamd.pipeline import Progress, Work
from iamd.runtime import Runtime
from iamd.services import registry
from iamd.store.errors import Unavailable
from iamd.wire import faults, models
from iamd.wire.route import Route

_SERVICE = "sts"
_NAME = "AssumeRole"


async def assume(runtime: Runtime, service: Service, role_arn: str, session_name: str, region: str) -> Temporary:
    """The service's session of a role; Unobtainable with STS's words when the role's trust policy does not let it."""
    operation = models.service(_SERVICE).operation(_NAME)
    seconds = runtime.settings.workload_session_seconds
    parameters = {"RoleArn": role_arn, "RoleSessionName": session_name, "DurationSeconds": seconds}
    identity = of_service(service)
    request = HttpRequest(ids.request_id(), "POST", b"/", b"", [], b"", "")
    progress = Progress(request, None, Route(operation), identity, parameters, region=region)
    registered = registry.find(_SERVICE, _NAME)
    began = datetime.fromtimestamp(runtime.clock.seconds(), UTC)
    try:
        work = Work(runtime, progress, operation, registered, identity, pipeline.arguments(parameters))
        told = await work.write() or {}
    except AWSError as error:
        pipeline.refused(runtime, progress, error)
        code, message = faults.told(error, _SERVICE, operation.protocol)
        raise Unobtainable(code, message, 403) from error
    except Unavailable as error:
        raise Unobtainable("ServiceUnavailable", str(error), 503) from error
    return Temporary.of(told["Credentials"], role_arn=role_arn, began=began)
