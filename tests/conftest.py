"""The `aws` fixture: a freshly reset iamd and the clients of it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from running import AWS, Server

# A machine that is busy with something else fails no test.
settings.register_profile("iamd", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("iamd")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One iamd without a backend for all tests of this process."""
    options = ("--backend", "none", "--dev", "--federation-hosts", "127.0.0.1")
    with Server.serving(tmp_path_factory.mktemp("iamd") / "data", *options) as server:
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
