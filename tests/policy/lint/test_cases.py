"""Every finding of the catalogue: a document that raises it where its marks stand, and a near one that does not."""

import json
import re

import pytest
from policy.lint.following import follow
from policy.lint.marked import Case, cases

from iamd.policy.lint.catalogue import CATALOGUE
from iamd.policy.lint.finding import Finding
from iamd.policy.lint.lint import lint
from iamd.policy.lint.subject import AttachedTo, DocumentType
from iamd.services.accessanalyzer.reference import aws

CASES = cases()
PLACEHOLDER = re.compile(r"\{([A-Za-z_0-9]+)\}")

each = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)


def found(text: str, type: DocumentType, attached_to: AttachedTo | None) -> list[Finding]:
    return list(lint(text, type, aws(), attached_to).findings)


@each
def test_a_finding_is_raised_at_its_marks_and_nowhere_else(case: Case):
    findings = [one for one in found(case.raises, case.type, case.attached_to) if one.code == case.code]
    spans = {(location.start.offset, location.end.offset) for one in findings for location in one.locations}
    assert spans == case.spans
    if case.says is not None:
        assert case.says in {one.details for one in findings}


@each
def test_a_near_document_does_not_raise_it(case: Case):
    codes = {one.code for one in found(case.near, case.type, case.attached_to)}
    assert case.code not in codes
    # What is no JSON has no other finding either.
    assert "JSON_SYNTAX_ERROR" not in codes


@each
def test_a_path_leads_to_what_its_span_holds(case: Case):
    for one in found(case.raises, case.type, case.attached_to):
        if one.code != "JSON_SYNTAX_ERROR":
            for location in one.locations:
                led_to = follow(json.loads(case.raises), location)
                assert json.loads(case.raises[location.start.offset : location.end.offset]) == led_to


@each
def test_a_place_is_told_in_lines_and_columns_too(case: Case):
    for one in found(case.raises, case.type, case.attached_to):
        for location in one.locations:
            for place in (location.start, location.end):
                before = case.raises[: place.offset].split("\n")
                assert (place.line, place.column) == (len(before), len(before[-1]))


def test_every_finding_of_the_catalogue_has_a_case():
    assert {case.code for case in CASES} == CATALOGUE.keys()


def test_every_message_of_the_catalogue_is_said_with_everything_put_in():
    said = [one for case in CASES for one in found(case.raises, case.type, case.attached_to)]
    assert [one.details for one in said if PLACEHOLDER.search(one.details)] == []
    for check in CATALOGUE.values():
        for wording, message in check.messages.items():
            pattern = ".*".join(map(re.escape, PLACEHOLDER.split(message)[::2]))
            matching = [one for one in said if one.code == check.code and re.fullmatch(pattern, one.details)]
            assert matching, f"{check.code}/{wording}"
