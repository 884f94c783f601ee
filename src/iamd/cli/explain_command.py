"""`iamd explain`: why a request was decided as it was."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from iamd.cli.can_command import decision_lines
from iamd.cli.connection import data_option, find
from iamd.cli.output import output_options, show
from iamd.cli.text import plain


@click.command("explain", help="Tell why a request was decided as it was, by its request id.")
@click.argument("request_id")
@output_options
@data_option
def command(request_id: str, output: str | None, query: str | None, data: Path | None) -> None:
    """Print who asked what, the decisions, and the statements and condition keys they rest on."""
    answer = find(data).call("Explain", {"RequestId": request_id})
    if output is not None or query is not None:
        show(answer, output, query)
        return
    for line in _lines(answer):
        click.echo(plain(line))


def _lines(answer: Mapping[str, Any]) -> Iterator[str]:
    yield f"{answer['PrincipalArn']} called {answer['EventName']} of {answer['EventSource']}"
    if answer.get("ErrorCode"):
        yield f"refused: {answer['ErrorCode']} {answer.get('ErrorMessage', '')}".rstrip()
    for decision in answer["Decisions"]:
        yield from decision_lines(decision)
        yield "  condition keys:"
        for key, values in sorted(decision["Context"].items()):
            yield f"    {key} = {', '.join(values)}"
