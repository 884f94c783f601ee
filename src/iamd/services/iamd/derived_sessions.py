"""The sessions that derive from a key, a user or a role, as the account's events tell of them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from iamd.call import Call
from iamd.store.events import StoredEvent
from iamd.store.log import EventPosition, Query

LONGEST_SECONDS = 129_600
"""No session lasts longer (STS API Reference, GetSessionToken, DurationSeconds), so no older event tells of one."""

MAX_SHOWN = 500
MAX_FOLLOWED = 5000
"""How many sessions are asked for those that they began; expired ones too, for what they began may live on."""

PAGE = 200
SOURCE = "sts.amazonaws.com"
MOMENT: Final = re.compile(
    r"([A-Z][a-z]{2}) ([0-9]{1,2}), ([0-9]{4}) ([0-9]{1,2}):([0-9]{2}):([0-9]{2}) ([AP]M)", re.ASCII
)
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""How records write times of answers (services/cloudtrail/shown.py:moment)."""


@dataclass(frozen=True, slots=True)
class Derived:
    """Where to begin: access keys; a role by its id and ARN; a user by its id and the name that events have of it."""

    keys: tuple[str, ...] = ()
    role: tuple[str, str] | None = None
    user: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Sessions that have not expired, oldest first within what they derive from; `truncated` when there are more."""

    sessions: list[dict[str, Any]]
    truncated: bool


def derived_sessions(call: Call, start: Derived) -> Found:
    """The sessions that derive from these, those that others of them began too.

    SECURITY: only the caller's account's own events are read, so that none of another account's sessions is shown but
    those that began from within this one.
    """
    found = {one["AccessKeyId"]: one for one in _first(call, start)}
    waiting = [*start.keys, *found]
    seen = set(waiting)
    while waiting and len(seen) <= MAX_FOLLOWED:
        key_id = waiting.pop()
        for one in _begun(call, equal={"access_key_id": key_id}):
            found[one["AccessKeyId"]] = one
            if one["AccessKeyId"] not in seen:
                seen.add(one["AccessKeyId"])
                waiting.append(one["AccessKeyId"])
    alive = [one for one in found.values() if one["Expires"].timestamp() > call.now]
    return Found(alive[:MAX_SHOWN], truncated=len(alive) > MAX_SHOWN or bool(waiting))


def _first(call: Call, start: Derived) -> Iterator[dict[str, Any]]:
    if start.role is not None:
        role_id, role_arn = start.role
        yield from _begun(call, resource_name=role_arn, role_id=role_id)
    if start.user is not None:
        user_id, user_name = start.user
        yield from _begun(call, equal={"user_name": user_name}, user_id=user_id)


def _begun(
    call: Call,
    *,
    equal: dict[str, str | bool] | None = None,
    resource_name: str | None = None,
    role_id: str | None = None,
    user_id: str | None = None,
) -> Iterator[dict[str, Any]]:
    """The sessions that the events found this way began; of this role, or by this user, when its id is given."""
    for event in _events(call, equal or {}, resource_name):
        record = msgspec.json.decode(event.document)
        given = record.get("responseElements") or {}
        role_session = given.get("assumedRoleUser", {}).get("assumedRoleId", "")
        if "credentials" not in given or (role_id is not None and role_session.partition(":")[0] != role_id):
            continue
        if user_id is None or record["userIdentity"].get("principalId") == user_id:
            yield _session(record, given)


def _session(record: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    named = given.get("assumedRoleUser") or given.get("federatedUser") or record["userIdentity"]
    expires = _moment(given["credentials"]["expiration"])
    return {
        "Type": "Session",
        "AccessKeyId": given["credentials"]["accessKeyId"],
        "Arn": named["arn"],
        "Began": datetime.fromisoformat(record["eventTime"]),
        "Expires": expires,
    }


def _events(call: Call, equal: dict[str, str | bool], resource_name: str | None) -> Iterator[StoredEvent]:
    after: EventPosition | None = None
    while True:
        page = call.store.look_up(
            Query(
                account=call.identity.account_id,
                equal={"source": SOURCE, **equal},
                resource_name=resource_name,
                start=call.now - LONGEST_SECONDS,
                newest_first=False,
                after=after,
                limit=PAGE,
            )
        )
        yield from page
        if len(page) < PAGE:
            return
        after = (page[-1].facts.time, page[-1].id)


def _moment(text: str) -> datetime:
    """A time as CloudTrail writes those of answers: `Jan 2, 2026 3:04:05 PM`."""
    found = MOMENT.fullmatch(text)
    if found is None:
        raise ValueError(f"not a time of an answer: {text}")
    month, day, year, hour, minute, second, half = found.groups()
    hours = int(hour) % 12 + (12 if half == "PM" else 0)
    return datetime(int(year), MONTHS.index(month) + 1, int(day), hours, int(minute), int(second), tzinfo=UTC)
