"""`iamd can`: whether a principal may do something, and why."""

import sys
from pathlib import Path
from typing import Any

import click

from iamd.cli.connection import DENIED, USAGE, Failure, data_option, find
from iamd.cli.decision_text import decision_text
from iamd.cli.output import output_options, show


@click.command("can", help="Tell whether a principal may do something; exit code 1 when not.")
@click.argument("principal_arn")
@click.argument("action")
@click.argument("resource_arn")
@click.option("--context", "pairs", multiple=True, metavar="KEY=VALUE", help="A condition key of the request.")
@output_options
@data_option
def command(
    principal_arn: str,
    action: str,
    resource_arn: str,
    pairs: tuple[str, ...],
    output: str | None,
    query: str | None,
    data: Path | None,
) -> None:
    """Print the decision, its reason and the statements that made it."""
    parameters: dict[str, Any] = {"PrincipalArn": principal_arn, "Action": action, "ResourceArn": resource_arn}
    parameters["Context"] = context_of(pairs)
    answer = find(data).call("Can", parameters)
    if output is None and query is None:
        for line in decision_text(answer["Decision"], principal_arn):
            click.echo(line)
    else:
        show(answer, output, query)
    sys.exit(0 if answer["Allowed"] else DENIED)


def context_of(pairs: tuple[str, ...]) -> dict[str, list[str]]:
    """A key that is given repeatedly has several values."""
    context: dict[str, list[str]] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise Failure(f"--context `{pair}`: give it as key=value", USAGE)
        context.setdefault(key, []).append(value)
    return context
