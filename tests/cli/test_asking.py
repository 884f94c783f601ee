"""What the commands that ask a server print, and their exit codes: can, explain, account, audit, status, env."""

import json
import re
import shlex
import sqlite3

import pytest
from cli.conftest import one_line
from gateway.pools import a_pool, unsigned
from running import allow, deny

ANN = "arn:aws:iam::123456789012:user/ann"


def test_can_tells_the_decision_its_reason_and_the_statements(aws, iamd, data):
    aws.user(
        "ann",
        allow("sqs:SendMessage") | {"Sid": "Send"},
        deny("sqs:*", "arn:aws:sqs:us-east-1:123456789012:closed"),
    )
    queue = "arn:aws:sqs:us-east-1:123456789012"
    allowed = iamd("can", ANN, "sqs:SendMessage", f"{queue}:open", "--data", data)
    assert (allowed.returncode, allowed.stderr) == (0, "")
    assert allowed.stdout.splitlines() == [
        f"Allowed: sqs:SendMessage on {queue}:open",
        (
            "  by         Allow, statement 1 `Send` (line 1, column 41) of test (inline policy of user ann),"
            " identity-based policy"
        ),
    ]
    denied = iamd("can", ANN, "sqs:SendMessage", f"{queue}:closed", "--data", data)
    assert denied.returncode == 1
    assert denied.stdout.splitlines()[0] == f"ExplicitlyDenied: sqs:SendMessage on {queue}:closed"
    assert "with an explicit deny in an identity-based policy" in denied.stdout
    shown = json.loads(iamd("can", ANN, "iam:GetUser", ANN, "--data", data, "-o", "json").stdout)
    assert (shown["Allowed"], shown["Decision"]["Outcome"]) == (False, "ImplicitlyDenied")


def test_can_takes_condition_keys_also_with_several_values(aws, iamd, data):
    condition = {
        "ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]},
        "StringEquals": {"aws:RequestedRegion": "eu-west-1"},
    }
    aws.user("ann", allow("sqs:TagQueue", **condition))
    words = ["can", ANN, "sqs:TagQueue", "*", "--data", data, "--context", "aws:RequestedRegion=eu-west-1"]
    assert iamd(*words, "--context", "aws:TagKeys=a", "--context", "aws:TagKeys=b").returncode == 0
    assert iamd(*words, "--context", "aws:TagKeys=a", "--context", "aws:TagKeys=c").returncode == 1


def test_who_can_lists_who_may_and_who_might(aws, iamd, data):
    aws.user("ann", allow("sqs:SendMessage") | {"Sid": "Send"})
    aws.user("bob", allow("sqs:*", Bool={"aws:MultiFactorAuthPresent": "true"}) | {"Sid": "Mfa"})
    aws.user("cat")
    queue = "arn:aws:sqs:us-east-1:123456789012:orders"
    told = iamd("who-can", "sqs:SendMessage", queue, "--data", data)
    assert (told.returncode, told.stderr) == (0, "")
    of = "(line 1, column 41) of test (inline policy of user"
    administrator = "(line 1, column 38) of arn:aws:iam::aws:policy/AdministratorAccess, identity-based policy"
    assert told.stdout.splitlines() == [
        f"3 of 5 principals may do sqs:SendMessage on {queue}",
        "arn:aws:iam::123456789012:root",
        "  because    the root user has full access to its account",
        "arn:aws:iam::123456789012:user/admin",
        f"  by         Allow, statement 1 {administrator}",
        ANN,
        f"  by         Allow, statement 1 `Send` {of} ann), identity-based policy",
        "1 more might, under other conditions (--context KEY=VALUE)",
        "arn:aws:iam::123456789012:user/bob",
        f"  near miss  Allow, statement 1 `Mfa` {of} bob), identity-based policy",
        "             would apply if Bool aws:MultiFactorAuthPresent true; the request has no such key",
        "  example    --context aws:MultiFactorAuthPresent=true",
    ]
    with_mfa = ("--context", "aws:MultiFactorAuthPresent=true", "--query", "length(Principals[?Allowed])")
    assert iamd("who-can", "sqs:SendMessage", queue, "--data", data, *with_mfa).stdout == "4\n"
    aws.user("dan", allow("*"), deny("*", BoolIfExists={"aws:MultiFactorAuthPresent": "false"}))
    assert iamd("who-can", "sqs:SendMessage", queue, "--data", data).stdout.splitlines()[-4:] == [
        "arn:aws:iam::123456789012:user/dan",
        "  denied by  Deny, statement 2 (line 1, column 94) of test (inline policy of user dan), identity-based policy",
        "             which applies while BoolIfExists aws:MultiFactorAuthPresent false; the request has no such key",
        "  example    --context aws:MultiFactorAuthPresent=true",
    ]
    mistyped = iamd("who-can", "sqs:SendMesage", queue, "--data", data)
    assert (mistyped.returncode, mistyped.stdout) == (2, "")
    assert mistyped.stderr == "iamd: AWS has no action `sqs:SendMesage`; did you mean `sqs:SendMessage`?\n"


def test_who_can_reads_every_page(aws, iamd, data):
    iam = aws.client("iam")
    for number in range(104):
        iam.create_user(UserName=f"user-{number:03}")
    trusted = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trusted]})
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=document)
    told = iamd("who-can", "iam:ListUsers", "*", "--data", data, "-o", "json")
    shown = json.loads(told.stdout)
    assert (len(shown["Principals"]), shown["LookedAt"]) == (2, 107)


def test_the_codes_of_a_pools_users_are_shown(cloud, iamd):
    pool, client = a_pool(cloud)
    users, data = unsigned(cloud, "cognito-idp"), cloud.server.data
    for name in ("ann", "bob"):
        mail = [{"Name": "email", "Value": f"{name}@example.com"}]
        users.sign_up(ClientId=client, Username=name, Password="Correct-horse-1", UserAttributes=mail)
    told = json.loads(iamd("user-codes", pool, "--data", data).stdout)["Codes"]
    assert [one["Username"] for one in told] == ["ann", "bob"]
    chosen = iamd("user-codes", pool, "bob", "--data", data, "--query", "Codes[].Code").stdout
    assert json.loads(chosen) == [told[1]["Code"]]
    assert iamd("user-codes", "us-east-1_none", "--data", data).returncode != 0


def test_quarantine_shows_what_it_cut_in_every_form(aws, iamd, data):
    ann = aws.user("ann")
    session = aws.client("sts", ann).get_session_token()["Credentials"]["AccessKeyId"]
    told = iamd("quarantine", ann.access_key_id, "--data", data)
    assert (told.returncode, told.stderr) == (0, "")
    cut = json.loads(told.stdout)["Cut"]
    assert [one["AccessKeyId"] for one in cut] == [ann.access_key_id, session]
    chosen = iamd("quarantine", ANN, "--data", data, "--query", "Cut[?Type=='Session'].AccessKeyId", "-o", "csv")
    assert chosen.stdout == f"Value\n{session}\n"
    assert cut[1]["Expires"].endswith("Z")
    table = iamd("quarantine", ANN, "--data", data, "-o", "table", env={"COLUMNS": "200"}).stdout
    assert all(text in table for text in ("User", "AccessKey", "Session", session, "Inactive"))


def test_quarantine_of_what_is_not_there_is_one_line(aws, iamd, data):
    words = "no access key AKIAIOSFODNN7EXAMPLE is in this account"
    assert one_line(iamd("quarantine", "AKIAIOSFODNN7EXAMPLE", "--data", data), 2) == words
    aws.user("ann")
    own = aws.server.administrator.access_key_id
    assert "would be cut themselves" in one_line(iamd("quarantine", own, "--data", data), 2)


@pytest.mark.parametrize("target", ["ann", "AKIA123", "akiaiosfodnn7example"])
def test_quarantine_of_what_names_nothing_is_told_before_a_server_is_asked(iamd, target):
    words = f"`{target}` is neither an access key's id nor the ARN of a user or role"
    assert one_line(iamd("quarantine", target, "--data", "nowhere"), 2) == words


def test_explain_spells_condition_keys_as_aws_does(aws, iamd, data):
    own = allow("iam:TagUser", "*", Bool={"aws:SecureTransport": "true"})
    with pytest.raises(Exception, match="AccessDenied") as caught:
        aws.client("iam", aws.user("ann", own)).tag_user(UserName="ann", Tags=[{"Key": "Team", "Value": "a"}])
    request_id = caught.value.response["ResponseMetadata"]["RequestId"]
    told = iamd("explain", request_id, "--data", data).stdout
    for text in ("aws:SourceIp = 127.0.0.1", "aws:username = ann", "aws:TagKeys = Team", "aws:RequestTag/team = a"):
        assert text in told
    assert "would apply if Bool aws:SecureTransport true; the request has false" in told
    # What programs read is as decisions have it.
    keys = json.loads(iamd("explain", request_id, "--data", data, "--query", "Decisions[0].Context").stdout)
    assert keys["aws:sourceip"] == ["127.0.0.1"]


def test_explain_tells_why_a_request_was_decided_so(aws, iamd, data):
    ann = aws.user("ann", deny("iam:*"))
    with pytest.raises(Exception, match="AccessDenied") as caught:
        aws.client("iam", ann).list_users()
    request_id = caught.value.response["ResponseMetadata"]["RequestId"]
    told = iamd("explain", request_id, "--data", data)
    assert told.returncode == 0
    lines = told.stdout.splitlines()
    assert lines[0] == f"{ANN} called ListUsers of iam.amazonaws.com"
    assert lines[1].startswith(f"refused: AccessDenied User: {ANN} is not authorized to perform: iam:ListUsers")
    assert "ExplicitlyDenied: iam:ListUsers on arn:aws:iam::123456789012:user/" in lines
    assert (
        "  by         Deny, statement 1 (line 1, column 41) of test (inline policy of user ann), identity-based policy"
    ) in lines
    # AWS's words are told once.
    assert told.stdout.count("is not authorized to perform") == 1
    assert "             aws:username = ann" in lines
    shown = json.loads(iamd("explain", request_id, "--data", data, "-o", "json").stdout)
    assert shown["Decisions"][0]["Outcome"] == "ExplicitlyDenied"


def test_explain_of_an_unsigned_request(aws, iamd, data):
    from raw import Raw

    with Raw(aws.endpoint) as raw:
        raw.send(b"GET /?Action=ListUsers&Version=2010-05-08 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        status, headers, _ = raw.answer()
    assert status == 403
    told = iamd("explain", headers["x-amzn-requestid"], "--data", data)
    assert told.returncode == 0, told
    assert told.stdout.startswith(
        "anonymous called ListUsers of iam.amazonaws.com\nrefused: MissingAuthenticationToken "
    )


def test_account_add_prints_json_that_opens_the_account(aws, iamd, process, data):
    words = ["account", "add", "--name", "two", "--id", "222222222222", "--email", "two@example.com", "--data", data]
    added = json.loads(iamd(*words).stdout)
    assert list(added) == ["AccountId", "UserName", "AccessKeyId", "SecretAccessKey"]
    assert (added["AccountId"], added["UserName"]) == ("222222222222", "admin")
    variables = {
        "AWS_ENDPOINT_URL": aws.endpoint,
        "AWS_ACCESS_KEY_ID": added["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": added["SecretAccessKey"],
    }
    told = json.loads(process("aws", "sts", "get-caller-identity", env=variables).stdout)
    assert told["Arn"] == "arn:aws:iam::222222222222:user/admin"
    # A tenant manages no accounts.
    one_line(iamd("account", "list", env=variables), 1)
    assert one_line(iamd(*words), 2) == "account 222222222222 is on this server already"


def test_audit_verify_finds_an_edit(start, iamd):
    server = start("--backend", "none")
    iamd("account", "list", "--data", server.data)
    intact = iamd("audit", "verify", "--data", server.data)
    assert (intact.returncode, intact.stdout) == (0, "the audit streams are intact\n")
    with sqlite3.connect(server.data / "iamd.db") as database:
        database.execute("UPDATE events SET document = CAST(replace(document, 'ListAccounts', 'GetUser') AS BLOB)")
    database.close()
    edited = iamd("audit", "verify", "--data", server.data)
    assert edited.returncode == 1
    assert "is not what was written" in edited.stdout
    assert edited.stdout.endswith("the audit streams are NOT intact\n")


def test_status_shows_the_health(aws, iamd, data):
    health = json.loads(iamd("status", "--data", data).stdout)
    assert (health["status"], health["enforce"], health["store"]) == ("running", "strict", "sqlite")
    assert health["revision"] >= 1


def test_env_is_for_eval(aws, iamd, data):
    line = iamd("env", "--data", data).stdout
    first, *pairs = shlex.split(line)
    assert first == "export"
    admin = aws.server.administrator
    assert dict(pair.split("=", 1) for pair in pairs) == {
        "AWS_ENDPOINT_URL": aws.endpoint,
        "AWS_ACCESS_KEY_ID": admin.access_key_id,
        "AWS_SECRET_ACCESS_KEY": admin.secret_access_key,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }


def test_who_can_tells_whom_else_a_resource_lets_in(aws, iamd, data):
    account = json.loads(
        iamd(
            "account", "add", "--name", "two", "--id", "222222222222", "--email", "a@example.com", "--data", data
        ).stdout
    )["AccountId"]
    bound = {"StringEquals": {"sts:ExternalId": "7"}, "StringNotLike": {"sts:RoleSessionName": "a*"}}
    trust = [
        {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole", "Condition": bound},
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ]
    text = json.dumps({"Version": "2012-10-17", "Statement": trust})
    role = aws.client("iam").create_role(RoleName="app", AssumeRolePolicyDocument=text)["Role"]["Arn"]
    told = iamd("who-can", "sts:AssumeRole", role, "--data", data)
    assert (told.returncode, told.stderr) == (0, "")
    of = f"of role trust policy of {role}"
    may, might = re.sub(r" \(line 1, column [0-9]+\)", "", told.stdout).split("besides, ")[1:]
    assert may.splitlines() == [
        "by what the resource's own policies and grants say, may",
        "service lambda.amazonaws.com",
        f"  by         Allow, statement 2 {of}",
    ]
    assert might.splitlines()[:6] == [
        "by what they say, might, under other conditions (--context KEY=VALUE)",
        f"account {account}, which may give it to its principals",
        f"  near miss  Allow, statement 1 {of}",
        "             would apply if StringEquals sts:ExternalId 7; the request has no such key",
        "  example    --context sts:ExternalId=7",
        f"arn:aws:iam::{account}:user/admin",
    ]
    asked = ("--context", "sts:ExternalId=7", "--query", "Others[?Allowed].Name | sort(@)", "-o", "json")
    assert json.loads(iamd("who-can", "sts:AssumeRole", role, "--data", data, *asked).stdout) == [
        account,
        f"arn:aws:iam::{account}:user/admin",
        "lambda.amazonaws.com",
    ]
