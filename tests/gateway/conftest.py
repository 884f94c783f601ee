"""Fixtures: `other`, the administrator of a second account; `idp` and `users`, clients of Cognito's user pools; `counted`,
an iamd before a backend that counts.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gateway.counting import CountedCloud
from gateway.pools import unsigned
from gateway.two_accounts import OTHER
from running import AWS, Credentials


@pytest.fixture
def other(cloud: AWS) -> Credentials:
    """The administrator of a second account."""
    return Credentials.of(cloud.iamd("CreateAccount", Name="other", AccountId=OTHER))


@pytest.fixture
def idp(cloud: AWS) -> Any:
    """The administrator's client of user pools."""
    return cloud.client("cognito-idp")


@pytest.fixture
def users(cloud: AWS) -> Any:
    """The client of user pools that an application has, which signs nothing."""
    return unsigned(cloud, "cognito-idp")


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
