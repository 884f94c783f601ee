"""Trust policies of roles: whom they may name, unique ids where the record keeps them, ARNs where they are shown."""

import json
from collections.abc import Callable
from typing import Any

from iamd.call import Call
from iamd.services.iam import policy_documents, principal_ids
from iamd.services.iam.errors import MalformedPolicyDocument
from iamd.services.iam.principal_ids import View
from iamd.store.records import Role

Statement = dict[str, Any]


def stored(call: Call, text: str) -> str:
    """`text` with unique ids for the users and roles it trusts, or MalformedPolicyDocument.

    AWS: the ARN of a user or role in a trust policy becomes its unique id when the policy is saved, so that a later
    namesake gains nothing (IAM User Guide, "Principal", reference_policies_elements_principal).
    """
    policy_documents.check_trust(text)
    return _mapped(text, lambda member, value: _stored(call.view, member, value))


def shown(call: Call, role: Role) -> str:
    """The role's trust policy with the ARNs of those whom it trusts; the deleted stay unique ids.

    AWS: whatever the order in which a policy was given, each statement is shown as its effect, its principals and its
    actions, and one item without a list (recorded answers to GetRole, ListRoles and UpdateRoleDescription, 2026).
    """
    return _mapped(role.trust_policy, lambda member, value: _shown(call.view, member, value), _normal)


def _mapped(
    text: str, change: Callable[[str, str], str], form: Callable[[Statement], Statement] = lambda statement: statement
) -> str:
    """The document with each principal as `change` gives it for its member and value; the bare `"*"` is ("*", "*").

    AWS stores a trust policy anew as well, without the white space it came with. A number with a fraction becomes its
    text, which conditions compare as the same.
    """
    document = json.loads(text, parse_float=str)
    statements = document["Statement"]

    def mapped(statement: Statement) -> Statement:
        return form(statement | {"Principal": _mapped_element(statement["Principal"], change)})

    is_list = isinstance(statements, list)
    document["Statement"] = [mapped(one) for one in statements] if is_list else mapped(statements)
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def _normal(statement: Statement) -> Statement:
    principal = statement["Principal"]
    if isinstance(principal, dict):
        principal = {member: _one(value) for member, value in principal.items()}
    first = {name: statement[name] for name in ("Sid", "Effect") if name in statement}
    actions = {name: _one(statement[name]) for name in ("Action", "NotAction") if name in statement}
    return (
        first
        | {"Principal": principal}
        | actions
        | {name: value for name, value in statement.items() if name not in {*first, "Principal", *actions}}
    )


def _one(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


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
            kept = principal_ids.kept(view, value)
        case "Service" | "Federated":
            # Their form was checked. AWS: what a provider's ARN names is looked up when a role is assumed, not here.
            kept = value
        case _:
            kept = None
    if kept is None:
        raise MalformedPolicyDocument(f'Invalid principal in policy: "{member.upper()}":"{value}"')
    return kept


def _shown(view: View, member: str, value: str) -> str:
    return principal_ids.shown(view, value) if member == "AWS" else value
