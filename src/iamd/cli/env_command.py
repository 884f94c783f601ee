"""`iamd env`: the environment that points AWS clients at iamd."""

import shlex
from pathlib import Path

import click

from iamd.cli.connection import data_option, find


@click.command("env", help='Print the environment that points AWS clients at iamd: eval "$(iamd env)".')
@data_option
def command(data: Path | None) -> None:
    """Print one `export` line."""
    pairs = (f"{name}={shlex.quote(value)}" for name, value in find(data).environment().items())
    click.echo(f"export {' '.join(pairs)}")
