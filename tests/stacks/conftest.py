"""The fixture `stack`, which makes resources in a freshly reset iamd before the embedded backend."""

import pytest
from running import AWS
from stacks.resources import Stack


@pytest.fixture
def stack(cloud: AWS) -> Stack:
    """A stack of the administrator's."""
    return Stack(cloud)
