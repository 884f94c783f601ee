"""Markdown as the pages use it."""

from collections.abc import Iterable, Sequence

NOTICE = "<!-- written by `make docs`; changes here are lost -->"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; what would end a cell is escaped."""
    lines = [head, ["---"] * len(head), *([_cell(text) for text in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def document(title: str, *parts: str) -> str:
    """A page of these parts, each a paragraph, a table or a heading."""
    return "\n\n".join([f"# {title}", NOTICE, *parts]) + "\n"


def code(text: object) -> str:
    """Text as it is typed."""
    return f"`{text}`"


def codes(texts: Iterable[object]) -> str:
    """Several, with commas between them."""
    return ", ".join(map(code, texts))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
