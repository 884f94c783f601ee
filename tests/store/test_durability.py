"""STO-01, STO-02: what was acknowledged survives kill -9 and power cuts, and nothing is ever half there."""

import os
import signal
import threading
import time
from types import SimpleNamespace

import pytest
from store.disk import Disk, chance
from store.making import ACCOUNT, KEY, account, open_store, put
from store.processes import worker
from store.worker import write

from iamd.clock import Clock
from iamd.store import writer
from iamd.store.chain import Chain
from iamd.store.counter import OwnCounter
from iamd.store.fsck import check
from iamd.store.records import User
from iamd.store.sqlite import DATABASE, file_log
from iamd.store.store import Limits, Store

KILLS = 50
CUTS = 300
WRITES_PER_RUN = 120


def store_on(disk, folder):
    log = file_log(folder / DATABASE, vfs=disk.name)
    return Store(log, OwnCounter(), Clock(), Chain("node", "boot", KEY), Limits())


@pytest.fixture
def disk(request):
    made = Disk(f"disk-{request.node.name[:40]}-{id(request)}")
    yield made
    made.unregister()


def numbers(folder):
    store = open_store(folder)
    found = store.snapshot().account(ACCOUNT)
    revision = store.snapshot().revision
    names = {record.user_id.removeprefix("AIDA") for record in found.all(User)} if found else set()
    events = [number for number in names if not store.by_request_id(f"request-{number}")]
    store.close()
    return {int(number) for number in names}, revision, events


def test_kill_9_loses_no_acknowledged_write(tmp_path):
    store = open_store(tmp_path)
    store.write(put(account())).result()
    store.close()
    acknowledged = set()
    random = chance(9)
    with worker("load", tmp_path) as load:
        for round in range(KILLS):
            load.tell(round * 10_000)
            pid = int(load.line().removeprefix("pid ")) if not acknowledged else pid_of(load, acknowledged)
            wanted = random.randrange(1, 60)
            for _ in range(wanted):
                acknowledged.add(int(load.line()))
            time.sleep(random.random() / 200)
            os.kill(pid, signal.SIGKILL)
            while (line := load.line()) != "end":
                acknowledged.add(int(line))
            found, revision, without_event = numbers(tmp_path) if round % 10 == 9 else (acknowledged, None, [])
            assert acknowledged <= found
            assert revision is None or revision == len(found) + 1
            assert without_event == []
            assert round % 5 or check(tmp_path, KEY) == []
    assert len(acknowledged) > KILLS


def pid_of(load, acknowledged):
    while not (line := load.line()).startswith("pid "):
        acknowledged.add(int(line))
    return int(line.removeprefix("pid "))


@pytest.mark.parametrize("mode", ["none", "all", "some"])
def test_power_cut_loses_no_acknowledged_write(disk, tmp_path, mode):
    """100 cuts for each way in which the unsynced sectors may be found afterwards."""
    random = chance(len(mode))
    store = store_on(disk, tmp_path)
    # Checkpoints, which write into the database itself, come every few commits instead of every thousand pages.
    store._log._writer.execute("PRAGMA wal_autocheckpoint=40")
    store.write(put(account())).result()
    acknowledged, cuts = [], []

    def cut():
        if len(cuts) < CUTS // 3 and random.random() < 0.06:
            cuts.append((list(acknowledged), disk.after_power_cut(mode, random)))

    disk.before_operation = cut
    number = 0
    while len(cuts) < CUTS // 3:
        futures = [(n, store.write(write(n))) for n in range(number, number + random.randrange(1, 4))]
        number += len(futures)
        for n, future in futures:
            future.result()
            acknowledged.append(n)
    disk.before_operation = lambda: None
    store.close()
    assert any(files[DATABASE] != cuts[0][1][DATABASE] for _, files in cuts), "no cut after a checkpoint"
    for index, (before, files) in enumerate(cuts):
        folder = tmp_path / f"cut-{index}"
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        found, revision, without_event = numbers(folder)
        assert set(before) <= found
        assert revision == len(found) + 1
        assert without_event == []
        assert check(folder, KEY) == []


def test_without_syncs_the_power_cut_would_lose_writes(disk, tmp_path):
    """The simulation is no weaker than it says: a store that does not sync fails it."""
    store = store_on(disk, tmp_path)
    store._log._writer.execute("PRAGMA synchronous=OFF")
    store.write(put(account())).result()
    for number in range(20):
        store.write(write(number)).result()
    files = disk.after_power_cut("none", chance(1))
    store.close()
    folder = tmp_path / "cut"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    assert not set(range(20)) <= numbers(folder)[0]


def test_a_sync_precedes_each_acknowledgement(disk, tmp_path):
    store = store_on(disk, tmp_path)
    seen = []
    wal = str(tmp_path / f"{DATABASE}-wal")

    def acknowledged(_):
        seen.append((disk.syncs, len(disk.unsynced[wal])))

    for number in range(50):
        before = disk.syncs
        future = store.write(write(number))
        future.add_done_callback(acknowledged)
        future.result()
        store.flush()
        assert seen[-1][0] > before
    store.close()
    assert [unsynced for _, unsynced in seen] == [0] * 50


def test_works_that_wait_share_one_sync(disk, tmp_path):
    store = store_on(disk, tmp_path)
    store.write(put(account())).result()
    before = disk.syncs
    futures = [store.write(write(number)) for number in range(200)]
    for future in futures:
        future.result()
    syncs = disk.syncs - before
    store.close()
    assert syncs < 60


def test_who_writes_with_others_waits_for_them_and_who_writes_alone_for_nobody(disk, tmp_path, monkeypatch):
    store = store_on(disk, tmp_path)
    gathering, go_on, seconds = threading.Event(), threading.Event(), []

    def gather(wait):
        seconds.append(wait)
        gathering.set()
        assert go_on.wait(30)

    monkeypatch.setattr(writer, "time", SimpleNamespace(sleep=gather, monotonic=time.monotonic))
    for number in range(20):
        store.write(write(number)).result()
    assert seconds == []
    # The first holds up the writer, so that the next two are taken together.
    held = threading.Event()
    first = store.write(lambda change: held.wait(30))
    together = [store.write(write(number)) for number in (20, 21)]
    held.set()
    first.result()
    for future in together:
        future.result()
    before = disk.syncs
    later = [store.write(write(22))]
    assert gathering.wait(30)
    later.append(store.write(write(23)))
    go_on.set()
    for future in later:
        future.result()
    syncs = disk.syncs - before
    store.close()
    assert (seconds, syncs) == ([writer.GATHER_SECONDS], 1)
