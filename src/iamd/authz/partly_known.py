"""The condition keys of a request of which some have values that iamd cannot know."""

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from iamd.authz.context import Value
from iamd.policy.request import UNKNOWN


class Unknowns(NamedTuple):
    """Keys in lower case, and beginnings of keys (`aws:resourcetag/`), whose values are not known."""

    keys: frozenset[str]
    beginnings: tuple[str, ...]

    @classmethod
    def of(cls, names: Iterable[str]) -> "Unknowns":
        """Those of these names; one that ends with `/` or `:` is a beginning."""
        listed = sorted(names)
        beginnings = tuple(name for name in listed if name.endswith(("/", ":")))
        return cls(frozenset(listed).difference(beginnings), beginnings)

    def also(self, names: Iterable[str]) -> "Unknowns":
        """These, and those of these names."""
        return Unknowns.of([*self.keys, *self.beginnings, *names])

    def without(self, beginnings: Iterable[str]) -> "Unknowns":
        """These, but for the keys that begin so, which are known."""
        told = frozenset(beginnings)
        left = tuple(one for one in self.beginnings if one not in told)
        return self if len(left) == len(self.beginnings) else Unknowns(self.keys, left)


NONE = Unknowns.of(())


def nothing_unknown(_arn: str, _action: str) -> Unknowns:
    """What is not known where iamd knows everything: of its own services."""
    return NONE


class PartlyKnown(dict[str, Value]):
    """The keys of a request; UNKNOWN is what `get` finds for one that is not known and was not told otherwise.

    `tell` says which are not known of an action on a resource; it is asked when a key is not there. `missed` are those
    that were asked for.
    """

    __slots__ = ("_asked", "_tell", "_unknown", "missed")

    def __init__(self, tell: Callable[[str, str], Unknowns], arn: str, action: str) -> None:
        """Begin without a key."""
        self._tell = tell
        self._asked = arn, action
        self._unknown: Unknowns | None = None
        self.missed: frozenset[str] = _NOTHING

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key, UNKNOWN, or the default."""
        if key in self:
            return self[key]
        unknown = self._unknown
        if unknown is None:
            unknown = self._unknown = self._tell(*self._asked)
        if key in unknown.keys or key.startswith(unknown.beginnings):
            self.missed |= {key}
            return UNKNOWN
        return default


_NOTHING: Final[frozenset[str]] = frozenset()
