"""What is asked: one caller, one action, one resource, one set of condition keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from string import ascii_lowercase, ascii_uppercase
from sys import intern
from typing import Final

from iamd.policy.memo import of_short_texts

Context = Mapping[str, str | tuple[str, ...]]
"""Condition keys in lower case; a multivalued key holds a tuple, an absent key is absent."""


UNKNOWN: Final[tuple[str, ...]] = tuple(["a value that is not known"])  # noqa: C409 - equal literals may be one object
"""The value of a key that AWS would know and iamd does not; what rests on it allows nothing, and denies.

It is told by identity and never by what it holds.
"""

_ASCII_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)


@of_short_texts(8192)
def lower(text: str) -> str:
    """`text` with A-Z in lower case and every other character as it is.

    AWS compares actions and condition keys without case. Only ASCII letters fold: `str.lower` would turn KELVIN SIGN
    into `k` and so let another name match.
    """
    return text.translate(_ASCII_LOWER)


class PrincipalKind(StrEnum):
    """The kinds of caller that policy evaluation tells apart."""

    __hash__ = str.__hash__  # as equality; Enum's own is slow

    ROOT = "root"
    USER = "user"
    ROLE_SESSION = "role session"
    FEDERATED_USER = "federated user"
    """A session made by GetFederationToken."""
    SERVICE = "service"
    FEDERATED = "federated"
    """The unsigned caller of AssumeRoleWithSAML or AssumeRoleWithWebIdentity, known by its provider."""
    ANONYMOUS = "anonymous"


SIGNED = frozenset(
    {PrincipalKind.ROOT, PrincipalKind.USER, PrincipalKind.ROLE_SESSION, PrincipalKind.FEDERATED_USER},
)
"""Callers that belong to an account: they alone have identity policies and service control policies."""


ALWAYS: Mapping[str, frozenset[PrincipalKind]] = {
    "sts:getcalleridentity": SIGNED,
    "sts:getsessiontoken": frozenset({PrincipalKind.USER, PrincipalKind.ROOT}),
}
"""Actions that no policy can refuse, not even by an explicit deny.

AWS: STS API Reference, GetCallerIdentity; IAM User Guide, "Permissions for GetSessionToken"
(id_credentials_temp_control-access_getsessiontoken).
"""


NONE: Final = ":"
"""What equals no account and no partition; compiled code compares two texts faster than what may be None."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller, by every name that a Principal element may call it.

    `arn` is what a message calls the caller. `entity_arn` is the role (with its path) or user behind a session, and
    `unique_id` is the AIDA or AROA id of the user or role, of that same entity for a session.
    """

    kind: PrincipalKind
    account: str = ""
    arn: str = ""
    entity_arn: str | None = None
    unique_id: str | None = None
    service_names: tuple[str, ...] = ()
    provider: str | None = None
    canonical_id: str | None = None

    partition: str = field(init=False, repr=False, compare=False)
    """The partition of the caller's ARN, or an empty string for a caller without one."""
    own_account: str = field(init=False, repr=False, compare=False)
    """The account whose resources a caller reaches by identity policies alone: of a user or role session, or NONE."""

    def __post_init__(self) -> None:
        parts = self.arn.split(":", 2)
        # Of two texts that are one object the machine knows at once that they are equal.
        partition = intern(parts[1]) if len(parts) == 3 else ""
        object.__setattr__(self, "partition", partition)
        has_own = self.kind is PrincipalKind.USER or self.kind is PrincipalKind.ROLE_SESSION
        object.__setattr__(self, "own_account", self.account if has_own else NONE)


ANONYMOUS = Principal(PrincipalKind.ANONYMOUS)


@dataclass(slots=True)  # not frozen, which makes it four times as slow to make
class Request:
    """One evaluation, which nothing changes: `resource` is a full ARN, or `*` for an action that has no resource type.

    `resource_account` is the owner, told by the service: an S3 ARN does not carry it. With `any_of_kind` the `*` in the
    ARN stands for what nobody can tell of a resource that is there.
    """

    principal: Principal
    action: str
    resource: str
    resource_account: str
    context: Context
    any_of_kind: bool = False
