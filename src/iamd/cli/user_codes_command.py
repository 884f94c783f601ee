"""`iamd user-codes`: the codes that Cognito would send to users of a user pool."""

from pathlib import Path

import click

from iamd.cli.connection import data_option, find
from iamd.cli.output import output_options, show


@click.command("user-codes", help="List the codes that users of a user pool would be sent.")
@click.argument("user_pool_id")
@click.argument("username", required=False)
@output_options
@data_option
def command(user_pool_id: str, username: str | None, output: str | None, query: str | None, data: Path | None) -> None:
    """Print the codes that could be used now."""
    asked = {"UserPoolId": user_pool_id} | ({"Username": username} if username is not None else {})
    show(find(data).call("ListUserCodes", asked), output, query)
