"""`iamd quarantine`: cut a key, a user or a role, and everything that derives from it."""

from pathlib import Path
from typing import Any

import click

from iamd.cli.connection import data_option, find
from iamd.cli.output import output_options, show
from iamd.clock import iso_of


@click.command("quarantine", help="Cut an access key, or a user or role, with all sessions that derive from it.")
@click.argument("target", metavar="PRINCIPAL|ACCESS-KEY")
@output_options
@data_option
def command(target: str, output: str | None, query: str | None, data: Path | None) -> None:
    """Print what was cut: keys that are inactive now, and sessions that are refused."""
    answer = find(data).call("Quarantine", {"Target": target})
    if answer.pop("Truncated", False):
        click.echo("iamd: more sessions were cut than are shown", err=True)
    show({"Cut": [_dated(one) for one in answer["Cut"]]}, output, query)


def _dated(one: dict[str, Any]) -> dict[str, Any]:
    """An item with its times as people read them."""
    return one | {name: iso_of(int(one[name])) for name in ("Began", "Expires") if name in one}
