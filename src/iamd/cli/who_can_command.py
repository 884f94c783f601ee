"""`iamd who-can`: which principals of the account may do something, and by which statements."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from iamd.cli.can_command import context_of
from iamd.cli.connection import Connection, data_option, find
from iamd.cli.decision_text import allowed_parts, labelled, missed_parts
from iamd.cli.output import output_options, show
from iamd.cli.text import plain

Told = Mapping[str, Any]


@click.command("who-can", help="List who in the account may do something, and by which statements.")
@click.argument("action")
@click.argument("resource_arn")
@click.option("--context", "pairs", multiple=True, metavar="KEY=VALUE", help="A condition key of the request.")
@output_options
@data_option
def command(
    action: str, resource_arn: str, pairs: tuple[str, ...], output: str | None, query: str | None, data: Path | None
) -> None:
    """Print those who may, and those whom conditions alone keep from it."""
    asked = {"Action": action, "ResourceArn": resource_arn, "Context": context_of(pairs)}
    listed, looked_at = _all(find(data), asked)
    if output is not None or query is not None:
        show({"Principals": listed, "LookedAt": looked_at}, output, query)
        return
    may = [one for one in listed if one["Allowed"]]
    might = [one for one in listed if not one["Allowed"]]
    click.echo(plain(f"{len(may)} of {looked_at} principals may do {action} on {resource_arn}"))
    for line in _lines(may):
        click.echo(line)
    if might:
        click.echo(plain(f"{len(might)} more might, under other conditions (--context KEY=VALUE)"))
        for line in _lines(might):
            click.echo(line)


def _all(connection: Connection, asked: Mapping[str, Any]) -> tuple[list[Told], int]:
    """All pages: who is listed, and how many were looked at."""
    listed: list[Told] = []
    looked_at, page = 0, dict(asked)
    while True:
        answer = connection.call("WhoCan", page)
        listed += answer["Principals"]
        looked_at += answer["LookedAt"]
        if not answer["IsTruncated"]:
            return listed, looked_at
        page["Marker"] = answer["Marker"]


def _lines(listed: Sequence[Told]) -> Iterator[str]:
    for one in listed:
        yield plain(one["PrincipalArn"])
        for label, text in allowed_parts(one) if one["Allowed"] else missed_parts(one):
            yield from labelled(label, text)
