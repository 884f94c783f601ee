"""Stores to test: on files in a folder of their own, and in memory."""

import pytest

pytest.register_assert_rewrite("store.conformance")
