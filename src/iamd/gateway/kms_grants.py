"""Who may retire a grant of KMS: whom the grant names, and the account of the key.

AWS: KMS Developer Guide, "Retiring and revoking grants" (grant-delete): the key policy does not matter, principals that
the grant names need no permission, and accounts delegate `kms:RetireGrant` by identity policies, which may deny it too.
"""

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec
from msgspec.structs import replace

from iamd import arn as arns
from iamd.authz.target import Target
from iamd.gateway import policy_principals
from iamd.gateway.actions.asked import Asked
from iamd.gateway.resources import Facts
from iamd.services.iam.principal_ids import View

_RETIRES: Final = "retires:"
"""What begins the fact who may retire a grant, before its id."""


class Retiring(NamedTuple):
    """Whom a grant lets retire it: its retiring principal, and its grantee where that has the operation."""

    principal: str | None
    grantee: str | None


def told(given: Mapping[str, Any], grant_id: str) -> dict[str, str]:
    """The fact that a grant which was made comes to; nothing when it lets nobody retire it."""
    grantee = given.get("GranteePrincipal") if "RetireGrant" in given["Operations"] else None
    found = Retiring(given.get("RetiringPrincipal"), grantee)
    return {_RETIRES + grant_id: json.dumps(found)} if any(found) else {}


def of(grant_id: str | None, known: Mapping[str, str]) -> Retiring:
    """Who may retire a grant, as far as iamd knows."""
    text = known.get(f"{_RETIRES}{grant_id}")
    return msgspec.json.decode(text, type=Retiring) if text is not None else Retiring(None, None)


def without(known: Mapping[str, str], grant_id: str) -> dict[str, str]:
    """What is known of a key without who may retire one of its grants."""
    return {name: text for name, text in known.items() if name != _RETIRES + grant_id}


def with_ids(found: Mapping[str, str], view: View) -> Mapping[str, str]:
    """The facts of a key, with the users and roles who may retire grants by their ids."""
    return {name: _with_ids(text, view) if name.startswith(_RETIRES) else text for name, text in found.items()}


def _with_ids(text: str, view: View) -> str:
    named = msgspec.json.decode(text, type=Retiring)
    return json.dumps([policy_principals.settled_one(one, view) if one else None for one in named])


def to_retire(targets: list[Target], asked: Asked, facts: Facts) -> list[Target]:
    """The key as RetireGrant is decided on: by the grant in place of the key policy."""
    key = targets[0]
    named = of(asked.parameters.get("GrantId"), facts.known(key.arn))
    everybody = [one for one in (*named, arns.root(key.account or asked.account)) if one]
    statement = {"Effect": "Allow", "Principal": {"AWS": everybody}, "Action": "kms:RetireGrant", "Resource": "*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return [replace(key, policies=(text,), kms_key=True)]
