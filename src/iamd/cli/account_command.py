"""`iamd account`: accounts of the server."""

import json
from pathlib import Path

import click

from iamd.cli.connection import data_option, find
from iamd.cli.output import output_options, show
from iamd.cli.text import first_line
from iamd.clock import iso_of


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


@command.command("root-password", help="Give an account's root user the password it signs in with.")
@click.option("--id", "account_id", help="Number of the account; the one that asks by default.")
@click.option("--email", help="E-mail address that the root user signs in with; the account's by default.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, not from the terminal.")
@output_options
@data_option
def root_password(
    account_id: str | None,
    email: str | None,
    password_stdin: bool,
    output: str | None,
    query: str | None,
    data: Path | None,
) -> None:
    """Print whose password was set; it is read where no list of processes and no history shows it."""
    password = first_line() if password_stdin else click.prompt("Password", hide_input=True, confirmation_prompt=True)
    given = {"Password": password, "AccountId": account_id, "Email": email}
    asked = {key: value for key, value in given.items() if value is not None}
    show(find(data).call("SetRootPassword", asked), output, query)


@command.command("list", help="List the accounts.")
@output_options
@data_option
def list_accounts(output: str | None, query: str | None, data: Path | None) -> None:
    """Print the accounts."""
    listed = find(data).call("ListAccounts", {})["Accounts"]
    show({"Accounts": [one | {"Created": iso_of(int(one["Created"]))} for one in listed]}, output, query)
