"""S3's access control lists as decisions see them: whom a bucket's or an object's lets do what.

AWS: S3 User Guide, "Access control list (ACL) overview", "Mapping of ACL permissions and access policy permissions",
and "Controlling ownership of objects and disabling ACLs for your bucket". What a list gives to an account is the
account's to hand on: its users and roles need policies that allow it.
"""

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec
from msgspec.structs import replace

from iamd import arn as arns
from iamd.auth.identity import Identity
from iamd.authz import canonical_ids
from iamd.authz.public_access import NOBODY
from iamd.authz.target import Target
from iamd.policy import syntax
from iamd.policy.request import PrincipalKind
from iamd.policy.syntax import SyntaxProblem
from iamd.store.account import Snapshot
from iamd.store.change import Change

ENFORCED: Final = "BucketOwnerEnforced"
PREFERRED: Final = "BucketOwnerPreferred"
WRITER: Final = "ObjectWriter"
NO_CONTROLS: Final = "-"
"""The settings of a bucket's object ownership; the last is a bucket whose controls were deleted: as ObjectWriter."""

OWNERSHIP: Final = "object_ownership"
OWNERSHIP_PENDING: Final = "object_ownership_pending"
ACL: Final = "acl"
ACL_PENDING: Final = "acl_pending"
"""The facts of a bucket: both settings, and both lists, while it is not known which of two is in force."""

ALL_USERS: Final = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED_USERS: Final = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
LOG_DELIVERY: Final = "http://acs.amazonaws.com/groups/s3/LogDelivery"
GROUPS: Final = frozenset({ALL_USERS, AUTHENTICATED_USERS, LOG_DELIVERY})
PUBLIC: Final = frozenset({ALL_USERS, AUTHENTICATED_USERS})
FULL_CONTROL: Final = "FULL_CONTROL"
PERMISSIONS: Final = frozenset({FULL_CONTROL, "READ", "READ_ACP", "WRITE", "WRITE_ACP"})

ON_BUCKET: Final[Mapping[str, frozenset[str]]] = {
    "READ": frozenset({"s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:ListBucketVersions"}),
    "WRITE": frozenset({"s3:PutObject"}),
    "READ_ACP": frozenset({"s3:GetBucketAcl"}),
    "WRITE_ACP": frozenset({"s3:PutBucketAcl"}),
}
ON_OBJECT: Final[Mapping[str, frozenset[str]]] = {
    "READ": frozenset({"s3:GetObject", "s3:GetObjectVersion"}),
    "READ_ACP": frozenset({"s3:GetObjectAcl", "s3:GetObjectVersionAcl"}),
    "WRITE_ACP": frozenset({"s3:PutObjectAcl", "s3:PutObjectVersionAcl"}),
}

_SEPARATOR: Final = "|"


class Grant(NamedTuple):
    """What a list gives to an account, by its canonical user id, or to a group, by its URI."""

    permission: str
    grantee: str


class Acl(msgspec.Struct, frozen=True):
    """A list: who owns what it is of, by the canonical user id, and what it gives."""

    owner: str
    grants: tuple[Grant, ...]

    @property
    def text(self) -> str:
        """The list as iamd keeps it, without spaces."""
        return _SEPARATOR.join([self.owner, *(f"{one.permission}={one.grantee}" for one in self.grants)])

    @property
    def gives_to_others(self) -> bool:
        """Whether it gives anything to anybody but the owner."""
        return any(one.grantee != self.owner for one in self.grants)

    def without(self, grantees: Iterable[str]) -> "Acl":
        """The list without what it gives to these."""
        return Acl(self.owner, tuple(one for one in self.grants if one.grantee not in grantees))


def private(owner: str) -> Acl:
    """The list of what is its owner's alone."""
    return Acl(owner, (Grant(FULL_CONTROL, owner),))


@lru_cache(maxsize=1024)
def read(text: str) -> Acl:
    """The list of a text that iamd keeps."""
    owner, *grants = text.split(_SEPARATOR)
    return Acl(owner, tuple(Grant(*one.split("=", 1)) for one in grants))


def settings(known: Mapping[str, str]) -> tuple[str, ...]:
    """The settings of a bucket's ownership, of which any may be in force; none where iamd has not seen it set."""
    settled = known.get(OWNERSHIP)
    if settled is None and OWNERSHIP_PENDING not in known:
        return ()
    found = (settled,) if settled is not None else (ENFORCED,)
    return (*found, known[OWNERSHIP_PENDING]) if OWNERSHIP_PENDING in known else found


def may_have_acls(known: Mapping[str, str]) -> bool:
    """Whether objects of a bucket may be another account's."""
    return known.get(OWNERSHIP, ENFORCED) != ENFORCED or known.get(OWNERSHIP_PENDING, ENFORCED) != ENFORCED


def has_acls(known: Mapping[str, str]) -> bool:
    """Whether lists are certain to count."""
    found = settings(known)
    return bool(found) and ENFORCED not in found


def of_bucket(known: Mapping[str, str]) -> tuple[Acl, ...]:
    """The lists of a bucket of which each must allow; none where none counts, and where none was seen set."""
    if not has_acls(known) or ACL not in known:
        return ()
    return tuple(read(known[name]) for name in (ACL, ACL_PENDING) if name in known)


def granted(
    lists: tuple[Acl, ...], identity: Identity, view: Snapshot | Change, *, ignores_public: bool
) -> frozenset[str]:
    """The permissions that each of these lists gives to a caller; none for no list."""
    if not lists:
        return frozenset()
    names = _names(identity, view)
    names = names - PUBLIC if ignores_public else names
    found = [
        frozenset(permission for one in acl.grants if one.grantee in names for permission in _all(one)) for acl in lists
    ]
    return frozenset.intersection(*found)


def _all(grant: Grant) -> tuple[str, ...]:
    return ("READ", "READ_ACP", "WRITE", "WRITE_ACP") if grant.permission == FULL_CONTROL else (grant.permission,)


def _names(identity: Identity, view: Snapshot | Change) -> frozenset[str]:
    """The grantees that a caller is; AWS's services are none."""
    if identity.kind is PrincipalKind.ANONYMOUS:
        return frozenset({ALL_USERS})
    if not identity.account_id:
        return frozenset()
    return frozenset({ALL_USERS, AUTHENTICATED_USERS, canonical_ids.of_account(identity.account_id, view)})


def actions(permissions: frozenset[str], mapping: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """What the permissions of a list allow."""
    return frozenset(action for one in permissions for action in mapping.get(one, ()))


def opened(target: Target, identity: Identity, allowed: Iterable[str]) -> Target:
    """The target with what a list allows this caller beside its policies."""
    names = tuple(sorted(allowed))
    if not names:
        return target
    principal = "*" if identity.kind is PrincipalKind.ANONYMOUS else identity.account_id
    return replace(target, policies=(*target.policies, _policy(principal, names)))


@lru_cache(maxsize=1024)
def _policy(principal: str, names: tuple[str, ...]) -> str:
    """What a list says, as a policy: it names the account, never one of its users or roles."""
    statement: dict[str, Any] = {
        "Sid": "AccessControlList",
        "Effect": "Allow",
        "Principal": "*" if principal == "*" else {"AWS": arns.root(principal)},
        "Action": list(names),
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def denying(policies: tuple[str, ...]) -> tuple[str, ...]:
    """What the policies of a bucket say of objects that are another account's: they can deny, and allow nothing.

    AWS: S3 User Guide, "How Amazon S3 authorizes a request for an object operation": the bucket's owner can refuse what
    another owns.
    """
    return tuple(text for one in policies if (text := _denials(one)) is not None)


@lru_cache(maxsize=256)
def _denials(text: str) -> str | None:
    try:
        document = syntax.read(text)
    except SyntaxProblem:
        # SECURITY: of what can't be read nobody knows what it denies.
        return NOBODY
    found = [text[one.start : one.end] for one in document.statements if one.members.get("Effect") != "Allow"]
    version = json.dumps(document.members.get("Version", "2008-10-17"))
    return f'{{"Version": {version}, "Statement": [{", ".join(found)}]}}' if found else None
