"""Run docs/tour.sh and write what it showed into docs/tour.md, and its first steps into README.md."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEAD = """# The tour

An IAM user, groups, policies, roles, another account, MFA and the audit trail, with the real AWS CLI against a fresh
iamd. This page is what `docs/tour.sh` printed (`make tour` writes it anew); the script checks every step, and the tests
run it. Ids, keys, times and the port differ from run to run. `# into the profile x` says that the answer's keys are
kept as a profile of the AWS CLI; version 2 of the CLI needs no `--endpoint-url`.
"""
README_STEPS = ("1", "2", "3", "4")
BEGIN, END = "<!-- tour:begin -->", "<!-- tour:end -->"


def sections(output: str) -> list[tuple[str, str]]:
    """Give each step's title and what it printed."""
    parts = re.split(r"^## (.*)$", output, flags=re.MULTILINE)[1:]
    return [(title, text.strip("\n")) for title, text in zip(parts[::2], parts[1::2], strict=True)]


def page(steps: list[tuple[str, str]]) -> str:
    """Give the steps as Markdown."""
    return "\n".join(f"## {title}\n\n```console\n{text}\n```\n" for title, text in steps)


def main() -> int:
    """Write both pages; nothing is written when the tour fails."""
    tour = subprocess.run([ROOT / "docs" / "tour.sh"], capture_output=True, text=True, check=False)
    if tour.returncode != 0:
        print(tour.stdout[-2000:] + tour.stderr, file=sys.stderr)
        return tour.returncode
    steps = sections(tour.stdout)
    (ROOT / "docs" / "tour.md").write_text(f"{HEAD}\n{page(steps)}")
    short = [(title, text) for title, text in steps if title.partition(".")[0] in README_STEPS]
    readme = ROOT / "README.md"
    before, _, rest = readme.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    body = page(short).replace("## ", "### ")
    readme.write_text(f"{before}{BEGIN}\n\n{body}\n{END}{after}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
