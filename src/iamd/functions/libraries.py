"""The libraries that a function finds without bringing them: AWS's runtime client and its SDK, and no others of iamd's.

AWS: Lambda Developer Guide, "Runtime-included SDK versions" and "Working with .zip file archives for Python".
"""

import contextlib
import importlib.metadata
import sys
from pathlib import Path
from typing import Final

_DISTRIBUTIONS: Final = (
    "awslambdaric", "simplejson", "snapshot-restore-py",
    "boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "six", "urllib3",
)  # fmt: skip


class Missing(Exception):
    """A library that runs functions is not installed."""


def link(folder: Path) -> None:
    """Link what these distributions have at their top into a folder; Missing when one of them is not installed."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in _DISTRIBUTIONS:
        try:
            found = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError as error:
            raise Missing(name) from error
        for top in sorted({file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}):
            # Two functions may begin at the same time.
            with contextlib.suppress(FileExistsError):
                (folder / top).symlink_to(str(found.locate_file(top)))


def words_of(handler: str) -> tuple[str, ...]:
    """The command that runs a handler: AWS's runtime client, with no module that a function does not find on AWS."""
    return (sys.executable, "-S", "-s", "-m", "awslambdaric", handler)
