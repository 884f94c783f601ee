"""`AWS` principals of policies as AWS keeps them: users and roles by their unique ids, shown as ARNs while they live.

AWS: the ARN of a user or role in a policy becomes its unique id when the policy is saved, so that a later namesake
gains nothing; whom nobody finds can't be named (IAM User Guide, "Principal", reference_policies_elements_principal).
"""

import re

from iamd import arn
from iamd.arn import Arn
from iamd.services.iam import entities
from iamd.store.account import Account, Snapshot
from iamd.store.change import Change
from iamd.store.records import Role, User

ACCOUNT_ID = re.compile(r"[0-9]{12}")
SESSION_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{2,64}")
UNIQUE_ID = re.compile(r"(?:AIDA|AROA)[A-Z0-9]{17}")

View = Snapshot | Change


def kept(view: View, value: str) -> str | None:
    """What is kept for an `AWS` principal: an account's ARN, a unique id, a session's ARN; None for nobody."""
    if value == "*":
        return value
    if ACCOUNT_ID.fullmatch(value):
        return arn.root(value) if view.account(value) is not None else None
    if UNIQUE_ID.fullmatch(value):
        return value if entity_arn(view, value) is not None else None
    named = arn.parse(value)
    if (
        named is None
        or (named.partition, named.region) != (arn.PARTITION, "")
        or not ACCOUNT_ID.fullmatch(named.account)
    ):
        return None
    account = view.account(named.account)
    if account is None:
        return None
    return _iam(account, named) if named.service == "iam" else _session(account, named)


def _iam(account: Account, named: Arn) -> str | None:
    if named.resource == "root":
        return str(named)
    kind, _, path_and_name = named.resource.partition("/")
    name = path_and_name.rpartition("/")[2]
    # SECURITY: the whole ARN must be the entity's own, its path and case included.
    if kind == "user":
        user = entities.user_in(account, name)
        return user.user_id if user is not None and entities.user_arn(account, user) == str(named) else None
    if kind == "role":
        role = entities.role_in(account, name)
        return role.role_id if role is not None and entities.role_arn(account, role) == str(named) else None
    return None


def _session(account: Account, named: Arn) -> str | None:
    """The ARN of a session that may come to be; it stays an ARN, since it names one session and no role."""
    kind, _, rest = named.resource.partition("/")
    if named.service != "sts":
        return None
    if kind == "federated-user":
        return str(named) if SESSION_NAME.fullmatch(rest) else None
    role_name, _, session_name = rest.partition("/")
    role = entities.role_in(account, role_name) if kind == "assumed-role" else None
    exists = role is not None and role.role_name == role_name
    return str(named) if exists and SESSION_NAME.fullmatch(session_name) else None


def shown(view: View, value: str) -> str:
    """What is shown for a kept principal: the ARN of a living user or role, else what was kept."""
    return (entity_arn(view, value) or value) if UNIQUE_ID.fullmatch(value) else value


def entity_arn(view: View, unique_id: str) -> str | None:
    """The ARN of the living user or role of this unique id, in whatever account."""
    for account_id in view.account_ids():
        account = view.account(account_id)
        if account is None:
            continue
        if (user := account.get(User, unique_id)) is not None:
            return entities.user_arn(account, user)
        if (role := account.get(Role, unique_id)) is not None:
            return entities.role_arn(account, role)
    return None
