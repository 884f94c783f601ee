"""What AWS itself answered."""

import json
from pathlib import Path

import pytest
import yaml

from iamd.data import managed_policies
from iamd.policy.lint.finding import Finding
from iamd.policy.lint.lint import lint
from iamd.policy.lint.subject import DocumentType
from iamd.services.accessanalyzer.reference import aws

RECORDED = yaml.safe_load((Path(__file__).parent / "recorded.yaml").read_text())

# AWS CLI Command Reference, accessanalyzer validate-policy, the example's policy; its last value is two characters longer
# here, as the answer's offsets tell that it was.
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "",
            "Effect": "Allow",
            "Principal": {"Federated": "cognito-identity.amazonaws.com"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Condition": {"StringEquals": {"cognito-identity.amazonaws.com:aud": "us-west-2_EXAMPLE01"}},
        }
    ],
}


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded["policy"])
def test_what_aws_finds_in_its_own_policies_is_found(recorded):
    text = json.dumps(json.loads(document(recorded["policy"], recorded["version"])))
    findings = lint(text, DocumentType.IDENTITY, aws()).findings
    for expected in recorded["findings"]:
        same = [one for one in findings if (one.code, one.details) == (expected["code"], expected["details"])]
        assert same, expected["details"]
        if "offsets" in expected:
            assert expected["offsets"] in [offsets(one) for one in same]


def document(name: str, version: str) -> str:
    (arn,) = (arn for arn, policy in managed_policies.catalogue().items() if policy.policy_name == name)
    return managed_policies.document(arn, version)


def offsets(finding: Finding) -> list[list[int]]:
    return [[location.start.offset, location.end.offset] for location in finding.locations]


def test_the_example_of_aws_cli_has_its_findings_and_no_others():
    findings = lint(json.dumps(TRUST, indent=4), DocumentType.RESOURCE, aws()).findings
    assert [(one.type, one.code) for one in findings] == [
        ("SUGGESTION", "EMPTY_SID_VALUE"),
        ("ERROR", "MISMATCHED_ACTION_FOR_PRINCIPAL"),
        ("ERROR", "UNSUPPORTED_ACTION_FOR_CONDITION_KEY"),
    ]
    sid, action, key = findings
    assert sid.details == "Add a value to the empty string in the Sid element."
    assert action.details == (
        "The sts:AssumeRole action is invalid with the following principal(s): cognito-identity.amazonaws.com. Use a "
        "SAML provider principal with the sts:AssumeRoleWithSAML action or use an OIDC provider principal with the "
        "sts:AssumeRoleWithWebIdentity action. Ensure the provider is Federated if you use either of the two options."
    )
    assert key.details == (
        "The following actions: sts:TagSession are not supported by the condition key "
        "cognito-identity.amazonaws.com:aud. The condition will not be evaluated for these actions. We recommend that "
        "you move these actions to a different statement without this condition key."
    )
    assert [one.link.rpartition("#")[2] for one in findings] == [
        "access-analyzer-reference-policy-checks-suggestion-empty-sid-value",
        "access-analyzer-reference-policy-checks-error-mismatched-action-for-principal",
        "access-analyzer-reference-policy-checks-error-unsupported-action-for-condition-key",
    ]


def test_the_example_of_aws_cli_has_its_places():
    findings = lint(json.dumps(TRUST, indent=4), DocumentType.RESOURCE, aws()).findings
    assert [place(location) for one in findings for location in one.locations] == [
        (["value Statement", "index 0", "value Sid"], (5, 19, 79), (5, 21, 81)),
        (["value Statement", "index 0", "value Action", "index 0"], (11, 16, 258), (11, 32, 274)),
        (["value Statement", "index 0", "value Principal", "value Federated"], (8, 29, 170), (8, 61, 202)),
        (["value Statement", "index 0", "value Action", "index 1"], (12, 16, 292), (12, 32, 308)),
        (
            [
                "value Statement",
                "index 0",
                "value Condition",
                "value StringEquals",
                "value cognito-identity.amazonaws.com:aud",
            ],
            (16, 58, 443),
            (16, 79, 464),
        ),
    ]


def place(location):
    path = [f"{step.into} {step.name}" for step in location.path]
    return path, *((end.line, end.column, end.offset) for end in (location.start, location.end))
