"""The command line: as a process of its own, or, where a process shows nothing more, within the test's."""

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from running import Server

from iamd import cli

Ended = subprocess.CompletedProcess[str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the commands run: nothing is there, and no home folder with anything in it."""
    made = tmp_path / "work"
    made.mkdir()
    return made


@pytest.fixture
def process(folder: Path) -> Callable[..., Ended]:
    """`process(*words, env=...)` runs one command as a user does, and gives what it printed and its exit code."""

    def run(*words: Any, env: dict[str, str] | None = None) -> Ended:
        command = [sys.executable, "-m", "iamd", *map(str, words)]
        environ = environment(folder) | (env or {})
        return subprocess.run(command, check=False, capture_output=True, text=True, env=environ, cwd=folder, timeout=60)

    return run


@pytest.fixture
def iamd(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """As `process`, without the half second that a process takes."""

    def run(*words: Any, env: dict[str, str] | None = None, input: str = "") -> Ended:
        command = ["iamd", *map(str, words)]
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", command)
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(input.encode())))
            patch.chdir(folder)
            for name in os.environ:
                patch.delenv(name)
            for name, value in (environment(folder) | (env or {})).items():
                patch.setenv(name, value)
            capsys.readouterr()
            mask = os.umask(0o022)
            try:
                with pytest.raises(SystemExit) as ended:
                    cli.main()
            finally:
                os.umask(mask)
        printed = capsys.readouterr()
        return subprocess.CompletedProcess(command, ended.value.code or 0, printed.out, printed.err)

    return run


def environment(home: Path) -> dict[str, str]:
    """An environment without settings of iamd's and AWS's."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("IAMD_", "AWS_", "XDG_"))}
    return clean | {"HOME": str(home), "XDG_DATA_HOME": str(home / "share"), "AWS_EC2_METADATA_DISABLED": "true"}


def one_line(ended: Ended, code: int) -> str:
    """The one line on standard error of a command that failed with this code, and printed nothing else."""
    assert (ended.returncode, ended.stdout) == (code, ""), ended
    assert ended.stderr.count("\n") == 1, ended.stderr
    assert ended.stderr.startswith("iamd: ")
    assert not ended.stderr.endswith(".\n")
    return ended.stderr.removeprefix("iamd: ").strip()


@pytest.fixture
def data(aws, server: Server) -> Path:
    """The data folder of a freshly reset server."""
    return server.data
