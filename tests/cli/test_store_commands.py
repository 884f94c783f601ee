"""`iamd backup`, `iamd restore`, `iamd fsck`: from a running server to a new folder and back."""

import json
import os
import sqlite3
import stat

import boto3
import pytest
from cli.conftest import one_line
from running import AWS, Credentials, Server, allow

TRUST = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:user/ann"},
        "Action": "sts:AssumeRole",
    },
}


@pytest.fixture(scope="module")
def used(tmp_path_factory):
    """A server with a user, a role, a session of it and an MFA device; and what they may do."""
    running = Server(tmp_path_factory.mktemp("used") / "data", "--backend", "none")
    aws = AWS(running)
    iam = aws.client("iam")
    ann = aws.user("ann", allow("iam:GetUser"), allow("sts:AssumeRole"))
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.attach_role_policy(RoleName="reader", PolicyArn="arn:aws:iam::aws:policy/IAMReadOnlyAccess")
    held = aws.client("sts", ann).assume_role(
        RoleArn="arn:aws:iam::123456789012:role/reader", RoleSessionName="session"
    )
    aws.session, aws.ann = Credentials.of(held["Credentials"]), ann
    yield aws
    running.stop()


def outcomes(endpoint, *credentials):
    """What each caller may do."""
    found = []
    for of in credentials:
        session = boto3.Session(of.access_key_id, of.secret_access_key, of.session_token, "us-east-1")
        iam = session.client("iam", endpoint_url=endpoint)
        for call in (lambda iam=iam: iam.get_user(UserName="ann"), iam.list_roles, iam.list_access_keys):
            try:
                call()
            except iam.exceptions.ClientError as error:
                found.append(error.response["Error"]["Message"])
            else:
                found.append("allowed")
    return found


def test_a_restored_store_decides_the_same_and_keeps_keys_and_sessions(used, iamd, folder, start):
    (folder / "phrase").write_text("open sesame\nnot this line\n")
    before = outcomes(used.endpoint, used.ann, used.session)
    assert before.count("allowed") == 3
    saved = iamd("backup", "b", "--data", used.server.data, "--include-key", "--passphrase-file", "phrase")
    assert (saved.returncode, saved.stderr) == (0, "")
    restored = iamd("restore", "b", "--data", "new", "--passphrase-file", "-", input="open sesame\n")
    assert restored.stdout == "`new` holds the store of `b`; its sealing key is `new/key`\n"
    assert stat.S_IMODE((folder / "new" / "key").stat().st_mode) == 0o600
    assert iamd("fsck", "--data", "new").stdout == "the store is sound\n"
    server = start("--backend", "none", data=folder / "new")
    assert outcomes(server.endpoint, used.ann, used.session) == before
    # The administrator's key was in no backup; a client brings its own.
    assert one_line(iamd("account", "list", "--data", "new"), 2).startswith("there are no credentials in `new/aws`")


def test_a_backup_holds_no_key_unless_asked_and_a_restore_without_it_is_refused(used, iamd, folder):
    data = used.server.data
    saved = iamd("backup", "b", "--data", data)
    assert saved.returncode == 0
    assert saved.stderr == f"the sealing key `{data}/key` is not in it, and a restore needs both\n"
    assert (data / "key").read_bytes().split()[1] not in (folder / "b").read_bytes()
    told = one_line(iamd("restore", "b", "--data", "new"), 2)
    assert told == "the sealing key is not in the backup: name its file with --key-file"
    assert not (folder / "new").exists()
    restored = iamd("restore", "b", "--data", "new", "--key-file", data / "key")
    assert restored.stdout == f"`new` holds the store of `b`; its sealing key is `{data}/key`\n"
    assert iamd("fsck", "--data", "new", "--key-file", data / "key").returncode == 0
    without = iamd("fsck", "--data", "new")
    assert (without.returncode, without.stdout) == (
        1,
        "key: cannot read the sealing key `new/key`: No such file or directory\n",
    )


def test_the_key_goes_where_the_settings_say(used, iamd, folder):
    (folder / "phrase").write_text("open sesame")
    (folder / "iamd.toml").write_text('data = "there"\nkey_file = "apart"\n')
    iamd("backup", "b", "--data", used.server.data, "--include-key", "--passphrase-file", "phrase")
    restored = iamd("restore", "b", "--config", "iamd.toml", "--passphrase-file", "phrase")
    assert restored.stdout == "`there` holds the store of `b`; its sealing key is `apart`\n"
    assert sorted(path.name for path in (folder / "there").iterdir()) == ["iamd.db"]
    assert iamd("fsck", env={"IAMD_CONFIG": "iamd.toml"}).stdout == "the store is sound\n"


def test_refusals_leave_nothing_behind(used, iamd, folder):
    data = used.server.data
    (folder / "phrase").write_text("right\n")
    (folder / "wrong").write_text("wrong\n")
    (folder / "empty").write_text("\n")
    (folder / "junk").write_bytes(os.urandom(5000))
    (folder / "phrase").chmod(0o644)
    iamd("backup", "b", "--data", data, "--include-key", "--passphrase-file", "phrase")
    before = sorted(path.name for path in folder.iterdir())
    refused = {
        ("backup", "b", "--data", data): "`b` is there already",
        ("backup", "no/b", "--data", data): "cannot write `no/b`: No such file or directory",
        ("backup", "c", "--data", data, "--include-key"): "the sealing key needs a passphrase: name its file",
        ("backup", "c", "--data", data, "--include-key", "--passphrase-file", "no"): "cannot read `no`: No such file",
        ("backup", "c", "--data", data, "--include-key", "--passphrase-file", "empty"): "the passphrase in `empty` is",
        ("backup", "c", "--data", data, "--include-key", "--passphrase-file", "junk"): "`junk` is not UTF-8",
        ("restore", "b", "--data", "new"): "the sealing key needs a passphrase: name its file with --passphrase-file",
        ("restore", "b", "--data", "new", "--passphrase-file", "wrong"): "the passphrase does not open the sealing key",
        ("restore", "junk", "--data", "new"): "the database is damaged or no database of iamd: file is not a database",
        ("restore", "phrase", "--data", "new"): "the database is damaged or no database of iamd",
        ("restore", "b", "--data", data): f"`{data}` is not empty; a backup is restored to a new folder",
        ("restore", "b", "--data", "junk/x", "--passphrase-file", "phrase"): "cannot restore to `junk/x`: ",
        (
            "restore",
            "b",
            "--data",
            "new",
            "--key-file",
            "phrase",
        ): "key file `phrase` has mode 0644, but only its owner",
    }
    for words, told in refused.items():
        assert one_line(iamd(*words), 2).startswith(told), words
    assert sorted(path.name for path in folder.iterdir()) == before


def test_a_backup_of_another_key_is_not_restored(used, iamd, folder, start):
    other = start("--backend", "none")
    iamd("backup", "b", "--data", used.server.data)
    told = one_line(iamd("restore", "b", "--data", "new", "--key-file", other.data / "key"), 2)
    assert told == "the sealing key does not belong to this backup"
    assert not (folder / "new").exists()


def test_fsck_finds_what_is_wrong_and_says_it_in_every_form(used, iamd, folder):
    (folder / "phrase").write_text("x")
    iamd("backup", "b", "--data", used.server.data, "--include-key", "--passphrase-file", "phrase")
    iamd("restore", "b", "--data", "d", "--passphrase-file", "phrase")
    with sqlite3.connect(folder / "d" / "iamd.db") as database:
        database.execute("DELETE FROM records WHERE kind = 'user' AND CAST(document AS TEXT) LIKE '%ann%'")
        database.execute("DELETE FROM events WHERE id IN (SELECT min(id) FROM events)")
    database.close()
    found = iamd("fsck", "--data", "d")
    assert (found.returncode, found.stderr) == (1, "")
    assert any(line.endswith("has credentials and is none") for line in found.stdout.splitlines())
    assert any(line.startswith("audit: stream 1: event 2 follows event 0") for line in found.stdout.splitlines())
    shown = iamd("fsck", "--data", "d", "-o", "json")
    assert shown.returncode == 1
    assert json.loads(shown.stdout) == {"Sound": False, "Findings": found.stdout.splitlines()}


@pytest.mark.parametrize("size", [0, 1, 100, 4096, 20000])
def test_fsck_of_a_truncated_database_is_a_finding(used, iamd, folder, size):
    iamd("backup", "b", "--data", used.server.data)
    (folder / "d").mkdir()
    (folder / "d" / "iamd.db").write_bytes((folder / "b").read_bytes()[:size])
    found = iamd("fsck", "--data", "d", "--key-file", used.server.data / "key")
    assert (found.returncode, found.stderr) == (1, ""), found
    assert found.stdout.startswith("database: ")


def test_fsck_runs_beside_a_server(used, iamd):
    assert iamd("fsck", "--data", used.server.data).stdout == "the store is sound\n"
    assert used.client("sts").get_caller_identity()["Account"] == "123456789012"
