"""Findings as Access Analyzer answers them (API_ValidatePolicyFinding)."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from iamd.policy.lint.finding import Finding, Location, Position


def shown(finding: "Finding") -> dict[str, Any]:
    """A finding by the names of AWS's answer."""
    return {
        "findingDetails": finding.details,
        "findingType": str(finding.type),
        "issueCode": finding.code,
        "learnMoreLink": finding.link,
        "locations": [_location(location) for location in finding.locations],
    }


def _location(location: "Location") -> dict[str, Any]:
    return {
        "path": [{str(step.into): step.name} for step in location.path],
        "span": {"start": _position(location.start), "end": _position(location.end)},
    }


def _position(position: "Position") -> dict[str, int]:
    return {"line": position.line, "column": position.column, "offset": position.offset}
