"""Findings as SARIF, which code hosts and editors show beside the text.

OASIS: Static Analysis Results Interchange Format (SARIF) Version 2.1.0.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from iamd import __version__
from iamd.policy.lint.catalogue import FindingType
from iamd.policy.lint.finding import Finding, Location
from iamd.policy.tree import Into, Step

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS: Final = {
    FindingType.ERROR: "error",
    FindingType.SECURITY_WARNING: "warning",
    FindingType.WARNING: "warning",
    FindingType.SUGGESTION: "note",
}


def document(files: Iterable[tuple[Path, Sequence[Finding]]]) -> str:
    """The findings of each file as one run."""
    found = [(file, finding) for file, findings in files for finding in findings]
    links = {finding.code: finding.link for _, finding in found}
    rules = [{"id": code, "helpUri": link} for code, link in sorted(links.items())]
    places = {rule["id"]: index for index, rule in enumerate(rules)}
    run = {
        "tool": {"driver": {"name": "iamd lint", "version": __version__, "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(file, finding, places[finding.code]) for file, finding in found],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _result(file: Path, finding: Finding, rule_index: int) -> dict[str, Any]:
    first, *others = (_location(file, location) for location in finding.locations)
    # 3.27.12: further locations are for what must be changed at each of them; these are related.
    related = {"relatedLocations": [{"id": number, **other} for number, other in enumerate(others, 1)]}
    return {
        "ruleId": finding.code,
        "ruleIndex": rule_index,
        "level": LEVELS[finding.type],
        "message": {"text": finding.details},
        "locations": [first],
        **(related if others else {}),
        "properties": {"findingType": str(finding.type)},
    }


def _location(file: Path, location: Location) -> dict[str, Any]:
    start, end = location.start, location.end
    region = {
        # 3.30.6: columns count from 1, and the end is exclusive.
        "startLine": start.line,
        "startColumn": start.column + 1,
        "endLine": end.line,
        "endColumn": end.column + 1,
        "charOffset": start.offset,
        "charLength": end.offset - start.offset,
    }
    return {
        "physicalLocation": {"artifactLocation": {"uri": _uri(file)}, "region": region},
        "logicalLocations": [{"fullyQualifiedName": _name(location.path)}],
    }


def _uri(file: Path) -> str:
    return file.as_uri() if file.is_absolute() else quote(file.as_posix())


def _name(path: Sequence[Step]) -> str:
    """`Statement[0].Action[1]`."""
    names = (f"[{step.name}]" if step.into is Into.INDEX else f".{step.name}" for step in path)
    return "".join(names).removeprefix(".")
