"""`iamd test`: cases are decided without a server, differences are findings, slips are told with their place."""

import json
import shutil
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest
from cli.conftest import one_line

CASES = Path(__file__).parents[1] / "policy" / "cases"
ALLOW = {"Version": "2012-10-17", "Statement": [{"Sid": "All", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
REQUEST = {
    "principal": "arn:aws:iam::111122223333:user/ann",
    "action": "s3:GetObject",
    "resource": "arn:aws:s3:::bucket/key",
    "resource_account": "111122223333",
}


def case(expected="Allowed", identifier="one", **more):
    return {"id": identifier, "request": REQUEST, "policies": {"identity": [ALLOW]}, "expected": expected, **more}


def lines(folder, *cases):
    (folder / "cases.jsonl").write_text("".join(json.dumps(one) + "\n" for one in cases))
    return "cases.jsonl"


def test_all_public_cases_come_out_as_expected(iamd):
    ended = iamd("test", *sorted(CASES.glob("*")))
    assert (ended.returncode, ended.stderr) == (0, "")
    count = int(ended.stdout.split()[0])
    assert ended.stdout == f"{count} cases, 0 differ\n"
    assert count > 269


def test_a_difference_is_a_finding_with_its_reason(iamd, folder):
    ended = iamd("test", lines(folder, case(), case("Denied", "two")))
    assert (ended.returncode, ended.stderr) == (1, "")
    assert ended.stdout.splitlines() == [
        (
            "cases.jsonl:2: two: expected Denied, decided Allowed by identity-based policy:"
            " Allow in identity-based policy 1, statement 1 (Sid All)"
        ),
        "2 cases, 1 differs",
    ]


def test_json_has_one_line_for_every_case(iamd, folder):
    denied = case("Allowed", "two", policies={})
    ended = iamd("test", lines(folder, case(), denied), "-o", "json")
    assert ended.returncode == 1
    first, second = map(json.loads, ended.stdout.splitlines())
    assert list(first) == ["id", "decision", "expected", "reasons"]
    assert (first["id"], first["decision"], first["expected"]) == ("one", "Allowed", "Allowed")
    assert second["decision"] == "ImplicitlyDenied"
    (reason,) = second["reasons"]
    assert reason == (
        "User: arn:aws:iam::111122223333:user/ann is not authorized to perform: s3:GetObject on resource:"
        " arn:aws:s3:::bucket/key because no identity-based policy allows the s3:GetObject action"
    )


def test_other_forms_and_queries(iamd, folder):
    file = lines(folder, case(), case("Denied", "two"))
    assert json.loads(iamd("test", file, "--query", "[?decision!=expected].id").stdout) == ["two"]
    assert iamd("test", file, "-o", "csv").stdout.splitlines()[0] == "id,decision,expected,reasons"
    assert '  id: "one"' in iamd("test", file, "-o", "yaml").stdout
    assert "Allowed" in iamd("test", file, "-o", "table").stdout


def test_junit_names_every_case_and_each_failure(iamd, folder):
    ended = iamd("test", lines(folder, case(), case("Denied", "a<b>&\x07")), "--junit", "out.xml")
    assert ended.returncode == 1
    suite = fromstring((folder / "out.xml").read_text())
    assert suite.attrib == {"name": "iamd test", "tests": "2", "failures": "1", "errors": "0"}
    assert [one.get("name") for one in suite] == ["one", "a<b>&\\x07"]
    assert "decided Allowed" in suite[1][0].get("message")
    told = one_line_after_output(iamd("test", "cases.jsonl", "--junit", "none/out.xml"))
    assert told == "iamd: cannot write `none/out.xml`: No such file or directory"


def one_line_after_output(ended):
    assert ended.returncode == 2
    return ended.stderr.strip()


def test_policies_may_stand_in_files_of_their_own(iamd, folder):
    (folder / "policies").mkdir()
    (folder / "policies" / "allow.json").write_text(json.dumps(ALLOW, indent=4))
    named = "policies/allow.json"
    text = json.dumps(ALLOW)
    levels = [{"level": "root", "policies": [named]}]
    file = lines(
        folder,
        case(policies={"identity": [named], "scp": levels}),
        case(identifier="text", policies={"identity": text}),
        case("Denied", "boundary", policies={"identity": named, "boundary": []}),
    )
    assert iamd("test", file).stdout == "3 cases, 0 differ\n"
    shutil.rmtree(folder / "policies")
    told = one_line(iamd("test", file), 2)
    assert told == "cases.jsonl:1: cannot read the policy `policies/allow.json`: No such file or directory"


def with_statement(**members):
    return {**ALLOW, "Statement": [*ALLOW["Statement"], {**ALLOW["Statement"][0], "Sid": "", **members}]}


LARGE = with_statement(Resource=[f"arn:aws:s3:::bucket-{number:04}/*" for number in range(300)])
WITH_ROOT = with_statement(Principal="*")
REFUSED = {
    "a principal": ("identity", WITH_ROOT, "MalformedPolicyDocument: Policy document should not specify a principal."),
    "a partition": (
        "identity",
        with_statement(Resource="arn:awz:s3:::bucket"),
        'MalformedPolicyDocument: Partition "awz" is not valid for resource "arn:awz:s3:::bucket".',
    ),
    "too long": ("identity", LARGE, "LimitExceeded: Cannot exceed quota for PolicySize: 6144"),
    "a boundary": ("boundary", with_statement(Action=[]), "MalformedPolicyDocument: Policy statement must contain actions."),
    "a session's": ("session", WITH_ROOT, "MalformedPolicyDocument: Policy document should not specify a principal."),
    "no principal": ("resource", ALLOW, "MalformedPolicy: Missing required field Principal"),
    "too long for a bucket": (
        "resource",
        {**ALLOW, "Statement": [{**ALLOW["Statement"][0], "Principal": "*", "Sid": "x" * 20_480}]},
        "MalformedPolicy: The policy is larger than 20480 bytes.",
    ),
    "an endpoint's": ("vpce", ALLOW, "MalformedPolicy: Missing required field Principal"),
    "an SCP": (
        "scp",
        [{"policies": [with_statement(Resource="bucket")]}],
        (
            "MalformedPolicyDocumentException: The provided policy document does not meet the requirements of the"
            " specified policy type."
        ),
    ),
    "an RCP that allows": (
        "rcp",
        [{"policies": [{**ALLOW, "Statement": [{**ALLOW["Statement"][0], "Principal": "*"}]}]}],
        "MalformedPolicyDocumentException: ",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("expected", ["Allowed", "Denied"])
def test_a_policy_that_aws_would_not_store_fails_whatever_is_expected(iamd, folder, name, expected):
    kind, given, told = REFUSED[name]
    policies = {"identity": [ALLOW], kind: given}
    ended = iamd("test", lines(folder, case(), case(expected, "two", policies=policies)))
    assert ended.returncode == 1
    first, count = ended.stdout.splitlines()
    assert first.startswith("cases.jsonl:2: two: AWS would not store ")
    assert told in first
    assert count == "2 cases, 1 differs"


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        (json.dumps(WITH_ROOT, indent=1), 10, "Policy document should not specify a principal."),
        (json.dumps(with_statement(Sid="All"), indent=1), 10, "Statement IDs (SID) in a single policy must be unique."),
        (json.dumps(ALLOW, indent=1).replace('"*"', "*"), 8, "Syntax errors in policy."),
        (json.dumps(ALLOW | {"Version": "2008-10-17"}, indent=1), 1, "Policy document must be version 2012-10-17 or greater."),
    ],
)  # fmt: skip
def test_what_can_t_be_stored_is_told_with_its_file_and_line(iamd, folder, text, line, told):
    (folder / "policy.json").write_text(text)
    file = lines(folder, case("Denied", policies={"identity": ["policy.json"]}))
    ended = iamd("test", file, "--junit", "out.xml")
    first = ended.stdout.splitlines()[0]
    expected = f"policy.json:{line}: identity-based policy 1: MalformedPolicyDocument: {told}"
    assert first.startswith(f"cases.jsonl:1: one: AWS would not store {expected}")
    assert fromstring((folder / "out.xml").read_text())[0][0].get("message") == first
    (answer,) = map(json.loads, iamd("test", file, "-o", "json").stdout.splitlines())
    assert answer["reasons"][0] == expected


def test_a_role_s_inline_policies_are_larger_and_what_names_its_source_is_taken_as_it_is(iamd, folder):
    role = {**REQUEST, "principal": "arn:aws:sts::111122223333:assumed-role/reader/session"}
    old = {**ALLOW, "Version": "2008-10-17"}
    large = case(request=role, policies={"identity": LARGE})
    file = lines(folder, large, case(policies={"identity": old}, source="of an account of 2010"))
    assert iamd("test", file).stdout == "2 cases, 0 differ\n"


YAML = """
all: &all {Version: 2012-10-17, Statement: [{Sid: yes, Effect: Allow, Action: "s3:*", Resource: "*",
  Condition: {NumericLessThan: {"s3:max-keys": 10}, Bool: {"aws:SecureTransport": true}}}]}
cases:
- id: plain words are text
  request:
    {principal: arn:aws:iam::012345678901:user/ann, action: s3:GetObject, resource: arn:aws:s3:::bucket/key,
     resource_account: 012345678901, context: {"s3:max-keys": 9, "aws:SecureTransport": true}}
  policies: {identity: [*all]}
  expected: Allowed
  layer: identity-based policy
"""


def test_yaml_takes_plain_words_as_they_are_written(iamd, folder):
    """Of `2012-10-17`, `012345678901` and `yes` YAML 1.1 makes a date, an octal number and a boolean."""
    (folder / "cases.yaml").write_text(YAML)
    ended = iamd("test", "cases.yaml")
    assert (ended.returncode, ended.stdout) == (0, "1 case, 0 differ\n"), ended
    (folder / "cases.yaml").write_text(YAML.replace("layer: identity", "layer: resource"))
    assert (
        "expected Allowed by resource-based policy, decided Allowed by identity-based policy"
        in iamd("test", "cases.yaml").stdout
    )


def test_cases_come_from_standard_input_too(iamd):
    assert iamd("test", "-", input=json.dumps(case()) + "\n\n").stdout == "1 case, 0 differ\n"


def test_a_policy_that_cannot_be_read_is_named(iamd, folder):
    ended = iamd("test", lines(folder, case(policies={"identity": [{**ALLOW, "Version": "2012-10-18"}]})))
    assert ended.returncode == 1
    assert "identity-based policy 1 can't be read: the version is unknown" in ended.stdout


def guarded(folder):
    """Two cases about a policy in a file of its own, whose second statement applies to neither."""
    (folder / "policies").mkdir()
    no_delete = {"Sid": "Keep", "Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"}
    text = json.dumps({**ALLOW, "Statement": [*ALLOW["Statement"], no_delete]}, indent=1)
    (folder / "policies" / "guard.json").write_text(text)
    named = {"identity": ["policies/guard.json"]}
    return [case(policies=named), case(identifier="two", policies=named)], text


def test_coverage_tells_the_statements_that_no_case_exercised(iamd, folder):
    cases, text = guarded(folder)
    line = text[: text.index('"Keep"')].count("\n")
    ended = iamd("test", lines(folder, *cases), "--coverage")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == [
        "2 cases, 0 differ",
        f"policies/guard.json:{line}: statement 2 (Sid Keep): no case exercised it",
        "1 of 2 statements exercised",
    ]
    deleting = case("ExplicitlyDenied", "three", request={**REQUEST, "action": "s3:DeleteObject"})
    deleting["policies"] = cases[0]["policies"]
    ended = iamd("test", lines(folder, *cases, deleting), "--coverage")
    assert ended.stdout == "3 cases, 0 differ\n2 of 2 statements exercised\n"


def test_coverage_of_a_policy_within_a_case_names_the_case_and_every_layer_counts(iamd, folder):
    elsewhere = {**ALLOW, "Statement": [{**ALLOW["Statement"][0], "Resource": "arn:aws:s3:::other/*"}]}
    levels = [{"level": "root", "policies": [ALLOW]}, {"level": "account", "policies": [elsewhere, ALLOW]}]
    denied = case("ImplicitlyDenied", policies={"identity": [ALLOW], "boundary": elsewhere, "rcp": []})
    ended = iamd("test", lines(folder, denied, case(policies={"identity": [ALLOW], "scp": levels})), "--coverage")
    assert ended.stdout.splitlines()[1:] == [
        "cases.jsonl:1: permissions boundary 1: statement 1 (Sid All): no case exercised it",
        "1 of 2 statements exercised",
    ]


def test_coverage_in_other_forms_spoils_none(iamd, folder):
    file = lines(folder, *guarded(folder)[0])
    *_, last = iamd("test", file, "--coverage", "-o", "json").stdout.splitlines()
    told = json.loads(last)
    assert (told["statements"], told["exercised"], len(told["missed"])) == (2, 1, 1)
    for words in (["-o", "json", "--query", "[].id"], ["--query", "[].id"]):
        ended = iamd("test", file, "--coverage", *words)
        assert json.loads(ended.stdout) == ["one", "two"]
        assert ended.stderr.endswith("1 of 2 statements exercised\n")


SLIPS = {
    '{"id": 1': "cases.jsonl:1: not JSON: ",
    '{"id": NaN}': "cases.jsonl:1: not JSON: `NaN` is no JSON",
    '{"expected": "Allowed", "expected": "Denied"}': "cases.jsonl:1: not JSON: a name stands twice in one object",
    "[" * 100_000: "cases.jsonl:1: not JSON: ",
    "[]": "cases.jsonl:1: a case is an object",
    json.dumps(case("allow")): "cases.jsonl:1: `expected` is one of Allowed, ExplicitlyDenied, ImplicitlyDenied, Denied",
    json.dumps({**case(), "policy": {}}): "cases.jsonl:1: a case has no `policy`; did you mean `policies`?",
    json.dumps(case(policies={"idenity": []})): "cases.jsonl:1: policies has no `idenity`; did you mean `identity`?",
    json.dumps(case(request={**REQUEST, "recource": "*"})): "cases.jsonl:1: a request has no `recource`; did you mean `resource`?",
    json.dumps(case(request={"principal": "anonymous"})): "cases.jsonl:1: the case has no 'action'",
    json.dumps(case(request=[])): "cases.jsonl:1: a request is an object",
    json.dumps(case(policies=[])): "cases.jsonl:1: policies is an object",
    json.dumps(case(request={**REQUEST, "principal": "arn:aws:iam::1:group/g"})): "cases.jsonl:1: `arn:aws:iam::1:group/g` is no principal",
    "\n\n": "there is no case in `cases.jsonl`",
}  # fmt: skip


@pytest.mark.parametrize("text", SLIPS, ids=range(len(SLIPS)))
def test_a_slip_is_told_with_its_place(iamd, folder, text):
    (folder / "cases.jsonl").write_text(text + "\n")
    assert one_line(iamd("test", "cases.jsonl"), 2).startswith(SLIPS[text])


ALIASES = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))


def test_what_is_merged_gives_way_to_a_cases_own(iamd, folder):
    """As YAML's merge key has it; a name of its own that stands twice is refused all the same."""
    asked = """
get: &get {principal: "arn:aws:iam::111122223333:user/ana", action: "s3:GetObject", resource: "arn:aws:s3:::data/x"}
put: &put {<<: *get, action: "s3:PutObject"}
policies: &policies {identity: [{Version: 2012-10-17, Statement: [{Effect: Allow, Action: "s3:Put*", Resource: "arn:aws:s3:::data/y"}]}]}
cases:
  - {id: merged, request: {<<: *get, resource_account: 111122223333}, policies: *policies, expected: ImplicitlyDenied}
  - {id: own, request: {<<: *put, resource: "arn:aws:s3:::data/y", resource_account: 111122223333}, policies: *policies,
     expected: Allowed}
"""
    (folder / "cases.yaml").write_text(asked)
    assert iamd("test", "cases.yaml").stdout == "2 cases, 0 differ\n"
    (folder / "cases.yaml").write_text(asked.replace("{<<: *put, ", "{<<: *put, action: a, action: b, "))
    assert one_line(iamd("test", "cases.yaml"), 2) == "`cases.yaml` is not YAML: a name stands twice in one object"


MERGED = "a0: &a0 {x: y}\n" + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, 10))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [", "`cases.yaml` is not YAML: "),
        ("cases: 5", "`cases.yaml` holds no list of cases"),
        ("- {id: a, id: b}", "`cases.yaml` is not YAML: a name stands twice in one object"),
        (
            "- !!python/object/apply:os.system [touch owned]",
            "`cases.yaml` is not YAML: could not determine a constructor",
        ),
        ("[" * 1500, "`cases.yaml` is not YAML: "),
        ("- {[a]: b}", "`cases.yaml` is not YAML: "),
        ("- &a [*a]", "`cases.yaml` is not YAML: its aliases make it too large"),
        (ALIASES + "cases: [*a9]", "`cases.yaml` is not YAML: its aliases make it too large"),
        (MERGED + "cases: [*a9]", "`cases.yaml` is not YAML: its aliases make it too large"),
    ],
)
def test_a_slip_in_yaml_is_told(iamd, folder, text, told):
    (folder / "cases.yaml").write_text(text)
    assert one_line(iamd("test", "cases.yaml"), 2).startswith(told)
    assert not (folder / "owned").exists()


def test_bytes_that_are_no_text_are_told(iamd, folder):
    (folder / "cases.jsonl").write_bytes(b"\xff\xfe")
    assert one_line(iamd("test", "cases.jsonl"), 2) == "`cases.jsonl` is not UTF-8"
