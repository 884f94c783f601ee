"""`iamd status`: the server's health."""

from pathlib import Path

import click

from iamd.cli.connection import UNREACHABLE, Failure, data_option, find
from iamd.cli.output import output_options, show


@click.command("status", help="Show the server's health.")
@output_options
@data_option
def command(output: str | None, query: str | None, data: Path | None) -> None:
    """Print what `/_iamd/health` says."""
    connection = find(data)
    status, health = connection.request("GET", "/_iamd/health", b"", {})
    if status != 200 or "version" not in health:
        raise Failure(f"{connection.endpoint} is no iamd: it has no health", UNREACHABLE)
    show(health, output, query)
