"""Cold start: CPU and memory of iamd without a backend beside moto_server's, at their first answer: S1 and S2."""

import servers
from signed import client

ROUNDS = 4


def run(report, folder):
    """Measure, and tell the report."""
    ours, peers = [], []
    for _ in range(ROUNDS):
        ours.append(_started(servers.iamd(folder), servers.ADMIN))
        peers.append(_started(servers.moto(), servers.TEST))
    (cpu, memory), (peer_cpu, peer_memory) = (map(min, zip(*of, strict=True)) for of in (ours, peers))
    report.tell("S1", cpu / peer_cpu)
    report.tell("S2", memory / peer_memory)
    report.note(f"cold start: iamd {cpu:.2f} s of CPU, {memory:.0f} MiB; moto {peer_cpu:.2f} s, {peer_memory:.0f} MiB")


def _started(server, key):
    """CPU seconds and MiB of a server when its first answer is there; it is stopped."""
    with server:
        client("sts", server.port, key).get_caller_identity()
        return server.cpu(), server.memory()
