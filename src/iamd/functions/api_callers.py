"""Who has signed a request to an API, and whether policies let them make it."""

from collections.abc import Sequence
from typing import Final

from iamd import pipeline
from iamd.auth import canonical, sigv4
from iamd.auth.identity import ANONYMOUS, Identity
from iamd.authz import context
from iamd.authz.authorize import Denied, authorize
from iamd.authz.target import Target
from iamd.errors import AWSError
from iamd.pipeline import Progress
from iamd.runtime import Runtime
from iamd.wire import faults, models

SERVICE: Final = "execute-api"
INVOKE: Final = "execute-api:Invoke"
UNSIGNED: Final = "MissingAuthenticationToken"


class NotSigned(Exception):
    """A request is signed by nobody, or not as it must be: the code of the error and its words."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def signed(runtime: Runtime, progress: Progress, region: str) -> Identity:
    """Who has signed a request to an API in a Region; NotSigned when nobody has, or not as they must."""
    try:
        progress.claim = claim = sigv4.claim(progress.request)
        if claim is None:
            raise NotSigned(UNSIGNED, "The request is not signed.")
        if not canonical.is_normal(progress.request.path):
            # SECURITY: on AWS the host, which is signed, is the API's alone. Here a function that is given a signed
            # request could make another API's of it, `/OTHER/../API`, or another route's.
            raise NotSigned("InvalidSignatureException", "The signature is of another path.")
        sigv4.check_scope(claim, service=SERVICE, region=region)
        identity = pipeline.identified(runtime, progress, runtime.store.snapshot())
    except AWSError as error:
        # Events have Lambda's codes: botocore knows nothing of what is signed for `execute-api`.
        code, message = faults.told(error, "lambda", models.service("lambda").operation("Invoke").protocol)
        raise NotSigned(code, message) from error
    progress.identity, progress.recipient = identity, None
    return identity


def decide(runtime: Runtime, progress: Progress, identity: Identity, region: str, targets: Sequence[Target]) -> None:
    """Decide whether somebody may invoke all of these; Denied when they may not, unless denials are only told."""
    request = progress.request
    snapshot, now = runtime.store.snapshot(), runtime.clock.seconds()
    progress.view = snapshot

    def of_request() -> context.Context:
        return context.of_request(request, region, now)

    try:
        progress.verdicts = authorize(identity, snapshot, INVOKE, targets, of_request, now)
    except Denied as denied:
        if runtime.settings.enforce != "soft" or identity is ANONYMOUS:
            raise
        progress.verdicts = denied.verdicts
        progress.notes = {"additionalEventData": {"iamdWouldDeny": denied.message}}
