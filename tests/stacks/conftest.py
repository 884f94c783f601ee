"""Fixtures: `cloud`, a freshly reset iamd before the embedded backend; `stack`, which makes resources in it."""

from collections.abc import Iterator

import pytest
from running import AWS, Server
from stacks.resources import Stack


@pytest.fixture(scope="session")
def stacks_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One iamd before the embedded backend for all tests of this process."""
    with Server.serving(tmp_path_factory.mktemp("stacks") / "data", "--backend", "moto", "--dev") as server:
        yield server


@pytest.fixture(scope="session")
def shared_cloud(stacks_server: Server) -> AWS:
    """The clients of that iamd."""
    return AWS(stacks_server)


@pytest.fixture
def cloud(shared_cloud: AWS) -> Iterator[AWS]:
    """A freshly reset iamd with an empty backend."""
    with shared_cloud.reset() as cloud:
        yield cloud


@pytest.fixture
def stack(cloud: AWS) -> Stack:
    """A stack of the administrator's."""
    return Stack(cloud)
