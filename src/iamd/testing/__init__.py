"""Policies in Python tests: `decide` a request without a server, and assert what comes of it.

The fixtures of `iamd.pytest_plugin` are these functions.
"""

from iamd.testing.answers import Answer
from iamd.testing.assertions import assert_allowed, assert_denied
from iamd.testing.deciding import decide

__all__ = ["Answer", "assert_allowed", "assert_denied", "decide"]
