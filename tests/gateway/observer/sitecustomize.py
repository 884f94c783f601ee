"""An observer within the embedded moto: writes down what it runs, beside what iamd decided.

Python imports this file by its name when its folder is on PYTHONPATH. It does nothing but in the backend's process, and
there it knows nothing of iamd but the verdict: each request for which a function of moto's response classes runs is one
line: the functions, the account and region that they work in, and the names that reach moto's models.
"""

import contextlib
import functools
import importlib.abc
import importlib.machinery
import inspect
import json
import sys
import threading
from pathlib import Path
from types import FunctionType

CALLS = Path(__file__).with_name("calls.jsonl")
# What moto runs around its operations.
AROUND = {
    "dispatch", "setup_class", "call_action", "serialized", "get_safe_path", "parse_key_name", "is_delete_keys",
    "parse_bucket_name_from_url", "subdomain_based_buckets", "bucket_response", "key_response", "ambiguous_response",
    "bucket_dispatch", "key_dispatch", "ambiguous_dispatch", "determine_response_protocol", "parse_parameters",
    "decompress_request_body", "get_access_key", "get_current_account", "get_region_from_url", "api_version_elb_backend",
}  # fmt: skip
# S3's operations begin in these.
PRIVATE = {"_bucket_response", "_key_response", "_bucket_response_delete_keys", "_bucket_response_put"}
_thread = threading.local()


def note(line: dict) -> None:
    with CALLS.open("a") as file:
        file.write(json.dumps(line) + "\n")


def verdict() -> dict:
    from iamd.backend.dispatch import CURRENT

    current = CURRENT.get()
    return {
        "service": current.service,
        "operation": current.operation,
        "account": current.account_id,
        "region": current.region,
    }


def watched(function: FunctionType, module: str) -> FunctionType:
    """A function of a response class: the first one of a request writes down what ran within it, itself included."""

    @functools.wraps(function)
    def run(response, *given, **named):
        frame = getattr(_thread, "frame", None)
        if frame is not None:
            frame["functions"].append(function.__name__)
            return function(response, *given, **named)
        frame = {"module": module, "functions": [function.__name__], "touched": []}
        frame |= {"account": getattr(response, "current_account", None), "region": getattr(response, "region", None)}
        _thread.frame = frame
        try:
            return function(response, *given, **named)
        finally:
            _thread.frame = None
            note({"decided": verdict(), "ran": frame})

    return run


def touching(function: FunctionType) -> FunctionType:
    """A function of a backend that writes down whose it is and what names it is given."""
    names = list(inspect.signature(function).parameters)[1:]

    @functools.wraps(function)
    def run(backend, *given, **named):
        frame = getattr(_thread, "frame", None)
        if frame is not None:
            texts = {name: value for name, value in [*zip(names, given, strict=False), *named.items()]
                     if isinstance(value, str) and ("name" in name or "id" in name or "arn" in name)}  # fmt: skip
            frame["touched"].append([getattr(backend, "account_id", None), function.__name__, texts])
        return function(backend, *given, **named)

    return run


def watch(module) -> None:
    """Put the observer into a module's response and backend classes."""
    service = module.__name__.split(".")[1]
    for cls in list(vars(module).values()):
        if not isinstance(cls, type) or cls.__module__ != module.__name__:
            continue
        kind = {base.__name__ for base in cls.__mro__}
        if service in {"core", "moto_api"} or not kind & {"BaseResponse", "BaseBackend", "EC2BaseResponse"}:
            continue
        wrap = functools.partial(watched, module=service) if "BaseResponse" in kind else touching
        for name, value in list(vars(cls).items()):
            if isinstance(value, FunctionType) and name not in AROUND and not name.startswith("__"):
                if "BaseResponse" in kind and name.startswith("_") and name not in PRIVATE:
                    continue
                setattr(cls, name, wrap(value))


class Watching(importlib.abc.MetaPathFinder):
    """Watches moto's responses and models as they are imported."""

    def find_spec(self, name, path, target=None):
        parts = name.split(".")
        if parts[0] != "moto" or len(parts) < 3 or parts[2] not in {"responses", "models"}:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return spec
        plain = spec.loader.exec_module

        def exec_module(module):
            plain(module)
            watch(module)

        with contextlib.suppress(AttributeError):
            spec.loader.exec_module = exec_module
        return spec


if "iamd.backend.moto_server" in sys.orig_argv:
    CALLS.touch()
    sys.meta_path.insert(0, Watching())
