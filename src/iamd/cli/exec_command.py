"""`iamd exec`: a command with the environment that points AWS clients at iamd."""

import os
from pathlib import Path

import click

from iamd.cli.connection import Connection, Failure, data_option, find

NOT_FOUND = 127
NOT_EXECUTABLE = 126
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
    "AWS_SECURITY_TOKEN",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "BOTO_CONFIG",
)
"""Variables by which a child could find other credentials than those it is given, or another server."""

ENDPOINTS = "AWS_ENDPOINT_URL"
"""A service's own endpoint (`AWS_ENDPOINT_URL_S3`) would come before ours (SDK guide, "Service-specific endpoints")."""

RUN = {"ignore_unknown_options": True, "allow_interspersed_args": False}


@click.command("exec", context_settings=RUN, help="Run a command with the environment that points at iamd.")
@data_option
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND [ARG]...")
def command(data: Path | None, words: tuple[str, ...]) -> None:
    """Become the command; its exit code is the caller's."""
    become(find(data), list(words))


def become(connection: Connection, words: list[str]) -> None:
    """Replace this process by a command that finds this server and these credentials, and no others."""
    kept = {name: value for name, value in os.environ.items() if name not in CLEARED and not name.startswith(ENDPOINTS)}
    nowhere = {"AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_CONFIG_FILE": os.devnull}
    try:
        os.execvpe(words[0], words, {**kept, **nowhere, **connection.environment()})  # noqa: S606 (that is the command)
    except OSError as error:
        code = NOT_FOUND if isinstance(error, FileNotFoundError | NotADirectoryError) else NOT_EXECUTABLE
        raise Failure(f"cannot run `{words[0]}`: {error.strerror}", code) from error
