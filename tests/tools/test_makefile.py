"""What `make` says and does about the browser, which is the machine's and not the tree's."""

import shutil
import subprocess
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).parents[2] / "Makefile"
SKIPPED = "tests in a browser will be skipped"


@pytest.fixture
def tree(tmp_path):
    """A copy of a tree where everything was installed once, the browser too, as older Makefiles noted it."""
    shutil.copy(MAKEFILE, tmp_path)
    (tmp_path / "requirements").mkdir()
    for name in ("pyproject.toml", "requirements/serve.txt", "requirements/test.txt"):
        (tmp_path / name).touch()
    (tmp_path / ".venv/bin").mkdir(parents=True)
    for name in ("bin/python", ".installed", ".installed-test", ".installed-browser"):
        (tmp_path / ".venv" / name).touch()
    return tmp_path


@pytest.fixture
def machine(tree):
    """`machine(tools)` runs `make venv-test` where these are all the tools, each a line of shell; gives what it said."""
    folder = tree / "tools"
    folder.mkdir()

    def run(**tools):
        for name, line in tools.items():
            tool = folder / name.replace("_", "-")
            tool.write_text(f"#!/bin/sh\n{line}\n")
            tool.chmod(0o755)
        command = [shutil.which("make"), "venv-test"]
        ended = subprocess.run(command, cwd=tree, env={"PATH": str(folder)}, capture_output=True, text=True, check=True)
        return ended.stdout

    return run


def test_a_machine_without_a_browser_gets_one_whatever_the_tree_says(machine, tree):
    assert SKIPPED not in machine(id="echo 0", apt_get=f'echo "$@" >> {tree}/asked')
    assert "chromium-headless-shell" in (tree / "asked").read_text()


def test_a_machine_with_a_browser_is_left_alone(machine, tree):
    said = machine(chromium="exit 0", id="echo 0", apt_get=f'echo "$@" >> {tree}/asked')
    assert SKIPPED not in said
    assert not (tree / "asked").exists()


def test_what_cannot_be_installed_is_told_each_time(machine):
    for _ in range(2):
        assert SKIPPED in machine(id="echo 1000")
    assert SKIPPED in machine(id="echo 0", apt_get="exit 1")
