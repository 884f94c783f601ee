"""`make bench`: iamd beside its peers in one run; prints each goal with what was measured.

Run: python benchmarks/run.py [SECTION ...], the sections being those of SECTIONS.
"""

import importlib.metadata
import os
import platform
import sys
import tempfile
import time
from datetime import UTC, datetime

import forwarding
import instance_metadata
import known_resources
import large_bodies
import own_services
import pauses
import principals
import servers
import starting
import writing
from decisions import section as decisions
from goals import Report

SECTIONS = {
    "services": own_services.run,
    "gateway": forwarding.run,
    "resources": known_resources.run,
    "metadata": instance_metadata.run,
    "start": starting.run,
    "large": large_bodies.run,
    "writes": writing.run,
    "load": principals.run,
    "pauses": pauses.run,
    "decisions": decisions.run,
}


def main(chosen):
    """Run the sections; gives the exit code, which says that everything could be measured, not that goals are met."""
    missing = _missing(chosen)
    if missing is not None:
        print(f"bench: {missing}", file=sys.stderr)
        return 2
    begun = time.monotonic()
    print(_where())
    report = Report()
    report.begin()
    with tempfile.TemporaryDirectory(prefix="iamd-bench-") as folder:
        for name in chosen or SECTIONS:
            SECTIONS[name](report, folder)
    report.end()
    print(f"\n{report.missed} goals missed; took {time.monotonic() - begun:.0f} s")
    return 0


def _missing(chosen):
    """What this machine or the command lacks, in one line."""
    unknown = [name for name in chosen if name not in SECTIONS]
    if unknown:
        return f"unknown section `{unknown[0]}`: give some of {', '.join(SECTIONS)}"
    if sys.platform != "linux":
        return "Linux is needed: CPU and memory of the servers are read from its /proc"
    for program in (servers.BIN / "iamd", servers.BIN / "moto_server", servers.PEERS / "ministack"):
        if not program.exists():
            return f"{program} is missing: `make bench` installs it"
    return None


def _where():
    versions = {"moto": importlib.metadata.version("moto")}
    versions |= {name: servers.peer_version(name) for name in ("ministack", "uvicorn", "aiohttp")}
    peers = ", ".join(f"{name} {version}" for name, version in versions.items())
    cores, busy = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    day, python = (
        datetime.now(UTC).strftime("%Y-%m-%d"),
        f"{platform.python_implementation()} {platform.python_version()}",
    )
    return f"{day}, {cores} cores with a load of {busy:.1f} at the beginning, {python}; {peers}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
