"""Policies and grants that an earlier iamd kept with the ARNs of users and roles: they are kept by unique ids instead.

It is done once, before anything is served. Who is there then is meant; whoever is not can't come back under the name.
"""

import re
from typing import Final

from msgspec.structs import replace

from iamd.gateway import kms_effects, policy_principals
from iamd.services.iam.principal_ids import View
from iamd.store.change import Change
from iamd.store.records import GLOBAL, Resource
from iamd.store.store import Store

_NAMED: Final = re.compile(r"arn:[^:\"]*:iam::[^:\"]*:(?:user|role)/")


async def settle(store: Store) -> None:
    """Write down anew what is kept by ARNs; nothing for a store that has none."""
    view = store.snapshot()
    if any(_by_ids(record, view) != record for record in view.shared.all(Resource)):
        await store.written(_settle)


def _settle(change: Change) -> None:
    for record in change.shared.all(Resource):
        kept = _by_ids(record, change)
        if kept != record:
            change.put(GLOBAL, kept)


def _by_ids(record: Resource, view: View) -> Resource:
    texts = [record.policy or "", record.pending_policy or "", *record.facts.values()]
    if not any(map(_NAMED.search, texts)):
        return record
    return replace(
        record,
        policy=_settled(record.policy, view),
        pending_policy=_settled(record.pending_policy, view),
        facts=kms_effects.with_ids(record.facts, view),
    )


def _settled(policy: str | None, view: View) -> str | None:
    return policy_principals.settled(policy, view) if policy is not None else None
