"""`iamd report`: what the audit events tell, gathered."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click

from iamd.cli.connection import USAGE, Failure, data_option, find
from iamd.cli.decision_text import GRANTS, labelled, statement_text
from iamd.cli.output import output_options, show
from iamd.cli.text import plain
from iamd.clock import iso_of

_AGE: Final = re.compile(r"([1-9][0-9]{0,4})([smhd])", re.ASCII)
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_IDENTITY: Final = "identity-based policy"
WOULD_BE: Final = "WouldBeDenied"


class Since(click.ParamType[datetime]):
    """How long ago (`30m`, `24h`, `7d`), or a moment (`2026-01-31T12:00:00Z`)."""

    name = "since"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment."""
        if isinstance(value, datetime):
            return value
        age = _AGE.fullmatch(value)
        if age is not None:
            return datetime.now(UTC) - timedelta(**{_UNITS[age[2]]: int(age[1])})
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"`{value}` is no time: write `24h`, `7d` or `2026-01-31T12:00:00Z`", param, ctx)
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


@click.group("report", help="Gather what the audit events tell.")
def command() -> None:
    """What the audit events tell."""


@command.command("denials", help="List what was denied, by principal, with the statement that would allow it.")
@click.option(
    "--since", type=Since(), default="24h", show_default=True, help="From when on: `30m`, `24h`, `7d`, a date."
)
@click.option("--principal", metavar="ARN", help="Of this user or role only; a role's sessions count as the role's.")
@click.option("--would-be", is_flag=True, help="Only what `--enforce soft` let pass.")
@click.option("--policy", is_flag=True, help="Print one identity policy that would allow it; needs --principal.")
@output_options
@data_option
def denials(
    since: datetime,
    principal: str | None,
    would_be: bool,
    policy: bool,
    output: str | None,
    query: str | None,
    data: Path | None,
) -> None:
    """Print them, what happened most often first."""
    if policy and principal is None:
        raise Failure("--policy is for one principal: name it with --principal", USAGE)
    kind = WOULD_BE if would_be else None
    given = {"StartTime": since.timestamp(), "PrincipalArn": principal, "Kind": kind}
    told = find(data).call("ReportDenials", {key: value for key, value in given.items() if value is not None})
    if told["IsTruncated"]:
        click.echo(f"these are the {len(told['Denials'])} most frequent ones: there are more", err=True)
    if policy:
        _print_policy(told["Denials"])
        return
    listed = [{**one, "LastTime": _moment(one["LastTime"])} for one in told["Denials"]]
    if output is None and query is None:
        for line in _lines(listed):
            click.echo(line)
    else:
        show({"Denials": listed}, output, query)


def _moment(seconds: float) -> str:
    return iso_of(int(seconds))


def _lines(listed: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """For people: by principal, what each was denied, by what, and what would allow it."""
    if not listed:
        yield "nothing was denied"
    for principal in dict.fromkeys(one["PrincipalArn"] for one in listed):
        yield plain(principal)
        for one in listed:
            if one["PrincipalArn"] == principal:
                yield from _denial_lines(one, principal)


def _denial_lines(one: Mapping[str, Any], principal: str) -> Iterator[str]:
    passed = ", let pass" if one["Kind"] == WOULD_BE else ""
    yield from labelled(f"{one['Count']:,}x", f"{one['Action']} on {one['Resource']}{passed}")
    if "Statement" in one:
        grant = GRANTS.get(one["Layer"], "")
        yield from labelled("", f"no {one['Layer']} allows it")
        yield from labelled("to allow", grant.format(action=one["Action"], principal=principal))
    for statement in one.get("DeniedBy", ()):
        yield from labelled("denied by", statement_text(statement))
    yield from labelled("last", f"{one['LastTime']}; `iamd explain {one['LastRequestId']}` tells more")


def _print_policy(denied: Sequence[Mapping[str, Any]]) -> None:
    found = _policy(denied)
    if not found["Statement"]:
        click.echo("no identity policy would allow more: nothing was denied for want of one", err=True)
        return
    click.echo(json.dumps(found, indent=4))


def _policy(denied: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One identity policy of the statements that one is missing for; what another policy must say is left out."""
    actions: dict[tuple[str, str], set[str]] = {}
    for one in denied:
        if "Statement" in one and one["Layer"] == _IDENTITY:
            statement = json.loads(one["Statement"])
            condition = json.dumps(statement.get("Condition", {}))
            actions.setdefault((statement["Resource"], condition), set()).add(one["Action"])
    statements = [
        {"Effect": "Allow", "Action": sorted(names), "Resource": resource}
        | ({"Condition": json.loads(condition)} if condition != "{}" else {})
        for (resource, condition), names in sorted(actions.items())
    ]
    return {"Version": "2012-10-17", "Statement": statements}
