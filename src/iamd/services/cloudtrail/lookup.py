"""LookupEvents: the records of what was asked of an account."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec

from iamd.auth.sealing import SealError
from iamd.call import Call
from iamd.services.cloudtrail.errors import InvalidLookupAttributes, InvalidNextToken, InvalidTimeRange
from iamd.services.cloudtrail.resources import listed_in
from iamd.services.registry import Target, reading
from iamd.store.errors import Unavailable
from iamd.store.events import StoredEvent
from iamd.store.log import EventPosition, Query

MAX_RESULTS = 50
"""AWS: the default, and the most (CloudTrail API Reference, LookupEvents, MaxResults)."""

AGE_SECONDS = 90 * 24 * 3600
"""AWS: events of the last 90 days are found (CloudTrail API Reference, LookupEvents)."""

TOKEN_PURPOSE = "lookup-events"
INSIGHT_ATTRIBUTES = frozenset({"EventId", "EventName", "EventSource"})

Attribute = Mapping[str, str]
Wanted = dict[str, Any]
"""Members of a Query."""


def nothing(_call: Call, **_parameters: Any) -> Target:
    """AWS: cloudtrail:LookupEvents has no resource type (Service Authorization Reference, AWS CloudTrail)."""
    return Target()


@reading(on=nothing, is_long=True)
def lookup_events(
    call: Call,
    *,
    lookup_attributes: Sequence[Attribute] = (),
    start_time: datetime | None = None,
    end_time: datetime | None = None,
    event_category: str | None = None,
    max_results: int = MAX_RESULTS,
    next_token: str | None = None,
) -> dict[str, Any]:
    """Show events of the caller's account, newest first; what was answered before this request is found."""
    _check_times(start_time, end_time)
    wanted = _wanted(lookup_attributes)
    bound = _bound(call, lookup_attributes, start_time, end_time, event_category)
    after = _opened(call, next_token, bound) if next_token is not None else None
    if event_category is not None:
        return _insights(lookup_attributes)
    query = Query(
        account=call.identity.account_id,
        equal=wanted.pop("equal", {}),
        start=max(_seconds(start_time) or 0.0, call.now - AGE_SECONDS),
        end=_seconds(end_time),
        after=after,
        limit=max_results + 1,
        **wanted,
    )
    # While nothing can be stored, what was stored is still told.
    with suppress(Unavailable):
        call.store.flush()
    return _page(call, call.store.look_up(query), max_results, bound)


def _check_times(start: datetime | None, end: datetime | None) -> None:
    if start is not None and end is not None and start > end:
        raise InvalidTimeRange("The start time must not be after the end time.")


def _insights(attributes: Sequence[Attribute]) -> dict[str, Any]:
    """Nothing: no trail here has CloudTrail Insights on, and AWS then answers an empty list."""
    for attribute in attributes:
        if attribute["AttributeKey"] not in INSIGHT_ATTRIBUTES:
            raise InvalidLookupAttributes(
                f"Insights events can't be looked up by {attribute['AttributeKey']}, "
                "only by EventId, EventName and EventSource."
            )
    return {"Events": []}


def _wanted(attributes: Sequence[Attribute]) -> Wanted:
    if not attributes:
        return {}
    if len(attributes) > 1:
        raise InvalidLookupAttributes("You can specify one lookup attribute only.")
    return ATTRIBUTES[attributes[0]["AttributeKey"]](attributes[0]["AttributeValue"])


def _equal(fact: str) -> Callable[[str], Wanted]:
    return lambda value: {"equal": {fact: value}}


def _read_only(value: str) -> Wanted:
    if value not in {"true", "false"}:
        raise InvalidLookupAttributes("The value of ReadOnly is true or false.")
    return {"equal": {"read_only": value == "true"}}


ATTRIBUTES: Mapping[str, Callable[[str], Wanted]] = {
    "EventId": _equal("event_id"),
    "EventName": _equal("name"),
    "ReadOnly": _read_only,
    "Username": _equal("user_name"),
    "ResourceType": lambda value: {"resource_type": value},
    "ResourceName": lambda value: {"resource_name": value},
    "EventSource": _equal("source"),
    "AccessKeyId": _equal("access_key_id"),
}


def _seconds(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment is not None else None


def _bound(call: Call, attributes: Sequence[Attribute], *choices: datetime | str | None) -> tuple[str, ...]:
    """What a token belongs to: the caller, and every parameter that chooses events."""
    chosen = [text for one in attributes for text in (one["AttributeKey"], one["AttributeValue"])]
    return (call.identity.account_id, call.identity.user_id, *map(str, choices), *chosen)


def _page(call: Call, found: list[StoredEvent], max_results: int, bound: tuple[str, ...]) -> dict[str, Any]:
    cut = found[:max_results]
    answer: dict[str, Any] = {"Events": [_shown(event) for event in cut]}
    if len(found) > max_results:
        position = msgspec.json.encode((cut[-1].facts.time, cut[-1].id))
        answer["NextToken"] = call.keyring.seal_text(TOKEN_PURPOSE, bound, position)
    return answer


def _opened(call: Call, token: str, bound: tuple[str, ...]) -> EventPosition:
    try:
        position = call.keyring.open_text(TOKEN_PURPOSE, bound, token)
    except SealError as error:
        raise InvalidNextToken("Invalid token.") from error
    return msgspec.json.decode(position, type=tuple[float, int])


def _with_resources(record: dict[str, Any], listed: list[dict[str, str]]) -> dict[str, Any]:
    """A record with the resources that it lists, in their place."""
    whole: dict[str, Any] = {}
    for name, value in record.items():
        if name == "eventType":
            whole["resources"] = listed
        whole[name] = value
    return whole


def _shown(event: StoredEvent) -> dict[str, Any]:
    facts = event.facts
    record = msgspec.json.decode(event.document)
    # What iamd adds to a record is for `iamd:Explain`, which is decided by itself.
    listed = listed_in(record, record.pop("iamd", {}))
    if listed is not None:
        record = _with_resources(record, listed)
    resources = msgspec.json.decode(facts.resources, type=list[tuple[str, str]])
    shown = {
        "EventId": facts.event_id,
        "EventName": facts.name,
        "ReadOnly": "true" if facts.read_only else "false",
        "AccessKeyId": facts.access_key_id,
        "EventTime": datetime.fromtimestamp(facts.time, UTC),
        "EventSource": facts.source,
        "Username": facts.user_name,
        "Resources": [{"ResourceType": kind, "ResourceName": name} for kind, name in resources],
        "CloudTrailEvent": msgspec.json.encode(record).decode(),
    }
    return {name: value for name, value in shown.items() if value is not None}
