"""The gateway beside a bare proxy and beside moto itself, on S3 GETs of 1 KiB: G1 to G3."""

from contextlib import ExitStack

import servers
from rounds import Subject, measure
from signed import Callers

ROUNDS = 20
FAST, SLOW = 960, 80
ALONE = 60


def run(report, folder):
    """Measure, and tell the report."""
    with ExitStack() as stack:
        backend = stack.enter_context(servers.app("backend"))
        running = {
            "direct": backend,
            "proxy": stack.enter_context(servers.app("proxy", f"http://127.0.0.1:{backend.port}")),
            "gateway": stack.enter_context(servers.iamd(folder, backend=f"http://127.0.0.1:{backend.port}")),
            "embedded": stack.enter_context(servers.iamd(folder, backend="moto")),
            "moto": stack.enter_context(servers.moto()),
        }
        asked = _requests(running)
        _cpu(report, running, asked)
        _latency(report, running, asked)


def _requests(running):
    """The requests for each server; who checks no signature gets what was signed for the gateway."""
    asked = {}
    for name in ("gateway", "embedded", "moto"):
        callers = Callers(running[name].port, servers.TEST if name == "moto" else servers.ADMIN)
        callers.put_objects()
        asked[name] = callers.get_object()
    return {**asked, "direct": asked["gateway"], "proxy": asked["gateway"]}


def _cpu(report, running, asked):
    counts = {"embedded": SLOW, "moto": SLOW}
    # The embedded backend is a child of iamd's; only iamd's own process is counted.
    subjects = {name: Subject(server, asked[name], counts.get(name, FAST)) for name, server in running.items()}
    measure(subjects.values(), ROUNDS)
    cpu = {name: subject.cpu for name, subject in subjects.items()}
    report.tell("G1", cpu["gateway"] / cpu["proxy"])
    report.tell("G2", cpu["gateway"] / cpu["moto"] * 100)
    report.tell("G2e", cpu["embedded"] / cpu["moto"] * 100)
    report.note("S3 GET of 1 KiB, CPU us: " + _figures(cpu))


def _latency(report, running, asked):
    subjects = {name: Subject(server, asked[name], ALONE, connections=1) for name, server in running.items()}
    measure(subjects.values(), ROUNDS)
    p50 = {name: subject.p50 for name, subject in subjects.items()}
    report.tell("G3", (p50["gateway"] - p50["direct"]) / p50["moto"] * 100)
    report.tell("G3e", (p50["embedded"] / p50["moto"] - 1) * 100)
    report.note("S3 GET of 1 KiB, 1 connection, median us: " + _figures(p50))


def _figures(values):
    return ", ".join(f"{name} {value:.0f}" for name, value in values.items())
