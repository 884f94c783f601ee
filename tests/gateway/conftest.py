"""Fixtures: `cloud`, a freshly reset iamd before the embedded backend; `counted`, one before a backend that counts."""

from collections.abc import Iterator

import pytest
from gateway.counting import CountedCloud
from gateway.two_accounts import OTHER
from running import AWS, Credentials, Server


@pytest.fixture(scope="session")
def gateway_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One iamd before the embedded backend for all tests of this process."""
    with Server.serving(tmp_path_factory.mktemp("gateway") / "data", "--backend", "moto", "--dev") as server:
        yield server


@pytest.fixture(scope="session")
def shared_cloud(gateway_server: Server) -> AWS:
    """The clients of that iamd."""
    return AWS(gateway_server)


@pytest.fixture
def cloud(shared_cloud: AWS) -> Iterator[AWS]:
    """A freshly reset iamd with an empty backend."""
    with shared_cloud.reset() as cloud:
        yield cloud


@pytest.fixture
def other(cloud: AWS) -> Credentials:
    """The administrator of a second account."""
    return Credentials.of(cloud.iamd("CreateAccount", Name="other", AccountId=OTHER))


@pytest.fixture(scope="session")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CountedCloud]:
    """One iamd before a counting backend for all tests of this process; it is never reset."""
    running = CountedCloud(tmp_path_factory.mktemp("counted"))
    yield running
    running.close()
