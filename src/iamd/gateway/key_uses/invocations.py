"""Whether Lambda can decrypt a function's environment variables with its execution role when the function is to run.

AWS: Lambda Developer Guide, "Securing Lambda environment variables" (configuration-envvars-encryption): the role needs
no permission of its own, for Lambda has made a grant for its session; Lambda API Reference, Invoke: Errors.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from iamd import arn as arns
from iamd import ids, service_sessions
from iamd.auth import credentials
from iamd.auth.identity import Identity
from iamd.errors import AWSError, CommonError
from iamd.gateway.actions.asked import Asked
from iamd.gateway.backends import Place
from iamd.gateway.deciding import Step
from iamd.gateway.key_uses.functions import FUNCTION
from iamd.gateway.key_uses.refusals import by_kms
from iamd.gateway.key_uses.use import DECRYPT, Use
from iamd.gateway.resources import Facts
from iamd.gateway.traits import of as traits_of
from iamd.http import HttpRequest
from iamd.pipeline import Progress
from iamd.runtime import Runtime
from iamd.store.account import Snapshot
from iamd.wire import models
from iamd.wire.route import Route

_LONGEST_NAME: Final = 64


class Variables(msgspec.Struct, frozen=True):
    """Whose variables they are: the function's ARN, its role's, and the key, None for Lambda's own."""

    function: str
    role: str
    key: str | None

    @property
    def place(self) -> tuple[str, str, str]:
        """The account, Region and name of the function."""
        _, _, _, region, account, _, name, *_ = self.function.split(":")
        return account, region, name


class KMSAccessDenied(AWSError):
    """The role may not decrypt."""

    code = "KMSAccessDeniedException"
    status = 502


class KMSDisabled(AWSError):
    """The key is disabled."""

    code = "KMSDisabledException"
    status = 502


class KMSInvalidState(AWSError):
    """The key can't be used as it is."""

    code = "KMSInvalidStateException"
    status = 502


class KMSNotFound(AWSError):
    """There is no such key."""

    code = "KMSNotFoundException"
    status = 502


_WHY: Final[Mapping[str, tuple[type[AWSError], str]]] = {
    "DisabledException": (KMSDisabled, "the KMS key used is disabled"),
    "KMSInvalidStateException": (KMSInvalidState, "the state of the KMS key used is not valid for Decrypt"),
}


def refused(error: AWSError) -> AWSError:
    """KMS's refusal as Lambda tells it to who invokes."""
    kind, why = _WHY.get(error.code, (KMSNotFound, "the KMS key was not found"))
    if isinstance(error, CommonError):
        kind, why = KMSAccessDenied, "KMS access was denied"
    words = f"Lambda was unable to decrypt the environment variables because {why}."
    return kind(f"{words} Please check the function's KMS key settings. {by_kms(error)}")


def session(variables: Variables, view: Snapshot, now: int) -> Identity | None:
    """The session of the role in which the function would run; None when there is no such role."""
    role = service_sessions.role_of(view, variables.role)
    return credentials.session_now(*role, variables.place[2][:_LONGEST_NAME], now) if role is not None else None


def step(variables: Variables, place: Place, facts: Facts, runtime: Runtime) -> Step:
    """What the gateway knows of the invocation, which may be nobody's request."""
    account, region, name = variables.place
    operation = models.service("lambda").operation("Invoke")
    request = HttpRequest(ids.request_id(), "POST", b"/", b"", [], b"", "")
    progress = Progress(request, None, Route(operation), None, {"FunctionName": name}, view=facts.view, region=region)
    now = runtime.clock.machine_timestamp()
    asked = Asked(operation, progress.parameters, account, region, None, now, facts.known, facts.named)
    return Step(progress, asked, place, facts, [], traits_of(operation), frozenset())


def use(variables: Variables, identity: Identity) -> Use:
    """What is asked of KMS."""
    account, region, _ = variables.place
    parsed = arns.parse(variables.key) if variables.key is not None else None
    return Use(
        action=DECRYPT,
        key=variables.key,
        account=parsed.account if parsed is not None else account,
        region=region,
        context={FUNCTION: variables.function},
        granted=identity.arn,
    )
