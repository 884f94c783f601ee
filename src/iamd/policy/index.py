"""Index: the statements that one action may hit, found by the resource of a request instead of tried in turn.

Most patterns are a whole ARN, or begin with text that no wildcard or variable can change; some end so. A request's
ARN is looked up whole, by a few lengths of its beginning and by a few of its end; what is left is tried in turn.
Entries that say the same are kept once, and one that holds for everything makes the others needless.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from iamd.policy.conditions import Test
from iamd.policy.decision import Decision
from iamd.policy.elements import Pattern
from iamd.policy.principals import Principals
from iamd.policy.request import Context, Request

FEW: Final = 6
"""Up to so many entries are tried in turn: looking them up would cost more."""
LENGTHS: Final = 6
SHORTEST: Final = 3
CROWDED: Final = 4
"""A beginning that more entries share is no help; those of them that have an end go by it."""


class Entry(NamedTuple):
    """One pattern of one statement: it applies when pattern, conditions and principals do; `decision` is then made."""

    pattern: Pattern
    conditions: tuple[Test, ...]
    principals: Principals | None
    decision: Decision


Found = Callable[[Request], Decision | None]
Bucket = tuple[Entry, ...]
Tables = tuple[tuple[int, dict[str, Bucket]], ...]
"""Buckets by a text of one length, for a few lengths."""


class Index:
    """The entries of one action and one effect."""

    __slots__ = ("_exact", "_heads", "_rest", "_tails", "_whole", "size")

    def __init__(self, entries: Iterable[Entry]) -> None:
        kept = _without_needless(entries)
        self.size = len(kept)
        self._exact: dict[str, Bucket] = {}
        self._heads: Tables = ()
        self._tails: Tables = ()
        self._rest: Bucket = tuple(kept)
        if len(kept) > FEW:
            self._sort(kept)
        # What `buckets` gives for every resource, when nothing is looked up.
        self._whole: list[Bucket] | None = ([self._rest] if self._rest else []) if self._is_small() else None

    def _sort(self, entries: Sequence[Entry]) -> None:
        self._exact = _grouped(entries, lambda entry: entry.pattern.exact)
        others = [entry for entry in entries if entry.pattern.exact is None]
        heads, others = _by_length(others, lambda entry: entry.pattern.head, lambda text, length: text[:length])
        self._heads, crowd = _without_crowds(heads)
        self._tails, others = _by_length([*others, *crowd], lambda entry: entry.pattern.tail, lambda text, n: text[-n:])
        self._rest = tuple(others)

    def buckets(self, resource: str) -> list[Bucket]:
        """The entries that may apply to a resource."""
        if self._whole is not None:
            return self._whole
        found = [self._rest] if self._rest else []
        exact = self._exact.get(resource)
        if exact is not None:
            found.append(exact)
        for length, table in self._heads:
            bucket = table.get(resource[:length])
            if bucket is not None:
                found.append(bucket)
        for length, table in self._tails:
            bucket = table.get(resource[-length:])
            if bucket is not None:
                found.append(bucket)
        return found

    def allowing(self) -> Found:
        """What finds the first entry that applies, of statements that allow and name no principals."""
        return _for_all_requests(self._rest) or (self._small(_allows) if self._is_small() else self._large(_allows))

    def denying(self) -> Found:
        """The same, of statements that deny: what is not understood or not known holds."""
        return _for_all_requests(self._rest) or (self._small(_denies) if self._is_small() else self._large(_denies))

    def _is_small(self) -> bool:
        return not (self._exact or self._heads or self._tails)

    def _small(self, hit: "Hit") -> Found:
        bucket = self._rest
        return lambda request: hit(bucket, request.resource, request.context)

    def _large(self, hit: "Hit") -> Found:
        exact, heads, tails, rest = self._exact, self._heads, self._tails, self._rest

        def first(request: Request) -> Decision | None:
            resource, context = request.resource, request.context
            bucket = exact.get(resource)
            if bucket is not None and (found := hit(bucket, resource, context)) is not None:
                return found
            for length, table in heads:
                bucket = table.get(resource[:length])
                if bucket is not None and (found := hit(bucket, resource, context)) is not None:
                    return found
            for length, table in tails:
                bucket = table.get(resource[-length:])
                if bucket is not None and (found := hit(bucket, resource, context)) is not None:
                    return found
            return hit(rest, resource, context) if rest else None

        return first


Hit = Callable[[Bucket, str, Context], Decision | None]


def _allows(bucket: Bucket, resource: str, context: Context) -> Decision | None:
    for pattern, conditions, _, decision in bucket:
        if pattern.test(resource, context):
            for condition in conditions:
                if not condition(context):
                    break
            else:
                return decision
    return None


def _denies(bucket: Bucket, resource: str, context: Context) -> Decision | None:
    for pattern, conditions, _, decision in bucket:
        fits = pattern.test(resource, context)
        if fits or fits is None:
            for condition in conditions:
                held = condition(context)
                if not held and held is not None:
                    break
            else:
                return decision
    return None


def _for_all_requests(rest: Bucket) -> Found | None:
    """The answer when one entry holds for everything."""
    if len(rest) == 1 and _is_for_all(rest[0]):
        decision = rest[0].decision
        return lambda _request: decision
    return None


def _is_for_all(entry: Entry) -> bool:
    return entry.pattern.is_every and not entry.conditions and entry.principals is None


def _without_needless(entries: Iterable[Entry]) -> list[Entry]:
    kept: dict[tuple[object, ...], Entry] = {}
    for entry in entries:
        if _is_for_all(entry):
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


def _grouped(entries: Iterable[Entry], key: Callable[[Entry], str | None]) -> dict[str, Bucket]:
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        text = key(entry)
        if text is not None:
            found.setdefault(text, []).append(entry)
    return {text: tuple(group) for text, group in found.items()}


def _by_length(
    entries: Sequence[Entry], text_of: Callable[[Entry], str], cut: Callable[[str, int], str]
) -> tuple[Tables, list[Entry]]:
    """Tables of entries by a few lengths of a text that each of them has, and the entries that are in none."""
    members: dict[int, list[Entry]] = {length: [] for length in _lengths([len(text_of(entry)) for entry in entries])}
    left: list[Entry] = []
    for entry in entries:
        longest = max((length for length in members if length <= len(text_of(entry))), default=0)
        (members[longest] if longest else left).append(entry)
    tables = [
        (length, _grouped(group, lambda entry, length=length: cut(text_of(entry), length)))  # type: ignore[misc]
        for length, group in members.items()
        if group
    ]
    return tuple(tables), left


def _without_crowds(tables: Tables) -> tuple[Tables, list[Entry]]:
    """The tables without those of a crowd that can go by their end, and these."""
    kept: list[tuple[int, dict[str, Bucket]]] = []
    crowd: list[Entry] = []
    for length, table in tables:
        thinned: dict[str, Bucket] = {}
        for text, bucket in table.items():
            if len(bucket) <= CROWDED:
                thinned[text] = bucket
                continue
            crowd += (entry for entry in bucket if len(entry.pattern.tail) >= SHORTEST)
            thinned[text] = tuple(entry for entry in bucket if len(entry.pattern.tail) < SHORTEST)
        kept.append((length, {text: bucket for text, bucket in thinned.items() if bucket}))
    return tuple((length, table) for length, table in kept if table), crowd


def _lengths(lengths: list[int]) -> list[int]:
    """A few of the lengths, evenly among the entries, so that most entries lose little of their text."""
    usable = sorted(length for length in lengths if length >= SHORTEST)
    if not usable:
        return []
    return sorted({usable[(len(usable) - 1) * step // LENGTHS] for step in range(LENGTHS)})
