"""`iamd token`: hardware MFA tokens, which the operator registers and whoever holds one enables."""

from pathlib import Path

import click

from iamd.cli.connection import data_option, find
from iamd.cli.output import output_options, show
from iamd.cli.text import first_line


@click.group("token", help="Register, list and remove hardware MFA tokens.")
def command() -> None:
    """Hardware MFA tokens."""


@command.command("add", help="Register a token; its seed, in base32, is read from the terminal or standard input.")
@click.argument("serial_number", metavar="SERIAL-NUMBER")
@click.option("--seed-stdin", is_flag=True, help="Read the seed from standard input, not from the terminal.")
@data_option
def add(serial_number: str, seed_stdin: bool, data: Path | None) -> None:
    """Register a token, which anybody can enable then with EnableMFADevice."""
    seed = first_line() if seed_stdin else click.prompt("Seed", hide_input=True)
    find(data).call("RegisterHardwareToken", {"SerialNumber": serial_number, "Base32StringSeed": seed})


@command.command("remove", help="Forget a token that is nobody's.")
@click.argument("serial_number", metavar="SERIAL-NUMBER")
@data_option
def remove(serial_number: str, data: Path | None) -> None:
    """Forget a token."""
    find(data).call("DeregisterHardwareToken", {"SerialNumber": serial_number})


@command.command("list", help="List the tokens, with the accounts where they are in use.")
@output_options
@data_option
def list_tokens(output: str | None, query: str | None, data: Path | None) -> None:
    """Print the tokens."""
    show(find(data).call("ListHardwareTokens", {}), output, query)
