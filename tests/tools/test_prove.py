"""Long comparisons of engine and model: what was interrupted goes on, and never with another engine or model."""

import shutil

import prove


def test_a_run_that_was_interrupted_goes_on_behind_its_last_piece(tmp_path):
    run = prove.Run(7, tmp_path)
    run.note([])
    run.note(["they differ"])
    assert prove.unfinished(tmp_path) == 7
    again = prove.Run(7, tmp_path)
    assert (again.pieces, again.found) == (2, ["they differ"])
    assert again.seconds > 0


def test_a_run_that_ended_begins_anew(tmp_path):
    run = prove.Run(7, tmp_path)
    run.note([])
    run.end()
    assert prove.unfinished(tmp_path) is None
    assert prove.Run(7, tmp_path).pieces == 0


def test_another_engine_or_model_begins_anew(tmp_path, monkeypatch):
    prove.Run(7, tmp_path).note([])
    before = prove._compared()
    copied = tmp_path / "src/iamd/policy"
    shutil.copytree(prove.ROOT / "src/iamd/policy", copied)
    shutil.copytree(prove.ROOT / "tests/policy", tmp_path / "tests/policy")
    monkeypatch.setattr(prove, "ROOT", tmp_path)
    assert prove._compared() == before
    (copied / "evaluate.py").write_text("# another")
    assert prove._compared() != before
    assert prove.unfinished(tmp_path) is None
    assert prove.Run(7, tmp_path).pieces == 0
