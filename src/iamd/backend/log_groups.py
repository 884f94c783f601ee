"""moto's log groups: deletion protection, which it does not have.

AWS: CloudWatch Logs User Guide, "Protecting log groups from deletion", which has the error; API Reference,
CreateLogGroup, PutLogGroupDeletionProtection and LogGroup.
"""

from collections.abc import Callable
from typing import Any, Final

from moto.logs.exceptions import LogsClientError, ResourceNotFoundException
from moto.logs.models import LogGroup, LogsBackend
from moto.logs.responses import LogsResponse

from iamd import arn as arns
from iamd.backend.replacement import replace
from iamd.backend.verdict import NOT_TAKEN, Refused

_PROTECTED: Final = "deletion_protection_enabled"
_RESOURCE: Final = "log-group:"


def install() -> None:
    """Keep it, tell it, and hold it."""
    replace(LogsResponse, "create_log_group", _made)
    replace(LogsBackend, "delete_log_group", _unprotected)
    replace(LogGroup, "to_describe_dict", _described)
    if not hasattr(LogsResponse, "put_log_group_deletion_protection"):
        LogsResponse.put_log_group_deletion_protection = _put  # type: ignore[attr-defined]


def _made(original: Callable[[Any], str]) -> Callable[[Any], str]:
    def create_log_group(response: Any) -> str:
        if response._get_param("bearerTokenAuthenticationEnabled"):  # noqa: SLF001 - moto's responses have no other way
            raise Refused(NOT_TAKEN, "bearerTokenAuthenticationEnabled")
        answer = original(response)
        found = response.logs_backend.groups[response._get_param("logGroupName")]  # noqa: SLF001
        setattr(found, _PROTECTED, bool(response._get_param("deletionProtectionEnabled")))  # noqa: SLF001
        return answer

    return create_log_group


def _put(response: Any) -> str:
    named = response._get_param("logGroupIdentifier")  # noqa: SLF001
    arn = arns.parse(named)
    name = arn.resource.removeprefix(_RESOURCE).removesuffix(":*") if arn is not None else named
    found = response.logs_backend.groups.get(name)
    if found is None:
        raise ResourceNotFoundException
    setattr(found, _PROTECTED, response._get_param("deletionProtectionEnabled"))  # noqa: SLF001
    return ""


def _unprotected(original: Callable[..., None]) -> Callable[..., None]:
    def delete_log_group(backend: Any, log_group_name: str) -> None:
        if getattr(backend.groups.get(log_group_name), _PROTECTED, False):
            raise LogsClientError(
                "ValidationException",
                "Cannot delete log group with deletion protection enabled. Disable deletion protection first.",
            )
        original(backend, log_group_name)

    return delete_log_group


def _described(original: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    def to_describe_dict(group: Any) -> dict[str, Any]:
        return {**original(group), "deletionProtectionEnabled": getattr(group, _PROTECTED, False)}

    return to_describe_dict
