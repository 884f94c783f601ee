"""Fixtures: `other`, the administrator of a second account; `counted`, an iamd before a backend that counts."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from gateway.counting import CountedCloud
from gateway.two_accounts import OTHER
from running import AWS, Credentials


@pytest.fixture
def other(cloud: AWS) -> Credentials:
    """The administrator of a second account."""
    return Credentials.of(cloud.iamd("CreateAccount", Name="other", AccountId=OTHER))


@pytest.fixture(scope="session")
def counted(quick_folder: Path) -> Iterator[CountedCloud]:
    """One iamd before a counting backend for all tests of this process; it is never reset."""
    folder = quick_folder / "counted"
    folder.mkdir()
    running = CountedCloud(folder)
    yield running
    running.close()


@pytest.fixture
def unknown_bucket(counted: CountedCloud) -> None:
    """The shared server knows nothing of the bucket `bkt`, whatever ownership and lists another test gave it."""
    counted.call("s3", "DeleteBucket", {"Bucket": "bkt"})
