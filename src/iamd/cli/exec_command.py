"""`iamd exec`: a command with the environment that points AWS clients at iamd."""

import os
from pathlib import Path

import click

from iamd.cli.connection import Connection, Failure, data_option, find

NOT_FOUND = 127
CLEARED = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CONFIG_FILE",
    "BOTO_CONFIG",
)
"""Variables by which a child could find other credentials than those it is given."""

RUN = {"ignore_unknown_options": True, "allow_interspersed_args": False}


@click.command("exec", context_settings=RUN, help="Run a command with the environment that points at iamd.")
@data_option
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND [ARG]...")
def command(data: Path | None, words: tuple[str, ...]) -> None:
    """Become the command; its exit code is the caller's."""
    become(find(data), list(words))


def become(connection: Connection, words: list[str]) -> None:
    """Replace this process by a command that finds this server and these credentials, and no others."""
    kept = {name: value for name, value in os.environ.items() if name not in CLEARED}
    nowhere = {"AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_CONFIG_FILE": os.devnull}
    try:
        os.execvpe(words[0], words, {**kept, **nowhere, **connection.environment()})  # noqa: S606 (that is the command)
    except OSError as error:
        raise Failure(f"cannot run `{words[0]}`: {error.strerror}", NOT_FOUND) from error
