"""What is printed, in which form, and what happens when nobody takes it."""

import csv
import io
import json
import os
import re
import subprocess
import sys

import pytest
import yaml
from cli.conftest import environment, one_line

NAMES = ["[/] [red]x", "a, \"b\" 'c': #d"]


@pytest.fixture
def named(aws, data):
    """A server with accounts whose names mean something to every form."""
    for name in NAMES:
        aws.iamd("CreateAccount", Name=name)
    return data


def test_json_is_the_default_when_nobody_looks(iamd, named):
    ended = iamd("account", "list", "--data", named)
    assert ended.returncode == 0
    assert sorted(account["Name"] for account in json.loads(ended.stdout)["Accounts"]) == sorted(["iamd", *NAMES])
    assert iamd("account", "list", "--data", named, "-o", "json").stdout == ended.stdout


def test_yaml_reads_back_as_the_same(iamd, named):
    shown = [iamd("account", "list", "--data", named, "-o", form).stdout for form in ("yaml", "json")]
    assert yaml.safe_load(shown[0]) == json.loads(shown[1])


def test_csv_reads_back_as_rows(iamd, named):
    rows = list(csv.DictReader(io.StringIO(iamd("account", "list", "--data", named, "-o", "csv").stdout)))
    assert sorted(row["Name"] for row in rows) == sorted(["iamd", *NAMES])


def test_a_table_shows_names_as_they_are(iamd, named):
    table = iamd("account", "list", "--data", named, "-o", "table")
    assert table.returncode == 0
    assert "AccountId" in table.stdout
    assert all(name in table.stdout for name in NAMES)


def test_when_an_account_was_made_is_a_date(iamd, named):
    listed = json.loads(iamd("account", "list", "--data", named).stdout)["Accounts"]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", one["Created"]) for one in listed)


def test_a_table_shows_what_is_within_line_by_line(iamd, named):
    table = iamd("status", "--data", named, "-o", "table").stdout
    assert re.search(r"│ services +│ iam: running +│\n│ +│ sts: running", table)
    assert "{" not in table


def test_query_chooses_what_is_printed(iamd, named):
    query = "sort(Accounts[].Name)"
    assert json.loads(iamd("account", "list", "--data", named, "--query", query).stdout) == sorted(["iamd", *NAMES])
    assert iamd("status", "--data", named, "--query", "version", "-o", "yaml").stdout == '"0.1.0"\n'
    told = one_line(iamd("account", "list", "--data", named, "--query", "["), 2)
    assert told.startswith("--query `[` is no JMESPath")


def test_what_others_wrote_does_not_steer_the_terminal(aws, iamd, data):
    """The error message holds what the client sent."""
    statement = {"Effect": "Allow", "Action": "a\x1b[31mb:Get", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    with pytest.raises(Exception, match="MalformedPolicyDocument") as caught:
        aws.client("iam").create_policy(PolicyName="steering", PolicyDocument=document)
    request_id = caught.value.response["ResponseMetadata"]["RequestId"]
    ended = iamd("explain", request_id, "--data", data)
    assert ended.returncode == 0, ended
    assert "\x1b" not in ended.stdout
    assert "a\\x1b[31mb" in ended.stdout


def shell(folder, script):
    """Run a line of a shell, in which $IAMD is the command."""
    command = f"{sys.executable} -m iamd"
    environ = environment(folder) | {"IAMD": command}
    return subprocess.run(
        ["bash", "-c", script], check=False, capture_output=True, text=True, env=environ, cwd=folder, timeout=60
    )


def test_a_reader_that_goes_ends_the_command_as_sigpipe_would(folder, data):
    ended = shell(folder, f'set +e; (sleep 0.3; $IAMD status --data {data}) | true; echo "${{PIPESTATUS[0]}}"')
    assert (ended.stdout, ended.stderr) == ("141\n", "")


def test_a_full_disk_under_the_output_is_told(folder, data):
    ended = shell(folder, f"$IAMD status --data {data} > /dev/full")
    assert (ended.returncode, ended.stderr) == (2, "iamd: cannot write the output: No space left on device\n")


def test_a_full_disk_under_both_outputs_still_gives_the_code(folder, data):
    assert shell(folder, f"$IAMD status --data {data} > /dev/full 2> /dev/full").returncode == 2
    assert shell(folder, "$IAMD foo 2> /dev/full").returncode == 2
    assert shell(folder, "$IAMD foo 2>&-").returncode == 2


def test_a_closed_output_is_told_before_a_secret_is_made_for_nobody(aws, folder, data):
    ended = shell(folder, f"$IAMD account add --name lost --data {data} >&-")
    assert (ended.returncode, ended.stderr) == (2, "iamd: standard output is closed\n")
    assert [account["Name"] for account in aws.iamd("ListAccounts")["Accounts"]] == ["iamd"]


def test_serve_needs_no_output(folder):
    """Descriptor 1 must not become a socket or the database: what is printed would go there."""
    script = "$IAMD serve --port 0 --backend none --data d >&- 2>log & PID=$!; "
    script += "for i in $(seq 200); do test -s d/aws/config && break; sleep 0.05; done; sleep 0.3; "
    script += "readlink /proc/$PID/fd/1; kill $PID; wait $PID; echo $?; cat log >&2"
    ended = shell(folder, script)
    assert ended.stdout == f"{os.devnull}\n0\n", ended
    assert "Traceback" not in ended.stderr
