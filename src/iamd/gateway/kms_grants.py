"""Who may retire a grant of KMS, as requests tell it, and as RetireGrant is decided by it (authz/kms_grants.py)."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from iamd import arn as arns
from iamd.authz import kms_grants
from iamd.authz.kms_grants import RETIRES, Retiring
from iamd.authz.target import Target
from iamd.gateway import policy_principals
from iamd.gateway.actions.asked import Asked
from iamd.gateway.resources import Facts
from iamd.services.iam.principal_ids import View


def told(given: Mapping[str, Any], grant_id: str) -> dict[str, str]:
    """The fact that a grant which was made comes to; nothing when it lets nobody retire it."""
    grantee = given.get("GranteePrincipal") if "RetireGrant" in given["Operations"] else None
    found = Retiring(given.get("RetiringPrincipal"), grantee)
    return {RETIRES + grant_id: json.dumps(found)} if any(found) else {}


def without(known: Mapping[str, str], grant_id: str) -> dict[str, str]:
    """What is known of a key without who may retire one of its grants."""
    return {name: text for name, text in known.items() if name != RETIRES + grant_id}


def with_ids(found: Mapping[str, str], view: View) -> Mapping[str, str]:
    """The facts of a key, with the users and roles who may retire grants by their ids."""
    return {name: _with_ids(text, view) if name.startswith(RETIRES) else text for name, text in found.items()}


def _with_ids(text: str, view: View) -> str:
    named = msgspec.json.decode(text, type=Retiring)
    return json.dumps([policy_principals.settled_one(one, view) if one else None for one in named])


def to_retire(targets: list[Target], asked: Asked, facts: Facts) -> list[Target]:
    """The key as RetireGrant is decided on: by the grant in place of the key policy."""
    key = targets[0]
    named = kms_grants.retiring(asked.parameters.get("GrantId"), facts.known(key.arn))
    everybody = [one for one in (*named, arns.root(key.account or asked.account)) if one]
    return [replace(key, policies=(kms_grants.retirement(everybody),), kms_key=True)]
