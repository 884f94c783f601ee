"""The AWS CLI with its modules loaded once: a program `aws` that a test puts into a PATH before the installed one.

Each call is a process of its own, with the caller's arguments, environment, folder and streams, that runs what the
installed `aws` runs. It only begins as a copy of a process that has imported the CLI, which takes longer than most calls.
"""

import gc
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CALL = """#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as preloaded:
    preloaded.connect({address!r})
    told = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]).encode()
    socket.send_fds(preloaded, [len(told).to_bytes(4, "big")], [0, 1, 2])
    preloaded.sendall(told)
    sys.exit(int(preloaded.makefile().read() or 255))
"""


@contextmanager
def aws_cli(folder: Path) -> Iterator[Path]:
    """The `aws` in this folder, for the block."""
    address = folder / "aws.socket"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(address))
        listening.listen()
        # Its imports see no variables of the tests' own: each call brings all of its variables along.
        process = subprocess.Popen(
            [sys.executable, __file__, str(listening.fileno())],
            pass_fds=[listening.fileno()],
            env={"PATH": os.environ["PATH"]},
        )
    program = folder / "aws"
    program.write_text(CALL.format(python=sys.executable, address=str(address)))
    program.chmod(0o755)
    try:
        yield program
    finally:
        process.terminate()
        process.wait(20)


def serve(listening: socket.socket) -> None:
    """Answer each call by a process of its own, whose exit code it is told."""
    # What the calls will import, whatever they ask for.
    import awscli.clidriver
    import awscli.handlers  # noqa: F401

    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        call, _ = listening.accept()
        with call:
            if os.fork() == 0:
                listening.close()
                answer(call)


def answer(call: socket.socket) -> None:
    """Run the call in a child of this process, and tell its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    size, streams, _, _ = socket.recv_fds(call, 4, 3)
    arguments, environment, folder = json.loads(call.makefile("rb").read(int.from_bytes(size, "big")))
    child = os.fork()
    if child == 0:
        call.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        os.chdir(folder)
        # The CLI's import says there where its own data are.
        own = {"AWS_DATA_PATH": os.environ["AWS_DATA_PATH"]}
        os.environ.clear()
        os.environ.update(environment | own)
        from awscli.clidriver import main

        sys.argv = ["aws", *arguments]
        sys.exit(main())
    for stream in streams:
        os.close(stream)
    _, status = os.waitpid(child, 0)
    call.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
