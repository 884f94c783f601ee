"""DeleteObjects of the embedded backend in quiet mode, where moto would tell what it has deleted all the same.

AWS: S3 API Reference, DeleteObjects: in quiet mode the answer has those keys alone that could not be deleted.
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final

import xmltodict
from moto.s3.models import S3Backend
from moto.s3.responses import S3Response

from iamd.backend.replacement import replace

_QUIET: Final[ContextVar[bool]] = ContextVar("quiet", default=False)


def install() -> None:
    """Have moto look whether it is to be quiet."""
    replace(S3Response, "_bucket_response_delete_keys", _asked)
    replace(S3Backend, "delete_objects", _told)


def _asked(original: Callable[..., Any]) -> Callable[..., Any]:
    def delete_keys(response: S3Response, *given: Any, **named: Any) -> Any:
        said = xmltodict.parse(response.body, strip_whitespace=False)["Delete"].get("Quiet")
        before = _QUIET.set(said in {"true", "1"})
        try:
            return original(response, *given, **named)
        finally:
            _QUIET.reset(before)

    return delete_keys


def _told(original: Callable[..., Any]) -> Callable[..., Any]:
    def delete_objects(backend: S3Backend, *given: Any, **named: Any) -> Any:
        deleted, errors = original(backend, *given, **named)
        return [] if _QUIET.get() else deleted, errors

    return delete_objects
