"""`iamd explain`: why a request was decided as it was."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from iamd.cli.connection import data_option, find
from iamd.cli.decision_text import decision_text, labelled, spelled
from iamd.cli.output import output_options, show
from iamd.cli.text import plain


@click.command("explain", help="Tell why a request was decided as it was, by its request id.")
@click.argument("request_id")
@output_options
@data_option
def command(request_id: str, output: str | None, query: str | None, data: Path | None) -> None:
    """Print who asked what, the decisions, and the statements and condition keys they rest on."""
    answer = find(data).call("Explain", {"RequestId": request_id})
    if output is not None or query is not None:
        show(answer, output, query)
        return
    for line in explained(answer):
        click.echo(line)


def explained(answer: Mapping[str, Any]) -> Iterator[str]:
    """An answer of Explain, for people."""
    principal, message = answer["PrincipalArn"], answer.get("ErrorMessage", "")
    yield plain(f"{principal} called {answer['EventName']} of {answer['EventSource']}")
    if answer.get("ErrorCode"):
        yield plain(f"refused: {answer['ErrorCode']} {message}".rstrip())
    # S3 puts resources in quotes.
    told = message.replace('"', "")
    decisions = answer["Decisions"]
    for decision in decisions:
        # What else was decided may be somebody else's to be allowed: a function's role.
        who = _who(decision) if _who(decision) != _who(decisions[0]) else None
        yield from decision_text(decision, who or principal, message=decision["Message"] not in told)
        yield from _keys(decision["Context"])


def _who(decision: Mapping[str, Any]) -> str | None:
    """Whose request was decided; None for who has no ARN."""
    found = decision["Context"].get("aws:principalarn")
    return found[0] if found else None


def _keys(context: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """The condition keys of a request, one a line."""
    for number, (key, values) in enumerate(sorted(context.items())):
        yield from labelled("keys" if number == 0 else "", f"{spelled(key)} = {', '.join(values)}")
