"""Fixture: `moto`, the real embedded backend without a server before it, emptied before each test."""

import pytest
from backend.embedded_fixture import Moto


@pytest.fixture(scope="module")
def child(tmp_path_factory):
    moto = Moto(tmp_path_factory.mktemp("moto"))
    yield moto
    moto.close()


@pytest.fixture
def moto(child):
    child.run(child.embedded.reset())
    return child
