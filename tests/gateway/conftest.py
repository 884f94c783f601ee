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


@pytest.fixture(autouse=True)
def _ownership_again(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test did to the shared server's bucket is undone: ACLs would count in it from then on."""
    yield
    is_concerned = request.module.__name__.rpartition(".")[2] in {"test_every_operation", "test_exact_s3"}
    if is_concerned and ("s3" in request.node.name or "Ownership" in request.node.name):
        rules = [{"ObjectOwnership": "BucketOwnerEnforced"}]
        given = {"Bucket": "bkt", "OwnershipControls": {"Rules": rules}}
        request.getfixturevalue("counted").call("s3", "PutBucketOwnershipControls", given)
