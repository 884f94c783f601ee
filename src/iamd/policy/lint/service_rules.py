"""Checks of conditions that some services read otherwise than their authors mean."""

from collections.abc import Iterator
from typing import Final

from iamd.policy.lint import actions
from iamd.policy.lint.finding import Note, note
from iamd.policy.lint.subject import Document, Statement

READS: Final = ("dynamodb:getitem", "dynamodb:batchgetitem", "dynamodb:query", "dynamodb:scan")
ATTRIBUTES: Final = "dynamodb:attributes"
SELECT: Final = "dynamodb:select"
PREFIX: Final = "s3:prefix"


def check(document: Document) -> Iterator[Note]:
    """What is said of conditions of DynamoDB and S3."""
    for statement in document.statements:
        yield from _attributes(statement)
        yield from _prefix(statement)


def _attributes(statement: Statement) -> Iterator[Note]:
    """AWS: reads without a projection return everything (DynamoDB Developer Guide, specifying-conditions)."""
    if not statement.allows or not any(actions.covered(statement, action) for action in READS):
        return
    selected = [value.value for entry in statement.entries(SELECT) if not entry.is_negated for value in entry.values]
    if selected != ["SPECIFIC_ATTRIBUTES"]:
        for entry in statement.entries(ATTRIBUTES):
            yield note("DYNAMODB_ATTRIBUTES_WITHOUT_SELECT", entry.key.key)


def _prefix(statement: Statement) -> Iterator[Note]:
    """AWS: a shorter prefix lists the same objects (S3 User Guide, amazon-s3-policy-keys)."""
    for entry in statement.entries(PREFIX):
        is_text = entry.name.base.startswith("String")
        if is_text and (entry.is_negated if statement.allows else statement.denies and not entry.is_negated):
            yield note("S3_PREFIX_IN_NEGATIVE_CONTEXT", entry.key.key)
