"""`iamd quarantine`: cut a key, a user or a role, and everything that derives from it."""

import re
from pathlib import Path
from typing import Any, Final

import click

from iamd.cli.connection import USAGE, Failure, data_option, find
from iamd.cli.output import output_options, show
from iamd.clock import iso_of

_KEY_ID: Final = re.compile(r"[A-Z0-9]{16,128}", re.ASCII)
"""IAM API Reference, AccessKey: its id."""


@click.command("quarantine", help="Cut an access key, or a user or role, with all sessions that derive from it.")
@click.argument("target", metavar="PRINCIPAL|ACCESS-KEY")
@output_options
@data_option
def command(target: str, output: str | None, query: str | None, data: Path | None) -> None:
    """Print what was cut: keys that are inactive now, and sessions that are refused."""
    if not _KEY_ID.fullmatch(target) and not target.startswith("arn:"):
        raise Failure(f"`{target}` is neither an access key's id nor the ARN of a user or role", USAGE)
    answer = find(data).call("Quarantine", {"Target": target})
    if answer.pop("Truncated", False):
        click.echo("iamd: more sessions were cut than are shown", err=True)
    show({"Cut": [_dated(one) for one in answer["Cut"]]}, output, query)


def _dated(one: dict[str, Any]) -> dict[str, Any]:
    """An item with its times as people read them."""
    return one | {name: iso_of(int(one[name])) for name in ("Began", "Expires") if name in one}
