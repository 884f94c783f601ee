"""`iamd delegation-request`: how a request stands, for the partner that has made it."""

from pathlib import Path

import click

from iamd.cli.connection import data_option, find
from iamd.cli.output import output_options, show


@click.group("delegation-request", help="Tell a partner how its requests for access stand.")
def command() -> None:
    """Requests for access."""


@command.command("show", help="Print the state of a request that the calling account has made.")
@click.argument("request_id", metavar="REQUEST-ID")
@click.option("--with-token", is_flag=True, help="Print the trade-in token too, once it was sent.")
@output_options
@data_option
def show_request(request_id: str, with_token: bool, output: str | None, query: str | None, data: Path | None) -> None:
    """Print how a request stands; its token is a secret, and printed when it is asked for."""
    told = find(data).call("GetDelegationNotification", {"DelegationRequestId": request_id})
    if not with_token:
        told.pop("TradeInToken", None)
    show(told, output, query)
