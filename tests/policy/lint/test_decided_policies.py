"""The policies of the decision cases: a policy that AWS takes has no error but a justified one."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from iamd.cli.case_files import cases
from iamd.policy.lint.catalogue import FindingType
from iamd.policy.lint.lint import lint
from iamd.policy.lint.subject import AttachedTo, DocumentType
from iamd.services.accessanalyzer.reference import aws

CASES = Path(__file__).parents[1] / "cases"
TYPES: Mapping[str, DocumentType] = {
    "identity": DocumentType.IDENTITY,
    "boundary": DocumentType.IDENTITY,
    "session": DocumentType.IDENTITY,
    "resource": DocumentType.RESOURCE,
    "vpce": DocumentType.RESOURCE,
    "scp": DocumentType.SCP,
    "rcp": DocumentType.RCP,
}
JUSTIFIED = {
    # AWS takes these, and they match nothing or not what they seem to.
    ("INVALID_ACTION", '"s3: GetObject"'),
    ("INVALID_ARN_REGION", '"arn:aws:sqs:US-EAST-1:111122223333:q"'),
    ("MISSING_ARN_FIELD", '"arn:aws:s3"'),
    ("MISSING_ARN_FIELD", '"arn:aws:sqs:*:q"'),
    ("MISSING_ARN_FIELD", '"arn:aws:sqs:us-*:q"'),
    ("MISSING_QUALIFIER", '"aws:TagKeys"'),
    ("UNSUPPORTED_WILDCARD_IN_PRINCIPAL", '"arn:aws:iam::111122223333:user/*"'),
    ("VARIABLE_UNSUPPORTED_IN_VERSION", '"${aws:username}"'),
    ("VARIABLE_UNSUPPORTED_IN_VERSION", '"arn:aws:s3:::data/${aws:username}"'),
    ("VARIABLE_UNSUPPORTED_IN_VERSION", '"arn:aws:s3:::data/${aws:username}/*"'),
    # AWS takes none of these, which were made short for their cases.
    ("INVALID_PRINCIPAL_FORMAT", '"AIDAANAEXAMPLE"'),
    ("MISSING_PRINCIPAL", '{"Effect": "Allow", "Action": "*", "Resource": "*"}'),
    ("RCP_SYNTAX_ERROR_ACTION", '"*"'),
    # AWS's page has a finding for it.
    ("ROLE_TRUST_POLICY_UNSUPPORTED_WILDCARD_IN_PRINCIPAL", '"*"'),
}


def policies() -> Iterator[tuple[str, DocumentType, AttachedTo | None]]:
    """Every policy of every case with its type, as one line."""
    for file in sorted(CASES.iterdir()):
        for found in cases(file):
            is_trust = str(found.case["request"]["action"]).startswith("sts:AssumeRole")
            for kind, given in found.case["policies"].items():
                attached_to = AttachedTo.ROLE_TRUST if kind == "resource" and is_trust else None
                for document in _documents(given):
                    yield document, TYPES[kind], attached_to


def _documents(given: Any) -> Iterator[str]:
    for one in given if isinstance(given, list) else [given]:
        if isinstance(one, Mapping) and "policies" in one:
            yield from _documents(one["policies"])
        else:
            yield one if isinstance(one, str) else json.dumps(one)


def test_their_only_errors_are_those_that_are_justified():
    found = set()
    for text, type, attached_to in policies():
        for one in lint(text, type, aws(), attached_to).findings:
            if one.type is FindingType.ERROR:
                start, end = one.locations[0].start.offset, one.locations[0].end.offset
                found.add((one.code, text[start:end]))
    assert found == JUSTIFIED
