"""Action and Resource elements, and the readings of short ARNs."""

import pytest

from iamd.policy.document import PolicyType
from iamd.policy.elements import actions, is_action, patterns

ALL_KINDS = list(PolicyType)
SQS = "arn:aws:sqs:us-east-1:111122223333:q"


def applies(pattern, resource, kind=PolicyType.IDENTITY, *, substitute=True, inverted=False, **context):
    keys = {name.replace("_", ":"): value for name, value in context.items()}
    texts = [pattern] if isinstance(pattern, str) else pattern
    compiled = patterns(texts, kind, inverted=inverted, substitute=substitute)
    return any(one.test(resource, keys) for one in compiled)


@pytest.mark.parametrize(
    ("pattern", "action", "answer"),
    [
        ("*", "s3:getobject", True),
        ("*:*", "s3:getobject", True),
        ("S3:GET*", "s3:getobject", True),
        ("s3:*", "s3express:getobject", False),
        ("s3:Get?bject", "s3:getobject", True),
        ("s3:Get?bject", "s3:getbject", False),
        ("s3:Get?*", "s3:getobject", True),
        ("s3:Get**", "s3:getobject", True),
        ("s3:Get?*", "s3:get", False),
        ("s3:", "s3:getobject", False),
        ("s3: GetObject", "s3:getobject", False),
        ("s3:*Object ", "s3:getobject", False),
        ("s3:${x}", "s3:getobject", False),
    ],
)
def test_action_patterns(pattern, action, answer):
    assert actions([pattern], inverted=False).apply_to(action) is answer
    assert actions([pattern], inverted=True).apply_to(action) is not answer


@pytest.mark.parametrize(
    ("pattern", "good"),
    [
        ("*", True),
        ("*:*", True),
        ("s3:*", True),
        ("s3:Get*:x", True),
        ("s3", False),
        ("s*:x", False),
        (":x", False),
        ("?:x", False),
        ("", False),
    ],
)
def test_what_an_action_is(pattern, good):
    assert is_action(pattern) is good


@pytest.mark.parametrize(
    ("pattern", "resource", "answer"),
    [
        ("*", "*", True),
        ("*", SQS, True),
        (SQS, "*", False),
        ("arn:aws:sqs:*:*:*", "*", False),
        ("arn:aws:sqs:us-*:q", SQS, False),
        ("arn:aws:sqs:us-?ast-1:*:q", SQS, True),
        ("arn:*:sqs:*:*:?", SQS, True),
        ("arn:aws:s*", SQS, True),
        ("arn:aws:SQS:us-east-1:111122223333:q", SQS, False),
        ("arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/1/2/test/3/o", True),
        ("arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b//test/o", True),
        ("arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/1-test/o", False),
        ("arn:aws:s3:::b*", "arn:aws:s3:::b:c/d\ne", True),
        ("arn:aws:ec2:*:*:*/*", "arn:aws:ec2:us-east-1:1:instance/i-1", True),
        ("arn:aws:lambda:*:*:function:*", "arn:aws:lambda:us-east-1:1:function:f:1", True),
        ("arn:aws:s3:::b", "arn:aws:s3:::b/k", False),
        ("arn:aws:s3:::b/*", "not an arn", False),
        ("arn:aws:*:*:*:*", "not:an:arn", False),
        ("arn:aws:s3:::b/?", "arn:aws:s3:::b/kk", False),
    ],
)
def test_resource_patterns(pattern, resource, answer):
    assert applies(pattern, resource) is answer
    assert applies(pattern, resource, inverted=True) is not answer


def test_variables_stand_in_the_last_segment_only():
    bucket, account = "arn:aws:s3:::b/${aws:username}/*", "arn:aws:sqs:*:${aws:account}:q"
    assert applies(bucket, "arn:aws:s3:::b/ana/x", aws_username="ana")
    assert not applies(bucket, "arn:aws:s3:::b/ana/x", substitute=False, aws_username="ana")
    assert not applies(account, SQS, aws_account="111122223333")
    assert applies("arn:aws:sns:*:1:${aws:a}-${aws:b}", "arn:aws:sns:x:1:red-web", aws_a="red", aws_b="web")
    assert applies("arn:*:s3:::${aws:a}", "arn:aws:s3:::x", aws_a="x")
    assert not applies("arn:*:s3:::${aws:a}", "arn:aws:s3:::x", aws_a="*")


def test_plain_text_with_a_colon_is_no_segment():
    """A `${...}` that is plain text in the account's place does not shift the segments after it."""
    entry = "arn:aws:sqs:us-east-1:${aws:x}:q"
    assert not applies(entry, entry)


def test_a_not_resource_with_a_valueless_variable_excludes_nothing():
    assert applies("arn:aws:s3:::${aws:missing}", "arn:aws:s3:::x", inverted=True)


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_short_arns(kind):
    """AWS leaves them open: see docs/decisions/0001-uncertain-points-of-policy-evaluation.md."""
    identity = kind in {PolicyType.IDENTITY, PolicyType.BOUNDARY, PolicyType.SESSION}
    assert applies("arn:aws:sqs", SQS, kind) is (identity or kind is PolicyType.RCP)
    assert applies("arn:aws:s*:us-east-1", SQS, kind) is (kind is not PolicyType.SCP)
    assert applies("arn:aws:s*", SQS, kind)
    assert not applies("arn:aws:s3*", SQS, kind)


def test_lists_are_or():
    assert applies(["arn:aws:s3:::b", SQS], SQS)
    assert not applies(["arn:aws:s3:::b", SQS], SQS, inverted=True)


@pytest.mark.parametrize(
    "text",
    [
        "*", SQS, "arn:aws:sqs:*:*:q*", "arn:aws:s3:::data/*/x", "arn:aws:s3:::data/${aws:username}/x*y",
        "arn:aws:s3:::${aws:username}", "arn:aws:s3:::a${*}b", "arn:aws:s3:::a?c*", "arn:aws:s3*", "arn:*:*:*:*:*tail",
    ],
)  # fmt: skip
@pytest.mark.parametrize("resource", [SQS, "arn:aws:s3:::data/1/x", "arn:aws:s3:::data/a/xy", "arn:aws:s3:::a*b", "*"])
def test_what_is_found_by_a_patterns_text_is_no_less_than_what_it_matches(text, resource):
    """An index goes by `exact`, `head` and `tail`: what the pattern matches must have them."""
    (pattern,) = patterns([text], PolicyType.IDENTITY, inverted=False, substitute=True)
    if pattern.test(resource, {"aws:username": "a"}):
        assert pattern.exact in {None, resource}
        assert resource.startswith(pattern.head)
        assert resource.endswith(pattern.tail)


def test_a_patterns_text_tells_where_an_index_finds_it():
    texts = [SQS, "arn:aws:s3:::b/*", "arn:aws:s3:::b/*/x?yz", "*"]
    found = [(one.exact, one.head, one.tail) for one in compiled(texts)]
    assert found == [(SQS, "", ""), (None, texts[1][:-1], ""), (None, texts[1][:-1], "yz"), (None, "", "")]
    assert [one.is_head for one in compiled(texts)] == [False, True, False, True]


def test_the_entries_of_a_not_resource_are_one_pattern_that_says_so():
    listed = [SQS, "arn:aws:s3:::b/*"]
    (found,) = patterns(listed, PolicyType.IDENTITY, inverted=True, substitute=True)
    assert (found.inverted, [one.text for one in found.listed]) == (True, listed)
    assert not any(one.inverted for one in found.listed)


def compiled(texts):
    return patterns(texts, PolicyType.IDENTITY, inverted=False, substitute=True)
