"""`iamd lint`: AWS's policy checks on policy documents in files, without a server."""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from iamd.cli import sarif
from iamd.cli.connection import DENIED, USAGE, Failure
from iamd.cli.files import read_file, write_file
from iamd.cli.output import output_options, show
from iamd.cli.text import plain
from iamd.policy.lint.catalogue import FindingType
from iamd.policy.lint.finding import Finding
from iamd.policy.lint.lint import Report, lint
from iamd.policy.lint.subject import AttachedTo, DocumentType
from iamd.services.accessanalyzer.findings import shown
from iamd.services.accessanalyzer.reference import aws

FLAT = frozenset({"table", "csv"})
"""The forms in which a finding is one row, of one place."""


@dataclass(frozen=True, slots=True)
class Linted:
    """A file and what was found in it."""

    file: Path
    report: Report

    def fails(self, types: Sequence[FindingType]) -> bool:
        """Whether it has a finding of these types, or was too much to be examined to the end."""
        return not self.report.complete or any(finding.type in types for finding in self.report.findings)


@click.command("lint", help="Check policy documents as Access Analyzer does; exit code 1 when an error is found.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--policy-type",
    type=click.Choice(list(map(str, DocumentType))),
    help="What the documents are; IDENTITY_POLICY unless a resource type is given.",
)
@click.option(
    "--resource-type",
    type=click.Choice(list(map(str, AttachedTo))),
    help="The type of resource that the resource policies are attached to.",
)
@click.option(
    "--fail-on",
    type=click.Choice(list(map(str, FindingType))),
    default=str(FindingType.ERROR),
    help="The least finding that makes the exit code 1; ERROR unless it is given.",
)
@click.option("--sarif", "sarif_file", type=click.Path(path_type=Path), help="File to write the findings to, as SARIF.")
@output_options
def command(
    files: tuple[Path, ...],
    policy_type: str | None,
    resource_type: str | None,
    fail_on: str,
    sarif_file: Path | None,
    output: str | None,
    query: str | None,
) -> None:
    """Print what is found in each file."""
    type, attached_to = _kind(policy_type, resource_type)
    linted, unread = [], False
    for file in files:
        try:
            linted.append(Linted(file, lint(read_file(file), type, aws(), attached_to)))
        except Failure as failure:
            # What can be read is told all the same: it may be what somebody waits for.
            click.echo(f"iamd: {failure.message}", err=True)
            unread = True
    if not linted:
        sys.exit(USAGE)
    if output is None and query is None:
        _print(linted)
    else:
        show(_rows(linted) if output in FLAT and query is None else _findings(linted), output, query)
    if sarif_file is not None:
        write_file(sarif_file, sarif.document([(one.file, one.report.findings) for one in linted]).encode())
    types = [*FindingType]
    failing = types[: types.index(FindingType(fail_on)) + 1]
    if unread:
        sys.exit(USAGE)
    sys.exit(DENIED if any(one.fails(failing) for one in linted) else 0)


def _kind(policy_type: str | None, resource_type: str | None) -> tuple[DocumentType, AttachedTo | None]:
    if resource_type is None:
        return DocumentType(policy_type or DocumentType.IDENTITY), None
    if policy_type not in {None, DocumentType.RESOURCE}:
        raise Failure(f"--resource-type goes with --policy-type {DocumentType.RESOURCE} only", USAGE)
    return DocumentType.RESOURCE, AttachedTo(resource_type)


def _print(linted: Sequence[Linted]) -> None:
    for one in linted:
        for finding in one.report.findings:
            click.echo(plain(_line(one.file, finding)))
        if not one.report.complete:
            click.echo(plain(f"{one.file}: not examined: there is more in it than in any policy that AWS stores"))
    counts = Counter(finding.type for one in linted for finding in one.report.findings)
    told = [
        _count("file", len(linted)),
        *(_count(type.lower().replace("_", " "), counts[type]) for type in FindingType),
    ]
    click.echo(", ".join(told))


def _line(file: Path, finding: Finding) -> str:
    # Editors count columns from 1.
    start = finding.locations[0].start
    return f"{file}:{start.line}:{start.column + 1}: {finding.type} {finding.code}: {finding.details}"


def _count(what: str, number: int) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _findings(linted: Sequence[Linted]) -> list[dict[str, Any]]:
    """Every finding as ValidatePolicy answers it, with its file."""
    return [{"file": str(one.file), **shown(finding)} for one in linted for finding in one.report.findings]


def _rows(linted: Sequence[Linted]) -> list[dict[str, Any]]:
    return [_row(one.file, finding) for one in linted for finding in one.report.findings]


def _row(file: Path, finding: Finding) -> dict[str, Any]:
    start = finding.locations[0].start
    return {
        "file": str(file),
        "line": start.line,
        "column": start.column + 1,
        "findingType": str(finding.type),
        "issueCode": finding.code,
        "findingDetails": finding.details,
    }
