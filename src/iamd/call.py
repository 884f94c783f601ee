"""Call: who asks, when, the state that is asked, and the open change of a writing operation."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from iamd.auth.identity import Identity
from iamd.auth.sealing import Keyring
from iamd.clock import Clock
from iamd.federation.issuers import Issuers
from iamd.http import HttpRequest
from iamd.notices import Notice
from iamd.store.account import Account, Snapshot
from iamd.store.change import Change
from iamd.store.log import Use
from iamd.store.records import AccessKey, Record, Role
from iamd.store.report_records import RoleUsage
from iamd.store.store import Store
from iamd.vpc_endpoint import VpcEndpoint


@dataclass(frozen=True, slots=True)
class LastUsed:
    """When the caller's account's keys and roles were last used."""

    store: Store
    account_id: str

    def access_key(self, access_key_id: str) -> Use | None:
        """The last use of a long-term access key."""
        return self.store.last_used(self.account_id, AccessKey.kind, access_key_id)

    def role(self, role_id: str) -> Use | None:
        """The last use of a role, by any of its sessions."""
        return self.store.last_used(self.account_id, Role.kind, role_id)


def _no_endpoint(_account_id: str, _instance_id: str) -> str | None:
    return None


async def _unused(_role: Role, _account_id: str) -> tuple[RoleUsage, ...] | None:
    return ()


async def _no_codes(_account_id: str, _pool_id: str) -> list[dict[str, Any]] | None:
    return None


def _not_refused(_notice: Notice) -> str | None:
    return None


def _no_vpc_endpoint(_id: str, _service: str) -> VpcEndpoint | None:
    return None


class Call(msgspec.Struct):
    """Every operation's first argument.

    `view` is the whole state: a snapshot, or the change that a writing operation makes. `now` is whole seconds since
    the epoch by iamd's clock. `prepared` is what the operation's `prepare` made before the write began. `notes` are
    further members of the audit event, by CloudTrail's names (`resources`, `additionalEventData` ...). `issuers` asks
    identity providers for their keys; `issuer_url` is what the setting of that name says, and `workload_seconds` what
    `workload_session_seconds` does.
    """

    identity: Identity
    request: HttpRequest
    service: str
    operation: str
    region: str
    now: int
    clock: Clock
    keyring: Keyring
    store: Store
    issuers: Issuers
    issuer_url: str | None
    workload_seconds: int
    view: Snapshot | Change
    metadata_endpoint: Callable[[str, str], str | None] = _no_endpoint
    """The address of the metadata of an account's running instance; None when there is no such instance."""
    refused_topic: Callable[[Notice], str | None] = _not_refused
    """Why nothing can be published to a topic; None when it can be, or when there is no backend for topics."""
    role_usages: Callable[[Role, str], Awaitable[tuple[RoleUsage, ...] | None]] = _unused
    """What an account's service-linked role is still used for; None when that can't be known."""
    user_codes: Callable[[str, str], Awaitable[list[dict[str, Any]] | None]] = _no_codes
    """The codes that users of an account's user pool could use now; None where iamd knows of no such pool."""
    stacks: Callable[[], object] | None = None
    """Gives what works on the stacks of CloudFormation in this process; `iamd.stacks` knows it."""
    made_for: str | None = None
    """The resource of the service that makes the request, where one does: a stack that makes another one."""
    vpc_endpoint: Callable[[str, str], VpcEndpoint | None] = _no_vpc_endpoint
    """The VPC endpoint of an id for a service; None when requests come through none such."""
    prepared: Any = None
    notes: dict[str, Any] = {}
    notices: list[Notice] = []
    """What is published when the write is durable."""

    @property
    def last_used(self) -> LastUsed:
        """When the caller's account's keys and roles were last used."""
        return LastUsed(self.store, self.identity.account_id)

    @property
    def account(self) -> Account:
        """The caller's account, with what this call has written."""
        return self.account_of(self.identity.account_id)

    def account_of(self, account_id: str) -> Account:
        """An account by its number; an empty one when this server has no such account."""
        return self.view.account(account_id) or Account(account_id)

    @property
    def change(self) -> Change:
        """The open change; only a writing operation has one."""
        if not isinstance(self.view, Change):
            raise TypeError(f"{self.operation} is registered as reading")
        return self.view

    def put(self, record: Record) -> None:
        """Write a record of the caller's account."""
        self.change.put(self.identity.account_id, record)

    def delete(self, record: Record) -> None:
        """Delete a record of the caller's account."""
        self.change.delete(self.identity.account_id, record)
