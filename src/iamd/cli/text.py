"""Text that others wrote: as a terminal may show it, and as it comes from standard input."""

import sys


def one_line(text: str) -> str:
    """A text as one line that a terminal shows as it is: what others wrote must not steer it."""
    return plain(" ".join(text.split()))


def plain(text: str) -> str:
    """A text with its control characters spelled out."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def first_line() -> str:
    """The first line of standard input, without its end: a secret that a program hands over."""
    return sys.stdin.readline().rstrip("\r\n")
