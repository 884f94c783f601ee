"""What reading a queue or a stream needs: the keys of all that may still be there, beside the one that it has.

AWS: SQS Developer Guide, sqs-server-side-encryption, and SetQueueAttributes (MessageRetentionPeriod: 14 days at most);
Kinesis Data Streams API Reference, IncreaseStreamRetentionPeriod (8,760 hours at most).
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec.structs import replace

from iamd.gateway.actions.asked import at
from iamd.gateway.actions.by_rule import account_of
from iamd.gateway.asking import NotToldError
from iamd.gateway.key_uses import former
from iamd.gateway.key_uses.former import EMPTIED, MANY, Period
from iamd.gateway.key_uses.named import KEY, UNSETTLED
from iamd.gateway.key_uses.set_keys import use_of
from iamd.gateway.key_uses.use import DECRYPT, Use, Work

_OF_QUEUES: Final = 14 * 86_400.0
_OF_STREAMS: Final = 8_760 * 3_600.0
_COUNTED: Final = ("", "Delayed", "NotVisible")


async def of_queue(arn: str, present: str | None, work: Work) -> list[Use]:
    """The uses of all keys that messages of a queue may be encrypted by."""
    known, sources = work.facts.known(former.keys_of(arn)), work.facts.known(former.dead_letters_of(arn))
    found = [_use(present, arn, work)] if present else []
    if not known and not sources and not _alias_of(present, arn, work):
        return found
    after = _after(known, work, _OF_QUEUES)
    more = _unlike(present, arn, after, work)
    is_news = any(_emptied(source, work) > after for source in sources)
    if (is_news or any(period.until is not None for _, period in more)) and await _is_empty(arn, work):
        await work.note(former.keys_of(arn), {EMPTIED: repr(work.now)})
        more = [one for one in more if one[1].until is None]
    for source in sources:
        # What is there may move at any time.
        more += _of_source(source, arn, after, work)
    return _distinct([*found, *(use for use, _ in more)])


async def of_stream(arn: str, present: str | None, work: Work) -> list[Use]:
    """The uses of all keys that records of a stream may be encrypted by."""
    found = [_use(present, arn, work)] if present else []
    if not work.facts.known(former.keys_of(arn)) and not _alias_of(present, arn, work):
        return found
    after = work.now - await _retention(arn, work)
    return _distinct([*found, *(use for use, _ in _unlike(present, arn, after, work))])


def _after(known: Mapping[str, str], work: Work, retention: float) -> float:
    """What was written before this time is gone."""
    # AWS: SQS API Reference, PurgeQueue: messages may be received for a minute more.
    emptied = float(known[EMPTIED]) - (0 if work.is_embedded else 60) if EMPTIED in known else 0.0
    return max(work.now - retention, emptied)


_Timed = tuple[Use, Period]


def _unlike(present: str | None, arn: str, after: float, work: Work) -> list[_Timed]:
    """The keys that a thing had after a time, but for the one that its present name means now."""
    known = dict(former.periods(work.facts.known(former.keys_of(arn))))
    found: list[_Timed] = []
    for name, period in known.items():
        if name != present and (period.until is None or period.until > after):
            found += [(_use(name, arn, work), period), *_meant(name, arn, period, after, work)]
    if present is not None:
        found += _meant(present, arn, known.get(present, Period(0.0, None)), after, work)
    return found


def _meant(name: str, arn: str, period: Period, after: float, work: Work) -> Iterator[_Timed]:
    """The keys that an alias meant in a period and means no longer."""
    alias = _alias_of(name, arn, work)
    for key, one in former.periods(work.facts.known(former.keys_of(alias))) if alias else ():
        if one.until is not None and one.until > after and one.meets(period):
            yield _use(key, arn, work), one


def _alias_of(name: str | None, arn: str, work: Work) -> str | None:
    """The ARN of an alias of which something is known; None for what is none."""
    if name is None or "alias/" not in name:
        return None
    place = work.in_account(account_of(arn) or work.owner, work.asked.region)
    alias = name if name.startswith("arn:") else f"arn:{place.partition}:kms:{place.region}:{place.account}:{name}"
    return alias if work.facts.known(former.keys_of(alias)) else None


def _of_source(source: str, arn: str, after: float, work: Work, seen: frozenset[str] = frozenset()) -> list[_Timed]:
    """The keys of the messages that a queue may have as another's dead letters."""
    text = work.facts.known(former.redrives_of(source)).get(arn)
    if text is None or source in seen:
        return []
    redrives = Period.read(text)
    if redrives.until is not None and redrives.until <= after:
        return []
    # A message may have been there for all of its retention period before it moved, unless nothing was left there
    # before anything of what is here could move.
    emptied = _emptied(source, work)
    before = max(after - _OF_QUEUES, emptied if emptied <= after else 0.0)
    known = work.facts.known(source).get(KEY)
    present = known if known and known != UNSETTLED else None
    found = [] if present is None else [(_use(present, source, work), replace(redrives, since=0.0))]
    found += [(use, Period(0.0, redrives.until)) for use, _ in _unlike(present, source, before, work)]
    for further in work.facts.known(former.dead_letters_of(source)):
        found += _of_source(further, source, before, work, seen | {source})
    return found


def _emptied(arn: str, work: Work) -> float:
    """When nothing was left in a queue."""
    return float(work.facts.known(former.keys_of(arn)).get(EMPTIED, "0"))


async def _is_empty(arn: str, work: Work) -> bool:
    """Whether nothing at all is in a queue of the embedded backend, which counts exactly."""
    if not work.is_embedded or work.facts.known(arn).get(KEY) == UNSETTLED:
        return False
    names = [f"ApproximateNumberOfMessages{one}" for one in _COUNTED]
    asked = {"QueueUrl": work.given["QueueUrl"], "AttributeNames": names}
    try:
        told = await work.told("GetQueueAttributes", asked, account=account_of(arn))
    except NotToldError:
        return False
    counted: Mapping[str, Any] = at(told or {}, "Attributes") or {}
    return all(str(counted.get(name)) == "0" for name in names)


async def _retention(arn: str, work: Work) -> float:
    """For how many seconds records stay in a stream."""
    asked = ("retention", work.facts.boot or work.step.place.name, arn)
    answered = work.remembered.get(asked, work.now)
    if answered is None:
        try:
            told = await work.told("DescribeStreamSummary", {"StreamARN": arn}, account=account_of(arn))
        except NotToldError:
            told = None
        hours = at(told or {}, "StreamDescriptionSummary.RetentionPeriodHours")
        answered = (min(hours * 3_600.0, _OF_STREAMS) if isinstance(hours, int) else _OF_STREAMS,)
        work.remembered.put(asked, answered[0], work.now)
    kept: float = answered[0]
    return kept


def _use(name: str, arn: str, work: Work) -> Use:
    service = arn.split(":")[2]
    found = use_of(DECRYPT, None if name == MANY else name, {f"aws:{service}:arn": arn}, arn, work)
    return replace(found, any_key=True) if name == MANY else found


def _distinct(uses: list[Use]) -> list[Use]:
    return list({(use.key, use.any_key, *use.context.items()): use for use in uses}.values())
