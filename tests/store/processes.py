"""Starting and talking to the processes of worker.py."""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

TESTS = Path(__file__).parents[1]


class Worker:
    def __init__(self, mode, folder):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "store.worker", mode, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=TESTS,
            env={**os.environ, "PYTHONPATH": str(TESTS)},
            text=True,
            bufsize=1,
        )

    def tell(self, line):
        self.process.stdin.write(f"{line}\n")

    def line(self):
        line = self.process.stdout.readline()
        if not line:
            raise EOFError("the worker ended")
        return line.strip()

    def ask(self, line):
        self.tell(line)
        return self.line()

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


@contextmanager
def worker(mode, folder):
    started = Worker(mode, folder)
    try:
        if mode == "serve":
            started.line()
        yield started
    finally:
        started.close()
