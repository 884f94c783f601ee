"""Records of what jobs found: reports of credentials and of last accesses, deletions of service-linked roles."""

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from iamd.store.records import Index, Record


class CredentialReport(Record, frozen=True, kw_only=True, omit_defaults=True):
    """The newest credential report of an account, which has one."""

    kind = "credential-report"
    KEY: ClassVar[str] = "newest"
    generated: int
    content: str
    """The CSV."""

    @property
    def key(self) -> str:
        return self.KEY


class AccessReport(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What was last asked of each service, as a job found it; the key is the job's id.

    `owner` is the caller that may see it, `subject` what it is of: an ARN, or a path in the organization with the id of
    a policy behind a blank when one was named. `content` is its entries, packed; a job that failed has an error.
    """

    kind = "access-report"
    job_id: str
    owner: str
    subject: str
    type: str
    created: int
    completed: int
    content: bytes = b""
    error_code: str | None = None
    error_message: str | None = None

    indexes: ClassVar[Mapping[str, Index]] = {"owner": lambda report: (report.owner,)}

    @property
    def key(self) -> str:
        return self.job_id


class RoleUsage(msgspec.Struct, frozen=True):
    """Resources in one Region that a service-linked role is used for."""

    region: str
    resources: tuple[str, ...]


class DeletionTask(Record, frozen=True, kw_only=True, omit_defaults=True):
    """The deletion of a service-linked role; the key is the task id."""

    kind = "deletion-task"
    deletion_task_id: str
    role_arn: str
    status: str
    created: int
    reason: str | None = None
    usages: tuple[RoleUsage, ...] = ()
    """What still needs the role, of a task that failed."""

    @property
    def key(self) -> str:
        return self.deletion_task_id
