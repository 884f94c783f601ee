"""The keys that things were encrypted by at one time: what came meanwhile stays encrypted by them.

A record beside that of a queue, a stream or an alias has each key that it had, with the times between which; another
has the queues that one's dead letters went to, and which queues it may have dead letters of.

AWS: SQS Developer Guide, sqs-server-side-encryption (a backlog stays encrypted when encryption ends, and so do messages
that move to a dead-letter queue); Kinesis Data Streams Developer Guide, what-is-sse; KMS Developer Guide, alias-about
(an alias may be given to another key, which decrypts nothing of the former's).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.kms import ALIAS_KEY, key_arn
from iamd.gateway.effect import Effect, Kind
from iamd.gateway.key_uses.named import KEY, UNSETTLED, of_attributes, of_stream, of_table, whole
from iamd.gateway.resources import Facts

EMPTIED: Final = "emptied"
"""The fact when everything of before was gone from a queue or a stream."""
MANY: Final = "*"
"""What stands for keys that were too many to be kept."""
_MOST: Final = 50
_REDRIVE: Final = "RedrivePolicy"


class Period(msgspec.Struct, frozen=True):
    """When something was so; `until` is None while it is."""

    since: float
    until: float | None

    @classmethod
    def read(cls, text: str) -> "Period":
        since, _, until = text.partition(" ")
        return cls(float(since), float(until) if until else None)

    def meets(self, other: "Period") -> bool:
        """Whether there is a time in both."""
        return (self.until is None or self.until >= other.since) and (other.until is None or self.since <= other.until)


def keys_of(arn: str) -> str:
    """What the keys of a thing are known by."""
    return f"keys-of:{arn}"


def redrives_of(arn: str) -> str:
    """What the dead-letter queues of a queue are known by."""
    return f"redrives-of:{arn}"


def dead_letters_of(arn: str) -> str:
    """What the queues whose dead-letter queue one is are known by."""
    return f"dead-letters-of:{arn}"


def periods(known: Mapping[str, str]) -> Iterator[tuple[str, Period]]:
    """The keys, or the queues, that a record has, with their times."""
    return ((name, Period.read(text)) for name, text in known.items() if name != EMPTIED)


def effects(asked: Asked, arn: str, facts: Facts) -> list[Effect]:
    """What a request does to what is known of former keys."""
    found = _EFFECTS.get((asked.operation.service, asked.operation.name))
    return found(asked, arn, facts) if found is not None else []


def _replaced(record: str, former: str | None, new: str | None, asked: Asked, facts: Facts) -> list[Effect]:
    """The effect on a record when something takes the place of another, of which either may be nothing."""
    now, changed = asked.now, [name for name in (former, new) if name and name != UNSETTLED]
    if not changed or former == new:
        return []
    before = facts.known(record)

    def begun(known: Mapping[str, str]) -> Mapping[str, str]:
        found = dict(known)
        for name in changed:
            since = Period.read(known[name]).since if name in known else (now if name == new else 0.0)
            found[name] = repr(since) if name == new else f"{since!r} {now!r}"
        return _bounded(found)

    def refused(known: Mapping[str, str]) -> Mapping[str, str]:
        kept = {name: text for name, text in known.items() if name not in changed}
        return {**kept, **{name: before[name] for name in changed if name in before}}

    is_there = facts.get(record) is not None
    return [Effect(Kind.NOTE, record, begun=begun, refused=refused if is_there else None)]


def _bounded(found: dict[str, str]) -> dict[str, str]:
    """The same, where the oldest of too many are one that any key may be."""
    ended = sorted((period.until, name) for name, period in periods(found) if period.until is not None)
    for until, name in ended[: max(0, len(found) - _MOST)]:
        del found[name]
        known = Period.read(found[MANY]).until if MANY in found else None
        found[MANY] = f"0.0 {max(until, known or 0.0)!r}"
    return found


def _emptied(arn: str, asked: Asked, facts: Facts) -> list[Effect]:
    record = keys_of(arn)
    if facts.get(record) is None:
        return []
    return [Effect(Kind.NOTE, record, done=lambda known: {**known, EMPTIED: repr(asked.now)})]


def _set_queue(asked: Asked, arn: str, facts: Facts) -> list[Effect]:
    """A queue that is made or changed; one that is there already gets nothing by being made."""
    if asked.operation.name == "CreateQueue" and facts.get(arn) is not None:
        return []
    attributes: Any = asked.parameters.get("Attributes") or {}
    found: list[Effect] = []
    named = of_attributes(asked)
    if named is not None:
        found += _replaced(keys_of(arn), facts.known(arn).get(KEY), named, asked, facts)
    if attributes.get(_REDRIVE) is not None:
        found += _redrives(arn, _target(attributes[_REDRIVE]), asked, facts)
    return found


def _target(text: str) -> str | None:
    """The dead-letter queue that a policy names."""
    try:
        found = msgspec.json.decode(text or "{}", type=dict[str, Any]).get("deadLetterTargetArn")
    except msgspec.DecodeError:
        return None
    return found if isinstance(found, str) else None


def _redrives(arn: str, to: str | None, asked: Asked, facts: Facts) -> list[Effect]:
    record = redrives_of(arn)
    former = next((name for name, one in periods(facts.known(record)) if one.until is None), None)
    found = _replaced(record, former, to, asked, facts)
    if to is None or arn in facts.known(dead_letters_of(to)):
        return found
    return [*found, Effect(Kind.NOTE, dead_letters_of(to), begun=lambda known: {**known, arn: "0.0"})]


def _end_queue(asked: Asked, arn: str, facts: Facts) -> list[Effect]:
    """Its dead letters stay encrypted when it is gone."""
    ended = [*_replaced(keys_of(arn), facts.known(arn).get(KEY), None, asked, facts), *_emptied(arn, asked, facts)]
    return [*ended, *_redrives(arn, None, asked, facts)]


def _purge(asked: Asked, arn: str, facts: Facts) -> list[Effect]:
    return _emptied(arn, asked, facts)


def _set_stream(asked: Asked, arn: str, facts: Facts) -> list[Effect]:
    return _replaced(keys_of(arn), facts.known(arn).get(KEY), of_stream(asked), asked, facts)


def _set_table(asked: Asked, arn: str, facts: Facts) -> list[Effect]:
    named = of_table(asked.parameters)
    if named is None:
        return []
    return _replaced(keys_of(arn), facts.known(arn).get(KEY), whole(named, asked), asked, facts)


def _end_stream(_: Asked, arn: str, facts: Facts) -> list[Effect]:
    record = keys_of(arn)
    return [Effect(Kind.END, record)] if facts.get(record) is not None else []


def _set_alias(asked: Asked, arn: str, facts: Facts) -> list[Effect]:
    return _replaced(
        keys_of(arn), facts.known(arn).get(ALIAS_KEY), key_arn(asked.parameters["TargetKeyId"], asked), asked, facts
    )


def _end_alias(asked: Asked, arn: str, facts: Facts) -> list[Effect]:
    return _replaced(keys_of(arn), facts.known(arn).get(ALIAS_KEY), None, asked, facts)


_EFFECTS: Final[Mapping[tuple[str, str], Callable[[Asked, str, Facts], list[Effect]]]] = {
    ("dynamodb", "DeleteTable"): _end_stream,
    ("dynamodb", "UpdateTable"): _set_table,
    ("kinesis", "DeleteStream"): _end_stream,
    ("kinesis", "StartStreamEncryption"): _set_stream,
    ("kinesis", "StopStreamEncryption"): _set_stream,
    ("kms", "CreateAlias"): _set_alias,
    ("kms", "DeleteAlias"): _end_alias,
    ("kms", "UpdateAlias"): _set_alias,
    ("sqs", "CreateQueue"): _set_queue,
    ("sqs", "DeleteQueue"): _end_queue,
    ("sqs", "PurgeQueue"): _purge,
    ("sqs", "SetQueueAttributes"): _set_queue,
}
CHANGING: Final = frozenset(_EFFECTS)
"""The operations that change something of it."""
