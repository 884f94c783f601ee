"""`iamd credential-process`: credentials for a profile's `credential_process`.

AWS: SDKs and Tools Reference Guide, "Process credential provider" (feature-process-credentials).
"""

import json
from pathlib import Path

import click

from iamd.cli.connection import Connection, Failure, data_option, exit_code, find
from iamd.cli.role_arn import role_arn


@click.command("credential-process", help="Print credentials for `credential_process` of an AWS profile.")
@click.option(
    "--role", metavar="ARN", callback=role_arn, help="A role that you assume; else your own credentials are printed."
)
@click.option("--session-name", default="iamd-credential-process", show_default=True, help="Name of the session.")
@click.option(
    "--duration-seconds",
    type=click.IntRange(900, 43200),
    default=3600,
    show_default=True,
    help="How long credentials of --role last.",
)
@data_option
def command(role: str | None, session_name: str, duration_seconds: int, data: Path | None) -> None:
    """Print them as JSON, for an SDK to read."""
    connection = find(data)
    told = _own(connection) if role is None else _of_role(connection, role, session_name, duration_seconds)
    click.echo(json.dumps({"Version": 1} | told))


def _own(connection: Connection) -> dict[str, str]:
    token = {"SessionToken": connection.session_token} if connection.session_token else {}
    return {"AccessKeyId": connection.access_key_id, "SecretAccessKey": connection.secret_access_key} | token


def _of_role(connection: Connection, role: str, session_name: str, seconds: int) -> dict[str, str]:
    # Imported here: nobody waits for what they did not ask for.
    from iamd.cli.assuming import assume_role
    from iamd.metadata.temporary import Unobtainable

    try:
        found = assume_role(connection, role, session_name, seconds)
    except Unobtainable as error:
        raise Failure(error.message, exit_code(error.status, error.code)) from error
    return {
        "AccessKeyId": found.access_key_id,
        "SecretAccessKey": found.secret_access_key,
        "SessionToken": found.session_token,
        "Expiration": found.expiration,
    }
