"""The embedded backend's process: moto behind two Unix sockets, one for decided requests and one for control."""

import argparse
import ctypes
import logging
import os
import signal
import socket
import sys
import threading
import uuid
import warnings
from pathlib import Path
from typing import Final

from iamd.backend.connection import Application, Connection

BACKLOG: Final = 512
_PR_SET_PDEATHSIG: Final = 1


def main() -> None:
    """Serve until standard input ends, which it does when iamd ends, however it ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", required=True, type=Path)
    folder = parser.parse_args().folder
    _die_with_parent()
    warnings.simplefilter("ignore")
    logging.basicConfig(level=logging.ERROR, format="iamd backend: %(message)s")
    boot = uuid.uuid4().hex
    requests, control = _applications(boot)
    _listen(folder / "requests", requests)
    _listen(folder / "control", control)
    sys.stdout.write(boot + "\n")
    sys.stdout.flush()
    sys.stdin.buffer.read()
    os._exit(0)


def _die_with_parent() -> None:
    # Standard input's end tells of the parent's death too, but only to a thread that still runs.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _applications(boot: str) -> tuple[Application, Application]:
    # moto reads its settings when it is imported, so this comes after the environment has been made.
    from iamd.backend import (  # noqa: PLC0415
        deliveries,
        dispatch,
        dynamodb,
        fan_out,
        functions,
        neutral,
        s3,
        s3control,
        stream_policies,
        stream_tags,
        streams,
        table_streams,
    )
    from iamd.backend.control import Control  # noqa: PLC0415

    dispatch.install()
    s3.install()
    s3control.install()
    dynamodb.install()
    neutral.install()
    functions.install()
    deliveries.install()
    streams.install()
    table_streams.install()
    fan_out.install()
    stream_tags.install()
    stream_policies.install()
    return dispatch.Dispatcher(boot), Control(boot)


def _listen(path: Path, application: Application) -> None:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    path.unlink(missing_ok=True)
    listener.bind(str(path))
    path.chmod(0o600)
    listener.listen(BACKLOG)
    threading.Thread(target=_accept, args=(listener, application), daemon=True).start()


def _accept(listener: socket.socket, application: Application) -> None:
    while True:
        connected, _ = listener.accept()
        threading.Thread(target=Connection(connected, application).serve, daemon=True).start()


if __name__ == "__main__":
    main()
