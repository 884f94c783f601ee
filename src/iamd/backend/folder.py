"""Where the backend's sockets are: a folder that only this user can enter, with a path short enough for a socket."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path
from typing import Final

# unix(7): a socket's path has at most 108 bytes on Linux, 104 on other systems, its final zero among them.
_LONGEST: Final = 100
_LONGEST_NAME: Final = "requests"


def socket_folder(data: Path) -> Path:
    """Give the folder of the backend's sockets for this data folder, made if need be; the same one every time."""
    wanted = data.absolute() / "backend"
    if len(os.fsencode(wanted / _LONGEST_NAME)) > _LONGEST:
        digest = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:16]
        wanted = Path(tempfile.gettempdir()) / f"iamd-{os.getuid()}-{digest}"
    wanted.mkdir(mode=0o700, parents=True, exist_ok=True)
    _require_own(wanted)
    return wanted


def _require_own(folder: Path) -> None:
    found = folder.lstat()
    # SECURITY: whoever can enter this folder can talk to the backend without being decided on.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else")
    if stat.S_IMODE(found.st_mode) != 0o700:
        folder.chmod(0o700)
