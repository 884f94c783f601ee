"""`iamd exec`: a command with the environment that points AWS clients at iamd."""

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path

import click

from iamd.cli.connection import USAGE, Connection, Failure, data_option, find
from iamd.cli.role_arn import role_arn

Address = tuple[str, int]

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

MAX_PORT = 65535
SECONDS = 3600
SESSION_NAME = "iamd-exec"


def _ecs_address(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Address | None:
    """An address that no other machine reaches, and a port, 80 when none is named."""
    if value is None:
        return None
    host, _, port = value.partition(":")
    try:
        address, number = ipaddress.IPv4Address(host), int(port or "80")
    except ValueError:
        raise click.BadParameter(f"an IPv4 address and perhaps a port, got `{value}`") from None
    # SECURITY: there is no token, so that whoever could reach the address could guess at the path.
    if not (address.is_loopback or address.is_link_local) or not 0 <= number <= MAX_PORT:
        raise click.BadParameter(f"a loopback or link-local address and a port up to {MAX_PORT}, got `{value}`")
    return host, number


@click.command(
    "exec",
    context_settings={"allow_interspersed_args": False},
    help="Run a command with the environment that points at iamd.",
)
@click.option("--role", metavar="ARN", callback=role_arn, help="Run it as a session of this role, which you assume.")
@click.option(
    "--task-role", metavar="ARN", callback=role_arn, help="Run it as ECS runs a task with this role, which you pass."
)
@click.option(
    "--ecs-address",
    metavar="HOST[:PORT]",
    callback=_ecs_address,
    help="Give a task its credentials here by AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, without a token; SDKs look at "
    "169.254.170.2 alone.",
)
@click.option(
    "--instance-profile", metavar="NAME", help="Run it as on an EC2 instance with this profile, whose role you pass."
)
@click.option("--session-name", help=f"Name of the session of --role; `{SESSION_NAME}` by default.")
@click.option(
    "--duration-seconds",
    type=click.IntRange(900, 43200),
    help=f"How long credentials of --role last, {SECONDS} by default; new ones are there before they end.",
)
@data_option
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND [ARG]...")
def command(
    role: str | None,
    task_role: str | None,
    ecs_address: Address | None,
    instance_profile: str | None,
    session_name: str | None,
    duration_seconds: int | None,
    data: Path | None,
    words: tuple[str, ...],
) -> None:
    """Become the command; its exit code is the caller's."""
    if sum(one is not None for one in (role, task_role, instance_profile)) > 1:
        raise Failure("give one of --role, --task-role and --instance-profile", USAGE)
    if role is None and (session_name is not None or duration_seconds is not None):
        raise Failure("--session-name and --duration-seconds are for --role", USAGE)
    if task_role is None and ecs_address is not None:
        raise Failure("--ecs-address is for --task-role", USAGE)
    connection = find(data)
    if role is None and task_role is None and instance_profile is None:
        become(connection, list(words))
        return
    # Imported here: who runs a command with its own credentials needs none of it.
    from iamd.cli import workload

    if role is not None:
        environment = workload.of_role(connection, role, session_name or SESSION_NAME, duration_seconds or SECONDS)
    elif task_role is not None:
        environment = workload.of_task(connection, task_role, words[0], ecs_address)
    else:
        environment = workload.of_instance(connection, instance_profile or "")
    run(list(words), environment)


def become(connection: Connection, words: list[str]) -> None:
    """Replace this process by a command that finds this server and these credentials, and no others."""
    kept = {name: value for name, value in os.environ.items() if name not in CLEARED and not name.startswith(ENDPOINTS)}
    nowhere = {"AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_CONFIG_FILE": os.devnull}
    run(words, {**kept, **nowhere, **connection.environment()})


def run(words: list[str], environment: Mapping[str, str]) -> None:
    """Replace this process by a command with this environment."""
    try:
        os.execvpe(words[0], words, environment)  # noqa: S606 (that is the command)
    except OSError as error:
        code = NOT_FOUND if isinstance(error, FileNotFoundError | NotADirectoryError) else NOT_EXECUTABLE
        raise Failure(f"cannot run `{words[0]}`: {error.strerror}", code) from error
