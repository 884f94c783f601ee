"""Sessions of roles that a service assumes for what it runs, as credentials for a program."""

from datetime import UTC, datetime

from iamd import service_sessions
from iamd.auth.identity import Service
from iamd.metadata.temporary import Temporary, Unobtainable
from iamd.runtime import Runtime
from iamd.service_sessions import NotAssumed
from iamd.store.errors import Unavailable


async def assume(runtime: Runtime, service: Service, role_arn: str, session_name: str, region: str) -> Temporary:
    """The service's session of a role; Unobtainable with STS's words when the role's trust policy does not let it."""
    seconds = runtime.settings.workload_session_seconds
    began = datetime.fromtimestamp(runtime.clock.seconds(), UTC)
    try:
        told = await service_sessions.assume(runtime, service, role_arn, session_name, seconds, region)
    except NotAssumed as error:
        raise Unobtainable(error.code, error.message, 403) from error
    except Unavailable as error:
        raise Unobtainable("ServiceUnavailable", str(error), 503) from error
    return Temporary.of(told["Credentials"], role_arn=role_arn, began=began)
