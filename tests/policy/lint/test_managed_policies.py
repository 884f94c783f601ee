"""All of AWS's managed policies."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from iamd.data import managed_policies
from iamd.policy.lint.catalogue import FindingType
from iamd.policy.lint.lint import Report, lint
from iamd.policy.lint.subject import DocumentType
from iamd.policy.lint.work import MAX_STEPS, Work
from iamd.services.accessanalyzer.reference import aws

JUSTIFIED = yaml.safe_load((Path(__file__).parent / "justified.yaml").read_text())


@pytest.fixture(scope="module")
def works() -> Iterator[list[Work]]:
    """What each document's examination has left of its work, while tests of this module run."""
    begun: list[Work] = []

    def begin(_steps: int) -> Work:
        begun.append(Work(MAX_STEPS))
        return begun[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("iamd.policy.lint.lint.Work", begin)
        yield begun


@pytest.fixture(scope="module")
def reports(works) -> dict[str, tuple[str, Report]]:
    """The text and the report of each policy's default version, by ARN."""
    texts = {
        arn: managed_policies.document(arn, policy.default_version_id)
        for arn, policy in managed_policies.catalogue().items()
    }
    return {arn: (text, lint(text, DocumentType.IDENTITY, aws())) for arn, text in texts.items()}


def test_each_is_examined_to_the_end(reports):
    assert len(reports) > 1_000
    assert [arn for arn, (_, report) in reports.items() if not report.complete] == []


def test_their_only_errors_are_those_that_are_justified(reports):
    found: dict[str, set[str]] = {}
    for text, report in reports.values():
        for one in report.findings:
            if one.type is FindingType.ERROR:
                start, end = one.locations[0].start.offset, one.locations[0].end.offset
                found.setdefault(one.code, set()).add(text[start:end].strip('"'))
    services = found.pop("INVALID_SERVICE_IN_ACTION")
    found["INVALID_SERVICE_IN_ACTION"] = {action.partition(":")[0] for action in services}
    assert found == {group["code"]: set(group["texts"]) for group in JUSTIFIED}


def test_none_needs_a_fifth_of_the_work_that_a_document_may_be(works, reports):
    assert len(works) == len(reports)
    assert max(MAX_STEPS - work.left for work in works) < MAX_STEPS / 5
