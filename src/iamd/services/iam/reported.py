"""The content of access reports, and who may see them: what their operations share."""

import uuid
import zlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from iamd.call import Call
from iamd.services.iam.entities import moment
from iamd.services.iam.errors import NoSuchEntity
from iamd.store.report_records import AccessReport

IN_PROGRESS: Final = "IN_PROGRESS"
COMPLETED: Final = "COMPLETED"
FAILED: Final = "FAILED"

KEPT: Final = 100
"""How many reports of a caller are kept; the oldest go."""

KEPT_SECONDS: Final = 7 * 24 * 3600
"""How long a report is kept: each session is a caller of its own, so that their number alone bounds nothing."""


class ReportedAction(msgspec.Struct, frozen=True, array_like=True):
    """A tracked action that may be used, with its last use."""

    name: str
    time: int | None = None
    entity_arn: str | None = None
    region: str | None = None


class ReportedService(msgspec.Struct, frozen=True, array_like=True):
    """A service that may be used, with its last use.

    `entity` is who used it: an ARN, or in an organization's report an account's path. `entities` are the users and
    roles that may use it, by unique id, with when they last did.
    """

    namespace: str
    name: str
    time: int | None = None
    entity: str | None = None
    region: str | None = None
    total: int = 0
    actions: tuple[ReportedAction, ...] = ()
    entities: tuple[tuple[str, int | None], ...] = ()


_decode = msgspec.msgpack.Decoder(tuple[ReportedService, ...]).decode


def packed(services: Sequence[ReportedService]) -> bytes:
    """The entries of a report as its record keeps them."""
    return zlib.compress(msgspec.msgpack.encode(services))


def unpacked(report: AccessReport) -> tuple[ReportedService, ...]:
    """The entries of a report; one that failed has none."""
    return _decode(zlib.decompress(report.content)) if report.content else ()


def new_job_id() -> str:
    """A job's id."""
    return str(uuid.uuid4())


def owner_of(call: Call) -> str:
    """Who may see the reports that the caller makes.

    AWS: the same role within a session, or the same user (IAM API Reference, GetServiceLastAccessedDetails).
    """
    identity = call.identity
    if identity.session is not None and identity.access_key_id is not None:
        return identity.access_key_id
    return identity.user_id


def keep(call: Call, report: AccessReport) -> None:
    """Keep a report, and of its owner's others the newest; of all others those that are not too old."""
    for old in call.account.all(AccessReport):
        if _is_over(call, old):
            call.delete(old)
    call.put(report)
    own = sorted(call.account.find(AccessReport, "owner", report.owner), key=lambda one: (one.created, one.job_id))
    for old in own[:-KEPT]:
        call.delete(old)


def named(call: Call, job_id: str, *, types: Sequence[str]) -> AccessReport:
    """The caller's report of a job, or NoSuchEntity."""
    report = call.account.get(AccessReport, job_id)
    # SECURITY: what others asked for is theirs, whatever the caller's policies say.
    if report is None or report.owner != owner_of(call) or report.type not in types or _is_over(call, report):
        raise NoSuchEntity(f"Job {job_id} does not exist.")
    return report


def _is_over(call: Call, report: AccessReport) -> bool:
    return call.now >= report.created + KEPT_SECONDS


def status(call: Call, report: AccessReport) -> dict[str, Any]:
    """The members that say how far a job is."""
    created = {"JobCreationDate": moment(report.created)}
    if call.now < report.completed:
        return {"JobStatus": IN_PROGRESS, **created}
    state = COMPLETED if report.error_code is None else FAILED
    return {"JobStatus": state, **created, "JobCompletionDate": moment(report.completed)}


def is_done(call: Call, report: AccessReport) -> bool:
    """Whether a job has ended."""
    return call.now >= report.completed


def present(**members: str | datetime | None) -> dict[str, Any]:
    """The members that have a value."""
    return {name: value for name, value in members.items() if value is not None}


def seconds(time: int | None) -> datetime | None:
    """A time of a report as the wire has it, when there is one."""
    return None if time is None else moment(time)
