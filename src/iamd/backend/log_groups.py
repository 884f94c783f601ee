"""moto's log groups: deletion protection, which it does not have; the groups and streams that are asked for alone.

AWS: CloudWatch Logs User Guide, "Protecting log groups from deletion", which has the error; API Reference,
CreateLogGroup, PutLogGroupDeletionProtection, LogGroup, DescribeLogGroups and FilterLogEvents.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any, Final

from moto.logs.exceptions import InvalidParameterException, LogsClientError, ResourceNotFoundException
from moto.logs.models import LogGroup, LogsBackend
from moto.logs.responses import LogsResponse

from iamd import arn as arns
from iamd.backend.replacement import replace
from iamd.backend.verdict import NOT_TAKEN, Refused

_PROTECTED: Final = "deletion_protection_enabled"
_CLASS: Final = "log_group_class"
_USUAL: Final = "STANDARD"
_RESOURCE: Final = "log-group:"
_PAGE: Final = 50
_CHOOSING: Final = ("logGroupNamePattern", "logGroupClass", "logGroupIdentifiers")
_OF_OTHERS: Final = ("accountIdentifiers", "includeLinkedAccounts")
"""What moto does not look at when it lists groups; the last ones are of monitoring accounts, which there are not."""


def install() -> None:
    """Keep the protection, tell it, and hold it; look at what is asked for."""
    replace(LogsResponse, "create_log_group", _made)
    replace(LogsResponse, "describe_log_groups", _chosen)
    replace(LogsResponse, "filter_log_events", _filtered)
    replace(LogsBackend, "delete_log_group", _unprotected)
    replace(LogGroup, "to_describe_dict", _described)
    if not hasattr(LogsResponse, "put_log_group_deletion_protection"):
        LogsResponse.put_log_group_deletion_protection = _put  # type: ignore[attr-defined]


def _made(original: Callable[[Any], str]) -> Callable[[Any], str]:
    def create_log_group(response: Any) -> str:
        answer = original(response)
        asked = response._get_param  # noqa: SLF001 - moto's responses have no other way
        found = response.logs_backend.groups[asked("logGroupName")]
        setattr(found, _PROTECTED, bool(asked("deletionProtectionEnabled")))
        setattr(found, _CLASS, asked("logGroupClass") or _USUAL)
        return answer

    return create_log_group


def _put(response: Any) -> str:
    found = _group(response, response._get_param("logGroupIdentifier"))  # noqa: SLF001
    setattr(found, _PROTECTED, response._get_param("deletionProtectionEnabled"))  # noqa: SLF001
    return ""


def _name(identifier: str) -> str:
    """The name of a log group by its name or ARN."""
    arn = arns.parse(identifier)
    return arn.resource.removeprefix(_RESOURCE).removesuffix(":*") if arn is not None else identifier


def _group(response: Any, identifier: str) -> Any:
    found = response.logs_backend.groups.get(_name(identifier))
    if found is None:
        raise ResourceNotFoundException
    return found


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
        told = {"deletionProtectionEnabled": getattr(group, _PROTECTED, False)}
        return {**original(group), **told, "logGroupClass": getattr(group, _CLASS, _USUAL)}

    return to_describe_dict


def _chosen(original: Callable[[Any], str]) -> Callable[[Any], str]:
    def describe_log_groups(response: Any) -> str:
        asked = response._get_param  # noqa: SLF001
        for name in _OF_OTHERS:
            if asked(name):
                raise Refused(NOT_TAKEN, name)
        if all(asked(name) is None for name in _CHOOSING):
            return original(response)
        found = [group.to_describe_dict() for group in _matching(response.logs_backend.groups.values(), asked)]
        token, limit = asked("nextToken") or "0", asked("limit") or _PAGE
        if not (token.isascii() and token.isdecimal()):
            raise InvalidParameterException("The specified nextToken is invalid.")
        begin, end = int(token), int(token) + limit
        more = {"nextToken": str(end)} if end < len(found) else {}
        return json.dumps({"logGroups": found[begin:end], **more})

    return describe_log_groups


def _matching(groups: Iterable[Any], asked: Callable[[str], Any]) -> list[Any]:
    prefix, pattern = asked("logGroupNamePrefix"), asked("logGroupNamePattern")
    if prefix is not None and pattern is not None:
        raise InvalidParameterException(
            "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."
        )
    of, identifiers = asked("logGroupClass"), asked("logGroupIdentifiers")
    names = {_name(one) for one in identifiers or ()}
    found = [
        group
        for group in groups
        if group.name.startswith(prefix or "")
        and (pattern or "") in group.name
        and (identifiers is None or group.name in names)
        and (of is None or getattr(group, _CLASS, _USUAL) == of)
    ]
    return sorted(found, key=lambda group: str(group.name))


def _filtered(original: Callable[[Any], str]) -> Callable[[Any], str]:
    def filter_log_events(response: Any) -> str:
        asked = response._get_param  # noqa: SLF001
        if asked("startFromHead") is False:
            raise Refused(NOT_TAKEN, "startFromHead")
        prefix, streams = asked("logStreamNamePrefix"), asked("logStreamNames")
        if prefix is None and asked("logGroupIdentifier") is None:
            return original(response)
        if prefix is not None and streams:
            raise InvalidParameterException("logStreamNamePrefix and logStreamNames can't be specified together.")
        group = _group(response, asked("logGroupIdentifier") or asked("logGroupName"))
        if prefix is not None:
            streams = [name for name in group.streams if name.startswith(prefix)]
            if not streams:
                # Without a name, moto would look into all of them.
                return json.dumps({"events": [], "searchedLogStreams": []})
        times = asked("startTime"), asked("endTime"), asked("limit"), asked("nextToken")
        given = (group.name, streams or [], *times, asked("filterPattern"), asked("interleaved") or False)
        events, token, searched = response.logs_backend.filter_log_events(*given)
        return json.dumps({"events": events, "nextToken": token, "searchedLogStreams": searched})

    return filter_log_events
