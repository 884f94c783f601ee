"""`iamd status`: the server's health."""

from pathlib import Path

import click

from iamd.cli.connection import data_option, find
from iamd.cli.output import output_options, show


@click.command("status", help="Show the server's health.")
@output_options
@data_option
def command(output: str | None, query: str | None, data: Path | None) -> None:
    """Print what `/_iamd/health` says."""
    _, health = find(data).request("GET", "/_iamd/health", b"", {})
    show(health, output, query)
