"""The command line: one file per command, imported when it is run."""

import importlib
import sys
from collections.abc import Mapping
from typing import Any

import click

from iamd import __version__
from iamd.settings import SettingsError, StartError, suggestion
from iamd.store.errors import Conflict, Unavailable

COMMANDS: Mapping[str, str] = {
    "serve": "Start the server.",
    "env": "Print the environment that points AWS clients at iamd, for `eval`.",
    "aws": "Run the AWS CLI against iamd.",
    "exec": "Run a command with the environment that points AWS clients at iamd.",
    "account": "Add and list accounts.",
    "can": "Tell whether a principal may do something, and why.",
    "explain": "Tell why a request was decided as it was.",
    "test": "Evaluate policy test cases without a server.",
    "audit": "Check the audit streams.",
    "status": "Show the server's health.",
    "backup": "Copy the store into one file.",
    "restore": "Make a store from a backup.",
    "fsck": "Check the store.",
    "completion": "Print the shell's completion script.",
}
"""The commands, each in a module of its name, with the line that `iamd --help` shows."""

USAGE = 2


class Commands(click.Group):
    """The group of all commands; a module is imported when its command is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"iamd.cli.{cmd_name}_command")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments name; an unknown one is an error that names the nearest."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"unknown command `{args[0]}`{suggestion(args[0], list(COMMANDS))}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="iamd")
def iamd(**_: Any) -> None:
    """iamd: the identity and access control plane that AWS users can own."""


def main() -> None:
    """Run the command line; every error is one line on standard error."""
    try:
        sys.exit(iamd.main(standalone_mode=False))
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        _fail(error.format_message(), getattr(error, "code", USAGE))
    except (SettingsError, StartError, Unavailable, Conflict) as error:
        _fail(str(error), USAGE)


def _fail(message: str, code: int) -> None:
    # Names keep their capitals: `PostgreSQL`, `IAMD_PORT`.
    if message[1:2].islower() and message.partition(" ")[0][1:].islower():
        message = message[:1].lower() + message[1:]
    click.echo(f"iamd: {message}".rstrip("."), err=True)
    sys.exit(code)
