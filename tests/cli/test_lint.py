"""`iamd lint`: what Access Analyzer finds in the documents of files, without a server."""

import json

import pytest
from cli.conftest import one_line

WRONG = (
    '{"Version": "2012-10-17",\n "Statement": [\n'
    '  {"Effect": "Allow", "Action": ["s3:GetObjct", "s3:*"], "Resource": "*"},\n'
    '  {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}]}\n'
)
CLEAN = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}'
UNVERSIONED = CLEAN.replace('"Version": "2012-10-17", ', "")
OPEN = CLEAN.replace("s3:GetObject", "iam:PassRole")
TWICE = CLEAN.replace('"s3:GetObject"', '["s3:GetObject", "s3:GetObject"]')
TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, '
    '"Action": "sts:AssumeRole"}]}'
)


@pytest.fixture
def file(folder):
    """`file(text)` is the name of a file that holds it."""

    def make(text, name="policy.json"):
        (folder / name).write_bytes(text.encode())
        return name

    return make


def test_findings_are_told_with_their_places(iamd, file):
    ended = iamd("lint", file(WRONG), file(CLEAN, "clean.json"))
    assert (ended.returncode, ended.stderr) == (1, "")
    invalid, redundant, passed, total = ended.stdout.splitlines()
    assert invalid == "policy.json:3:34: ERROR INVALID_ACTION: The action s3:GetObjct does not exist."
    assert redundant.startswith("policy.json:3:34: SUGGESTION REDUNDANT_ACTION: The 2 action(s) are redundant")
    assert passed.startswith(
        "policy.json:4:33: SECURITY_WARNING PASS_ROLE_WITH_STAR_IN_RESOURCE: Using the iam:PassRole"
    )
    assert total == "2 files, 1 error, 1 security warning, 0 warnings, 1 suggestion"


def test_nothing_found_is_told(iamd, file):
    ended = iamd("lint", file(CLEAN))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "1 file, 0 errors, 0 security warnings, 0 warnings, 0 suggestions\n"


@pytest.mark.parametrize(
    ("text", "failing"),
    [
        (CLEAN, []),
        (TWICE, ["SUGGESTION"]),
        (UNVERSIONED, ["WARNING", "SUGGESTION"]),
        (OPEN, ["SECURITY_WARNING", "WARNING", "SUGGESTION"]),
        (WRONG, [None, "ERROR", "SECURITY_WARNING", "WARNING", "SUGGESTION"]),
    ],
)
def test_the_exit_code_says_that_something_as_grave_was_found(iamd, file, text, failing):
    name = file(text)
    for least in (None, "ERROR", "SECURITY_WARNING", "WARNING", "SUGGESTION"):
        ended = iamd("lint", name, *(["--fail-on", least] if least else []))
        assert ended.returncode == (1 if least in failing else 0), least


def test_one_file_among_many_fails(iamd, file):
    assert iamd("lint", file(CLEAN, "a"), file(WRONG, "b"), file(CLEAN, "c")).returncode == 1


def test_what_can_be_read_is_told_beside_what_can_not(iamd, file):
    ended = iamd("lint", "nope.json", file(OPEN, "a"), ".", file(CLEAN, "b"))
    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        "iamd: cannot read `nope.json`: No such file or directory",
        "iamd: cannot read `.`: Is a directory",
    ]
    warned, total = ended.stdout.splitlines()
    assert warned.startswith("a:1:")
    assert total.startswith("2 files, 0 errors, 1 security warning")


def test_a_type_of_policy_has_findings_of_its_own(iamd, file):
    name = file(TRUST)
    assert "ERROR UNSUPPORTED_PRINCIPAL: The policy type IDENTITY_POLICY" in iamd("lint", name).stdout
    assert "ERROR SCP_SYNTAX_ERROR_PRINCIPAL" in iamd("lint", name, "--policy-type", "SERVICE_CONTROL_POLICY").stdout
    for words in (
        ["--policy-type", "RESOURCE_POLICY"],
        ["--resource-type", "AWS::IAM::AssumeRolePolicyDocument"],
        ["--policy-type", "RESOURCE_POLICY", "--resource-type", "AWS::IAM::AssumeRolePolicyDocument"],
    ):
        assert iamd("lint", name, *words).returncode == 0
    ended = iamd("lint", name, "--resource-type", "AWS::S3::Bucket")
    assert (ended.returncode, "ERROR UNSUPPORTED_ACTION_IN_POLICY" in ended.stdout) == (1, True)


def test_json_is_the_answer_of_validate_policy_with_its_file(iamd, file, aws):
    analyzer = aws.client("accessanalyzer")
    answer = analyzer.validate_policy(policyDocument=WRONG, policyType="IDENTITY_POLICY")["findings"]
    printed = json.loads(iamd("lint", file(WRONG), "-o", "json").stdout)
    assert printed == [{"file": "policy.json", **finding} for finding in answer]
    assert len(printed) == 3


def test_other_forms_and_queries(iamd, file):
    name = file(WRONG)
    assert json.loads(iamd("lint", name, "--query", "[?findingType=='ERROR'].issueCode").stdout) == ["INVALID_ACTION"]
    header, first, *_ = iamd("lint", name, "-o", "csv").stdout.splitlines()
    assert header == "file,line,column,findingType,issueCode,findingDetails"
    assert first == "policy.json,3,34,ERROR,INVALID_ACTION,The action s3:GetObjct does not exist."
    assert '  issueCode: "INVALID_ACTION"' in iamd("lint", name, "-o", "yaml").stdout
    assert "column" in iamd("lint", name, "-o", "table").stdout
    assert iamd("lint", name, "-o", "csv", "--query", "[0].issueCode").stdout == "Value\nINVALID_ACTION\n"
    assert iamd("lint", file(CLEAN), "-o", "json").stdout == "[]\n"


def test_sarif_has_every_finding_with_its_rule_and_places(iamd, file, folder):
    ended = iamd("lint", file(WRONG, "a b.json"), file(CLEAN, "clean.json"), "--sarif", "out.sarif")
    assert (ended.returncode, ended.stdout.count("\n")) == (1, 4)
    written = json.loads((folder / "out.sarif").read_text())
    assert written["version"] == "2.1.0"
    [run] = written["runs"]
    assert (run["tool"]["driver"]["name"], run["columnKind"]) == ("iamd lint", "unicodeCodePoints")
    rules = run["tool"]["driver"]["rules"]
    assert all(rule["helpUri"].endswith(rule["id"].lower().replace("_", "-")) for rule in rules)
    results = run["results"]
    assert [(result["ruleId"], result["level"]) for result in results] == [
        ("INVALID_ACTION", "error"),
        ("REDUNDANT_ACTION", "note"),
        ("PASS_ROLE_WITH_STAR_IN_RESOURCE", "warning"),
    ]
    assert [rules[result["ruleIndex"]]["id"] for result in results] == [result["ruleId"] for result in results]
    assert results[0]["message"] == {"text": "The action s3:GetObjct does not exist."}
    assert results[0]["properties"] == {"findingType": "ERROR"}
    [first] = results[0]["locations"]
    assert first["physicalLocation"]["artifactLocation"] == {"uri": "a%20b.json"}
    assert first["logicalLocations"] == [{"fullyQualifiedName": "Statement[0].Action[0]"}]
    region = first["physicalLocation"]["region"]
    assert (region["startLine"], region["startColumn"], region["endLine"], region["endColumn"]) == (3, 34, 3, 47)
    assert WRONG[region["charOffset"] :][: region["charLength"]] == '"s3:GetObjct"'
    assert "relatedLocations" not in results[0]
    assert [related["id"] for related in results[1]["relatedLocations"]] == [1]


def test_sarif_that_cannot_be_written_is_told(iamd, file):
    ended = iamd("lint", file(CLEAN), "--sarif", "none/out.sarif")
    assert (ended.returncode, ended.stderr) == (2, "iamd: cannot write `none/out.sarif`: No such file or directory\n")


def test_a_document_comes_from_standard_input_too(iamd):
    ended = iamd("lint", "-", input=WRONG)
    assert (ended.returncode, ended.stdout.partition(" ")[0]) == (1, "-:3:34:")


def test_line_ends_are_counted_as_they_are(iamd, file):
    [finding, *_] = json.loads(iamd("lint", file(WRONG.replace("\n", "\r\n")), "-o", "json").stdout)
    [location] = finding["locations"]
    at = WRONG.index('"s3:GetObjct"')
    assert location["span"]["start"] == {"line": 3, "column": 33, "offset": at + 2}


@pytest.mark.parametrize("text", ["", "[]", "{", '{"Statement": NaN}', "\ufeff" + CLEAN, "[" * 100_000])
def test_what_is_no_policy_is_a_finding(iamd, file, text):
    ended = iamd("lint", file(text))
    assert ended.returncode == 1
    assert "ERROR " in ended.stdout


def test_bytes_that_are_no_text_are_told(iamd, folder):
    (folder / "policy.json").write_bytes(b"\xff\xfe")
    assert one_line(iamd("lint", "policy.json"), 2) == "`policy.json` is not UTF-8"


def test_what_is_not_examined_fails_whatever_its_findings(iamd, file):
    ended = iamd("lint", file(CLEAN.replace("s3:GetObject", "s3:" + "x" * 10_000_000)))
    assert ended.returncode == 1
    size, unexamined, total = ended.stdout.splitlines()
    assert size.startswith("policy.json:1:1: WARNING POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA: ")
    assert unexamined == "policy.json: not examined: there is more in it than in any policy that AWS stores"
    assert total.startswith("1 file, 0 errors, ")


def test_what_a_document_says_does_not_steer_the_terminal(iamd, file):
    ended = iamd("lint", file(CLEAN.replace("s3:GetObject", "s3:Get\\u001b[31m\\nx")))
    assert "\x1b" not in ended.stdout
    assert "The action s3:Get\\x1b[31m\\nx does not exist." in ended.stdout


def test_no_server_is_needed(process, file):
    ended = process("lint", file(WRONG))
    assert (ended.returncode, ended.stderr) == (1, "")
