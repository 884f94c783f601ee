"""Trust policies of roles: whom they may name, unique ids where the record keeps them, ARNs where they are shown."""

import json
import re
from collections.abc import Callable
from typing import Any

from iamd import arn
from iamd.arn import Arn
from iamd.call import Call
from iamd.services.iam import entities, policy_documents
from iamd.services.iam.errors import MalformedPolicyDocument
from iamd.store.account import Account, Snapshot
from iamd.store.change import Change
from iamd.store.records import Role, User

ACCOUNT_ID = re.compile(r"[0-9]{12}")
SESSION_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{2,64}")
UNIQUE_ID = re.compile(r"(?:AIDA|AROA)[A-Z0-9]{17}")

View = Snapshot | Change


def stored(call: Call, text: str) -> str:
    """`text` with unique ids for the users and roles it trusts, or MalformedPolicyDocument.

    AWS: the ARN of a user or role in a trust policy becomes its unique id when the policy is saved, so that a later
    namesake gains nothing (IAM User Guide, "Principal", reference_policies_elements_principal).
    """
    policy_documents.check_trust(text)
    return _mapped(text, lambda member, value: _stored(call.view, member, value))


def shown(call: Call, role: Role) -> str:
    """The role's trust policy with the ARNs of those whom it trusts; the deleted stay unique ids."""
    return _mapped(role.trust_policy, lambda member, value: _shown(call.view, member, value))


def _mapped(text: str, change: Callable[[str, str], str]) -> str:
    """The document with each principal as `change` gives it for its member and value; the bare `"*"` is ("*", "*").

    AWS stores a trust policy anew as well, without the white space it came with. A number with a fraction becomes its
    text, which conditions compare as the same.
    """
    document = json.loads(text, parse_float=str)
    statements = document["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        statement["Principal"] = _mapped_element(statement["Principal"], change)
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def _mapped_element(element: Any, change: Callable[[str, str], str]) -> Any:
    if isinstance(element, str):
        return change("*", element)
    return {
        member: [change(member, one) for one in value] if isinstance(value, list) else change(member, value)
        for member, value in element.items()
    }


def _stored(view: View, member: str, value: str) -> str:
    match member:
        case "*":
            # AWS takes {"AWS": "*"} here, and refuses the same without its member in these words.
            raise MalformedPolicyDocument('AssumeRolepolicy contained an invalid principal: "STAR":"*".')
        case "AWS":
            kept = _identity(view, value)
        case "Service" | "Federated":
            # Their form was checked. AWS: what a provider's ARN names is looked up when a role is assumed, not here.
            kept = value
        case _:
            kept = None
    if kept is None:
        raise MalformedPolicyDocument(f'Invalid principal in policy: "{member.upper()}":"{value}"')
    return kept


def _identity(view: View, value: str) -> str | None:
    """What is kept for an `AWS` principal: an account's ARN, a unique id, a session's ARN; None for nobody."""
    if value == "*":
        return value
    if ACCOUNT_ID.fullmatch(value):
        return arn.root(value) if view.account(value) is not None else None
    if UNIQUE_ID.fullmatch(value):
        return value if _entity(view, value) is not None else None
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


def _shown(view: View, member: str, value: str) -> str:
    if member != "AWS" or not UNIQUE_ID.fullmatch(value):
        return value
    return _entity(view, value) or value


def _entity(view: View, unique_id: str) -> str | None:
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
