"""The models' patterns, which are Java's, as Python's: compiled when first needed, matched against the whole text.

Some of them take a time that doubles with each character of a text that does not match. Those in which one part at
most is of open length do not; all others are matched in a time that is bounded for all values of a request together.
"""

import re
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import groupby
from time import thread_time
from typing import Final

# Java's POSIX classes are ASCII (java.util.regex.Pattern, "POSIX character classes").
_POSIX: Final = {
    "Alnum": "a-zA-Z0-9",
    "Alpha": "a-zA-Z",
    "ASCII": "\\x00-\\x7F",
    "Blank": " \\t",
    "Cntrl": "\\x00-\\x1F\\x7F",
    "Digit": "0-9",
    "Graph": "\\x21-\\x7E",
    "Lower": "a-z",
    "Print": "\\x20-\\x7E",
    "Punct": "!-/:-@\\[-`{-~",
    "Space": " \\t\\n\\x0B\\f\\r",
    "Upper": "A-Z",
    "XDigit": "0-9a-fA-F",
    "all": "\\x00-\\U0010FFFF",
    "LD": "\\x00-\\U0010FFFF",
    "IsWhitespace": " \\t\\n\\x0B\\f\\r\\x85\\xA0",
}
_LONG: Final = {"IsAlphabetic": "L", "IsLetter": "L", "IsDigit": "Nd"}
# What no translation can mend, with what its author must have meant.
_MENDED: Final = {
    # rbin, RuleArn: a count of a count.
    "^arn:\\S+:rbin:[a-z\\-0-9]{0,63}:[0-9]{12}:rule/[0-9a-zA-Z]{11}{0,1011}$": (
        "^arn:\\S+:rbin:[a-z\\-0-9]{0,63}:[0-9]{12}:rule/(?:[0-9a-zA-Z]{11}){0,1011}$"
    ),
}
# The planes that hold what patterns ask for; beyond are tags and private use.
_LAST_PLANE: Final = 0x33480
_KEPT: Final = frozenset("dDsSwWbBAntrfvx0123456789")
_SETS: Final = frozenset("dDsSwWhpP")
_SPECIAL: Final = {"h": " \\t\\xA0", "Z": "\\Z", "z": "\\Z", "e": "\\x1B"}
_ESCAPE: Final = re.compile(
    r"\\(?:(?P<kind>[pP])(?:\{(?P<long>\w+)\}|(?P<short>\w))"
    r"|u(?P<high>[dD][89abAB]\w\w)\\u(?P<low>[dD][c-fC-F]\w\w)|u(?P<code>\w{4})|x\{(?P<point>\w+)\}|(?P<other>.))",
    re.DOTALL | re.ASCII,
)


SECONDS: Final = 0.02
"""How long the patterns of one request may be matched: what a value that fits takes is some millionths."""

Fits = Callable[[str], bool]

# A pattern in which one repetition at most is not of a fixed count, as `_Translation` writes it: its time grows with
# the text, not faster.
_ATOM: Final = r"(?:\[(?:[^\]\\]|\\.)++\]|\\U[0-9a-f]{8}|\\[^U]|[^\\\[\](){}|*+?^$])"
_FIXED: Final = r"(?:\{[0-9]+\})?+"
_OPEN: Final = r"(?:[*+?]|\{[0-9]+,[0-9]*\})"
_ATOMS: Final = rf"(?:{_ATOM}{_FIXED}(?!{_OPEN}))*+"
_END: Final = r"(?:\(\?:\\Z\))?+"
_PLAIN: Final = re.compile(rf"\^?{_ATOMS}(?:{_ATOM}{_OPEN}(?![+?]){_ATOMS})?{_END}", re.DOTALL)


@cache
def fits(pattern: str) -> Fits:
    """Give whether a text fits the whole pattern; digits, words and spaces are ASCII's, as Java reads them."""
    translated = _Translation(_MENDED.get(pattern, pattern)).text()
    if _PLAIN.fullmatch(translated):
        plain = re.compile(translated, re.ASCII).fullmatch
        return lambda text: plain(text) is not None
    # A server that is asked for nothing of this kind does without its two MiB.
    import regex  # noqa: PLC0415

    return _bounded(regex.compile(translated, regex.ASCII | regex.VERSION0).fullmatch)


def _bounded(match: Callable[..., object]) -> Fits:
    # SECURITY: whoever may sign a request chooses the text, and nothing else is served while it is matched. What takes
    # longer than all patterns of a request may take does not fit, and the request is refused.
    def within(text: str) -> bool:
        if _time.left <= 0:
            return False
        began = thread_time()
        try:
            return match(text, timeout=_time.left) is not None
        except TimeoutError:
            _time.left = 0.0
            return False
        finally:
            _time.left -= thread_time() - began

    return within


class _Time(threading.local):
    left = SECONDS


_time: Final = _Time()


@contextmanager
def at_most(seconds: float = SECONDS) -> Iterator[None]:
    """Match patterns for so long at most; afterwards nothing fits that needs to be tried in several ways."""
    _time.left = seconds
    try:
        yield
    finally:
        _time.left = SECONDS


class _Translation:
    """One pass over a pattern; `_inside` while in a character class."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._out: list[str] = []
        self._inside = False
        self._open_flags = [0]

    def text(self) -> str:
        """Give Python's pattern."""
        while self._at < len(self._pattern):
            if self._pattern[self._at] == "\\":
                self._escape()
            elif self._inside:
                self._in_class()
            else:
                self._outside()
        return "".join(self._out) + ")" * self._open_flags[0]

    def _put(self, text: str, count: int = 1) -> None:
        self._out.append(text)
        self._at += count

    def _follows(self, text: str) -> bool:
        return self._pattern.startswith(text, self._at)

    def _outside(self) -> None:
        char = self._pattern[self._at]
        if char == "[":
            self._begin_class()
        elif char == "$":
            # `$` would let a line break at the end pass; in a group it may be counted, as Java allows.
            self._put("(?:\\Z)")
        elif self._follows("(?i)"):
            # Java reads the flag to the end of the group; Python wants a group of its own for it.
            self._open_flags[-1] += 1
            self._put("(?i:", 4)
        else:
            self._group(char)

    def _group(self, char: str) -> None:
        if char == "(":
            self._open_flags.append(0)
        if char == ")" and len(self._open_flags) > 1:
            self._out.append(")" * self._open_flags.pop())
        self._put(char)

    def _begin_class(self) -> None:
        self._inside = True
        self._put("[")
        if self._follows("^"):
            self._put("^")
        if self._follows("]"):
            self._put("\\]")

    def _in_class(self) -> None:
        char = self._pattern[self._at]
        if char == "]":
            self._inside = False
        # Python warns of set operations that it may read one day; the models' nested brackets are plain ones.
        doubled = char in "&~|-" and self._pattern[self._at + 1 : self._at + 2] == char
        self._put(f"\\{char}" if doubled or char == "[" else char)

    def _escape(self) -> None:
        found = _ESCAPE.match(self._pattern, self._at)
        if found is None:
            self._put("\\\\")
            return
        self._put(self._meaning(found), found.end() - found.start())
        kind = found["kind"] or found["other"]
        if self._inside and kind in _SETS and self._follows("-"):
            # A set cannot begin a range: Java reads the hyphen as itself.
            self._put("\\-")

    def _meaning(self, found: re.Match[str]) -> str:
        if found["kind"]:
            return _class(found["long"] or found["short"], negated=found["kind"] == "P", inside=self._inside)
        if found["high"]:
            # Java joins a pair of surrogates to the character they stand for.
            return f"\\U{0x10000 + ((int(found['high'], 16) & 0x3FF) << 10) + (int(found['low'], 16) & 0x3FF):08x}"
        code = found["code"] or found["point"]
        return f"\\U{int(code, 16):08x}" if code else _single(found["other"])


def _single(char: str) -> str:
    if char in _SPECIAL:
        return _SPECIAL[char]
    return f"\\{char}" if char in _KEPT or not char.isalnum() else re.escape(char)


def _class(name: str, *, negated: bool, inside: bool) -> str:
    ranges = _POSIX.get(name) or _category(_LONG.get(name, name.removeprefix("Is")), negated=negated)
    if inside:
        return ranges
    return f"[^{ranges}]" if negated and name in _POSIX else f"[{ranges}]"


@cache
def _category(name: str, *, negated: bool) -> str:
    """Ranges of the characters whose Unicode general category begins with `name`."""
    runs = groupby(range(_LAST_PLANE), key=lambda code: unicodedata.category(chr(code)).startswith(name) is not negated)
    return "".join(_range([*codes]) for belongs, codes in runs if belongs)


def _range(codes: list[int]) -> str:
    return f"\\U{codes[0]:08x}-\\U{codes[-1]:08x}"
