"""What is to be cut at once because somebody else has it: a key, a user or role, and all that derives from it."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from iamd import arn, ids
from iamd.auth.identity import Identity
from iamd.call import Call
from iamd.errors import AWSError
from iamd.services.iam import entities
from iamd.services.iam.access_keys import ROOT
from iamd.services.iamd.decisions import NoSuchPrincipal
from iamd.services.iamd.derived_sessions import Derived, Found, derived_sessions
from iamd.services.iamd.equivalents import not_denied
from iamd.services.registry import Target, operation
from iamd.store.errors import Unavailable
from iamd.store.records import GLOBAL, AccessKey, Quarantine, User

INACTIVE = "Inactive"


class NoSuchAccessKey(AWSError):
    """No access key of this id is in the caller's account."""

    code = "NoSuchAccessKey"


class CutsItself(AWSError):
    """The caller would be cut itself."""

    code = "CutsItself"


@dataclass(frozen=True, slots=True)
class Subject:
    """What is cut: what its sessions name it by, the ARN of its user or role, the keys that it has.

    A session is known by its access key alone, so it has no ARN here. `user_name` is how events name a user.
    """

    id: str
    type: str
    arn: str | None = None
    keys: tuple[AccessKey, ...] = ()
    user_name: str | None = None


def cut(call: Call, *, target: str) -> list[Target]:
    """The user or role, also of an access key; a session's key names none.

    Whoever may not make keys inactive, or revoke a role's sessions by a policy, may not cut them so.
    """
    key = call.account.get(AccessKey, target)
    named = _owner(call, key) if key is not None else target if arn.parse(target) is not None else "*"
    return [Target(arn=named), *(not_denied(call, action, named) for action in _LIKE_IT)]


_LIKE_IT = ("iam:UpdateAccessKey", "iam:PutRolePolicy", "iam:PutUserPolicy")


def sessions_of(call: Call, *, target: str) -> Found:
    """The sessions to show, looked up before the lock; one that begins meanwhile is cut too, and shown next time."""
    subject = _named(call, target)
    # While nothing can be stored, what was stored is still told.
    with suppress(Unavailable):
        call.store.flush()
    is_role = subject.type == "Role"
    return derived_sessions(
        call,
        Derived(
            keys=tuple(key.access_key_id for key in subject.keys) or ((subject.id,) if subject.arn is None else ()),
            role=(subject.id, subject.arn) if is_role and subject.arn is not None else None,
            user=(subject.id, subject.user_name) if subject.user_name is not None else None,
        ),
    )


@operation(on=cut, prepare=sessions_of)
def quarantine(call: Call, *, target: str) -> dict[str, Any]:
    """Cut an access key, or a user, role or root user, and every session that derives from it, in one transaction.

    Long-term keys become inactive. Sessions that began up to now are refused from now on, in every account, however
    many roles are between. What is cut already stays cut, and is shown again.
    """
    subject = _named(call, target)
    if subject.id in _lineage(call.identity):
        raise CutsItself("The credentials that this is asked with would be cut themselves; ask with others.")
    for key in subject.keys:
        if key.status != INACTIVE:
            call.put(replace(key, status=INACTIVE))
    # SECURITY: STS-07: the record stands under GLOBAL, for the sessions of other accounts that derive from this.
    call.change.put(GLOBAL, Quarantine(subject=subject.id, account_id=call.account.id, time=call.now))
    found: Found = call.prepared
    answer: dict[str, Any] = {"Cut": [*_shown(call, subject), *found.sessions]}
    return answer | ({"Truncated": True} if found.truncated else {})


def _named(call: Call, target: str) -> Subject:
    parsed = arn.parse(target)
    if parsed is not None:
        return _principal(call, parsed, target)
    key = call.account.get(AccessKey, target)
    if key is not None:
        return Subject(key.access_key_id, "AccessKey", _owner(call, key), (key,))
    if target.startswith(ids.TEMPORARY_KEY) and ids.account_of_key(target) == call.account.id:
        return Subject(target, "Session")
    raise NoSuchAccessKey(f"No access key {target} is in this account.")


def _principal(call: Call, parsed: arn.Arn, text: str) -> Subject:
    account = call.account
    name = parsed.resource.rpartition("/")[2]
    if text == arn.root(account.id):
        return Subject(account.id, "Root", text, tuple(account.find(AccessKey, "user", ROOT)), ROOT)
    user, role = entities.user_in(account, name), entities.role_in(account, name)
    if user is not None and entities.user_arn(account, user) == text:
        keys = tuple(account.find(AccessKey, "user", user.user_id))
        return Subject(user.user_id, "User", text, keys, user.user_name)
    if role is not None and entities.role_arn(account, role) == text:
        return Subject(role.role_id, "Role", text)
    raise NoSuchPrincipal(f"No principal {text} is in this account.")


def _owner(call: Call, key: AccessKey) -> str:
    user = call.account.get(User, key.user_id) if key.user_id is not None else None
    return entities.user_arn(call.account, user) if user is not None else arn.root(call.account.id)


def _lineage(identity: Identity) -> Sequence[str | None]:
    """The caller by all that it could be cut by."""
    ancestors = identity.session.ancestors if identity.session is not None else ()
    return (identity.access_key_id, identity.entity_id or identity.account_id, *ancestors)


def _shown(call: Call, subject: Subject) -> list[dict[str, Any]]:
    keys = [
        {"Type": "AccessKey", "AccessKeyId": key.access_key_id, "Arn": _owner(call, key), "Status": INACTIVE}
        for key in subject.keys
    ]
    if subject.type == "AccessKey":
        return keys
    if subject.arn is None:
        return []
    return [{"Type": subject.type, "Arn": subject.arn}, *keys]
