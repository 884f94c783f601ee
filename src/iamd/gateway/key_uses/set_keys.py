"""The keys of things that have one by an attribute, which requests set: queues, topics and streams."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from iamd.gateway.actions.by_rule import account_of
from iamd.gateway.asking import NotToldError
from iamd.gateway.key_uses.named import KEY, UNSETTLED
from iamd.gateway.key_uses.use import Use, Work


async def key_of(arn: str, work: Work, ask: Callable[[], Awaitable[str]]) -> str | None:
    """The key of such a thing, None for none; asked where iamd does not know it for sure."""
    known = work.facts.known(arn).get(KEY)
    if work.is_embedded and known != UNSETTLED:
        return known or None
    asked = ("key", work.facts.boot or work.step.place.name, arn, known or "")
    answered = work.remembered.get(asked, work.now)
    if answered is None:
        answered = (await ask(),)
        work.remembered.put(asked, answered[0], work.now)
    told: str = answered[0]
    return told or None


async def told(operation: str, asked: dict[str, Any], arn: str, work: Work) -> Mapping[str, Any] | None:
    """What a backend says of a thing; None for one that tells nothing of keys."""
    try:
        return await work.told(operation, asked, account=account_of(arn))
    except NotToldError:
        # SECURITY: AWS always tells; of other backends those that tell nothing encrypt nothing.
        if work.step.place.backend.rules.is_aws or work.is_embedded:
            raise
        return None


def use_of(action: str, key: str | None, context: dict[str, str], arn: str, work: Work) -> Use:
    """One use of a thing's key, in whose account and Region it is."""
    account = account_of(arn) or work.asked.account
    return Use(action=action, key=key, account=account, region=work.asked.region, context=context)
