"""The grants of a KMS key as decisions see them: each is a policy of its own beside the key's, and says who retires it.

AWS: KMS Developer Guide, "Grants in AWS KMS" and "Retiring and revoking grants" (grant-delete): the key policy does not
matter for it, principals that the grant names need no permission, and accounts delegate `kms:RetireGrant` by identity
policies, which may deny it too.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

import msgspec

from iamd import arn as arns
from iamd.policy.document import Policy
from iamd.store.account import Snapshot
from iamd.store.change import Change
from iamd.store.records import Resource

GRANT: Final = "grant:"
"""What begins the fact of a grant, the statement that it comes to, before its id."""
RETIRES: Final = "retires:"
"""What begins the fact who may retire a grant, before its id."""
RETIRING: Final = "kms:RetireGrant"
_ID: Final = "grant "


class Retiring(NamedTuple):
    """Whom a grant lets retire it: its retiring principal, and its grantee where that has the operation."""

    principal: str | None
    grantee: str | None


def retiring(grant_id: str | None, known: Mapping[str, str]) -> Retiring:
    """Who may retire a grant, as far as iamd knows."""
    text = known.get(f"{RETIRES}{grant_id}")
    return msgspec.json.decode(text, type=Retiring) if text is not None else Retiring(None, None)


def policies(known: Mapping[str, str]) -> tuple[str, ...]:
    """What the grants of a key allow, each as a policy."""
    return tuple(_granting(grant_id, known) for grant_id in _ids(GRANT, known))


def retirements(account: str, known: Mapping[str, str]) -> tuple[str, ...]:
    """Who may retire grants of a key, as policies: the key's account any, and whom a grant names that one."""
    named = (_naming(grant_id, known) for grant_id in _ids(RETIRES, known))
    return (retirement([arns.root(account)]), *named)


def retirement(principals: Iterable[str], grant_id: str | None = None) -> str:
    """A policy that lets these principals retire a grant."""
    statement = {"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": RETIRING, "Resource": "*"}
    return _policy(grant_id, json.dumps(statement))


def name_of(policy: Policy, arn: str, view: Snapshot | Change) -> str | None:
    """What people call the grant of a key that stands as this policy; None for every other policy."""
    if policy.id is None or not policy.id.startswith(_ID):
        return None
    found, grant_id = view.shared.get(Resource, arn), policy.id.removeprefix(_ID)
    # SECURITY: a key policy may say of itself that it is a grant.
    if found is None or policy.text not in {_granting(grant_id, found.facts), _naming(grant_id, found.facts)}:
        return None
    return f"{policy.id} of {arn}"


def _ids(beginning: str, known: Mapping[str, str]) -> Iterator[str]:
    return (name.removeprefix(beginning) for name in known if name.startswith(beginning))


def _granting(grant_id: str, known: Mapping[str, str]) -> str:
    return _policy(grant_id, known.get(GRANT + grant_id, ""))


def _naming(grant_id: str, known: Mapping[str, str]) -> str:
    return retirement([one for one in retiring(grant_id, known) if one], grant_id)


def _policy(grant_id: str | None, statement: str) -> str:
    identifier = f'"Id": "{_ID}{grant_id}", ' if grant_id is not None else ""
    return f'{{"Version": "2012-10-17", {identifier}"Statement": [{statement}]}}'
