"""`*` (any run of characters) and `?` (exactly one), the only wildcards of the policy language.

A pattern is a sequence of tokens, so that text which came out of a variable can stand in it as a literal whatever
characters it holds. It is cut at its `*`: the first chunk is anchored at the start, the last at the end, and those
between are taken leftmost, which is exact because a chunk has a fixed length. Nothing ever backtracks over a `*`.
"""

import re
from collections.abc import Callable, Sequence
from enum import Enum
from functools import lru_cache, partial

from iamd.policy.memo import LONGEST, of_short_texts


class Wild(Enum):
    """The two wildcards, as tokens."""

    RUN = "*"
    ONE = "?"

    __hash__ = object.__hash__  # patterns are looked up often, and Enum's own is slow


Token = str | Wild
Matcher = Callable[[str], bool]

REMEMBERED = 2_048
"""The longest text whose characters' places are all remembered: of one that is all different they take its square."""

REMEMBERED_SINGLY = 65_536
"""The longest text of which the places of the characters that were asked for are remembered."""

TRIES = 2
"""How often a chunk with gaps is looked for where its longest literal stands, before all places are tried at once."""

_TYPED = re.compile(r"[*?]|[^*?]+")
_WILD: dict[str, Wild] = {"*": Wild.RUN, "?": Wild.ONE}


def tokens(text: str) -> tuple[Token, ...]:
    """The tokens of text that an author typed: its `*` and `?` are wildcards."""
    return tuple(_WILD.get(piece, piece) for piece in _TYPED.findall(text))


def matches(pattern: str, text: str) -> bool:
    """Whether the whole of `text` matches `pattern`; case and newlines are ordinary."""
    return cached_typed_matcher(pattern)(text)


def has_wildcard(text: str) -> bool:
    return "*" in text or "?" in text


def cached_matcher(pattern: tuple[Token, ...], most: int) -> Matcher:
    """As `matcher`, of a pattern that texts of `most` characters may match; remembered unless it is long.

    For patterns that are known only when a request brings its variables.
    """
    is_short = most <= LONGEST or sum(len(token) for token in pattern if isinstance(token, str)) <= LONGEST
    return (_cached_matcher if is_short else matcher)(pattern)


@of_short_texts(4096)
def cached_typed_matcher(pattern: str) -> Matcher:
    """As `typed_matcher`, remembered."""
    return typed_matcher(pattern)


def overlap(one: Sequence[Token], other: Sequence[Token]) -> bool:
    """Whether there is a text that matches both patterns."""
    return _Places(one).can_follow(other, every=False)


def covers(one: Sequence[Token], other: Sequence[Token]) -> bool:
    """Whether every text that matches `other` matches `one`.

    It is False, too, where it takes characters that stand in neither to tell: of `a*` and `aa*`, never of `?*` and `*`.
    """
    return _Places(one).can_follow(other, every=True)


class _Places:
    """How far into a pattern a text may have led: bit n of a number says that n of its units are behind us."""

    def __init__(self, pattern: Sequence[Token]) -> None:
        units = _units(pattern)
        self._size = len(units)
        self._runs = sum(1 << place for place, unit in enumerate(units) if unit is Wild.RUN)
        self._ones = sum(1 << place for place, unit in enumerate(units) if unit is Wild.ONE)
        self._letters = (1 << self._size) - 1 & ~self._runs & ~self._ones
        self._of = _places("".join(unit if isinstance(unit, str) else "*" for unit in units))

    def can_follow(self, other: Sequence[Token], *, every: bool) -> bool:
        """Whether the whole pattern matches every text of another one, or one of its texts."""
        reached = self._past_runs(1)
        for unit in _units(other):
            if unit is Wild.RUN:
                # Any text leads to every place from the first on; all texts lead only to runs, which take them whole.
                farther = (2 << self._size) - 1 & -(reached & -reached)
                reached = self._past_runs(reached & self._runs) if every else farther
                continue
            fits = self._ones
            if isinstance(unit, str):
                fits |= self._of.get(unit, 0) & self._letters
            elif not every:
                fits |= self._letters
            reached = self._past_runs((reached & fits) << 1 | reached & self._runs)
        return bool(reached >> self._size)

    def _past_runs(self, reached: int) -> int:
        return reached | (reached & self._runs) << 1


def _units(pattern: Sequence[Token]) -> list[Token]:
    """A pattern character by character, a run of runs being one."""
    found: list[Token] = []
    for token in pattern:
        if isinstance(token, str):
            found += token
        elif token is Wild.ONE or found[-1:] != [Wild.RUN]:
            found.append(token)
    return found


def matcher(pattern: Sequence[Token]) -> Matcher:
    """A function that tells whether a whole text matches `pattern`."""
    chunks: list[list[str]] = [[]]
    piece = ""
    for token in pattern:
        if isinstance(token, str):
            piece += token  # a local name's text is not copied for it
            continue
        chunks[-1].append(piece)
        piece = ""
        if token is Wild.RUN:
            chunks.append([])
    chunks[-1].append(piece)
    return _of_chunks([_Chunk(pieces) for pieces in chunks])


_cached_matcher = lru_cache(maxsize=4096)(matcher)


def typed_matcher(pattern: str) -> Matcher:
    """As `matcher`, of text that an author typed: its `*` and `?` are wildcards."""
    return _of_chunks([_Chunk(text.split("?")) if text else _NOTHING for text in pattern.split("*")])


def _of_chunks(chunks: Sequence["_Chunk"]) -> Matcher:
    if len(chunks) == 1:
        return chunks[0].whole
    head, *middle, tail = chunks
    middle = [chunk for chunk in middle if chunk.length]
    if middle or head.gapped or tail.gapped:
        return _general(head, middle, tail)
    if not tail.length:
        return _everything if not head.length else _starting(head.literal)
    return _around(head.literal, tail.literal)


class _Chunk:
    """What stands between two `*`: text of a fixed length, in which `?` leaves gaps."""

    __slots__ = ("_spots", "anchor", "gapped", "length", "literal")

    def __init__(self, pieces: Sequence[str]) -> None:
        """Of its literals, with one `?` between any two."""
        self.literal = pieces[0]
        """The whole chunk, unless it has gaps."""
        self.length = len(self.literal)
        self.gapped: list[tuple[int, str]] = []
        """With gaps, the literals, each with its place in the chunk."""
        self.anchor = (0, "")
        """With gaps, the longest literal, and its place."""
        self._spots: dict[str, list[int]] | None = None
        """With gaps, where each character stands in the chunk, from when that is first asked for."""
        if len(pieces) > 1:
            self._read_gaps(pieces)

    def _read_gaps(self, pieces: Sequence[str]) -> None:
        self.gapped.append((0, self.literal))
        longest = self.literal
        for piece in pieces[1:]:
            self.gapped.append((self.length + 1, piece))
            if len(piece) > len(longest):
                longest, self.anchor = piece, (self.length + 1, piece)
            self.length += 1 + len(piece)
        if longest is self.literal:
            self.anchor = (0, longest)

    def spots(self) -> dict[str, list[int]]:
        """Where each character of its literals stands in it."""
        found = self._spots
        if found is None:
            found = self._spots = {}
            for place, piece in self.gapped:
                for spot, character in enumerate(piece, place):
                    if character in found:
                        found[character].append(spot)
                    else:
                        found[character] = [spot]
        return found

    def whole(self, text: str) -> bool:
        if len(text) != self.length:
            return False
        return self.at(text, 0) if self.gapped else text == self.literal

    def at(self, text: str, position: int) -> bool:
        """Whether it stands there; the caller knows that the text is long enough."""
        if not self.gapped:
            return text.startswith(self.literal, position)
        return all(text.startswith(piece, position + place) for place, piece in self.gapped)

    def end_of_first(self, text: str, start: int, end: int) -> int:
        """Where the leftmost match inside text[start:end] ends, or -1."""
        if not self.gapped:
            position = text.find(self.literal, start, end)
            return position + self.length if position >= 0 else -1
        return self._end_of_first_with_gaps(text, start, end)

    def _end_of_first_with_gaps(self, text: str, start: int, end: int) -> int:
        place, piece = self.anchor
        last = end - self.length
        for _ in range(TRIES):
            if start > last:
                return -1
            start = text.find(piece, start + place, last + place + len(piece)) - place
            if start < 0:
                return -1
            if self.at(text, start):
                return start + self.length
            start += 1
        return self._end_of_first_of_all(text, start, end)

    def _end_of_first_of_all(self, text: str, start: int, end: int) -> int:
        # Bit n of `fits` says that the chunk may begin at start + n: a step for each of its characters, whatever
        # the text is made of; those that are rarest in it first, which leave little.
        room = end - start - self.length + 1
        if room <= 0:
            return -1
        find = _places_in(text)
        found = [(find(character), spots) for character, spots in self.spots().items()]
        found.sort(key=_rarity)
        fits = (1 << room) - 1
        for places, spots in found:
            for spot in spots:
                fits &= places >> start + spot
                if not fits:
                    return -1
            if fits.bit_count() <= TRIES:
                return self._end_of_first_of(text, start, fits)
        return start + _lowest(fits) + self.length

    def _end_of_first_of(self, text: str, start: int, fits: int) -> int:
        while fits:
            place = _lowest(fits)
            if self.at(text, start + place):
                return start + place + self.length
            fits &= fits - 1
        return -1


_NOTHING = _Chunk([""])


def _rarity(found: tuple[int, list[int]]) -> int:
    return found[0].bit_count()


def _lowest(bits: int) -> int:
    return (bits & -bits).bit_length() - 1


def _places(text: str) -> dict[str, int]:
    """For each character of a text where it stands: bit n is set when it is the n-th."""
    size = len(text) // 8 + 1
    found: dict[str, bytearray] = {}
    for place, character in enumerate(text):
        if character not in found:
            found[character] = bytearray(size)
        found[character][place >> 3] |= 1 << (place & 7)
    return {character: int.from_bytes(bits, "little") for character, bits in found.items()}


_remembered_places = lru_cache(maxsize=64)(_places)


def _places_in(text: str) -> Callable[[str], int]:
    """Tells where a character stands in a text: bit n is set when it is the n-th."""
    if len(text) <= REMEMBERED:
        places = _remembered_places(text)
        return lambda character: places.get(character, 0)
    return partial(_remembered_places_of if len(text) <= REMEMBERED_SINGLY else _found_places_of, text)


def _found_places_of(text: str, character: str) -> int:
    # A byte for each character, so that no step is one of Python's; what has no byte is a question mark then.
    if character == "?" or character > "\xff":
        text, character = text.replace("\x01", "\x02").replace(character, "\x01"), "\x01"
    digits = text.encode("latin-1", "replace").translate(_digits(ord(character)))
    return int(digits[::-1], 2)


@lru_cache(maxsize=256)
def _digits(byte: int) -> bytes:
    """What turns a byte into a 1 and all others into a 0."""
    return bytes(49 if other == byte else 48 for other in range(256))


# SECURITY: a long text's places were once found anew for each pattern, and one decision took twenty seconds.
_remembered_places_of = lru_cache(maxsize=1024)(_found_places_of)


def _everything(_text: str) -> bool:
    return True


def _starting(head: str) -> Matcher:
    return lambda text: text.startswith(head)


def _around(head: str, tail: str) -> Matcher:
    shortest = len(head) + len(tail)
    return lambda text: len(text) >= shortest and text.startswith(head) and text.endswith(tail)


def _general(head: _Chunk, middle: Sequence[_Chunk], tail: _Chunk) -> Matcher:
    def match(text: str) -> bool:
        end = len(text) - tail.length
        if end < head.length or not head.at(text, 0) or not tail.at(text, end):
            return False
        position = head.length
        for chunk in middle:
            position = chunk.end_of_first(text, position, end)
            if position < 0:
                return False
        return True

    return match
