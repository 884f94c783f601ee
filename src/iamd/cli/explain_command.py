"""`iamd explain`: why a request was decided as it was."""

from pathlib import Path

import click

from iamd.cli.can_command import decision_lines
from iamd.cli.connection import data_option, find
from iamd.cli.output import output_options, show


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
    click.echo(f"{answer['PrincipalArn']} called {answer['EventName']} of {answer['EventSource']}")
    if answer.get("ErrorCode"):
        click.echo(f"refused: {answer['ErrorCode']} {answer.get('ErrorMessage', '')}")
    for decision in answer["Decisions"]:
        click.echo("\n".join(decision_lines(decision)))
        click.echo("  condition keys:")
        for key, values in sorted(decision["Context"].items()):
            click.echo(f"    {key} = {', '.join(values)}")
