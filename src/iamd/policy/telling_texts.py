"""Texts that tell patterns apart: one for every set of patterns that some text matches, and the others do not.

Each pattern is an automaton whose places are the characters of it that lie behind; a text leads all of them on at once.
The search is whole, unless it would take too long: then it says so.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from functools import lru_cache
from string import ascii_letters
from typing import Final, NamedTuple

from iamd.policy.wildcard import Token, Wild

MOST: Final = 20_000
"""The places that are looked at in all, of all patterns together."""


class WithinPart(Enum):
    """The wildcards of the first five segments of an ARN, which match no colon."""

    RUN = "*"
    ONE = "?"


Unit = str | Wild | WithinPart
"""One character, or one wildcard."""


class Glob(NamedTuple):
    """A pattern, character by character; `folds` says that it has no case, and is in lower case."""

    units: tuple[Unit, ...]
    folds: bool = False

    def matches(self, text: str) -> bool:
        """Whether it matches the whole of a text."""
        automaton = _Automaton(self)
        places = automaton.start
        for character in text:
            places = automaton.after(places, character)
        return automaton.is_end(places)


class Told(NamedTuple):
    """The texts that were found, the shortest of each kind, and whether there are no other kinds."""

    texts: tuple[str, ...]
    is_whole: bool


def glob(pattern: Iterable[Token], *, folds: bool = False) -> Glob:
    """The pattern of these tokens."""
    return Glob(tuple(_units(pattern)), folds)


def arn_glob(segments: Sequence[Iterable[Token]]) -> Glob:
    """The pattern of the six segments of an ARN, each with wildcards of its own."""
    *first, last = segments
    units: list[Unit] = []
    for segment in first:
        units += [WithinPart(unit.value) if isinstance(unit, Wild) else unit for unit in _units(segment)]
        units.append(":")
    return Glob((*units, *_units(last)))


def _units(pattern: Iterable[Token]) -> Iterator[str | Wild]:
    for token in pattern:
        if isinstance(token, str):
            yield from token
        else:
            yield token


@lru_cache(maxsize=256)
def told_apart(globs: tuple[Glob, ...]) -> Told:
    """The texts that tell these patterns apart; none of them is empty."""
    automata = [_Automaton(one) for one in globs]
    other = _other(globs)
    cuts = any(isinstance(unit, WithinPart) for one in globs for unit in one.units)
    start = tuple(one.start for one in automata)
    found: dict[tuple[bool, ...], str] = {}
    # A text may lead back to where the empty one, which is none of them, has been.
    seen, waiting = set[tuple[int, ...]](), deque([(start, "")])
    while waiting:
        places, text = waiting.popleft()
        if text:
            found.setdefault(tuple(one.is_end(at) for one, at in zip(automata, places, strict=True)), text)
        characters = {other}.union(*(one.awaited(at) for one, at in zip(automata, places, strict=True)))
        for character in sorted(characters | {":"} if cuts else characters):
            farther = tuple(one.after(at, character) for one, at in zip(automata, places, strict=True))
            if farther not in seen:
                if len(seen) * len(globs) >= MOST:
                    return Told(tuple(found.values()), is_whole=False)
                seen.add(farther)
                waiting.append((farther, text + character))
    return Told(tuple(found.values()), is_whole=True)


def _other(globs: tuple[Glob, ...]) -> str:
    """A character that stands in no pattern."""
    used = {unit.lower() for one in globs for unit in one.units if isinstance(unit, str)}
    return next((one for one in (*ascii_letters, *map(chr, range(0x4E00, 0xA000))) if one not in used), "\0")


class _Automaton:
    """One pattern; bit n of a number says that n of its units may lie behind."""

    def __init__(self, pattern: Glob) -> None:
        self._units = pattern.units
        self._folds = pattern.folds
        self._runs = [unit in {Wild.RUN, WithinPart.RUN} for unit in pattern.units]
        self.start = self._past_runs(1)

    def is_end(self, places: int) -> bool:
        return bool(places >> len(self._units) & 1)

    def awaited(self, places: int) -> set[str]:
        """The characters that lead on from there as no other does."""
        found = {unit for number, unit in self._at(places) if isinstance(unit, str)}
        return found | {one.upper() for one in found} if self._folds else found

    def after(self, places: int, character: str) -> int:
        if self._folds:
            character = character.lower()
        found = 0
        for number, unit in self._at(places):
            if unit in {Wild.RUN, WithinPart.RUN}:
                found |= 1 << number if unit is Wild.RUN or character != ":" else 0
            elif unit is Wild.ONE or unit == character or (unit is WithinPart.ONE and character != ":"):
                found |= 2 << number
        return self._past_runs(found)

    def _at(self, places: int) -> Iterator[tuple[int, Unit]]:
        return ((number, unit) for number, unit in enumerate(self._units) if places >> number & 1)

    def _past_runs(self, places: int) -> int:
        for number, is_run in enumerate(self._runs):
            if is_run and places >> number & 1:
                places |= 2 << number
        return places
