"""Index: the statements that one action may hit, found by the resource of a request instead of tried in turn.

Most patterns are a whole ARN, or begin with text that no wildcard or variable can change; some end so. A request's
ARN is looked up whole, then by the longest beginning that it has of those, and where many share one, by its end.
Entries that say the same are kept once, and one that holds for everything makes the others needless.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from sys import intern
from typing import Final, NamedTuple

from iamd.policy.conditions import Test
from iamd.policy.decision import ALWAYS_ALLOWED, NOTHING_ALLOWS, Decision
from iamd.policy.elements import Pattern
from iamd.policy.principals import Principals
from iamd.policy.request import NONE, Context, PrincipalKind, Request
from iamd.policy.variables import Match

CROWDED: Final = 4
"""A beginning that more entries share is no help; those of them that have an end go by it."""
SHORTEST: Final = 3
"""An end of fewer characters is no help."""
END: Final = slice(-SHORTEST, None)
LAST: Final = "\U0010ffff"
"""The last character of all, which has no next one."""
COMMONEST: Final = "arn:aws:"
"""A place for what no pattern begins like: of an ARN that gets there the partition is known, as `partition` says."""

# Compiled code looks a module's imported names up again for each call, and this one not.
_behind: Final[Callable[[Sequence[str], str], int]] = bisect_right


class Entry(NamedTuple):
    """One pattern of one statement: it applies when pattern, conditions and principals do; `decision` is then made.

    `condition` is one test for all `conditions`, by which entries are told apart.
    """

    pattern: Pattern
    conditions: tuple[Test, ...]
    condition: Test | None
    principals: Principals | None
    decision: Decision


Placed = tuple[Match | None, Test | None, Principals | None, Decision]
"""An entry at its place: without a test where the place says all that the pattern does, or without a condition."""
Bucket = tuple[Placed, ...]


class Place:
    """The entries of one text, and in the further buckets those of every text that it begins with.

    It is of the ARNs that begin with the text, or with `backwards`, that read backwards do.
    `denied` and `allowed` are decisions that hold for everyone who gets here; what would come behind them is left out.
    `answer` is the decision on whoever gets here, where no condition or pattern is left to look at; with `is_open`
    there is none. `partition` is that of every ARN that gets here, or NONE where the text does not tell.
    """

    __slots__ = ("allowed", "allows", "answer", "denied", "denies", "partition", "text")

    def __init__(
        self, text: str, above: "Place | None", entries: Iterable[Entry], *, is_open: bool, backwards: bool = False
    ) -> None:
        self.text: Final = text
        denies: list[Placed] = []
        allows: list[Placed] = []
        for entry in entries:
            (allows if entry.decision.allowed else denies).append(_placed(entry, backwards=backwards))
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
        settled = NOTHING_ALLOWS if self.allowed is None and not self.allows else self.allowed
        self.answer: Final[Decision | None] = None if is_open else self.denied or (None if self.denies else settled)
        known = above.partition if above is not None else NONE
        self.partition: Final[str] = known if known != NONE else _partition(text)


def _partition(beginning: str) -> str:
    parts = beginning.split(":", 2) if beginning[:4] == "arn:" else ()
    return intern(parts[1]) if len(parts) == 3 else NONE  # as in Principal


def _placed(entry: Entry, *, backwards: bool) -> Placed:
    pattern = entry.pattern
    test: Match | None = None
    if backwards:
        test = pattern.test
    elif pattern.exact is None and not pattern.is_head:
        test = pattern.rest
    return test, entry.condition, entry.principals, entry.decision


def _sure(entries: Iterable[Placed]) -> Decision | None:
    for test, condition, principals, decision in entries:
        if test is None and condition is None and principals is None:
            return decision
    return None


def _buckets(own: Sequence[Placed], above: tuple[Bucket, ...], sure: Decision | None) -> tuple[Bucket, ...]:
    if sure is not None:
        return ()
    return (tuple(own), *above) if own else above


def _bare(*, is_open: bool) -> tuple[Place, Place]:
    root = Place("", None, (), is_open=is_open)
    return root, Place(COMMONEST, root, (), is_open=is_open)


BARE: Final = (_bare(is_open=False), _bare(is_open=True))
"""The places of the empty text and of the commonest where no entry is theirs, as in most indexes: made once."""


class Places:
    """Texts, each with its place: what finds the longest of them that another text begins with.

    In the order of all texts, those that begin with one text are a stretch: from that text on, before the `_next`. So
    texts and nexts are the bounds of stretches, and `stretches[n]`, which ends before `bounds[n]`, is of one place.
    """

    __slots__ = ("bounds", "stretches")

    def __init__(self, groups: Mapping[str, Sequence[Entry]], *, is_open: bool, backwards: bool = False) -> None:
        bare_root, bare_commonest = BARE[is_open]
        place = root = Place("", None, groups[""], is_open=is_open, backwards=backwards) if "" in groups else bare_root
        found: dict[str, Place] = {}
        """Each bound in order, and the place of the stretch that begins there."""
        around: list[tuple[str, Place]] = []
        """The ends of the stretches that go on, each within the one before, and what is behind each."""
        for text in sorted(text for text in groups if text):
            while around and around[-1][0] <= text:
                end, place = around.pop()
                found[end] = place
            following = _next(text)
            if following is not None:
                around.append((following, place))
            entries = groups[text]
            if text == COMMONEST and not entries and place is bare_root:
                place = bare_commonest
            else:
                place = Place(text, place, entries, is_open=is_open, backwards=backwards)
            found[text] = place
        while around:
            end, place = around.pop()
            found[end] = place
        self.bounds: Final = list(found)
        self.stretches: Final = [root, *found.values()]

    def of(self, text: str) -> Place:
        """The place of the longest beginning; that of the empty text is always there."""
        return self.stretches[_behind(self.bounds, text)]


def _next(text: str) -> str | None:
    """The first text, in the order of all, that stands behind those that begin with `text`; None if nothing does."""
    kept = text if text[-1] != LAST else text.rstrip(LAST)
    return kept[:-1] + chr(ord(kept[-1]) + 1) if kept else None


class Index:
    """The entries of one action; `always` are the callers whom no policy can refuse it.

    A decision looks in `exact`, and then in `stretches` with what `bounds` tell (`Places`). Where `ends` has the
    resource's, there are two places.
    """

    __slots__ = (
        "_tails", "always", "bounds", "ends", "exact", "has_allows", "has_denies", "stretches",
    )  # fmt: skip

    def __init__(
        self,
        denies: Iterable[Entry] = (),
        allows: Iterable[Entry] = (),
        always: frozenset[PrincipalKind] | None = None,
    ) -> None:
        denying, allowing = _without_needless(denies), _without_needless(allows)
        exact: dict[str, list[Entry]] = {}
        heads: dict[str, list[Entry]] = {COMMONEST: []}
        for entry in (*denying, *allowing):
            whole, head = entry.pattern.exact, entry.pattern.head
            (heads.setdefault(head, []) if whole is None else exact.setdefault(whole, [])).append(entry)
        tails = _crowds(heads)
        is_open = always is not None
        found = Places(heads, is_open=is_open)
        self.bounds: Final = found.bounds
        self.stretches: Final = found.stretches
        self.exact: Final = {text: Place(text, found.of(text), group, is_open=is_open) for text, group in exact.items()}
        self._tails: Final = Places(tails, is_open=True, backwards=True)
        self.ends: Final = frozenset(tail[:SHORTEST][::-1] for tail in tails) or None
        self.always: Final = always
        self.has_denies: Final = bool(denying)
        self.has_allows: Final = bool(allowing)

    def places(self, resource: str) -> tuple[Place, ...]:
        """The places whose entries may apply to a resource."""
        place = self.exact.get(resource) or self.stretches[_behind(self.bounds, resource)]
        if self.ends is None or resource[END] not in self.ends:
            return (place,)
        return place, self._tails.of(resource[::-1])

    def decision(self, place: Place, request: Request) -> Decision:
        """What a place that has no answer comes to, if the resource has none of the ends.

        That is the first statement that denies, or else the first that allows; of statements that name no principals.
        """
        if self.always is not None:
            if request.principal.kind in self.always:
                return ALWAYS_ALLOWED
            if place.denied is not None:
                return place.denied
        resource, context = request.resource, request.context
        # As `denying` and `allowing`, without a call.
        if place.denies:
            for bucket in place.denies:
                for test, condition, _, decision in bucket:
                    if test is not None and test(resource, context) is False:
                        continue
                    if condition is None or condition(context) is not False:
                        return decision
        if place.allowed is not None:
            return place.allowed
        for bucket in place.allows:
            for test, condition, _, decision in bucket:
                if (test is None or test(resource, context)) and (condition is None or condition(context)):
                    return decision
        return NOTHING_ALLOWS

    def decision_of_two(self, place: Place, request: Request) -> Decision:
        """The same if the resource has one of the ends."""
        if self.always is not None and request.principal.kind in self.always:
            return ALWAYS_ALLOWED
        resource, context = request.resource, request.context
        other = self._tails.of(resource[::-1])
        return (
            place.denied
            or other.denied
            or denying(place.denies, resource, context)
            or denying(other.denies, resource, context)
            or place.allowed
            or other.allowed
            or allowing(place.allows, resource, context)
            or allowing(other.allows, resource, context)
            or NOTHING_ALLOWS
        )

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


def allowing(buckets: tuple[Bucket, ...], resource: str, context: Context) -> Decision | None:
    """The decision of the first entry that applies."""
    for bucket in buckets:
        for test, condition, _, decision in bucket:
            if (test is None or test(resource, context)) and (condition is None or condition(context)):
                return decision
    return None


def denying(buckets: tuple[Bucket, ...], resource: str, context: Context) -> Decision | None:
    """The decision of the first entry that applies; what is not understood or not known does."""
    for bucket in buckets:
        for test, condition, _, decision in bucket:
            if test is not None and test(resource, context) is False:
                continue
            if condition is None or condition(context) is not False:
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
    for group in heads.values():
        if len(group) > CROWDED:
            for entry in group:
                if len(entry.pattern.tail) >= SHORTEST:
                    found.setdefault(entry.pattern.tail[::-1], []).append(entry)
            group[:] = [entry for entry in group if len(entry.pattern.tail) < SHORTEST]
    return found
