"""A server that can't start says why in one line, ends with 2, and leaves what it found as it was."""

import base64
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time

import boto3
import pytest
from cli.conftest import environment, one_line
from running import Server

from iamd import start
from iamd.configuration import load
from iamd.settings import StartError
from iamd.store.errors import Unavailable

WORDS = ["serve", "--port", "0", "--backend", "none", "--data"]


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """The data folder of a server that was used and ended."""
    running = Server(tmp_path_factory.mktemp("stopped") / "data", "--backend", "none")
    admin = running.administrator
    iam = boto3.client(
        "iam", "us-east-1", endpoint_url=running.endpoint, aws_access_key_id=admin.access_key_id,
        aws_secret_access_key=admin.secret_access_key,
    )  # fmt: skip
    for number in range(30):
        iam.create_user(UserName=f"user-{number}")
    assert running.stop() == 0
    return running.data


@pytest.fixture
def data(stopped, folder):
    """A copy of it."""
    shutil.copytree(stopped, folder / "data")
    return folder / "data"


def contents(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "lock"
    }


# Addresses


def test_a_port_that_is_taken_is_told(iamd, folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = one_line(iamd("serve", "--port", port, "--data", "new"), 2)
    assert told == f"cannot listen on 127.0.0.1:{port}: Address already in use; give another `--port` or `--host`"
    assert not (folder / "new").exists()


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("a..b", "Name or service not known"),
        ("no-such-host.invalid", "Name or service not known"),
        ("é" * 70, "no name of a host"),
        ("203.0.113.7", "Cannot assign requested address"),
    ],
)
def test_an_address_that_is_not_ours_is_told(iamd, folder, host, why):
    told = one_line(iamd("serve", "--host", host, "--allow-plain-http", "--data", "new"), 2)
    assert told.startswith(f"cannot listen on {host}:4566: ")
    assert why in told or "name resolution" in told
    assert not (folder / "new").exists()


# Data folders


def test_a_data_folder_that_is_served_is_told(iamd, aws):
    told = one_line(iamd(*WORDS, aws.server.data), 2)
    assert told.startswith(f"another iamd serves the data folder `{aws.server.data}`; give another `--data`")
    assert aws.client("sts").get_caller_identity()["Account"]


@pytest.mark.parametrize("place", ["/proc/iamd", "/dev/null/iamd", "/sys/iamd", "file", "file/below"])
def test_a_data_folder_that_cannot_be_used_is_told(iamd, folder, place):
    (folder / "file").write_text("mine")
    told = one_line(iamd(*WORDS, place), 2)
    assert told.startswith(f"cannot use the data folder `{place}`: ")
    assert told.endswith("; give another `--data`")
    assert (folder / "file").read_text() == "mine"


def is_writable_by_me(folder):
    try:
        (folder / "probe").touch()
    except OSError:
        return False
    return True


def test_a_data_folder_that_is_read_only_is_told(iamd, folder, data):
    """As another user than root, or on a file system that is mounted so, as root may write everywhere else."""
    data.chmod(0o500)
    mounted = (
        is_writable_by_me(data)
        and subprocess.run(["mount", "--bind", data, data], capture_output=True, check=False).returncode == 0
    )
    try:
        if mounted:
            subprocess.run(["mount", "-o", "remount,bind,ro", data], check=True)
        elif is_writable_by_me(data):
            pytest.skip("root, and not allowed to mount")
        told = one_line(iamd(*WORDS, "data"), 2)
        assert told.startswith("cannot use the data folder `data`: ")
    finally:
        if mounted:
            subprocess.run(["umount", data], check=True)
        data.chmod(0o700)
    assert iamd("fsck", "--data", "data").stdout == "the store is sound\n"


@pytest.mark.parametrize("name", ["revision", "lock", "aws/config"])
def test_a_folder_in_the_place_of_a_file_is_told(iamd, data, name):
    (data / name).unlink()
    (data / name).mkdir()
    assert one_line(iamd(*WORDS, "data"), 2).startswith("cannot use the data folder `data`: Is a directory")


def test_a_file_in_the_place_of_a_folder_is_told(iamd, data):
    shutil.rmtree(data / "aws")
    (data / "aws").write_text("x")
    assert one_line(iamd(*WORDS, "data"), 2).startswith("cannot use the data folder `data`: File exists")


# The sealing key


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            lambda key: key.unlink(),
            "the sealing key `data/key` of the store in `data` is missing: put it back, or name",
        ),
        (lambda key: key.write_bytes(b""), "key file `data/key` is damaged: a keyring needs a key"),
        (lambda key: key.write_bytes(b"0123 junk\n"), "key file `data/key` is damaged: line 1 is not an id and a key"),
        (lambda key: key.chmod(0o644), "key file `data/key` has mode 0644, but only its owner may read it (chmod 600)"),
        (lambda key: (key.unlink(), key.mkdir()), "key file `data/key` has mode 0"),
        (
            lambda key: key.write_bytes(b"01020304 " + base64.b64encode(bytes(32)) + b"\n"),
            "the sealing key `data/key` does not belong to the store in `data`: put its own back, or name it",
        ),
    ],
)
def test_a_key_that_does_not_fit_is_told_and_stays(iamd, data, change, told):
    change(data / "key")
    before = contents(data)
    words = one_line(iamd(*WORDS, "data"), 2)
    assert words.startswith((told, "cannot use the sealing key `data/key`: Is a directory"))
    assert contents(data) == before


def test_a_key_file_elsewhere_that_cannot_be_made_is_told(iamd, folder):
    told = one_line(iamd(*WORDS, "new", "--key-file", "/no/such/folder/key"), 2)
    assert told.startswith("cannot use the sealing key `/no/such/folder/key`: No such file or directory")


# Databases


@pytest.mark.parametrize("size", [None, 0, 1, 511])
def test_a_store_that_is_lost_is_not_taken_for_a_new_one(iamd, data, size):
    """Its journal, the only place where the last writes may stand, is left alone too."""
    database = data / "iamd.db"
    (data / "iamd.db-wal").write_bytes(b"the last writes")
    if size is None:
        database.unlink()
    else:
        database.write_bytes(database.read_bytes()[:size])
    before = contents(data)
    told = one_line(iamd(*WORDS, "data"), 2)
    assert told.startswith(
        "the store `data/iamd.db` is missing or empty, and the data folder was used before: put it back"
    )
    assert contents(data) == before


@pytest.mark.parametrize("size", [512, 1024, 4096, 4097, 8192, 40_000])
def test_a_truncated_database_is_told(iamd, data, size):
    database = data / "iamd.db"
    database.write_bytes(database.read_bytes()[:size])
    told = one_line(iamd(*WORDS, "data"), 2)
    assert told.startswith("the database is damaged or no database of iamd: ")
    assert told.endswith("; see `iamd fsck --data data`, or give a new `--data` to `iamd restore`")


ALTERED = {
    "PRAGMA user_version = 99": "the database has version 99, written by a newer iamd; this one knows versions up to",
    "PRAGMA application_id = 5": "the file is a database of another program; see `iamd fsck",
    "DROP TABLE records": "the database has no table `records`; see `iamd fsck",
    "DROP TABLE events": "the database has no table `events`; see `iamd fsck",
    "UPDATE records SET kind = 'other' WHERE number = 3": "the database holds records of the kind `other`, which this",
    "UPDATE records SET document = x'ff' WHERE number = 3": "the access-key `AKIA",
    "UPDATE records SET document = CAST('{}' AS BLOB) WHERE number = 2": "the user `AIDA",
}


@pytest.mark.parametrize("sql", ALTERED)
def test_a_database_that_somebody_altered_is_told(iamd, data, sql):
    with sqlite3.connect(data / "iamd.db") as database:
        database.execute(sql)
    database.close()
    assert one_line(iamd(*WORDS, "data"), 2).startswith(ALTERED[sql])


def test_whatever_is_damaged_the_start_ends_in_words(data, folder):
    """Bytes and pages of the database at random: it opens, or says what is wrong, and never fails otherwise."""
    chance = random.Random(17)
    content = (data / "iamd.db").read_bytes()
    told = set()
    for _ in range(60):
        damaged = bytearray(content)
        for _ in range(chance.randrange(1, 30)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        if chance.random() < 0.5:
            page = chance.randrange(len(damaged) // 4096) * 4096
            damaged[page : page + 4096] = chance.randbytes(4096)
        (data / "iamd.db").write_bytes(damaged)
        for name in ("iamd.db-wal", "iamd.db-shm"):
            (data / name).unlink(missing_ok=True)
        try:
            start.open_runtime(load({"data": str(data), "backend": "none"}, {})).store.close()
        except (StartError, Unavailable) as error:
            told.add(str(error))
    assert not any("\n" in words for words in told)
    assert any(words.startswith("the database is damaged or no database of iamd: ") for words in told)


# First starts that are cut off


def test_a_first_start_that_is_killed_anywhere_is_made_again(folder):
    """No key is left that opens nothing, and no store that nobody can open."""
    command = [sys.executable, "-m", "iamd", *WORDS, "data"]
    chance = random.Random(5)
    for _ in range(6):
        shutil.rmtree(folder / "data", ignore_errors=True)
        begun = subprocess.Popen(command, cwd=folder, env=environment(folder), stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not (folder / "data").exists() and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(chance.random() * 0.15)
        begun.send_signal(signal.SIGKILL)
        begun.wait()
        again = Server(folder / "data", "--backend", "none")
        admin = again.administrator
        sts = boto3.client(
            "sts", "us-east-1", endpoint_url=again.endpoint, aws_access_key_id=admin.access_key_id,
            aws_secret_access_key=admin.secret_access_key,
        )  # fmt: skip
        assert sts.get_caller_identity()["Arn"].endswith(":user/admin")
        assert again.stop() == 0
        assert sorted(path.name for path in (folder / "data" / "aws").iterdir()) == ["config", "credentials"]


# Starts that take long


IMPATIENT = "from iamd import cli; from iamd.store import loading; loading.INTERVAL_SECONDS = 0; cli.main()"
"""iamd for which every start takes long."""


def told_by_a_start(folder, *python):
    """What a server says on standard error until it is ready."""
    begun = subprocess.Popen(
        [sys.executable, *python, *WORDS, "data"],
        cwd=folder, env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert begun.stdout.readline().startswith("iamd ready on ")
    begun.send_signal(signal.SIGTERM)
    return begun.communicate(timeout=60)[1]


def test_a_start_that_takes_long_says_how_far_it_has_come(data, folder):
    told = told_by_a_start(folder, "-c", IMPATIENT).splitlines()
    assert told[:31] == [f"loaded {number} of 31 principals..." for number in range(31)]
    assert told[31].startswith("iamd ")


def test_a_quick_start_says_nothing_of_it(data, folder):
    assert "loaded" not in told_by_a_start(folder, "-m", "iamd")
