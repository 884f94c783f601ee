"""`iamd test`: policy test cases, evaluated without a server."""

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, tostring

import click

from iamd.cli.case_files import Found, cases
from iamd.cli.connection import DENIED, USAGE, Failure
from iamd.cli.coverage import Coverage
from iamd.cli.files import write_file
from iamd.cli.output import output_options, show
from iamd.cli.storable import refused
from iamd.cli.text import plain
from iamd.policy import cases as policy_cases
from iamd.policy.cases import Case
from iamd.policy.decision import Decision, Match, denial_message
from iamd.policy.evaluate import Layers, decide


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a case."""

    place: str
    case: Case
    decision: Decision
    layer: str | None = None
    """The layer that the case expects to decide, if it says so."""
    refused: tuple[str, ...] = ()
    """Which of its policies AWS would not store, and AWS's words for it."""

    @property
    def agrees(self) -> bool:
        """Whether the case came out as expected, of policies that there can be."""
        return (
            not self.refused
            and self.case.agrees(self.decision.outcome)
            and self.layer in {None, str(self.decision.layer)}
        )

    @property
    def reasons(self) -> list[str]:
        """What decided: AWS's words for a denial, the statements, and policies that can't be read."""
        words = [] if self.decision.allowed else [denial_message(self.decision, self.case.request)]
        return [*self.refused, *words, *map(_statement, self.decision.matched), *_unreadable(self.case.layers)]

    def line(self) -> str:
        """The difference in one line."""
        if self.refused:
            told = "; ".join([*self.refused, *_unreadable(self.case.layers)])
            return f"{self.place}: {self.case.id}: AWS would not store {told}"
        by = f" by {self.layer}" if self.layer is not None else ""
        decided = f"{self.decision.outcome} by {self.decision.layer}"
        why = "; ".join(self.reasons)
        return f"{self.place}: {self.case.id}: expected {self.case.expected}{by}, decided {decided}: {why}"


@click.command("test", help="Evaluate policy test cases without a server; exit code 1 when one comes out otherwise.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--junit", type=click.Path(path_type=Path), help="File to write the results to, in JUnit's form.")
@click.option("--coverage", is_flag=True, help="Tell the statements that no case exercised, too.")
@output_options
def command(
    files: tuple[Path, ...], junit: Path | None, output: str | None, query: str | None, *, coverage: bool
) -> None:
    """Print what differs from what is expected."""
    every = [found for file in files for found in cases(file)]
    results = [_result(found) for found in every]
    if not results:
        raise Failure(f"there is no case in {', '.join(f'`{file}`' for file in files)}", USAGE)
    _print(results, output, query)
    if coverage:
        _print_coverage(_coverage(every, results), output, query)
    if junit is not None:
        _write_junit(results, junit)
    sys.exit(0 if all(result.agrees for result in results) else DENIED)


def _result(found: Found) -> Result:
    try:
        case = policy_cases.read(found.case)
    except KeyError as error:
        raise Failure(f"{found.place}: the case has no {error}", USAGE) from error
    except (ValueError, TypeError, AttributeError) as error:
        raise Failure(f"{found.place}: {error}", USAGE) from error
    decision = decide(case.request, case.layers)
    return Result(found.place, case, decision, found.case.get("layer"), tuple(_refused(found, case)))


def _refused(found: Found, case: Case) -> Iterable[str]:
    # What names its source is about what AWS does with a policy that it has, be it one of before today's checks.
    if "source" not in found.case:
        for one in refused(case):
            yield f"{one.place(found.files)}: {one.why}"


def _statement(match: Match) -> str:
    level = "" if match.level is None else f" of level {match.level}"
    sid = f" (Sid {match.statement.sid})" if match.statement.sid else ""
    number, index = match.policy + 1, match.statement.index + 1
    return f"{match.statement.effect} in {match.layer} {number}{level}, statement {index}{sid}"


def _unreadable(layers: Layers) -> Iterable[str]:
    """Why policies deny everything that were meant to say something else."""
    for found in layers.sets():
        for number, policy in enumerate(found.policies, 1):
            if policy.unreadable is not None:
                yield f"{found.layer} {number} can't be read: {policy.unreadable}"


def _print(results: list[Result], output: str | None, query: str | None) -> None:
    shown = [
        {
            "id": result.case.id,
            "decision": str(result.decision.outcome),
            "expected": result.case.expected,
            "reasons": result.reasons,
        }
        for result in results
    ]
    if query is not None or output not in {None, "json"}:
        show(shown, output, query)
    elif output == "json":
        for one in shown:
            click.echo(json.dumps(one))
    else:
        differing = [result for result in results if not result.agrees]
        for result in differing:
            click.echo(plain(result.line()))
        cases = "1 case" if len(results) == 1 else f"{len(results)} cases"
        click.echo(f"{cases}, {'1 differs' if len(differing) == 1 else f'{len(differing)} differ'}")


def _coverage(every: Iterable[Found], results: Iterable[Result]) -> Coverage:
    counted = Coverage()
    for found, result in zip(every, results, strict=True):
        counted.add(found.place, result.case, found.files)
    return counted


def _print_coverage(counted: Coverage, output: str | None, query: str | None) -> None:
    """What no case exercised, after all else; in JSON lines one more, else where it spoils no other form."""
    missed = list(counted.missed())
    exercised = counted.statements - len(missed)
    if output == "json" and query is None:
        click.echo(json.dumps({"statements": counted.statements, "exercised": exercised, "missed": missed}))
        return
    is_text = output is None and query is None
    for place in missed:
        click.echo(plain(f"{place}: no case exercised it"), err=not is_text)
    click.echo(f"{exercised} of {counted.statements} statements exercised", err=not is_text)


def _write_junit(results: list[Result], file: Path) -> None:
    failures = sum(not result.agrees for result in results)
    suite = Element("testsuite", name="iamd test", tests=str(len(results)), failures=str(failures), errors="0")
    for result in results:
        case = SubElement(suite, "testcase", classname=plain(result.place), name=plain(result.case.id))
        if not result.agrees:
            SubElement(case, "failure", message=plain(result.line()))
    write_file(file, tostring(suite, encoding="utf-8", xml_declaration=True))
