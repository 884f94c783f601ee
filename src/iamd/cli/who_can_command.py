"""`iamd who-can`: which principals of the account may do something, and by which statements."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click

from iamd.cli.can_command import context_of
from iamd.cli.connection import Connection, data_option, find
from iamd.cli.decision_text import allowed_parts, labelled, missed_parts
from iamd.cli.output import output_options, show
from iamd.cli.text import plain

Told = Mapping[str, Any]


@click.command("who-can", help="List who may do something, in the account and from outside, and by which statements.")
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
    answer = _all(find(data), asked)
    if output is not None or query is not None:
        show(answer, output, query)
        return
    may, might = _sorted(answer["Principals"])
    _print(f"{len(may)} of {answer['LookedAt']} principals may do {action} on {resource_arn}", may)
    if might:
        _print(f"{len(might)} more might, under other conditions (--context KEY=VALUE)", might)
    may, might = _sorted(answer["Others"])
    if may:
        _print("besides, by what the resource's own policies and grants say, may", may)
    if might:
        _print("besides, by what they say, might, under other conditions (--context KEY=VALUE)", might)


def _all(connection: Connection, asked: Mapping[str, Any]) -> dict[str, Any]:
    """All pages: who is listed, and how many principals were looked at."""
    found: dict[str, Any] = {"Principals": [], "Others": [], "LookedAt": 0}
    page = dict(asked)
    while True:
        answer = connection.call("WhoCan", page)
        for name in found:
            found[name] += answer[name]
        if not answer["IsTruncated"]:
            return found
        page["Marker"] = answer["Marker"]


def _sorted(listed: Sequence[Told]) -> tuple[list[Told], list[Told]]:
    """Those who may, and those who might."""
    return [one for one in listed if one["Allowed"]], [one for one in listed if not one["Allowed"]]


def _print(heading: str, listed: Sequence[Told]) -> None:
    click.echo(plain(heading))
    for line in _lines(listed):
        click.echo(line)


_KINDS: Final = {
    "Account": "account {name}",
    "Anonymous": "everybody, without a signature",
    "EveryAccount": "every other account",
    "EveryService": "every service of AWS",
    "Federated": "whom {name} vouches for",
    "Principal": "{name}",
    "Service": "service {name}",
    "Session": "{name}",
}
_ALL_OF_IT: Final = frozenset({"Account", "EveryAccount"})


def _name(one: Told) -> str:
    """Who it is, as people say it."""
    if "PrincipalArn" in one:
        return str(one["PrincipalArn"])
    name = _KINDS[one["Kind"]].format(name=one["Name"])
    if not one["IfItsAccountAllows"]:
        return name
    return (
        f"{name}, which may give it to its principals"
        if one["Kind"] in _ALL_OF_IT
        else f"{name}, if its account allows it"
    )


def _lines(listed: Sequence[Told]) -> Iterator[str]:
    for one in listed:
        yield plain(_name(one))
        for label, text in allowed_parts(one) if one["Allowed"] else missed_parts(one):
            yield from labelled(label, text)
