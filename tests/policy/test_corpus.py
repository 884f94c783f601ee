"""What fuzzing began with, and what it once found, does not break the engine."""

from pathlib import Path

import pytest
from policy import targets

FILES = sorted(path for path in (Path(__file__).parent / "corpus").rglob("*") if path.is_file())


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_nothing_in_the_corpus_breaks_the_engine(path):
    targets.TARGETS[path.parent.name](path.read_bytes())


def test_every_target_has_a_corpus():
    assert {path.parent.name for path in FILES} == set(targets.TARGETS)


def test_a_slow_case_is_told(monkeypatch):
    """The gate can fail: a target whose work never fits is slow, one that is slow once is not."""
    monkeypatch.setattr(targets, "LIMIT", -1.0)
    with pytest.raises(targets.Slow):
        targets.within_limit(targets.wildcards, b"a*\nab")
    monkeypatch.setattr(targets, "LIMIT", 60.0)
    targets.within_limit(targets.wildcards, b"a*\nab")
