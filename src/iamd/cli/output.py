"""How answers are printed: `-o table|json|yaml|csv`, `--query`; tables on a terminal only, JSON elsewhere."""

import csv
import io
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import click
import jmespath
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from iamd.cli.connection import USAGE, Failure
from iamd.cli.text import plain

FORMATS = ("table", "json", "yaml", "csv")

READABLE: Final = 24
"""How many characters of a longer cell a line of a table shows at least."""

Command = TypeVar("Command", bound=Callable[..., Any])


def output_options(function: Command) -> Command:
    """The options `-o` and `--query`."""
    query = click.option("--query", help="JMESPath expression that chooses what is printed.")
    form = click.option("-o", "--output", type=click.Choice(FORMATS), help="Default: table on a terminal, else json.")
    return form(query(function))


def show(content: Any, output: str | None, query: str | None) -> None:
    """Print an answer."""
    if query is not None:
        content = _chosen(content, query)
    form = output or ("table" if sys.stdout.isatty() else "json")
    match form:
        case "table":
            _table(content)
        case "yaml":
            click.echo("\n".join(_yaml(content, 0)))
        case "csv":
            click.echo(_csv(content), nl=False)
        case _:
            click.echo(json.dumps(content, indent=4, default=str))


def _chosen(content: Any, query: str) -> Any:
    try:
        return jmespath.search(query, content)
    except jmespath.exceptions.JMESPathError as error:
        raise Failure(f"--query `{query}` is no JMESPath: {str(error).splitlines()[0]}", USAGE) from error


def _rows(content: Any) -> list[dict[str, Any]]:
    """What a table shows: a list's items, or the one thing there is; a single list within it is the list."""
    if isinstance(content, Mapping) and len(content) == 1:
        only = next(iter(content.values()))
        content = only if isinstance(only, Sequence) and not isinstance(only, str) else content
    items = content if isinstance(content, list) else [content]
    return [dict(item) if isinstance(item, Mapping) else {"Value": item} for item in items]


def _table(content: Any) -> None:
    """A row each, or, where a row's cells would be folded until nobody can read them, a table for each."""
    rows = [{plain(name): _lines(value) for name, value in row.items()} for row in _rows(content)]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    # What users named something is no markup of rich's.
    console = Console(markup=False, emoji=False, highlight=False)
    if len(columns) == 1 or _width(rows, columns) <= console.width:
        console.print(_one_table(rows, columns))
        return
    for row in rows:
        console.print(_table_of(row))


def _width(rows: Sequence[Mapping[str, str]], columns: Sequence[str]) -> int:
    """What a table needs at least to be read, its lines between the columns counted."""
    widest = (
        max(map(cell_len, (column, *(line for row in rows for line in row.get(column, "").split("\n")))))
        for column in columns
    )
    return 1 + sum(min(cells, READABLE) + 3 for cells in widest)


def _one_table(rows: Sequence[Mapping[str, str]], columns: Sequence[str]) -> Table:
    table = Table()
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(row.get(column, "") for column in columns))
    return table


def _table_of(row: Mapping[str, str]) -> Table:
    """One row's names, and beside them its values; what it has no value for is left out."""
    table = Table(show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in row.items():
        if value:
            table.add_row(name, value)
    return table


def _lines(value: Any) -> str:
    """A cell of a table: of a mapping or a list of plain values, each on a line of its own."""
    if isinstance(value, Mapping) and not any(isinstance(one, Mapping | list) for one in value.values()):
        return "\n".join(plain(f"{name}: {_cell(one)}") for name, one in value.items())
    if isinstance(value, list) and not any(isinstance(one, Mapping | list) for one in value):
        return "\n".join(plain(_cell(one)) for one in value)
    return plain(_cell(value))


def _csv(content: Any) -> str:
    rows = _rows(content)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _yaml(content: Any, depth: int) -> list[str]:
    """YAML in block style; every scalar in its JSON form, which is YAML too."""
    pad = "  " * depth
    if isinstance(content, Mapping) and content:
        return [line for key, value in content.items() for line in _entry(f"{pad}{key}:", value, depth + 1)]
    if isinstance(content, list) and content:
        return [line for value in content for line in _entry(f"{pad}-", value, depth + 1)]
    return [pad + json.dumps(content, default=str)]


def _entry(head: str, value: Any, depth: int) -> list[str]:
    if isinstance(value, Mapping | list) and value:
        return [head, *_yaml(value, depth)]
    return [f"{head} {json.dumps(value, default=str)}"]
