"""Files that the command line names, read and written whole; what can't be done is one line."""

import sys
from pathlib import Path

from iamd.cli.connection import USAGE, Failure

STANDARD_INPUT = "-"


def read_file(file: Path) -> str:
    """The text of a file, with its line ends as they are; `-` is standard input."""
    try:
        content = sys.stdin.buffer.read() if str(file) == STANDARD_INPUT else file.read_bytes()
        return content.decode()
    except OSError as error:
        raise Failure(f"cannot read `{file}`: {error.strerror}", USAGE) from error
    except UnicodeDecodeError as error:
        raise Failure(f"`{file}` is not UTF-8", USAGE) from error


def write_file(file: Path, content: bytes) -> None:
    """Make the file, or write it anew."""
    try:
        file.write_bytes(content)
    except OSError as error:
        raise Failure(f"cannot write `{file}`: {error.strerror}", USAGE) from error
