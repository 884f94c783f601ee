"""The outside oracle: what it can be asked, and that what nothing known explains counts as unknown."""

import oracle
import pytest
from oracle_differences import KNOWN


def case(statement=None, version="2012-10-17", **asked):
    plain = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/a*"}
    request = {
        "principal": "arn:aws:iam::111122223333:user/ana",
        "action": "s3:GetObject",
        "resource": "arn:aws:s3:::data/abc",
        "resource_account": "111122223333",
        "context": {"aws:username": "ana"},
    }
    document = {"Version": version, "Statement": {**plain, **(statement or {})}}
    return {"request": {**request, **asked}, "policies": {"identity": [document]}}


def test_a_plain_case_has_nothing_that_is_known_to_differ():
    assert [row.what for row in KNOWN if row.has(case())] == []


@pytest.mark.parametrize(
    ("made", "beginning"),
    [
        (case({"Resource": "arn:aws:s3:::${aws:username}/*"}, version="2008-10-17"), "variables in a policy of 2008"),
        (case({"Action": "*:*"}), "the action `*:*`"),
        (case({"Resource": "arn:aws:s3:US-EAST-1::data/abc"}), "upper case"),
        (case({"Condition": {"StringEqualz": {"aws:username": "ana"}}}), "an operator that does not exist"),
        (case(resource="arn:aws-cn:s3:::data/abc"), "a resource of another partition"),
        (case(principal="arn:aws:iam::111122223333:root"), "a root user"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_case_has_what_is_known_to_differ(made, beginning):
    assert any(row.what.startswith(beginning) for row in KNOWN if row.has(made))


def test_damaged_documents_are_not_asked_about():
    assert oracle.askable(case()) is not None
    assert oracle.askable(case(version="2012-10-18")) is None
    assert oracle.askable({**case(), "policies": {"identity": ["{"]}}) is None
    assert oracle.askable({**case(), "policies": {"session": []}}) is None


def test_the_page_has_every_row(monkeypatch, tmp_path):
    installed = tmp_path / "package.json"
    installed.write_text('{"version": "0.1.173"}')
    monkeypatch.setattr(oracle, "PACKAGE", installed)
    text = oracle.page(1, 1000, 20, 3, oracle.Counter({0: 5}))
    assert f"| {KNOWN[0].what} | {KNOWN[0].oracle} | {KNOWN[0].here} | 5 |" in text
    assert all(f"| {row.what} |" in text for row in KNOWN)
    assert "Of 1,000 cases 20 were decided otherwise, and 3 of these" in text


def test_an_oracle_that_is_not_installed_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(oracle, "PACKAGE", tmp_path / "package.json")
    with pytest.raises(SystemExit, match="make oracle"):
        oracle.answers([case()])
