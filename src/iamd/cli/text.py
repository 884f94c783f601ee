"""Text that others wrote, as a terminal may show it."""


def one_line(text: str) -> str:
    """A text as one line that a terminal shows as it is: what others wrote must not steer it."""
    return plain(" ".join(text.split()))


def plain(text: str) -> str:
    """A text with its control characters spelled out."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
