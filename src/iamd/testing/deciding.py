"""One request and the policies in play, decided by the engine that decides real requests."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from iamd import arn
from iamd.policy import cases
from iamd.policy.request import lower
from iamd.testing.answers import Answer, answer
from iamd.testing.policies import Document, Documents, Levels, Reader, check

_ROLE: Final = re.compile(
    r"arn:(?P<partition>[^:]+):iam::(?P<account>[0-9]{12}):role/(?:.*/)?(?P<name>[^/]+)", re.DOTALL
)
_ACCOUNT: Final = re.compile(r"[0-9]{12}")


def decide(
    principal: str,
    action: str,
    resource: str = "*",
    *,
    identity: Documents = (),
    boundary: Document | None = None,
    session: Documents | None = None,
    resource_policy: Documents | None = None,
    scp: Levels | None = None,
    rcp: Levels | None = None,
    endpoint: Documents | None = None,
    context: Mapping[str, Any] | None = None,
    resource_account: str | None = None,
    folder: Path | None = None,
) -> Answer:
    """The decision on one request; ValueError for a policy that AWS would not store.

    `principal` is the ARN of a user, role, role session, federated user or root user, a service principal, or
    `anonymous`. None says that a type of policy is not in play. The resource's owner is the account in its ARN, or else
    the principal's. The context has `aws:PrincipalArn`, `aws:PrincipalAccount`, `aws:ResourceAccount` and a user's
    `aws:username` unless it says otherwise; what else a condition needs is to be given. Names of files are relative to
    `folder`; OSError tells of one that is not there.
    """
    caller, entity = _caller(principal)
    owner = resource_account if resource_account is not None else _account(resource) or _account(caller)
    files: dict[str, str] = {}
    read = Reader(folder or Path(), files)
    given = {
        "identity": read.documents(identity),
        "boundary": read.documents(boundary),
        "session": read.documents(session),
        "resource": read.documents(resource_policy),
        "vpce": read.documents(endpoint),
        "scp": read.levels(scp),
        "rcp": read.levels(rcp),
    }
    asked = {
        "principal": caller,
        "action": action,
        "resource": resource,
        "resource_account": owner,
        "context": _own_keys(caller, entity, owner) | _lowered(context or {}),
    }
    if entity is not None:
        asked["entity"] = entity
    policies = {name: one for name, one in given.items() if one is not None}
    case = cases.read({"request": asked, "policies": policies, "expected": ""})
    check(case, files)
    return answer(case.request, case.layers, files, principal)


def _caller(principal: str) -> tuple[str, str | None]:
    """Who calls, and of a role that is named by itself also which: a session of it calls."""
    role = _ROLE.fullmatch(principal)
    if role is None:
        return principal, None
    session = arn.assumed_role(role["account"], role["name"], "test")
    return session.replace(f"arn:{arn.PARTITION}:", f"arn:{role['partition']}:", 1), principal


def _account(text: str) -> str:
    parsed = arn.parse(text)
    return parsed.account if parsed is not None and _ACCOUNT.fullmatch(parsed.account) else ""


def _own_keys(caller: str, entity: str | None, owner: str) -> dict[str, Any]:
    parsed = arn.parse(caller)
    keys = {"aws:resourceaccount": owner} if owner else {}
    if parsed is None:
        return keys
    kind, _, name = parsed.resource.partition("/")
    user = {"aws:username": name.rpartition("/")[2]} if kind == "user" else {}
    # AWS: of a session the key is its role's ARN, of which the session's has no path.
    role = arn.iam(parsed.account, "role", "/", name.partition("/")[0]) if kind == "assumed-role" else caller
    own = {"aws:principalarn": entity or role}
    return keys | own | user | {"aws:principalaccount": parsed.account}


def _lowered(context: Mapping[str, Any]) -> dict[str, Any]:
    lowered = {lower(key): value for key, value in context.items()}
    if len(lowered) != len(context):
        raise ValueError("two keys of the context differ by case only, and are one key to AWS")
    return lowered
