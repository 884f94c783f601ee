"""`iamd audit`: the audit streams."""

import sys
from pathlib import Path

import click

from iamd.cli.connection import DENIED, data_option, find


@click.group("audit", help="Check the audit streams.")
def command() -> None:
    """The audit streams."""


@command.command("verify", help="Check every stream: numbers, hashes, seals; exit code 1 when one is not intact.")
@data_option
def verify(data: Path | None) -> None:
    """Print what is wrong, one line each."""
    answer = find(data).call("VerifyAudit", {})
    for finding in answer.get("Findings", []):
        click.echo(finding)
    click.echo("the audit streams are intact" if answer["Intact"] else "the audit streams are NOT intact")
    sys.exit(0 if answer["Intact"] else DENIED)
