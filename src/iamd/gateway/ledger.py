"""Writing facts of resources down: pending before the backend is asked, settled by what it answered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from iamd.errors import AWSError
from iamd.gateway import policy_principals
from iamd.gateway.effect import Change as FactsChange
from iamd.gateway.effect import Effect, Kind
from iamd.gateway.policies import Told, is_same
from iamd.policy_places import is_s3
from iamd.store.change import Change
from iamd.store.records import GLOBAL, Resource
from iamd.store.store import Store

T = TypeVar("T")

_GONE: Final = 404


class BucketAlreadyExists(AWSError):
    """A bucket name that another account has (S3 API Reference, CreateBucket)."""

    code = "BucketAlreadyExists"
    status = 409


@dataclass(frozen=True, slots=True)
class Entry:
    """An effect on its way. `before` is the record as it was, None when there was none."""

    effect: Effect
    owner: str
    boot: str | None
    before: Resource | None


class Ledger:
    """The one place that writes Resource records."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def begin(
        self, effects: Sequence[Effect], owner: str, boot: str | None, now: int, place: str | None = None
    ) -> list[Entry]:
        """Note what a request is about to do; durable when this returns, so that no crash makes iamd forget it.

        `place` is the backend that holds the buckets among them, where there are several.
        """
        if not effects:
            return []
        return await self._write(lambda change: [_begin(change, effect, owner, boot, now, place) for effect in effects])

    async def settle(self, entries: Sequence[Entry], status: int | None) -> None:
        """Note what came of it: done, refused by the backend, or not known (None, or a server error)."""
        if not entries or status is None or status >= 500:
            # Not known: what is pending stays so, and the stricter of both decides.
            return
        await self._write(lambda change: _settle_all(change, entries, status))

    async def learn(self, record: Resource) -> None:
        """Remember what an answer told of a resource, in place of what bore its name before."""
        await self._write(lambda change: _learn(change, record))

    async def learn_all(self, records: Sequence[Resource]) -> None:
        """Remember what an answer told of several resources."""
        if records:
            await self._write(lambda change: _learn_all(change, records))

    async def reconcile(self, told: Told, boot: str | None) -> None:
        """Settle a policy by what the backend says that it has."""
        await self._write(lambda change: _reconcile(change, told, boot))

    async def forget_others(self, boot: str) -> None:
        """Drop the facts of earlier lives of a backend that forgets."""
        await self._write(lambda change: _forget_others(change, boot))

    async def _write(self, work: Callable[[Change], T]) -> T:
        return await self._store.written(work)


def _known(change: Change, arn: str, boot: str | None) -> Resource | None:
    found = change.shared.get(Resource, arn)
    return found if found is not None and found.backend_boot == boot else None


def _begin(change: Change, effect: Effect, owner: str, boot: str | None, now: int, place: str | None) -> Entry:
    boot = None if effect.lasts else boot
    before = _known(change, effect.arn, boot)
    if effect.kind is Kind.MAKE and before is not None and is_s3(effect.arn) and before.owner != owner:
        raise BucketAlreadyExists(
            "The requested bucket name is not available. The bucket namespace is shared by all users of the system. "
            "Please select a different name and try again.",
        )
    where = place if is_s3(effect.arn) else None
    record = before or Resource(arn=effect.arn, owner=owner, created=now, backend_boot=boot, place=where)
    if effect.has_policy:
        record = msgspec.structs.replace(record, pending_policy=effect.policy, has_pending=True)
    if effect.begun is not None:
        record = msgspec.structs.replace(record, facts=_changed(record, effect.begun))
    if record != before and effect.kind is not Kind.END:
        change.put(GLOBAL, record)
    return Entry(effect, owner, boot, before)


def _changed(record: Resource, facts: Mapping[str, str] | FactsChange) -> Mapping[str, str]:
    return facts(record.facts) if callable(facts) else facts


def _settle_all(change: Change, entries: Sequence[Entry], status: int) -> None:
    for entry in entries:
        _settle(change, entry, done=status < 300 or (entry.effect.kind is Kind.END and status == _GONE))


def _settle(change: Change, entry: Entry, *, done: bool) -> None:
    if entry.effect.kind is Kind.END:
        if done:
            _end(change, entry)
        return
    present = _known(change, entry.effect.arn, entry.boot)
    if present is None:
        return
    facts = entry.effect.done if done else entry.effect.refused
    if facts is not None:
        present = msgspec.structs.replace(present, facts=_changed(present, facts))
        change.put(GLOBAL, present)
    elif not done and entry.before is None and not entry.effect.has_policy:
        change.delete(GLOBAL, present)
    if not entry.effect.has_policy:
        return
    if present.pending_policy == entry.effect.policy and present.has_pending:
        _settle_policy(change, entry, present, done=done)


def _settle_policy(change: Change, entry: Entry, present: Resource, *, done: bool) -> None:
    if done:
        settled = msgspec.structs.replace(present, policy=entry.effect.policy, pending_policy=None, has_pending=False)
    elif entry.before is None:
        change.delete(GLOBAL, present)
        return
    else:
        # Back to what was known before, which may itself be unsettled.
        settled = msgspec.structs.replace(
            present, pending_policy=entry.before.pending_policy, has_pending=entry.before.has_pending
        )
    change.put(GLOBAL, settled)


def _reconcile(change: Change, told: Told, boot: str | None) -> None:
    present = _known(change, told.arn, boot)
    if present is None or not present.has_pending:
        return
    if (found := _told_of(change, present, told.policy)) is not None:
        change.put(
            GLOBAL, msgspec.structs.replace(present, policy=found.policy, pending_policy=None, has_pending=False)
        )


def _told_of(change: Change, present: Resource, told: str | None) -> Told | None:
    """Which of two policies a backend tells, or one of its own; None when that does not show."""
    fitting = [one for one in (present.pending_policy, present.policy) if is_same(_masked(one), _masked(told))]
    if not fitting:
        return Told(present.arn, policy_principals.settled(told, change) if told is not None else None)
    if len(set(fitting)) == 1:
        return Told(present.arn, fitting[0])
    # They differ in whom they name alone. SECURITY: where one names who is gone, the name may be a namesake's by now.
    texts = [one for one in fitting if one is not None]
    if any(policy_principals.names_the_gone(text, change) for text in texts):
        return None
    exact = [text for text in texts if is_same(policy_principals.shown(text, change), told)]
    return Told(present.arn, exact[0]) if exact else None


def _masked(policy: str | None) -> str | None:
    return policy_principals.masked(policy) if policy is not None else None


def _end(change: Change, entry: Entry) -> None:
    """Forget what ended, and what was part of it."""
    arn, within = entry.effect.arn, entry.effect.within
    ended = [known] if (known := change.shared.get(Resource, arn)) is not None else []
    if within is not None:
        ended += [record for record in change.shared.all(Resource) if record.arn.startswith(within)]
    for record in ended:
        if record.backend_boot == entry.boot:
            change.delete(GLOBAL, record)


def _learn_all(change: Change, records: Sequence[Resource]) -> None:
    for record in records:
        _learn(change, record)


def _learn(change: Change, record: Resource) -> None:
    for known in change.shared.find(Resource, "name", record.facts["name"]) if "name" in record.facts else ():
        if known.arn != record.arn and known.backend_boot == record.backend_boot:
            change.delete(GLOBAL, known)
    present = _known(change, record.arn, record.backend_boot)
    if present is not None:
        record = msgspec.structs.replace(present, facts={**present.facts, **record.facts})
    change.put(GLOBAL, record)


def _forget_others(change: Change, boot: str) -> None:
    for record in change.shared.all(Resource):
        if record.backend_boot not in {None, boot}:
            change.delete(GLOBAL, record)
