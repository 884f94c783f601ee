"""The commands of the command line: one file per command, imported when it is run."""

import importlib
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NoReturn

import click

from iamd import __version__
from iamd.cli.text import one_line
from iamd.settings import SettingsError, StartError, suggestion
from iamd.store.errors import Conflict, Unavailable

COMMANDS: Mapping[str, str] = {
    "serve": "Start the server.",
    "env": "Print the environment that points AWS clients at iamd, for `eval`.",
    "aws": "Run the AWS CLI against iamd.",
    "exec": "Run a command with the environment that points AWS clients at iamd.",
    "credential-process": "Print credentials for `credential_process` of an AWS profile.",
    "invoke": "Run a local Python handler once, as Lambda runs functions.",
    "metadata": "Print the address of an instance's own metadata, and register who is told it.",
    "account": "Add and list accounts, and give their root users passwords.",
    "can": "Tell whether a principal may do something, and why.",
    "who-can": "List who may do something, in the account and from outside, and why.",
    "user-codes": "List the codes that users of a user pool would be sent.",
    "explain": "Tell why a request was decided as it was.",
    "report": "List what was denied, and what would allow it.",
    "quarantine": "Cut a leaked key, a user or a role, and all that derives from it.",
    "token": "Register and list hardware MFA tokens.",
    "delegation-template": "Register and list what partners may ask accounts for.",
    "delegation-request": "Tell a partner how its requests for access stand.",
    "role-template": "Register what AcquireRole makes roles of.",
    "test": "Evaluate policy test cases without a server.",
    "lint": "Check policy documents as Access Analyzer does, without a server.",
    "audit": "Check the audit streams.",
    "status": "Show the server's health.",
    "backup": "Copy the store into one file.",
    "restore": "Make a store from a backup.",
    "fsck": "Check the store.",
    "completion": "Print the shell's completion script.",
}
"""The commands, each in a module of its name, with the line that `iamd --help` shows."""

USAGE = 2
BROKEN_PIPE = 141
"""The code of a process that SIGPIPE ended, as shells give it: whoever read the output has gone."""

SILENT = frozenset({"serve", "exec", "aws"})
"""Commands that do what they are for without a standard output."""


class Unread(Exception):
    """Nobody reads the output any more."""


class Commands(click.Group):
    """The group of all commands; a module is imported when its command is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"iamd.cli.{cmd_name.replace('-', '_')}_command")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments name; an unknown one is an error that names the nearest."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"unknown command `{args[0]}`{suggestion(args[0], list(COMMANDS))}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; one whose output nobody reads any more ends as if by SIGPIPE."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            # click would take this for success with the code 1, which says `denied` here.
            raise Unread from error

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
    _have_standard_streams()
    try:
        code = _run()
        sys.stdout.flush()
    except (BrokenPipeError, Unread):
        # What is left in the buffer must not be tried again when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        code = BROKEN_PIPE
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        what = f"cannot use `{error.filename}`" if error.filename else "cannot write the output"
        _fail(f"{what}: {error.strerror}", USAGE)
    sys.exit(code)


def _have_standard_streams() -> None:
    """Have descriptors 0 to 2 open: the next file would get the number of a closed one, and what is printed."""
    is_closed = sys.stdout is None
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if is_closed:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - for the life of the process
        if not SILENT.intersection(sys.argv[1:2]):
            _fail("standard output is closed", USAGE)


def _run() -> int:
    """Run the command that the arguments name, and give the exit code."""
    try:
        ended = iamd.main(standalone_mode=False)
        return ended if isinstance(ended, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return USAGE
    except click.Abort:
        return 130
    except click.ClickException as error:
        _fail(error.format_message(), getattr(error, "code", USAGE))
    except (SettingsError, StartError, Unavailable, Conflict) as error:
        _fail(str(error), USAGE)


def _fail(message: str, code: int) -> NoReturn:
    message = one_line(message).rstrip(".")
    # Names keep their capitals (`PostgreSQL`, `IAMD_PORT`), and so do AWS's denials (`User: arn:...`).
    first = message.partition(" ")[0]
    if message[1:2].islower() and first[1:].islower() and not first.endswith(":"):
        message = message[:1].lower() + message[1:]
    with suppress(OSError):
        click.echo(f"iamd: {message}", err=True)
    sys.exit(code)
