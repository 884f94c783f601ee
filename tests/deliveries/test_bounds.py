"""What waits to be delivered is bounded: a target that takes nothing holds up the backend's queue, not iamd's memory."""

import asyncio
from types import SimpleNamespace

from iamd.delivery import Delivery
from iamd.gateway.deliveries import MOST_FETCHED, Deliverer

AT_ONCE = 100


class Backend:
    """A backend that always has more to deliver."""

    def __init__(self):
        self.fetched = 0

    async def deliveries(self):
        await asyncio.sleep(0)
        self.fetched += AT_ONCE
        return [
            Delivery(
                principal="sns.amazonaws.com", account="1", source="topic", service="sqs", operation="SendMessage",
                region="us-east-1", parameters={}, target=f"queue {number % 3}",
            )
            for number in range(AT_ONCE)
        ]  # fmt: skip


class Stuck(Deliverer):
    """Nothing of what it sends is ever answered."""

    async def _send(self, delivery):
        await asyncio.Event().wait()


def test_no_more_is_fetched_than_may_wait():
    async def fetched():
        backend = Backend()
        deliverer = Stuck(SimpleNamespace(), backend)
        deliverer.begin()
        for _ in range(10 * MOST_FETCHED):
            await asyncio.sleep(0)
        await deliverer.close()
        return backend.fetched

    assert MOST_FETCHED <= asyncio.run(fetched()) <= MOST_FETCHED + 2 * AT_ONCE
