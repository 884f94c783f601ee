"""The key file is written whole, read strictly, and readable by its owner alone."""

import base64
import os
import stat
import threading

import pytest

from iamd.auth import key_file
from iamd.auth.key_file import KeyFileError

LINE = b"00000001 " + base64.b64encode(b"k" * 32) + b"\n"


def test_what_was_created_is_loaded(tmp_path):
    created = key_file.create(tmp_path / "key")
    assert key_file.load(tmp_path / "key").keys == created.keys


def test_the_file_is_its_owners_alone_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        key_file.create(tmp_path / "key")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


def test_an_existing_file_is_not_overwritten(tmp_path):
    (tmp_path / "key").write_bytes(b"precious")
    with pytest.raises(FileExistsError):
        key_file.create(tmp_path / "key")
    assert (tmp_path / "key").read_bytes() == b"precious"
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_rotation_keeps_old_keys_and_their_order(tmp_path):
    path = tmp_path / "key"
    first = key_file.create(path)
    second = first.rotated()
    key_file.replace(path, second)
    loaded = key_file.load(path)
    assert loaded.keys == second.keys
    assert loaded.open("p", (), first.seal("p", (), b"x")) == b"x"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_of_many_starters_all_have_the_same_key(tmp_path):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(key_file.load_or_create(tmp_path / "key").keys)) for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 12
    assert len(set(found)) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610])
def test_a_file_that_others_may_touch_is_refused(tmp_path, mode):
    key_file.create(tmp_path / "key")
    (tmp_path / "key").chmod(mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        key_file.load(tmp_path / "key")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        LINE + b"\n",
        LINE + LINE,
        LINE.replace(b" ", b"  "),
        b"00000001\n",
        b"0000000 " + LINE[9:],
        b"zzzzzzzz " + LINE[9:],
        b"00000001 " + base64.b64encode(b"k" * 31),
        b"00000001 !" + base64.b64encode(b"k" * 32),
        LINE + b"CANARY",
        b"x" * 70_000,
    ],
)
def test_a_damaged_file_is_refused_without_showing_it(tmp_path, content):
    (tmp_path / "key").write_bytes(content)
    (tmp_path / "key").chmod(0o600)
    with pytest.raises(KeyFileError, match="is damaged") as caught:
        key_file.load(tmp_path / "key")
    assert "CANARY" not in str(caught.value)
    assert "a2tra2tr" not in str(caught.value)


def test_no_file_is_told_apart_from_a_bad_one(tmp_path):
    with pytest.raises(FileNotFoundError):
        key_file.load(tmp_path / "key")
