"""`iamd completion`: the shell's completion script."""

import click
from click.shell_completion import get_completion_class

from iamd.cli.connection import USAGE, Failure


@click.command("completion", help="Print the completion script of bash, zsh or fish.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the script, for the shell's start-up file."""
    from iamd.cli.commands import iamd

    kind = get_completion_class(shell)
    if kind is None:
        raise Failure(f"no completion for `{shell}`", USAGE)
    click.echo(kind(iamd, {}, "iamd", "_IAMD_COMPLETE").source())
