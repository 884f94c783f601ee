"""The plugin is there wherever iamd is installed, and a failed assertion reads as `iamd can` does."""

import json
import re
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

PAGE = (Path(__file__).parent.parent / "docs" / "testing-policies.md").read_text("utf-8")
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}

TESTS = """
ANN = "arn:aws:iam::111122223333:user/ann"
KEY = "arn:aws:s3:::reports/k"

def test_may_read(iamd_decide, assert_allowed):
    assert_allowed(iamd_decide(ANN, "s3:GetObject", KEY, identity="policies/read.json"))

def test_may_not_send(iamd_decide, assert_denied):
    answer = iamd_decide(ANN, "sqs:SendMessage", "*", identity="policies/read.json")
    assert_denied(answer, by="identity-based policy", explicitly=False)

def test_is_wrong(iamd_decide, assert_denied):
    assert_denied(iamd_decide(ANN, "s3:GetObject", KEY, identity="policies/read.json"))
"""


@pytest.fixture
def policies(pytester):
    """A folder of tests with a policy beside it."""
    folder = pytester.mkdir("access")
    (folder / "test_access.py").write_text(TESTS)
    (folder / "policies").mkdir()
    (folder / "policies" / "read.json").write_text(json.dumps(ALLOW, indent=2))
    return folder


def test_the_fixtures_find_policies_beside_the_test_and_explain_failures(pytester, policies):
    ended = pytester.runpytest_subprocess("-q", policies)
    ended.assert_outcomes(passed=2, failed=1)
    ended.stdout.fnmatch_lines(
        [
            "E   *AssertionError: allowed, and should be denied",
            "E   *Allowed: s3:GetObject on arn:aws:s3:::reports/k",
            "E   *by  *Allow, statement 1 (line 4, column 5) of policies/read.json, identity-based policy",
            "*1 failed, 2 passed*",
        ]
    )
    # The line that is shown is the test's own.
    ended.stdout.no_fnmatch_line("*raise AssertionError*")


def test_the_fixtures_are_listed_with_what_they_do(pytester):
    ended = pytester.runpytest_subprocess("--fixtures")
    ended.stdout.fnmatch_lines(["iamd_decide*", "assert_allowed*", "assert_denied*"])


def test_a_run_that_asks_for_nothing_does_not_import_the_engine(pytester):
    pytester.makepyfile(
        """
        import sys

        def test_nothing():
            assert "iamd.pytest_plugin" in sys.modules
            assert "iamd.policy.evaluate" not in sys.modules
        """
    )
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)


@pytest.fixture
def page(pytester):
    """A folder with the examples of the page, and policies that are what it says of them."""
    examples = dict(re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
    (pytester.path / "cases.yaml").write_text(examples["yaml"])
    pytester.makepyfile(examples["python"])
    insecure = {"Bool": {"aws:SecureTransport": "false"}}
    reads = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::reports/team/*"}
    reports = [reads, {"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": insecure}]
    pytester.mkdir("policies")
    for name, statements in {"reports": reports, "boundary": [{**reads, "Action": "s3:*"}]}.items():
        document = {"Version": "2012-10-17", "Statement": statements}
        (pytester.path / "policies" / f"{name}.json").write_text(json.dumps(document))
    return pytester


def test_the_examples_of_the_page_are_tests(page):
    page.runpytest_subprocess("-q").assert_outcomes(passed=3)
    ended = page.run(sys.executable, "-m", "iamd", "test", "cases.yaml", "--coverage")
    assert ended.ret == 0
    ended.stdout.fnmatch_lines(["2 cases, 0 differ", "3 of 3 statements exercised"])
