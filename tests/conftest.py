"""Fixtures: `aws`, a freshly reset iamd and the clients of it; `cloud`, one before the embedded backend."""

import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from running import AWS, Server

# A machine that is busy with something else fails no test.
settings.register_profile("iamd", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("iamd")

MEMORY = Path("/dev/shm")
ROOM = 1 << 30
USUAL_SECONDS = 300
"""What a test may take that has no time of its own (`timeout` in pyproject.toml)."""


def pytest_xdist_auto_num_workers() -> int | None:
    """One process more than there are processors: a test that waits for something leaves one idle."""
    if os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS"):
        return None
    # Linux alone tells which of them are ours.
    return (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1) + 1


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that may take long: one that came last would be waited for by all other processes."""
    items.sort(key=lambda item: _seconds(item) <= USUAL_SECONDS)


def pytest_collection() -> None:
    """What is collected stays to the end, and is not looked through for garbage while it grows."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Looking through it later would be a part of every test's time."""
    gc.collect()
    gc.enable()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _seconds(item: pytest.Item) -> float:
    given = item.get_closest_marker("timeout")
    return given.args[0] if given is not None else USUAL_SECONDS


@pytest.fixture(scope="session")
def quick_folder() -> Iterator[Path]:
    """Where the servers that tests share keep their data: in memory where it has room, for a disk makes commits wait.

    What must outlive a crash is tested with folders of the tests' own.
    """
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOM
    with tempfile.TemporaryDirectory(prefix="iamd-tests-", dir=MEMORY if roomy else None) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def server(quick_folder: Path) -> Iterator[Server]:
    """One iamd without a backend for all tests of this process."""
    options = ("--backend", "none", "--dev", "--federation-hosts", "127.0.0.1")
    with Server.serving(quick_folder / "iamd", *options) as server:
        yield server


@pytest.fixture(scope="session")
def shared_aws(server: Server) -> AWS:
    """The clients of that iamd; they are kept, for making one costs more than a test."""
    return AWS(server)


@pytest.fixture
def aws(shared_aws: AWS) -> Iterator[AWS]:
    """A freshly reset iamd."""
    with shared_aws.reset() as aws:
        yield aws


@pytest.fixture(scope="session")
def cloud_server(quick_folder: Path) -> Iterator[Server]:
    """One iamd before the embedded backend for all tests of this process."""
    with Server.serving(quick_folder / "cloud", "--backend", "moto", "--dev") as server:
        yield server


@pytest.fixture(scope="session")
def shared_cloud(cloud_server: Server) -> AWS:
    """The clients of that iamd."""
    return AWS(cloud_server)


@pytest.fixture
def cloud(shared_cloud: AWS) -> Iterator[AWS]:
    """A freshly reset iamd with an empty backend."""
    with shared_cloud.reset() as cloud:
        yield cloud


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start an iamd of the test's own; all are stopped at its end."""
    running: list[Server] = []

    def started(*options: str, data: Path | None = None, **settings: Any) -> Server:
        running.append(Server(data or tmp_path / f"data{len(running)}", *options, **settings))
        return running[-1]

    yield started
    for one in running:
        one.stop()
