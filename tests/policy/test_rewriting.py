"""Principals are changed in the text, and nothing else is."""

import json

import pytest
from hypothesis import given
from policy.worlds import ANA, ROLE, documents

from iamd.policy.document import PolicyType
from iamd.policy.rewriting import principals, rewrite_principals
from iamd.policy.syntax import SyntaxProblem

TEXT = """{ "Version" : "2012-10-17",
  "Statement": [ {"Effect":"Allow", "Principal" : { "AWS":[ "%s" , "%s" ], "Service":"ec2.amazonaws.com"},
     "Action":"sts:AssumeRole", "Condition":{"StringEquals":{"Principal":"%s", "n": 1.50, "\\u0061": "x"}} },
   {"Effect":"Deny","NotPrincipal":{"AWS":"%s"},"Action":"*"} , {"Effect":"Deny","Principal":"*","Action":"*"}]
}\n"""


def test_principals_in_order():
    assert principals(TEXT % (ANA, ROLE, ANA, ROLE)) == [
        ("AWS", ANA),
        ("AWS", ROLE),
        ("Service", "ec2.amazonaws.com"),
        ("AWS", ROLE),
        ("*", "*"),
    ]


def test_the_rest_stays_byte_for_byte():
    ids = {ANA: "AIDAANA", ROLE: "AROAWORKER"}
    saved = rewrite_principals(TEXT % (ANA, ROLE, ANA, ROLE), lambda _member, value: ids.get(value, value))
    assert saved == TEXT % ("AIDAANA", "AROAWORKER", ANA, "AROAWORKER")
    arns = {unique: arn for arn, unique in ids.items()}
    assert rewrite_principals(saved, lambda _member, value: arns.get(value, value)) == TEXT % (ANA, ROLE, ANA, ROLE)


def test_a_new_value_is_written_as_json():
    text = '{"Statement":{"Effect":"Deny","Principal":{"AWS":"x"},"Action":"*"}}'
    changed = rewrite_principals(text, lambda _member, _value: 'a"\\b')
    assert json.loads(changed)["Statement"]["Principal"] == {"AWS": 'a"\\b'}


@given(documents(PolicyType.RESOURCE))
def test_rewriting_with_no_change_changes_nothing(document):
    text = json.dumps(document, indent=1)
    assert rewrite_principals(text, lambda _member, value: value) == text
    upper = rewrite_principals(text, lambda member, value: value if member == "*" else f"{value}!")
    assert rewrite_principals(upper, lambda _member, value: value.removesuffix("!")) == text


def test_what_is_no_policy_is_not_rewritten():
    with pytest.raises(SyntaxProblem):
        rewrite_principals('{"Principal": "x"}', lambda _member, value: value)
