"""What usage plans let an API key ask for: how fast, and how much in a day, a week or a month.

AWS: API Gateway Developer Guide, "Throttle requests to your REST APIs" (api-gateway-request-throttling), "Usage plans
and API keys for REST APIs" (api-gateway-api-usage-plans): limits are a key's, "aggregated across all API stages within
a usage plan", and those of single methods come first.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

from iamd.clock import Clock
from iamd.functions.rest_answers import QUOTA_EXCEEDED, THROTTLED, GatewayRefusal
from iamd.functions.rest_routes import Found, Key, Limits, Quota

_RATE: Final = 10_000.0
_BURST: Final = 5_000
"""AWS: an account's own limits, which hold where a plan has but one of its two."""


class _Bucket(NamedTuple):
    """Tokens that were left at a moment: one for each request, and no more than the burst."""

    tokens: float
    at: float


class Usage:
    """What has been used in this process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: dict[tuple[str, ...], _Bucket] = {}
        self._used: dict[tuple[str, ...], tuple[date, int]] = {}

    def clear(self) -> None:
        """Nothing has been used."""
        self._buckets.clear()
        self._used.clear()

    def count(self, found: Found, key: Key) -> None:
        """Count a request with a key; refused where its plan lets the key ask no more."""
        now = self._clock.timestamp()
        place = (found.api.account, found.api.region, key.plan, key.id)
        taken = {}
        for name, limits in _limits(found, key):
            bucket = self._refilled((*place, *name), limits, now)
            if bucket.tokens < 1:
                raise GatewayRefusal(THROTTLED, f"The usage plan {key.plan} lets the key ask no faster.")
            taken[*place, *name] = bucket._replace(tokens=bucket.tokens - 1)
        if key.quota is not None:
            begun = _begun(key.quota, datetime.fromtimestamp(now, UTC).date())
            since, used = self._used.get(place, (begun, 0))
            used = used if since == begun else 0
            if used >= key.quota.limit:
                raise GatewayRefusal(QUOTA_EXCEEDED, f"The quota of the usage plan {key.plan} is used up.")
            self._used[place] = begun, used + 1
        self._buckets |= taken

    def _refilled(self, name: tuple[str, ...], limits: Limits, now: float) -> _Bucket:
        rate = limits.rate_limit if limits.rate_limit is not None else _RATE
        burst = limits.burst_limit if limits.burst_limit is not None else _BURST
        known = self._buckets.get(name, _Bucket(burst, now))
        return _Bucket(min(burst, known.tokens + max(0.0, now - known.at) * rate), now)


def _limits(found: Found, key: Key) -> Iterator[tuple[tuple[str, ...], Limits]]:
    """The limits that hold for a request, each with what its bucket is called."""
    for method in (found.method, found.route.http_method):
        name = f"{found.resource.path}/{method}"
        if name in key.methods:
            yield (found.api.id, found.stage.name, name), key.methods[name]
            break
    if key.throttle is not None:
        yield (), key.throttle


def _begun(quota: Quota, today: date) -> date:
    """The day on which the period of a quota has begun.

    AWS: CloudFormation Template Reference, UsagePlan QuotaSettings, `Offset`: the day that a period starts, of a week
    counted from Sunday.
    """
    match quota.period:
        case "WEEK":
            return today - timedelta(days=(today.isoweekday() - quota.offset) % 7)
        case "MONTH":
            first = quota.offset + 1
            last_month = today.replace(day=1) - timedelta(days=1)
            return today.replace(day=first) if today.day >= first else last_month.replace(day=first)
        case _:
            return today
