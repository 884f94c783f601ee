"""Index: the statements that one action may hit, found by the resource of a request instead of tried in turn.

Most patterns are a whole ARN, or begin with text that no wildcard or variable can change; some end so. A request's
ARN is looked up whole, then by the longest beginning that it has of those, and where many share one, by its end.
Entries that say the same are kept once, and one that holds for everything makes the others needless.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from iamd.policy.conditions import Test
from iamd.policy.decision import Decision
from iamd.policy.elements import Pattern
from iamd.policy.principals import Principals
from iamd.policy.request import Context, PrincipalKind, Request
from iamd.policy.variables import Match

CROWDED: Final = 4
"""A beginning that more entries share is no help; those of them that have an end go by it."""
FEW: Final = 4
"""So many beginnings are tried in turn; more are searched."""
SHORTEST: Final = 3
"""An end of fewer characters is no help."""

# Compiled code looks a module's imported names up again for each call, and this one not.
_behind: Final[Callable[[Sequence[str], str], int]] = bisect_right


class Entry(NamedTuple):
    """One pattern of one statement: it applies when pattern, conditions and principals do; `decision` is then made."""

    pattern: Pattern
    conditions: tuple[Test, ...]
    principals: Principals | None
    decision: Decision


Placed = tuple[Match | None, tuple[Test, ...], Principals | None, Decision]
"""An entry at its place: None where the place says all that the pattern does."""
Bucket = tuple[Placed, ...]


class Place:
    """The entries of one text, and in the further buckets those of every text that it begins with.

    `denied` and `allowed` are decisions that hold for everyone who gets here; what would come behind them is left out.
    """

    __slots__ = ("above", "allowed", "allows", "denied", "denies", "text")

    def __init__(self, text: str, above: "Place | None", entries: Iterable[Entry]) -> None:
        self.text: Final = text
        self.above: Final = above
        denies: list[Placed] = []
        allows: list[Placed] = []
        for entry in entries:
            (allows if entry.decision.allowed else denies).append(_placed(entry, text))
        self.denied: Final[Decision | None] = (
            above.denied if above is not None and above.denied is not None else _sure(denies)
        )
        self.allowed: Final[Decision | None] = (
            above.allowed if above is not None and above.allowed is not None else _sure(allows)
        )
        self.denies: Final[tuple[Bucket, ...]] = _buckets(
            denies, above.denies if above is not None else (), self.denied
        )
        self.allows: Final[tuple[Bucket, ...]] = _buckets(
            allows, above.allows if above is not None else (), self.allowed
        )


def _placed(entry: Entry, text: str) -> Placed:
    pattern = entry.pattern
    is_all = pattern.exact is not None or (pattern.is_head and pattern.head == text)
    return None if is_all else pattern.test, entry.conditions, entry.principals, entry.decision


def _sure(entries: Iterable[Placed]) -> Decision | None:
    for test, conditions, principals, decision in entries:
        if test is None and not conditions and principals is None:
            return decision
    return None


def _buckets(own: Sequence[Placed], above: tuple[Bucket, ...], sure: Decision | None) -> tuple[Bucket, ...]:
    if sure is not None:
        return ()
    return (tuple(own), *above) if own else above


class Places:
    """Texts in their order, each with its place: what finds the longest of them that another text begins with."""

    __slots__ = ("places", "texts")

    def __init__(self, groups: Mapping[str, Sequence[Entry]]) -> None:
        texts = sorted(text for text, group in groups.items() if text and group)
        place = Place("", None, groups.get("", ()))
        places = [place]
        for text in texts:
            place = Place(text, _longest(place, text), groups[text])
            places.append(place)
        self.texts: Final = texts
        self.places: Final = places

    def of(self, text: str) -> Place:
        """The place of the longest beginning; that of the empty text is always there."""
        # Whatever stands in the order between a beginning and the text has that beginning too, so that the text
        # before has it, or is it.
        return _longest(self.places[_behind(self.texts, text)], text)


def _longest(place: Place, text: str) -> Place:
    """The place, or the first above it, whose text the other begins with."""
    while place.above is not None and not text.startswith(place.text):
        place = place.above
    return place


class Index:
    """The entries of one action; `always` are the callers whom no policy can refuse it."""

    __slots__ = (
        "_ends", "_everything", "_exact", "_few", "_has_ends", "_heads", "_places", "_tails", "_texts", "always",
        "has_allows", "has_denies",
    )  # fmt: skip

    def __init__(
        self,
        denies: Iterable[Entry] = (),
        allows: Iterable[Entry] = (),
        always: frozenset[PrincipalKind] | None = None,
    ) -> None:
        denying, allowing = _without_needless(denies), _without_needless(allows)
        exact: dict[str, list[Entry]] = {}
        heads: dict[str, list[Entry]] = {}
        for entry in (*denying, *allowing):
            whole, head = entry.pattern.exact, entry.pattern.head
            (heads.setdefault(head, []) if whole is None else exact.setdefault(whole, [])).append(entry)
        tails = _crowds(heads)
        self._heads: Final = Places(heads)
        # `decision` is spared a call by these.
        self._texts: Final = self._heads.texts
        self._places: Final = self._heads.places
        self._few: Final = tuple(self._places[:0:-1]) if len(self._texts) <= FEW else None
        self._everything: Final = self._places[0]
        self._tails: Final = Places(tails)
        self._ends: Final = frozenset(tail[:SHORTEST][::-1] for tail in tails)
        self._has_ends: Final = bool(tails)
        self._exact: Final = {text: Place(text, self._heads.of(text), group) for text, group in exact.items()}
        self.always: Final = always
        self.has_denies: Final = bool(denying)
        self.has_allows: Final = bool(allowing)

    def places(self, resource: str) -> tuple[Place, ...]:
        """The places whose entries may apply to a resource."""
        place = self._exact.get(resource)
        if place is None:
            place = self._heads.of(resource)
        return (place, self._tails.of(resource[::-1])) if resource[-SHORTEST:] in self._ends else (place,)

    def decision(self, request: Request) -> Decision | None:
        """The first statement that denies, or else the first that allows; of statements that name no principals."""
        resource, context = request.resource, request.context
        place = self._exact.get(resource)
        if place is None:
            few = self._few
            if few is None:
                place = self._places[_behind(self._texts, resource)]
                while place.above is not None and not resource.startswith(place.text):
                    place = place.above
            else:
                for place in few:
                    if resource.startswith(place.text):
                        break
                else:
                    place = self._everything
        if self._has_ends and resource[-SHORTEST:] in self._ends:
            return _of_two(place, self._tails.of(resource[::-1]), resource, context)
        if place.denied is not None:
            return place.denied
        if place.denies:
            found = denying(place.denies, resource, context)
            if found is not None:
                return found
        if place.allowed is not None:
            return place.allowed
        return allowing(place.allows, resource, context) if place.allows else None

    def denial(self, request: Request) -> Decision | None:
        """The first statement that denies; of statements that name no principals."""
        if not self.has_denies:
            return None
        resource, context = request.resource, request.context
        for place in self.places(resource):
            found = place.denied or denying(place.denies, resource, context)
            if found is not None:
                return found
        return None

    def allowance(self, request: Request) -> Decision | None:
        """The first statement that allows; of statements that name no principals."""
        resource, context = request.resource, request.context
        for place in self.places(resource):
            found = place.allowed or allowing(place.allows, resource, context)
            if found is not None:
                return found
        return None


def _of_two(place: Place, other: Place, resource: str, context: Context) -> Decision | None:
    return (
        place.denied
        or other.denied
        or denying(place.denies, resource, context)
        or denying(other.denies, resource, context)
        or place.allowed
        or other.allowed
        or allowing(place.allows, resource, context)
        or allowing(other.allows, resource, context)
    )


def allowing(buckets: tuple[Bucket, ...], resource: str, context: Context) -> Decision | None:
    """The decision of the first entry that applies."""
    for bucket in buckets:
        for test, conditions, _, decision in bucket:
            if test is None or test(resource, context):
                for condition in conditions:
                    if not condition(context):
                        break
                else:
                    return decision
    return None


def denying(buckets: tuple[Bucket, ...], resource: str, context: Context) -> Decision | None:
    """The decision of the first entry that applies; what is not understood or not known does."""
    for bucket in buckets:
        for test, conditions, _, decision in bucket:
            fits = test is None or test(resource, context)
            if fits or fits is None:
                for condition in conditions:
                    held = condition(context)
                    if not held and held is not None:
                        break
                else:
                    return decision
    return None


def _without_needless(entries: Iterable[Entry]) -> list[Entry]:
    kept: dict[tuple[object, ...], Entry] = {}
    for entry in entries:
        if entry.pattern.is_every and not entry.conditions and entry.principals is None:
            return [entry]
        kept.setdefault(_sense(entry), entry)
    return list(kept.values())


def _sense(entry: Entry) -> tuple[object, ...]:
    """What entries that apply to the same requests have in common."""
    pattern, statement = entry.pattern, entry.decision.matched[0].statement
    # SECURITY: one text means two things where versions differ on variables, and kinds of policies on short ARNs: of
    # two denials neither is needless then.
    has_variables = statement.substitute and "${" in pattern.text
    return pattern.text, pattern.inverted, has_variables, statement.kind, entry.conditions, entry.principals


def _crowds(heads: dict[str, list[Entry]]) -> dict[str, list[Entry]]:
    """The entries whose beginning is shared by too many, by their ends, read backwards; they leave `heads`."""
    found: dict[str, list[Entry]] = {}
    for head, group in heads.items():
        if len(group) > CROWDED:
            for entry in group:
                if len(entry.pattern.tail) >= SHORTEST:
                    found.setdefault(entry.pattern.tail[::-1], []).append(entry)
            heads[head] = [entry for entry in group if len(entry.pattern.tail) < SHORTEST]
    return found
