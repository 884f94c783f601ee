"""The decision benchmark alone: `python -m benchmarks.decisions [--write FILE]`."""

import argparse
import sys
import tempfile
from pathlib import Path

from . import page, section
from .goals import Report


def main(arguments):
    """Run it; gives the exit code, which says that it could be measured, not that goals are met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decisions", description=__doc__)
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the results there as a page of docs/")
    chosen = parser.parse_args(arguments)
    if sys.platform != "linux":
        print("decisions: Linux is needed: memory is read from its /proc", file=sys.stderr)
        return 2
    report = Report()
    with tempfile.TemporaryDirectory(prefix="iamd-decisions-") as folder:
        worlds = section.run(report, folder)
    report.end()
    print(f"\n{report.missed} goals missed")
    if chosen.write is not None:
        chosen.write.write_text(page.text(report, worlds), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
