"""The environment of a function's process: what AWS sets, what the function's configuration says, and nothing else.

AWS: Lambda Developer Guide, "Working with Lambda environment variables" (configuration-envvars): reserved variables and
those that a function's own take the place of.
"""

import os
import sys
from pathlib import Path
from typing import Final

import msgspec

from iamd.functions.definition import Function
from iamd.metadata.temporary import Temporary

_PATHS: Final = "/usr/local/bin:/usr/bin:/bin"


class Places(msgspec.Struct, frozen=True):
    """Where the parts of an execution environment are; `task` is the function's code, `opt` its layers'."""

    task: Path
    opt: Path | None
    runtime: Path
    temporary: Path
    home: Path


class Server(msgspec.Struct, frozen=True):
    """The server that a function's clients speak to."""

    endpoint: str
    region: str


def of(
    function: Function, places: Places, server: Server, credentials: Temporary, stream: str, api: str
) -> dict[str, str]:
    """The environment; what is reserved can't be set by the function's own variables."""
    return {
        **_open(places),
        **function.variables,
        **_path(function, places),
        **_reserved(function, places, server, stream, api),
        **_keys(credentials),
    } | _endpoint(function, server)


def _open(places: Places) -> dict[str, str]:
    """What the function's own variables take the place of."""
    libraries = [places.task, places.task / "lib"] + ([places.opt / "lib"] if places.opt is not None else [])
    tools = [_PATHS] + ([str(places.opt / "bin")] if places.opt is not None else [])
    return {
        "LANG": "en_US.UTF-8",
        "PATH": os.pathsep.join(tools),
        "LD_LIBRARY_PATH": os.pathsep.join(map(str, libraries)),
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "TMPDIR": str(places.temporary),
        "HOME": str(places.home),
        # Where code is unpacked many processes read.
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _path(function: Function, places: Places) -> dict[str, str]:
    """Where modules are looked for: the function's, its layers', the runtime's (Developer Guide, python-package)."""
    found = [str(places.task)]
    if places.opt is not None:
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        found += [str(places.opt / "python" / "lib" / version / "site-packages"), str(places.opt / "python")]
    own = function.variables.get("PYTHONPATH")
    return {"PYTHONPATH": os.pathsep.join([*found, *([own] if own else []), str(places.runtime)])}


def _endpoint(function: Function, server: Server) -> dict[str, str]:
    own = function.variables.get("AWS_ENDPOINT_URL")
    return {"AWS_ENDPOINT_URL": own or server.endpoint}


def _reserved(function: Function, places: Places, server: Server, stream: str, api: str) -> dict[str, str]:
    logging = function.other.get("LoggingConfig", {})
    level = logging.get("ApplicationLogLevel")
    return {
        "_HANDLER": function.handler,
        "AWS_REGION": server.region,
        "AWS_DEFAULT_REGION": server.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "AWS_LAMBDA_LOG_FORMAT": logging.get("LogFormat") or "Text",
        **({"AWS_LAMBDA_LOG_LEVEL": level} if level else {}),
        "AWS_LAMBDA_RUNTIME_API": api,
        "LAMBDA_TASK_ROOT": str(places.task),
        "LAMBDA_RUNTIME_DIR": str(places.runtime),
        "TZ": ":UTC",
    }


def _keys(credentials: Temporary) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        **({"AWS_SESSION_TOKEN": credentials.session_token} if credentials.session_token else {}),
    }
