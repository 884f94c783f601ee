"""Turns: what waits of several accounts, each of which has its turn, however much the others have."""

from collections import deque
from threading import Condition
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Turns(Generic[Item]):
    """Items by account, in the order in which each account's came; from any thread."""

    def __init__(self) -> None:
        self._of: dict[str, deque[Item]] = {}
        """Whose turn is next stands first."""
        self._changed = Condition()

    def waiting(self, account: str) -> int:
        """How many items of an account wait."""
        with self._changed:
            return len(self._of.get(account, ()))

    def put(self, account: str, item: Item) -> None:
        """Have an item wait behind the account's others."""
        with self._changed:
            self._of.setdefault(account, deque()).append(item)
            self._changed.notify()

    def take(self, most: int, seconds: float) -> list[Item]:
        """The next items, one of each account in turn, as soon as there are any; none when none come in time."""
        with self._changed:
            self._changed.wait_for(lambda: self._of, seconds)
            found: list[Item] = []
            while self._of and len(found) < most:
                account = next(iter(self._of))
                items = self._of.pop(account)
                found.append(items.popleft())
                if items:
                    self._of[account] = items
            return found

    def clear(self) -> None:
        """Forget all of them."""
        with self._changed:
            self._of.clear()
