"""Making the service-linked roles that a service needs, when a request to it is done: decided and recorded as asked.

AWS records it as CreateServiceLinkedRole of the caller, invoked by the service (EFS User Guide, "Logging Amazon EFS API
calls with AWS CloudTrail", has such a record).
"""

import logging

from msgspec.structs import replace

from iamd import ids, pipeline
from iamd.auth.identity import Identity
from iamd.errors import AWSError
from iamd.gateway import events, first_use
from iamd.gateway.deciding import Step
from iamd.gateway.first_use import FirstUse
from iamd.pipeline import Progress, Via, Work
from iamd.runtime import Runtime
from iamd.services import registry
from iamd.store.errors import Unavailable
from iamd.wire import models
from iamd.wire.route import Route

log = logging.getLogger(__name__)

_SERVICE = "iam"
_NAME = "CreateServiceLinkedRole"


async def make(runtime: Runtime, step: Step, identity: Identity) -> None:
    """Make each role that the request needed and its account still has not."""
    for row in step.first_uses:
        if first_use.is_there(row, step.asked.account, runtime.store.snapshot()):
            continue
        await _make(runtime, step, identity, row)


async def _make(runtime: Runtime, step: Step, identity: Identity, row: FirstUse) -> None:
    """Make one; the request is done already, so that a refusal is recorded and nothing more."""
    operation = models.service(_SERVICE).operation(_NAME)
    via = Via(events.source(step.asked.operation), as_caller=True)
    caller = via.seen(identity)
    progress = Progress(
        replace(step.progress.request, id=ids.request_id(), body=b""),
        step.progress.claim,
        Route(operation),
        caller,
        {"AWSServiceName": row.service},
        via=via,
    )
    registered = registry.find(_SERVICE, _NAME)
    work = Work(runtime, progress, operation, registered, caller, pipeline.arguments(progress.parameters))
    try:
        await work.write()
    except AWSError as error:
        pipeline.refused(runtime, progress, error)
    except Unavailable as error:
        log.warning("the role of %s could not be made: %s", row.service, error)
