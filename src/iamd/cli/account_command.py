"""`iamd account`: accounts of the server."""

import json
from pathlib import Path

import click

from iamd.cli.connection import data_option, find
from iamd.cli.output import output_options, show


@click.group("account", help="Add and list accounts.")
def command() -> None:
    """Accounts of the server."""


@command.command("add", help="Add an account, and print its administrator's access key.")
@click.option("--name", required=True, help="Name of the account.")
@click.option("--id", "account_id", help="Number of the account; a random one by default.")
@click.option("--email", help="E-mail address of the account's owner.")
@data_option
def add(name: str, account_id: str | None, email: str | None, data: Path | None) -> None:
    """Print the new account as JSON: it holds a secret that is shown this once, for a program to read."""
    given = {"Name": name, "AccountId": account_id, "Email": email}
    added = find(data).call("CreateAccount", {key: value for key, value in given.items() if value is not None})
    click.echo(json.dumps(added, indent=4))


@command.command("list", help="List the accounts.")
@output_options
@data_option
def list_accounts(output: str | None, query: str | None, data: Path | None) -> None:
    """Print the accounts."""
    show(find(data).call("ListAccounts", {}), output, query)
