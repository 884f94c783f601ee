"""What is found: a check's code, type and message, and the places it speaks of, by line, column and offset."""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate

from iamd.policy.lint.catalogue import CATALOGUE, FindingType
from iamd.policy.tree import Place, Step


@dataclass(frozen=True, slots=True)
class Position:
    """A place between characters; lines count from 1, columns and offsets from 0 (API_Position)."""

    line: int
    column: int
    offset: int


@dataclass(frozen=True, slots=True)
class Location:
    """A part of the document, its end exclusive."""

    path: tuple[Step, ...]
    start: Position
    end: Position


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding, as ValidatePolicy answers it (API_ValidatePolicyFinding)."""

    code: str
    type: FindingType
    details: str
    link: str
    locations: tuple[Location, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """What a check found, before its places are counted in lines; `name` is a code, perhaps with a wording."""

    name: str
    places: tuple[Place, ...]
    values: Mapping[str, object]


def note(name: str, *places: Place, **values: object) -> Note:
    """A note of the check `name` about these places, with what is put into its message."""
    return Note(name, places, values)


class Lines:
    """Where the lines of a text begin."""

    def __init__(self, text: str) -> None:
        lengths = (len(line) + 1 for line in text.split("\n"))
        self._starts = [0, *accumulate(lengths)]

    def position(self, offset: int) -> Position:
        """The line and column of an offset."""
        line = bisect_right(self._starts, offset)
        return Position(line, offset - self._starts[line - 1], offset)


def position(text: str, offset: int) -> Position:
    """The same of one offset in a text that may be too long to cut into lines."""
    return Position(text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset) - 1, offset)


def finding(found: Note, position: Callable[[int], Position]) -> Finding:
    """The note as a finding."""
    code, _, wording = found.name.partition("/")
    check = CATALOGUE[code]
    locations = (Location(place.path, position(place.start), position(place.end)) for place in found.places)
    return Finding(code, check.type, check.message(wording, found.values), check.link, tuple(locations))
