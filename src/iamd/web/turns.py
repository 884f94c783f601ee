"""Turns: of work that takes long, a little is done at a time, and little of it waits for any one address."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class NoTurn(Exception):
    """As much of one address waits already as may."""


class Turns:
    """`at_once` have their turn at a time; the others wait, `most` of one address at most, those with a turn included.

    SECURITY: WEB-04: without that bound one address could have everybody else wait behind what it asked for.
    """

    def __init__(self, at_once: int, most: int) -> None:
        self._turns = asyncio.Semaphore(at_once)
        self._most = most
        self._of: Counter[str] = Counter()

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[None]:
        """Wait for a turn; NoTurn, at once, when too many of the address wait."""
        if self._of[address] >= self._most:
            raise NoTurn
        self._of[address] += 1
        try:
            async with self._turns:
                yield
        finally:
            self._of[address] -= 1
            if not self._of[address]:
                del self._of[address]
