"""The pytest plugin: fixtures that decide requests without a server, and assert what comes of them.

Every run of pytest beside an installed iamd loads this file, so it imports the engine when a test asks for it.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from iamd.testing import Answer


@pytest.fixture
def iamd_decide(request: pytest.FixtureRequest) -> "Callable[..., Answer]":
    """`decide` of iamd.testing; policies that are named stand in files beside the test's own."""
    from iamd.testing import decide

    return partial(decide, folder=request.path.parent)


@pytest.fixture
def assert_allowed() -> "Callable[[Answer], None]":
    """`assert_allowed` of iamd.testing: an answer's explanation is the failure's message."""
    from iamd.testing import assert_allowed

    return assert_allowed


@pytest.fixture
def assert_denied() -> "Callable[..., None]":
    """`assert_denied` of iamd.testing: an answer's explanation is the failure's message."""
    from iamd.testing import assert_denied

    return assert_denied
