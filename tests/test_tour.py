"""The tour of docs/ comes out as it says: docs/tour.sh checks every step and ends with 0 only when all of them hold."""

import subprocess
import sys
from pathlib import Path

import pytest
from clients import preloaded

ROOT = Path(__file__).parent.parent
STEPS = 8


@pytest.mark.timeout(600)
def test_the_tour_runs_from_its_first_step_to_its_last(quick_folder):
    # The folders in which the tour finds its programs: three of four seconds were the AWS CLI's imports.
    with preloaded.aws_cli(quick_folder) as aws:
        tour = subprocess.run(
            [ROOT / "docs" / "tour.sh"],
            env={
                "PATH": "/usr/bin:/bin",
                "HOME": "/nonexistent",
                "TOUR_BIN": f"{aws.parent}:{Path(sys.executable).parent}",
            },
            capture_output=True,
            text=True,
            timeout=580,
            check=False,
        )
    assert tour.returncode == 0, tour.stdout[-3000:] + tour.stderr[-3000:]
    for step in range(STEPS + 1):
        assert f"\n## {step}. " in tour.stdout
    assert "the audit streams are intact" in tour.stdout
