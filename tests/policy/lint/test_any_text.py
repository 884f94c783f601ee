"""Whatever the text is, there is a report of it, and soon."""

import json
from bisect import bisect_right
from itertools import product
from time import thread_time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from policy.lint.following import follow

from iamd.policy.lint.lint import lint
from iamd.policy.lint.subject import AttachedTo, DocumentType
from iamd.services.accessanalyzer.reference import aws

law = settings(max_examples=200, deadline=None)

NAMES = [
    "Version", "Id", "Statement", "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource",
    "NotResource", "Condition", "AWS", "Service", "Federated", "StringLike", "ForAllValues:StringNotLike", "Null",
    "NumericLessThan", "DateLessThan", "IpAddress", "BinaryEquals", "Bool", "ArnLikeIfExists", "aws:SourceIp",
    "aws:username", "aws:userid", "aws:TagKeys", "aws:CurrentTime", "aws:ResourceTag/", "s3:prefix", "aws:SourceVpc",
    "dynamodb:Attributes", "sts:SourceIdentity", "aws:PrincipalOrgPaths", "token.actions.githubusercontent.com:sub",
]  # fmt: skip
TEXTS = [
    "2012-10-17", "Allow", "Deny", "*", "?", "", "${", "${}", "${aws:username}", "${aws:username, 'a'}", "s3:*", "s3:Get?",
    "sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "iam:PassRole", "arn:aws:s3:::b/*", "arn:*:*:*:*:*", "arn:::::",
    "arn:aws:iam::111122223333:role/*", "token.actions.githubusercontent.com", "rolesanywhere.amazonaws.com",
    "10.0.0.0/8", "10.0.0.1/33", "::/0", "2026-02-30", "1e999999", "-", "true", "QQ==", "eu-west-1", "vpc-1", "repo:*",
    "\u0130", "\x00", "\U0001f600",
]  # fmt: skip

strings = st.sampled_from(TEXTS) | st.text(max_size=8)
scalars = strings | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
names = st.sampled_from(NAMES) | st.text(max_size=4)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=6),
    max_leaves=30,
)
conditions = st.dictionaries(
    names, st.dictionaries(names, scalars | st.lists(scalars, max_size=3), max_size=3), max_size=3
)
statements = st.fixed_dictionaries(
    {},
    optional={
        "Sid": scalars,
        "Effect": st.sampled_from(["Allow", "Deny"]) | scalars,
        "Principal": st.just("*") | st.dictionaries(names, st.lists(strings, max_size=3), max_size=3),
        "NotPrincipal": values,
        "Action": st.lists(strings, max_size=4),
        "NotAction": strings,
        "Resource": st.lists(strings, max_size=4),
        "NotResource": strings,
        "Condition": conditions | values,
    },
)
documents = st.fixed_dictionaries(
    {"Statement": st.lists(statements, max_size=3)}, optional={"Version": strings, "Id": values}
)
kinds = st.sampled_from(
    [*product(DocumentType, [None]), *product([DocumentType.RESOURCE], AttachedTo)],
)


@law
@given(text=st.text(st.characters(codec=None)), kind=kinds)
@example(text='"\ud800"', kind=(DocumentType.IDENTITY, None))
@example(text='{"Statement": "\\ud800"}', kind=(DocumentType.IDENTITY, None))
@example(text='{"Statement": NaN}', kind=(DocumentType.IDENTITY, None))
def test_any_text_has_a_report(text, kind):
    assert lint(text, kind[0], aws(), kind[1]).findings


@law
@given(value=documents | values, kind=kinds, indent=st.sampled_from([None, 1]), ascii=st.booleans())
def test_any_json_has_a_report_whose_paths_lead_to_their_spans(value, kind, indent, ascii):
    text = json.dumps(value, indent=indent, ensure_ascii=ascii)
    report = lint(text, kind[0], aws(), kind[1])
    assert report.complete
    for one in report.findings:
        assert one.code != "JSON_SYNTAX_ERROR"
        assert one.locations
        for location in one.locations:
            span = text[location.start.offset : location.end.offset]
            assert json.loads(span) == follow(value, location)


@law
@given(value=documents, kind=kinds)
def test_findings_stand_in_the_order_of_their_places(value, kind):
    findings = lint(json.dumps(value), kind[0], aws(), kind[1]).findings
    starts = [one.locations[0].start.offset for one in findings]
    assert starts == sorted(starts)


@law
@given(value=documents, kind=kinds, cut=st.integers(min_value=1))
def test_a_part_of_a_document_is_told_where_it_breaks_off(value, kind, cut):
    text = json.dumps(value)
    text = text[: cut % len(text)]
    (one,) = lint(text, kind[0], aws(), kind[1]).findings
    assert one.code == "JSON_SYNTAX_ERROR"
    assert one.locations[0].end.offset <= len(text)


@pytest.mark.parametrize("opening", ["[", '{"Statement":', '{"Statement":[', '"', "[" * 3 + "{"])
def test_what_is_nested_without_end_is_no_json(opening):
    (one,) = lint(opening * (200_000 // len(opening)), DocumentType.IDENTITY, aws()).findings
    assert one.code == "JSON_SYNTAX_ERROR"


MEGABYTES = 10_000_000
TEN = {
    "of nothing": "[" * MEGABYTES,
    "of text": json.dumps({"Statement": "x" * MEGABYTES}),
    "of lines": '{"Statement": []}'.join(["\n" * (MEGABYTES // 2)] * 2),
    "of statements": json.dumps({"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}] * 180_000}),
    "of no characters": "\ud800" * MEGABYTES,
}


@pytest.mark.timeout(10)
@pytest.mark.parametrize("kind", [*product(DocumentType, [None]), (DocumentType.RESOURCE, AttachedTo.ROLE_TRUST)])
@pytest.mark.parametrize("text", TEN.values(), ids=TEN)
def test_ten_megabytes_are_refused_with_one_finding(text, kind):
    report = lint(text, kind[0], aws(), kind[1])
    assert not report.complete
    assert len(report.findings) == 1


def statement(**elements: object) -> str:
    whole = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*", **elements}
    return json.dumps({"Version": "2012-10-17", "Statement": [whole]})


def times(count: int, *texts: str) -> list[str]:
    return [text.replace("#", str(number)) for number in range(count) for text in texts]


IDENTITY = (DocumentType.IDENTITY, None)
TRUST = (DocumentType.RESOURCE, AttachedTo.ROLE_TRUST)
# Each makes a check compare everything with everything.
HOSTILE = {
    "actions": (statement(Action=times(9_000, "ec2:*a*#")), IDENTITY),
    "resources": (statement(Resource=times(9_000, "arn:aws:s3:::*#/*")), IDENTITY),
    "resources with many wildcards": (statement(Resource=times(1_000, "arn:aws:s3:::" + "*a" * 100 + "#")), IDENTITY),
    "variables without end": (statement(Resource="${" * 120_000), IDENTITY),
    "keys": (statement(Condition={"StringLike": dict.fromkeys(times(9_000, "ec2:#"), "a")}), IDENTITY),
    "tags": (
        statement(
            Action=["polly:*"] * 3_000, Condition={"StringLike": dict.fromkeys(times(5_000, "aws:ResourceTag/#"), "a")}
        ),
        IDENTITY,
    ),
    "providers": (
        statement(
            Action="sts:AssumeRoleWithWebIdentity",
            Principal={"Federated": times(4_000, "idp#.example.com")},
            Condition={"StringLike": dict.fromkeys(times(4_000, "example.com:#"), "a")},
        ),
        TRUST,
    ),
    "principals": (
        statement(Action=["sts:AssumeRole"] * 4_000, Principal={"Federated": times(4_000, "idp#.example.com")}),
        TRUST,
    ),
    "branches": (
        statement(
            Action="sts:AssumeRoleWithWebIdentity",
            Principal={"Federated": ["token.actions.githubusercontent.com"] * 3_000},
            Condition={"StringLike": {"token.actions.githubusercontent.com:sub": ["*"] * 5_000}},
        ),
        TRUST,
    ),
    "session tags": (
        statement(
            Action=["sts:AssumeRole"] * 4_000,
            Principal="*",
            Condition={"StringLike": dict.fromkeys(times(4_000, "aws:RequestTag/#"), "a")},
        ),
        TRUST,
    ),
    "sources": (
        statement(Effect="Deny", Condition={name: {"aws:SourceOrgID": "a"} for name in times(6_000, "#")}),
        (DocumentType.RCP, None),
    ),
    "endpoints": (
        statement(Action=["s3:*"] * 3_000, Condition={name: {"aws:VpceOrgID": "a"} for name in times(5_000, "#")}),
        IDENTITY,
    ),
    "keys of a service": (
        statement(
            Action=["s3:GetObject"] * 3_000,
            Condition={"StringLike": dict.fromkeys(times(5_000, "s3:ExistingObjectTag/#"), "a")},
        ),
        (DocumentType.RESOURCE, None),
    ),
    "names in messages": (
        statement(Action=["sts:AssumeRole"] * 3_000, Principal={"Federated": ["x" * 100_000] * 2}),
        TRUST,
    ),
    "long actions": (statement(Action=["s3:*a?b*", "s3:" + "a" * 60_000]), IDENTITY),
    "regions": (statement(Resource=times(5_000, "arn:aws:sqs:*#*:*:q")), IDENTITY),
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("text", "kind"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_document_is_given_up(text, kind):
    report = lint(text, kind[0], aws(), kind[1])
    assert not report.complete
    assert len(report.findings) == 1


def filled(limit: int, *names: str, **elements: object) -> str:
    """The longest policy of so many characters whose elements list the texts, a number in the place of `#`."""

    def of(count: int) -> str:
        written = statement(**{name: times(count, str(elements[name])) for name in names})
        return written.replace(": ", ":").replace(", ", ",")

    return of(bisect_right(range(2_000), limit, key=lambda count: len(of(count))) - 1)


LEGAL = {
    "actions and resources": filled(10_240, "Action", "Resource", Action="s3:Get*#", Resource="arn:aws:s3:::b#/*"),
    "actions of a large service": filled(10_240, "Action", Action="ec2:*#"),
    "actions of all services": filled(10_240, "Action", Action="*:*#"),
    "resources of a large service": filled(10_240, "Resource", Resource="arn:aws:ec2:*:*:instance/i-#*"),
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", LEGAL)
def test_what_a_role_may_hold_is_examined_to_the_end(name):
    report = lint(LEGAL[name], DocumentType.IDENTITY, aws())
    assert report.complete
    assert "JSON_SYNTAX_ERROR" not in {finding.code for finding in report.findings}


@pytest.mark.timeout(60)
def test_what_is_just_short_enough_is_given_up_too():
    """A text as long as the longest that is stored, which needs far more than any of them."""
    began = thread_time()
    assert not lint(filled(20_480, "Action", Action="ec2:*#"), DocumentType.IDENTITY, aws()).complete
    assert thread_time() - began < 4
