"""The embedded backend's life: it starts beside iamd, comes back when it dies, and ends when iamd ends."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from iamd.backend.embedded import BackendDown, EmbeddedBackend
from iamd.backend.folder import socket_folder
from iamd.backend.verdict import Refused, Verdict, decoded, encoded
from iamd.errors import Common
from iamd.gateway.backend import Backend
from iamd.gateway.forward import BackendUnavailable, BadGateway, forward
from iamd.gateway.payload import EMPTY
from iamd.http import HttpRequest

VERDICT = Verdict("s3", "ListBuckets", "rest-xml", "123456789012", "us-east-1")
REQUEST = HttpRequest("id", "GET", b"/", b"", [(b"host", b"localhost")], None, "127.0.0.1")


def living(folder, steps, **how):
    """Run steps with a started backend, and stop it whatever happens."""

    async def main():
        embedded = EmbeddedBackend(folder, **how)
        backend = Backend.local(embedded)
        embedded.start()
        try:
            return await steps(embedded, backend)
        finally:
            await backend.close()
            await embedded.stop()

    return asyncio.run(main())


def state(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def environment(pid):
    return Path(f"/proc/{pid}/environ").read_bytes()


async def until(holds):
    for _ in range(6000):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError


async def listed(backend):
    return (await forward(REQUEST, EMPTY, backend, VERDICT, now=time.time())).status


def gone(pid):
    for _ in range(100):
        try:
            if state(pid) == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.05)
    return False


def test_start_takes_no_time_and_a_request_waits_for_the_backend(tmp_path):
    async def steps(embedded, backend):
        began = time.monotonic()
        embedded.start()
        assert time.monotonic() - began < 0.05
        assert embedded.boot is None
        assert await listed(backend) == 200
        assert embedded.boot is not None

    living(tmp_path, steps)


def test_a_backend_that_dies_comes_back_empty_with_another_boot(tmp_path):
    boots = []

    async def steps(embedded, backend):
        embedded.on_boot(boots.append)
        assert await listed(backend) == 200
        pid = embedded.pid
        os.kill(pid, signal.SIGKILL)
        await until(lambda: embedded.boot != boots[0])
        assert await listed(backend) == 200
        assert embedded.pid != pid

    living(tmp_path, steps)
    assert len(boots) == 2
    assert len(set(boots)) == 2


def test_a_request_that_is_there_when_the_backend_dies_fails_and_is_not_hung(tmp_path):
    async def steps(embedded, backend):
        await listed(backend)
        os.kill(embedded.pid, signal.SIGSTOP)
        await until(lambda: state(embedded.pid) == "T")
        waiting = asyncio.create_task(listed(backend))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        os.kill(embedded.pid, signal.SIGKILL)
        with pytest.raises((BadGateway, BackendUnavailable)):
            await asyncio.wait_for(waiting, 5)

    living(tmp_path, steps)


def test_a_verdict_for_an_earlier_boot_is_not_run(tmp_path):
    async def steps(embedded, backend):
        await embedded.ready()
        embedded.boot = "an-earlier-one"
        with pytest.raises(BackendUnavailable) as caught:
            await listed(backend)
        assert caught.value.kind is Common.UNAVAILABLE

    living(tmp_path, steps)


def test_a_second_process_follows_the_owners_backend(tmp_path):
    async def steps(embedded, backend):
        boot = await embedded.ready()
        follower = EmbeddedBackend(tmp_path, owner=False)
        follower.start()
        assert await follower.ready() == boot
        os.kill(embedded.pid, signal.SIGKILL)
        await until(lambda: follower.boot not in {None, boot})
        assert follower.boot == await embedded.ready()
        await follower.stop()
        assert await listed(backend) == 200

    living(tmp_path, steps)


def test_a_backend_that_does_not_come_up_in_time_is_down(tmp_path):
    async def main():
        with pytest.raises(BackendDown):
            await EmbeddedBackend(tmp_path, owner=False).ready(0.05)

    asyncio.run(main())


def test_sockets_and_their_folder_are_this_users_only(tmp_path):
    async def steps(embedded, backend):
        await embedded.ready()
        assert stat.S_IMODE(embedded.folder.stat().st_mode) == 0o700
        for name in ("requests", "control"):
            assert stat.S_IMODE((embedded.folder / name).stat().st_mode) == 0o600

    living(tmp_path, steps)


def test_a_data_folder_with_a_long_path_gets_a_short_one_for_its_sockets(tmp_path):
    long = tmp_path / ("d" * 120)
    folder = socket_folder(long)
    assert len(os.fsencode(folder / "requests")) <= 100
    assert folder == socket_folder(long)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.rmdir()


def test_a_link_in_the_place_of_the_folder_is_refused(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "backend").symlink_to(elsewhere)
    with pytest.raises(PermissionError):
        socket_folder(tmp_path)


def test_stop_ends_the_child(tmp_path):
    async def steps(embedded, backend):
        await embedded.ready()
        return embedded.pid

    assert gone(living(tmp_path, steps))


PARENT = """
import asyncio, sys
from pathlib import Path
from iamd.backend.embedded import EmbeddedBackend
async def main():
    embedded = EmbeddedBackend(Path(sys.argv[1]))
    embedded.start()
    await embedded.ready()
    print(embedded.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


def test_the_child_does_not_outlive_a_killed_parent_and_says_nothing(tmp_path):
    parent = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    pid = int(parent.stdout.readline())
    parent.kill()
    _, said = parent.communicate()
    assert gone(pid)
    assert said == b""


def test_iamds_secrets_and_motos_settings_do_not_reach_the_child(tmp_path, monkeypatch):
    for name in ("IAMD_ADMIN_SECRET_ACCESS_KEY", "MOTO_ACCOUNT_ID", "INITIAL_NO_AUTH_ACTION_COUNT", "AWS_PROFILE"):
        monkeypatch.setenv(name, "canary")

    async def steps(embedded, backend):
        await embedded.ready()
        return environment(embedded.pid)

    assert b"canary" not in living(tmp_path, steps)


def test_a_verdict_comes_back_as_it_was():
    verdict = Verdict("s3", "PutObject", "rest-xml", "123456789012", "eu-west-1", bucket_host="b")
    assert decoded(encoded(verdict, "boot"), "boot") == verdict


@pytest.mark.parametrize("acl", [None, "own"])
def test_what_a_verdict_reaches_arrives_as_it_is(acl):
    reached = ("arn:aws:lambda:us-east-1:111122223333:layer:lay:1", "arn:aws:sqs:us-east-1:111122223333:a b,c é:%20")
    verdict = Verdict("lambda", "CreateFunction", "rest-json", "1", "eu-west-1", acl=acl, reached=reached)
    assert decoded(encoded(verdict, "boot"), "boot") == verdict


@pytest.mark.parametrize("spoil", ["missing", "twice", "boot"])
def test_a_verdict_that_is_not_whole_is_refused(spoil):
    told = list(encoded(VERDICT, "boot"))
    told = {"missing": told[1:], "twice": [*told, told[0]], "boot": encoded(VERDICT, "other")}[spoil]
    with pytest.raises(Refused):
        decoded(told, "boot")
