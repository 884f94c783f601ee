"""`iamd report denials`: what was denied, and the policy that would allow it."""

import json

import pytest
from botocore.exceptions import ClientError
from cli.conftest import one_line
from running import allow, deny

ANN = "arn:aws:iam::123456789012:user/ann"


@pytest.fixture
def denied(aws):
    """Ann was denied three things, one of them twice and one explicitly."""
    iam = aws.client("iam", aws.user("ann", deny("iam:DeleteUser")))
    for call, given in (
        (iam.list_roles, {}),
        (iam.list_users, {}),
        (iam.list_users, {}),
        (iam.get_user, {"UserName": "ann"}),
        (iam.delete_user, {"UserName": "ann"}),
    ):
        with pytest.raises(ClientError):
            call(**given)


def test_denials_are_listed_what_happened_most_often_first(denied, iamd, data):
    told = iamd("report", "denials", "--data", data, "-o", "json")
    assert (told.returncode, told.stderr) == (0, "")
    first, *others = json.loads(told.stdout)["Denials"]
    assert (first["PrincipalArn"], first["Action"], first["Count"]) == (ANN, "iam:ListUsers", 2)
    assert {one["Action"] for one in others} == {"iam:ListRoles", "iam:GetUser", "iam:DeleteUser"}
    assert first["LastTime"].endswith("Z")
    chosen = iamd("report", "denials", "--data", data, "--query", "Denials[?DeniedBy].Action", "-o", "csv")
    assert chosen.stdout == "Value\niam:DeleteUser\n"
    table = iamd("report", "denials", "--data", data, "-o", "table", env={"COLUMNS": "250"}).stdout
    assert "iam:ListUsers" in table


def test_who_can_be_nobody_has_no_denials_to_be_asked_for(aws, iamd, data):
    told = one_line(iamd("report", "denials", "--principal", "user/ann", "--data", data), 2)
    assert told == "`user/ann` is no ARN, as `arn:aws:iam::123456789012:user/NAME` is one"
    gone = iamd("report", "denials", "--principal", ANN, "--data", data)
    assert (gone.returncode, gone.stdout) == (0, "nothing was denied\n")


@pytest.mark.parametrize("width", [80, 120])
def test_a_table_of_denials_is_read_on_a_narrow_terminal(denied, iamd, data, width):
    told = iamd("report", "denials", "--data", data, "-o", "table", env={"COLUMNS": str(width)})
    lines = told.stdout.splitlines()
    assert max(map(len, lines)) <= width
    assert sum(line.startswith("┌") for line in lines) == 4
    for name, value in (("PrincipalArn", ANN), ("Action", "iam:DeleteUser"), ("Layer", "identity-based policy")):
        assert any(line.strip("│").split("│")[0].strip() == name and value in line for line in lines)
    (last,) = {len(line.split("│")[2].strip()) for line in lines if "LastRequestId" in line}
    assert last == 36


def test_a_table_with_one_long_column_stays_one(aws, iamd, data):
    aws.iamd("CreateAccount", Name="x" * 50)
    lines = iamd("account", "list", "--data", data, "-o", "table", env={"COLUMNS": "70"}).stdout.splitlines()
    assert sum(line.startswith("┏") for line in lines) == 1
    assert max(map(len, lines)) <= 70


def test_people_are_told_what_was_denied_by_what_and_what_would_allow_it(denied, iamd, data):
    told = iamd("report", "denials", "--data", data)
    principal, first, reason, change, last, *others = told.stdout.splitlines()
    assert principal == ANN
    assert first.split() == ["2x", "iam:ListUsers", "on", "arn:aws:iam::123456789012:user/"]
    assert reason.strip() == "no identity-based policy allows it"
    assert change.split("  ")[1] == "to allow"
    assert change.endswith(f"Allow iam:ListUsers on this resource in an identity-based policy of {ANN}.")
    request = last.split("`")[1].split()
    assert request[:2] == ["iamd", "explain"]
    assert iamd(*request[1:], "--data", data).stdout.startswith(f"{ANN} called ListUsers")
    assert any(
        "denied by  Deny, statement 1 " in line and "test (inline policy of user ann)" in line for line in others
    )


def test_who_asks_in_an_hour_without_denials_is_told_so(aws, iamd, data):
    assert iamd("report", "denials", "--data", data).stdout == "nothing was denied\n"


def test_the_policy_allows_what_was_denied_for_want_of_one(denied, aws, iamd, data):
    told = iamd("report", "denials", "--data", data, "--principal", ANN, "--policy")
    document = json.loads(told.stdout)
    assert document["Statement"] == [
        {"Effect": "Allow", "Action": ["iam:ListRoles"], "Resource": "arn:aws:iam::123456789012:role/"},
        {"Effect": "Allow", "Action": ["iam:ListUsers"], "Resource": "arn:aws:iam::123456789012:user/"},
        {"Effect": "Allow", "Action": ["iam:GetUser"], "Resource": ANN},
    ]
    aws.client("iam").put_user_policy(UserName="ann", PolicyName="more", PolicyDocument=told.stdout)
    for action, resource in (("iam:ListUsers", "arn:aws:iam::123456789012:user/"), ("iam:GetUser", ANN)):
        assert iamd("can", ANN, action, resource, "--data", data).returncode == 0


def test_who_was_denied_nothing_needs_no_policy(aws, iamd, data):
    aws.user("ann", allow("*"))
    told = iamd("report", "denials", "--data", data, "--principal", ANN, "--policy")
    assert (told.returncode, told.stdout) == (0, "")
    assert told.stderr == "no identity policy would allow more: nothing was denied for want of one\n"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--policy"], "--policy is for one principal: name it with --principal"),
        (["--since", "yesterday"], "`yesterday` is no time: write `24h`, `7d` or `2026-01-31T12:00:00Z`"),
        (["--since", "0h"], "`0h` is no time"),
    ],
)
def test_what_makes_no_sense_is_one_line(iamd, data, words, complaint):
    told = iamd("report", "denials", "--data", data, *words)
    assert complaint in one_line(told, 2)


@pytest.mark.parametrize("since", ["10s", "30m", "24h", "7d", "2026-01-31", "2026-01-31T12:00:00Z"])
def test_times_are_written_as_ages_or_dates(denied, iamd, data, since):
    told = iamd("report", "denials", "--data", data, "-o", "json", "--since", since)
    assert told.returncode == 0
    assert json.loads(told.stdout)["Denials"]


def test_what_was_denied_before_is_not_told(aws, denied, iamd, data):
    assert (
        json.loads(iamd("report", "denials", "--data", data, "-o", "json", "--since", "2999-01-01").stdout)["Denials"]
        == []
    )
    assert json.loads(iamd("report", "denials", "--data", data, "-o", "json", "--would-be").stdout)["Denials"] == []
