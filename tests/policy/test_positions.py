"""Where statements stand: lines and columns, and the policy simulator's own idea of a statement's beginning."""

import json

import pytest

from iamd.policy.document import PolicyType, load
from iamd.policy.positions import position, simulator_span

ALLOW = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
DENY = {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "*"}
COMPACT = (",", ":")


def spans(text):
    policy = load(text, PolicyType.IDENTITY)
    return [tuple(map(tuple, simulator_span(policy, statement))) for statement in policy.statements]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (json.dumps({"Version": "2012-10-17", "Statement": [ALLOW]}, separators=COMPACT), [((1, 38), (1, 95))]),
        (json.dumps({"Statement": ALLOW}), [((1, 16), (1, 77))]),
        (json.dumps({"Version": "2012-10-17", "Statement": [ALLOW]}, indent=2), [((3, 17), (8, 6))]),
        (
            json.dumps({"Version": "2012-10-17", "Statement": [ALLOW | {"Sid": "a"}, DENY | {"Sid": "b"}]}, indent=2),
            [((3, 17), (9, 6)), ((9, 6), (15, 6))],
        ),
        (
            " \r\n" + json.dumps({"Version": "2012-10-17", "Statement": [ALLOW]}, indent=2).replace("\n", "\r\n"),
            [((4, 17), (9, 6))],
        ),
        ('{\n  "Statement":{\n    "Effect":"Allow","Action":"*","Resource":"*"\n  }\n}', [((2, 16), (4, 4))]),
    ],
)
def test_the_simulator_begins_a_statement_behind_what_stands_before_it(text, expected):
    """Answers of AWS's simulator, 2026 (published by github.com/radkawar/stackd, testdata/aws/iam/simulation.json), and
    the examples of the IAM API Reference, SimulatePrincipalPolicy."""
    assert spans(text) == expected


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_a_place_is_counted_in_lines_and_columns(ending):
    text = ending.join(["ab", "", "cd"])
    assert position(text, 0) == (1, 1)
    assert position(text, text.index("c")) == (3, 1)
    assert position(text, len(text)) == (3, 3)
