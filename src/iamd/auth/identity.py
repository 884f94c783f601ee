"""Identity: who makes a request, once the proof has been checked."""

from typing import TYPE_CHECKING

import msgspec

from iamd import arn
from iamd.auth.tokens import SessionKind
from iamd.data import regional_principals
from iamd.policy.request import PrincipalKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iamd.auth.tokens import Session
    from iamd.federation.proof import Federation

ANONYMOUS_ID = "anonymous"


class Service(msgspec.Struct, frozen=True):
    """An AWS service that asks for itself: its principal, the account it acts for, and the resource of that account.

    `session_keys` are condition keys that sessions carry which it begins. `ancestors` is what they derive from, when
    somebody had it begin them.
    """

    name: str
    source_account: str
    source_arn: str | None = None
    session_keys: "Mapping[str, str]" = {}
    ancestors: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every name of its principal, `name` first, in the Region of the resource that it acts for."""
        acts_for = arn.parse(self.source_arn) if self.source_arn is not None else None
        return regional_principals.names(self.name, acts_for.region if acts_for is not None else "")


class Identity(msgspec.Struct, frozen=True):
    """The caller. `arn` and `user_id` are what GetCallerIdentity shows, `aws:userid` included.

    `entity_id` is the unique id (AIDA..., AROA...) of the IAM user or role behind it, `entity_arn` that entity's ARN
    with its path, `name` its name; all None for root, service principals and the anonymous.
    """

    kind: PrincipalKind
    account_id: str
    arn: str
    user_id: str
    entity_id: str | None = None
    entity_arn: str | None = None
    name: str | None = None
    access_key_id: str | None = None
    session: "Session | None" = None
    federation: "Federation | None" = None
    """What an identity provider has proven of the caller of an AssumeRoleWith... operation."""
    service: Service | None = None
    """The service that asks, where one does."""
    invoked_by: str | None = None
    """The service that makes the request, for the caller or in a session of a role of its own."""
    called_via: tuple[str, ...] = ()
    """The services through which the caller asks, the first one first; none where a role of the service's own asks."""

    @property
    def asks_in(self) -> str:
        """The account that it asks in: its own, or that which a service acts for; empty for those who have none."""
        return self.service.source_account if self.service is not None else self.account_id

    @property
    def is_root(self) -> bool:
        """Whether the caller is an account's root user."""
        return self.kind is PrincipalKind.ROOT

    @property
    def is_assumed_root(self) -> bool:
        """Whether the caller is an account's root user by AssumeRoot, which others may call."""
        return self.session is not None and self.session.kind is SessionKind.ROOT


def federated(federation: "Federation", account_id: str, user_id: str) -> Identity:
    """The unsigned caller for whom an identity provider vouches, before a role of this account."""
    return Identity(PrincipalKind.FEDERATED, account_id, "", user_id, name=federation.name, federation=federation)


def of_service(service: Service) -> Identity:
    """A service, as the caller of what it asks for."""
    return Identity(PrincipalKind.SERVICE, "", "", service.name, service=service)


ANONYMOUS = Identity(PrincipalKind.ANONYMOUS, "", "", ANONYMOUS_ID)
"""A request that nobody signed."""
TAKING_UNSIGNED = frozenset({"s3", "sns", "sqs"})
"""AWS: only these take requests that nobody signed; all others refuse them before any policy is looked at."""


def root_user(account_id: str, access_key_id: str | None = None) -> Identity:
    """The root user of an account."""
    return Identity(PrincipalKind.ROOT, account_id, arn.root(account_id), account_id, access_key_id=access_key_id)
